import Base
import Client
import Tensor

/// A conditional generator of features, G(y, ε): a hidden layer on (one-hot of y, ε).
///
/// Zhu et al., ICML 2021, arXiv:2105.10056, section 4; layers and diversity as in the authors'
/// code.
package struct Generator {
  /// C + noise → hidden, batch norm, ReLU → d.
  package let network: Network
  /// Dimensions of ε.
  package let noise: Int
  package let classes: Int
  private let workspace: Workspace

  /// The layers of a generator.
  package static func network(classes: Int, noise: Int, hidden: Int, features: Int) -> Network {
    var builder = NetworkBuilder(input: FeatureShape(features: classes + noise))
    let inner = builder.batchNorm("bn1", builder.dense("fc1", builder.input, hidden))
    let made = builder.dense("fc2", builder.activation(.relu, inner), features)
    return builder.build(logits: made)
  }

  /// A generator with its parameters, [network.layout.count].
  ///
  /// `capacity`: most rows that are made at once; `optimizer`: for `train`, or nil.
  package init(
    _ network: Network, classes: Int, parameters: [Float], capacity: Int,
    optimizer: OptimizerSpec? = nil
  ) {
    self.network = network
    self.classes = classes
    noise = network.input.count - classes
    workspace = Workspace(
      network, capacity: capacity, training: optimizer != nil,
      moments: optimizer.map(Optimizer.momentCount) ?? 0)
    workspace.load(parameters)
  }

  /// All parameters as they are now.
  package var parameters: [Float] { workspace.currentParameters }

  /// Features of some labels with noise from a stream, [labels × d]; evaluation mode.
  package func features(of labels: [Int], _ stream: inout RandomStream) -> [Float] {
    var all: [Float] = []
    all.reserveCapacity(labels.count * network.classes)
    for start in stride(from: 0, to: labels.count, by: workspace.capacity) {
      let part = labels[start..<min(start + workspace.capacity, labels.count)]
      draw(part, &stream)
      network.forward(workspace, batch: part.count, training: false)
      all += workspace.logits.prefix(part.count * network.classes)
    }
    return all
  }

  /// Fills the input: a one-hot row per label and N(0, 1) noise after it.
  private func draw(_ labels: ArraySlice<Int>, _ stream: inout RandomStream) {
    let width = network.input.count
    for (i, label) in labels.enumerated() {
      for c in 0..<classes { workspace.input[i * width + c] = c == label ? 1 : 0 }
      for e in classes..<width { workspace.input[i * width + e] = Float(stream.normal()) }
      workspace.labels[i] = Int32(label)
    }
  }

  /// Labels from a distribution p̂, by inverting its sums.
  package static func labels(_ count: Int, from distribution: [Float], _ stream: inout RandomStream)
    -> [Int]
  {
    let total = distribution.reduce(0.0) { $0 + Double($1) }
    return (0..<count).map { _ in
      var rest = stream.uniform() * total
      for (c, share) in distribution.enumerated() where share > 0 {
        rest -= Double(share)
        if rest < 0 { return c }
      }
      return distribution.lastIndex { $0 > 0 } ?? 0
    }
  }

  // MARK: - Training

  /// Steps of an optimizer on CE(softmax h(G(y, ε)), y) + η·diversity with y ~ p̂.
  ///
  /// `teacher`: the clients' mean classifier; a mean of linear logits is the mean's logits.
  ///
  /// `batch`: rows per step, at most the capacity; `diversityWeight`: η.
  ///
  /// `seed`, `round`, `client`: address of labels and noise; `client` is K.
  ///
  /// - Returns: the loss of each step.
  /// - Throws: ``Divergence`` when one is not finite.
  package func train(
    _ teacher: PlainClassifier, labels distribution: [Float], steps: Int, batch: Int,
    diversityWeight: Double, _ spec: OptimizerSpec, seed: UInt64, round: Int, client: Int
  ) throws(Divergence) -> [Double] {
    var optimizer = Optimizer(spec, workspace)
    var losses: [Double] = []
    for step in 0..<steps {
      var stream = RandomStream(seed: seed, .server, round: round, client: client, step: step)
      let labels = Self.labels(batch, from: distribution, &stream)
      let loss = gradient(teacher, labels, diversityWeight: diversityWeight, &stream)
      guard loss.isFinite else { throw Divergence(round: round) }
      optimizer.step(
        workspace, learningRate: spec.learningRate, ranges: [0..<network.layout.trainedCount])
      losses.append(loss)
    }
    return losses
  }

  /// The loss on some labels; leaves its gradient in `lastGradient`.
  package func gradient(
    _ teacher: PlainClassifier, _ labels: [Int], diversityWeight: Double,
    _ stream: inout RandomStream
  ) -> Double {
    let (batch, width) = (labels.count, network.classes)
    draw(labels[...], &stream)
    network.forward(workspace, batch: batch, training: true)
    guard let h = workspace.logits.baseAddress, let slopes = workspace.logitsGradient.baseAddress,
      let classOf = workspace.labels.baseAddress
    else { preconditionFailure("Generator: the workspace has no memory") }
    var z = [Float](repeating: 0, count: batch * teacher.classes)
    var dz = z
    let loss = z.withUnsafeMutableBufferPointer { z in
      dz.withUnsafeMutableBufferPointer { dz in
        guard let z = z.baseAddress, let dz = dz.baseAddress else { return 0.0 }
        teacher.logits(h, rows: batch, into: z)
        return SoftmaxCrossEntropy().evaluate(
          logits: z, labels: classOf, batch: batch, classes: teacher.classes, gradient: dz
        ).lossSum / Double(batch)
      }
    }
    for r in 0..<batch {
      for f in 0..<width {
        var sum: Float = 0
        for c in 0..<teacher.classes {
          sum += dz[r * teacher.classes + c] * teacher.weight[c * width + f]
        }
        slopes[r * width + f] = sum
      }
    }
    let spread = diversityWeight > 0 ? addDiversity(batch, weight: diversityWeight) : 0
    network.backward(workspace, batch: batch)
    return loss + diversityWeight * spread
  }

  /// exp(−mean over pairs (i, j) of mean(ε_i − ε_j)²·mean|h_i − h_j|): small when different noise
  /// makes different features.
  ///
  /// - Complexity: O(batch²·d).
  private func addDiversity(_ batch: Int, weight: Double) -> Double {
    let (width, inputs) = (network.classes, network.input.count)
    let (h, x) = (workspace.logits, workspace.input)
    var noiseDistance = [Double](repeating: 0, count: batch * batch)
    var exponent = 0.0
    for i in 0..<batch {
      for j in 0..<i {
        var (squares, differences) = (0.0, 0.0)
        for e in classes..<inputs {
          let d = Double(x[i * inputs + e]) - Double(x[j * inputs + e])
          squares += d * d
        }
        for f in 0..<width { differences += Double(abs(h[i * width + f] - h[j * width + f])) }
        let distance = squares / Double(max(1, noise))
        noiseDistance[i * batch + j] = distance
        noiseDistance[j * batch + i] = distance
        exponent += 2 * distance * differences / Double(width)
      }
    }
    let pairs = Double(batch * batch)
    let value = exp(-exponent / pairs)
    let factor = -weight * value * 2 / (pairs * Double(width))
    for i in 0..<batch {
      for f in 0..<width {
        var sum = 0.0
        for j in 0..<batch {
          let d = h[i * width + f] - h[j * width + f]
          sum += noiseDistance[i * batch + j] * (d > 0 ? 1 : d < 0 ? -1 : 0)
        }
        workspace.logitsGradient[i * width + f] += Float(factor * sum)
      }
    }
    return value
  }

  /// The gradient of the last batch, [trainedCount].
  package var lastGradient: [Float] { Array(workspace.gradient) }
}

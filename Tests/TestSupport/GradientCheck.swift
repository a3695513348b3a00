import Base
import Tensor
import Testing

/// One network with random weights and data, run in Float by the layers and in Double by the
/// reference, to compare values and gradients.
package struct GradientCheck {
  package let network: Network
  package let batch: Int
  package let workspace: Workspace
  package let reference: ReferenceNetwork
  package let input: [Double]
  package let labels: [Int]
  /// The gradient of the mean loss, from the layers' backward passes.
  package let gradient: [Float]
  /// That of the input; empty unless the network gives it.
  package let inputGradient: [Float]

  /// Runs forward and backward once.
  ///
  /// `given`: parameters instead of random ones. `matchWeight`: λ of a matching loss λ·(1 − r).
  package init(
    _ network: Network, batch: Int, seed: UInt64 = 1, parameters given: [Float]? = nil,
    matchWeight: Double = 0
  ) {
    self.network = network
    self.batch = batch
    var stream = RandomStream(seed: seed, .test)
    let parameters = given ?? Self.parameters(network, &stream, seed: seed)
    let values = (0..<batch * network.input.count).map { _ in Float(stream.gaussian()) }
    labels = (0..<batch).map { _ in stream.below(network.classes) }
    input = values.map(Double.init)
    workspace = Workspace(network, capacity: batch, training: true)
    workspace.load(parameters)
    workspace.fill(values, labels)
    network.forward(workspace, batch: batch, training: true, dropoutKey: seed)
    workspace.takeLoss(network, batch: batch)
    for i in workspace.matchesGradient.indices {
      workspace.matchesGradient[i] = -Float(matchWeight) / Float(batch)
    }
    network.backward(workspace, batch: batch)
    gradient = Array(workspace.gradient)
    inputGradient = Array(workspace.inputGradient)
    var reference = ReferenceNetwork(network, parameters)
    reference.matchWeight = matchWeight
    for case let layer as Dropout in network.operations {
      reference.masks[layer.mask] = workspace.slotValues(layer.mask, count: batch * layer.count)
        .map(Double.init)
    }
    self.reference = reference
  }

  /// PyTorch's initial weights, with norms that do something.
  package static func parameters(_ network: Network, _ stream: inout RandomStream, seed: UInt64)
    -> [Float]
  {
    var parameters = network.layout.initialParameters(.pytorch, seed: seed)
    for entry in network.layout.entries {
      switch entry.role {
      case .weight, .bias: continue
      case .poolScale, .poolShift, .poolKey, .frozen: continue
      case .classToken, .positions:
        for i in entry.range { parameters[i] = Float(stream.uniform() - 0.5) }
      case .normScale, .runningVariance, .logitScale, .weightGain:
        for i in entry.range { parameters[i] = Float(0.5 + stream.uniform()) }
      case .normShift, .runningMean:
        for i in entry.range { parameters[i] = Float(stream.uniform() - 0.5) }
      }
    }
    return parameters
  }

  /// The logits in Float against those in Double.
  package func checkForward(sourceLocation: SourceLocation = #_sourceLocation) {
    let truth = reference.logits(input, batch: batch)
    expectClose(
      Array(workspace.logits), truth, bound: Rounding.forward(network, batch: batch), "logits",
      sourceLocation: sourceLocation)
  }

  /// A random choice of each tensor's coordinates against central differences of the reference.
  ///
  /// A step of 1e-6 in Double costs about 1e-12 of curvature and 1e-16/1e-6 of rounding, far below
  /// Float's rounding. Steps that flip a ReLU or a maximum are left out; few may be.
  package func checkCoordinates(perTensor: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    let bound = Rounding.backward(network, batch: batch)
    let largest = gradient.map { Double(abs($0)) }.max() ?? 0
    var stream = RandomStream(seed: 7, .test)
    var taken = 0
    var kinks = 0
    var wrong: [String] = []
    for entry in network.layout.entries where entry.role.isTrained {
      // Errors of the layers after reach this tensor even where its own gradient is small.
      let scale = max(gradient[entry.range].map { Double(abs($0)) }.max() ?? 0, 0.05 * largest)
      let order = stream.permutation(entry.range.count).prefix(perTensor)
      for index in order.map({ entry.range.lowerBound + $0 }) {
        taken += 1
        guard let slope = slope(along: [(index, 1)]) else {
          kinks += 1
          continue
        }
        let error = abs(Double(gradient[index]) - slope)
        if !(error <= bound * scale + 1e-9) {
          let name = "\(entry.name)[\(index - entry.range.lowerBound)]"
          wrong.append("\(name) is \(gradient[index]) for \(slope) ± \(bound * scale)")
        }
      }
    }
    #expect(
      wrong.isEmpty, "\(wrong.count) of \(taken): \(wrong.prefix(3))",
      sourceLocation: sourceLocation)
    #expect(kinks * 10 <= taken, "\(kinks) kinks of \(taken)", sourceLocation: sourceLocation)
  }

  /// The derivative along the gradient itself must be its length, and along a random direction the
  /// product with it.
  package func checkDirections(sourceLocation: SourceLocation = #_sourceLocation) {
    let bound = Rounding.backward(network, batch: batch)
    let length = gradient.map { Double($0) * Double($0) }.reduce(0, +).squareRoot()
    var stream = RandomStream(seed: 8, .test)
    let random = gradient.map { _ in stream.gaussian() / Double(gradient.count).squareRoot() }
    for direction in [gradient.map { Double($0) / length }, random] {
      guard let slope = slope(along: Array(direction.enumerated().map { ($0, $1) })) else {
        continue
      }
      let product = zip(gradient, direction).map { Double($0) * $1 }.reduce(0, +)
      #expect(
        abs(product - slope) <= bound * length + 1e-9, "\(product) for \(slope)",
        sourceLocation: sourceLocation)
    }
  }

  /// A random choice of the input's coordinates against central differences of the reference.
  package func checkInput(coordinates: Int, sourceLocation: SourceLocation = #_sourceLocation) {
    let bound = Rounding.backward(network, batch: batch)
    let scale = inputGradient.map { Double(abs($0)) }.max() ?? 0
    var stream = RandomStream(seed: 9, .test)
    var taken = 0
    var kinks = 0
    for index in stream.permutation(inputGradient.count).prefix(coordinates) {
      taken += 1
      var moved = input
      moved[index] += 1e-6
      let above = reference.loss(moved, labels: labels, batch: batch)
      moved[index] = input[index] - 1e-6
      let below = reference.loss(moved, labels: labels, batch: batch)
      guard above.pattern == below.pattern else {
        kinks += 1
        continue
      }
      let slope = (above.loss - below.loss) / 2e-6
      #expect(
        abs(Double(inputGradient[index]) - slope) <= bound * scale + 1e-9,
        "input[\(index)] is \(inputGradient[index]) for \(slope)", sourceLocation: sourceLocation)
    }
    #expect(taken > 0 && kinks * 10 <= taken, "\(kinks) kinks of \(taken)")
  }

  /// (ℓ(w + hv) − ℓ(w − hv))/2h, or nil when a decision flips in between.
  private func slope(along direction: [(Int, Double)]) -> Double? {
    let step = 1e-6
    var moved = reference
    for (index, v) in direction { moved.parameters[index] += step * v }
    let above = moved.loss(input, labels: labels, batch: batch)
    for (index, v) in direction { moved.parameters[index] = reference.parameters[index] - step * v }
    let below = moved.loss(input, labels: labels, batch: batch)
    guard above.pattern == below.pattern else { return nil }
    return (above.loss - below.loss) / (2 * step)
  }
}

extension RandomStream {
  /// About standard normal: a sum of twelve uniform numbers; enough for test data.
  package mutating func gaussian() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + uniform() } }
}

extension Workspace {
  /// A batch of examples, channels last, and its labels.
  package func fill(_ values: [Float], _ classes: [Int] = []) {
    for (index, value) in values.enumerated() { input[index] = value }
    for (index, label) in classes.enumerated() { labels[index] = Int32(label) }
  }

  /// The loss of the current logits; leaves its gradient for the backward pass.
  @discardableResult
  package func takeLoss(
    _ network: Network, batch: Int, loss: SoftmaxCrossEntropy = SoftmaxCrossEntropy()
  ) -> Double {
    guard let z = logits.baseAddress, let y = labels.baseAddress else { return .nan }
    let result = loss.evaluate(
      logits: z, labels: y, batch: batch, classes: network.classes,
      gradient: isForTraining ? logitsGradient.baseAddress : nil)
    return result.lossSum / result.weight
  }
}

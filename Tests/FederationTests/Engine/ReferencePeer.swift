import Base
import Client
import Tensor
import TestSupport

/// A model that learns by gradient descent in double precision.
///
/// An interpreter of its network, and gradients by central differences: it shares no code with the
/// engine.
struct ReferencePeer {
  private var network: ReferenceNetwork
  let classes: Int
  /// Optimizer steps so far.
  private(set) var steps = 0

  /// The parameters, in the order of the flat vector.
  var parameters: [Double] { network.parameters }

  init(_ network: Network, _ parameters: [Float]) {
    self.network = ReferenceNetwork(network, parameters)
    classes = network.classes
  }

  /// Logits of some images, row by row.
  func logits(_ images: [[Double]]) -> [[Double]] {
    let z = network.logits(images.flatMap { $0 }, batch: images.count)
    return stride(from: 0, to: z.count, by: classes).map { Array(z[$0..<$0 + classes]) }
  }

  /// softmax of the logits at a temperature.
  func probabilities(_ images: [[Double]], temperature: Double = 1) -> [[Double]] {
    logits(images).map { Self.softmax($0, temperature) }
  }

  static func softmax(_ z: [Double], _ temperature: Double = 1) -> [Double] {
    let powers = z.map { exp(($0 - (z.max() ?? 0)) / temperature) }
    return powers.map { $0 / powers.reduce(0, +) }
  }

  /// The gradient of a loss of the model.
  mutating func gradient(_ loss: (ReferencePeer) -> Double) -> [Double] {
    let step = 1e-6
    return network.parameters.indices.map { i in
      let value = network.parameters[i]
      network.parameters[i] = value + step
      let above = loss(self)
      network.parameters[i] = value - step
      let below = loss(self)
      network.parameters[i] = value
      return (above - below) / (2 * step)
    }
  }

  /// w ← w − rate·∇loss.
  mutating func descend(rate: Double, _ loss: (ReferencePeer) -> Double) {
    let gradient = gradient(loss)
    move(by: gradient.map { -rate * $0 })
  }

  /// w ← w + d.
  mutating func move(by difference: [Double]) {
    for i in difference.indices { network.parameters[i] += difference[i] }
    steps += 1
  }

  /// Mean cross-entropy.
  func crossEntropy(_ images: [[Double]], _ labels: [Int]) -> Double {
    var sum = 0.0
    for (z, label) in zip(logits(images), labels) { sum -= log(Self.softmax(z)[label]) }
    return sum / Double(images.count)
  }

  /// τ²·mean KL(q ‖ σ_τ(z)).
  func distillation(_ images: [[Double]], _ targets: [[Double]], _ temperature: Double) -> Double {
    var sum = 0.0
    for (p, q) in zip(probabilities(images, temperature: temperature), targets) {
      for c in q.indices { sum += q[c] * log(q[c] / p[c]) }
    }
    return temperature * temperature * sum / Double(images.count)
  }

  /// Mean over images and classes of |z − Z|.
  func absoluteError(_ images: [[Double]], _ targets: [[Double]]) -> Double {
    var sum = 0.0
    for (z, target) in zip(logits(images), targets) {
      for c in z.indices { sum += abs(z[c] - target[c]) }
    }
    return sum / Double(images.count * classes)
  }
}

/// Images as double precision sees them, and batches of them in order.
struct ReferenceImages {
  let images: [[Double]]
  let labels: [Int]

  init(_ set: ImageSet) {
    guard case .floats(let pixels) = set.pixels else {
      (images, labels) = ([], [])
      return
    }
    let size = set.shape.count
    images = set.labels.indices.map { pixels[$0 * size..<($0 + 1) * size].map(Double.init) }
    labels = set.labels.map(Int.init)
  }

  subscript(_ indices: [Int]) -> [[Double]] { indices.map { images[$0] } }
  func labels(_ indices: [Int]) -> [Int] { indices.map { labels[$0] } }

  /// 0 ..< count in batches, epoch after epoch; the last one of an epoch may be short.
  static func batches(_ count: Int, _ batch: Int, epochs: Int) -> [[Int]] {
    let starts = Array(stride(from: 0, to: count, by: batch))
    return (0..<epochs).flatMap { _ in starts.map { Array($0..<min($0 + batch, count)) } }
  }

  /// The same without end.
  static func batches(_ count: Int, _ batch: Int, steps: Int) -> [[Int]] {
    Array(batches(count, batch, epochs: steps).prefix(steps))
  }
}

/// How far single precision may be from the reference after some steps, in the 2-norm.
///
/// Each step rounds each weight by at most u·|w|, with signs at random, and gradients are sums of
/// `terms` products, so that what they moved is off by √terms·u of itself. Four standard deviations
/// of the sum are allowed.
func allowedError(_ peer: ReferencePeer, from initial: [Float], terms: Int) -> Double {
  let start = initial.map(Double.init)
  let moved = norm(peer.parameters, minus: start)
  let size = norm(peer.parameters, minus: nil)
  let roundings = Double(peer.steps).squareRoot() * size
  return 4 * Rounding.unit * (roundings + Double(terms).squareRoot() * moved)
}

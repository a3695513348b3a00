import Base
import TestSupport
import Testing

/// Dense layers with ReLUs between them, by plain loops over doubles; parameters as in PyTorch's
/// state_dict().
///
/// Shares no code with the engine. Slopes of any loss come from outside.
struct ReferenceMLP {
  /// Inputs, hidden layers, classes.
  let sizes: [Int]

  /// Where layer l starts.
  func start(_ layer: Int) -> Int { (0..<layer).reduce(0) { $0 + (sizes[$1] + 1) * sizes[$1 + 1] } }
  /// Parameters in all.
  var count: Int { start(sizes.count - 1) }
  /// The layers from a cut on, as a network of their own.
  func tail(from cut: Int) -> ReferenceMLP { ReferenceMLP(sizes: Array(sizes[cut...])) }

  /// x and the values of each layer; logits are the last.
  func values(_ w: [Double], _ x: [Double]) -> [[Double]] {
    var all = [x]
    for layer in 0..<sizes.count - 1 {
      let (inputs, outputs, at) = (sizes[layer], sizes[layer + 1], start(layer))
      let last = layer == sizes.count - 2
      all.append(
        (0..<outputs).map { o in
          var sum = w[at + outputs * inputs + o]
          for i in 0..<inputs { sum += w[at + o * inputs + i] * all[layer][i] }
          return last ? sum : max(sum, 0)
        })
    }
    return all
  }

  func logits(_ w: [Double], _ x: [Double]) -> [Double] { values(w, x)[sizes.count - 1] }

  /// Adds the gradient of one example from the slopes at its logits and at its features.
  func addGradient(
    _ g: inout [Double], _ w: [Double], _ x: [Double], logits slopes: [Double],
    features: [Double]? = nil
  ) {
    let all = values(w, x)
    var d = slopes
    for layer in (0..<sizes.count - 1).reversed() {
      let (inputs, outputs, at) = (sizes[layer], sizes[layer + 1], start(layer))
      var below = [Double](repeating: 0, count: inputs)
      for o in 0..<outputs {
        for i in 0..<inputs {
          g[at + o * inputs + i] += d[o] * all[layer][i]
          below[i] += d[o] * w[at + o * inputs + i]
        }
        g[at + outputs * inputs + o] += d[o]
      }
      if layer == sizes.count - 2, let features {
        for i in below.indices { below[i] += features[i] }
      }
      d = below.enumerated().map { all[layer][$0] > 0 ? $1 : 0 }
    }
  }

  /// softmax(z/τ).
  static func softmax(_ z: [Double], _ temperature: Double = 1) -> [Double] {
    let largest = z.max() ?? 0
    let powers = z.map { exp(($0 - largest) / temperature) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// softmax(z) − e_y.
  static func crossEntropySlope(_ z: [Double], _ label: Int) -> [Double] {
    softmax(z).enumerated().map { $1 - ($0 == label ? 1 : 0) }
  }

  /// λ·τ·(σ_τ(z) − q).
  static func distillationSlope(_ z: [Double], _ q: [Double], weight: Double, temperature: Double)
    -> [Double]
  { zip(softmax(z, temperature), q).map { weight * temperature * ($0 - $1) } }

  /// Sequential SGD in batches; `gradient` fills the gradient of one batch of places.
  func train(
    _ start: [Double], examples: Int, batch: Int, epochs: Int, rate: Double, momentum: Double,
    gradient: (_ g: inout [Double], _ w: [Double], _ places: Range<Int>) -> Void
  ) -> [Double] {
    var w = start
    var v = w.map { _ in 0.0 }
    for _ in 0..<epochs {
      for first in stride(from: 0, to: examples, by: batch) {
        var g = w.map { _ in 0.0 }
        gradient(&g, w, first..<min(first + batch, examples))
        for i in w.indices {
          v[i] = momentum * v[i] + g[i]
          w[i] -= rate * v[i]
        }
      }
    }
    return w
  }
}

/// How far single precision may be from a reference, in the 2-norm: every step rounds each weight
/// once, gradients are off by √n·u of what they moved, and each of the layers in series passes
/// errors on; four standard deviations.
struct ReferenceBound {
  let steps: Int
  let longestSum: Int
  /// Passes through layers in series between a parameter and what it is compared with.
  let depth: Int

  func check(
    _ observed: [Float], _ expected: [Double], from initial: [Double], _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard observed.count == expected.count else {
      Issue.record("\(what): \(observed.count) values", sourceLocation: sourceLocation)
      return
    }
    let size = norm(expected, minus: nil)
    let moved = norm(expected, minus: initial)
    let allowed =
      4 * Rounding.unit * Double(depth)
      * (Double(steps).squareRoot() * size + Double(longestSum).squareRoot() * moved)
    let error = norm(observed.map(Double.init), minus: expected)
    #expect(
      error <= allowed, "\(what) is \(error) away; allowed are \(allowed)",
      sourceLocation: sourceLocation)
  }
}

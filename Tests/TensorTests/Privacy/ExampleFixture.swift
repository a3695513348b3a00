import Base
import Tensor
import TestSupport
import Testing

/// A network with random weights and examples, whose gradients are also taken one by one with the
/// ordinary backward pass.
struct ExampleFixture {
  let network: Network
  let workspace: Workspace
  let parameters: [Float]
  var values: [Float]
  let labels: [Int]
  let examples: Int
  /// K.
  let rows: Int
  /// λ of a matching loss λ·(1 − r), where there are keys.
  let matchWeight: Float = 0.3
  private let key: UInt64 = 77

  init(
    _ network: Network, examples: Int, rows: Int = 1, seed: UInt64 = 1,
    parameters given: [Float]? = nil
  ) {
    self.network = network
    self.examples = examples
    self.rows = rows
    var stream = RandomStream(seed: seed, .test)
    let own = GradientCheck.parameters(network, &stream, seed: seed)
    parameters = given ?? own
    // Sizes differ, so that norms do.
    let drawn = (0..<examples).flatMap { example in
      (0..<rows * network.input.count).map { _ in
        Float(stream.gaussian() * (0.5 + Double(example % 4)))
      }
    }
    values = drawn
    labels = (0..<examples * rows).map { _ in stream.below(network.classes) }
    workspace = Workspace(network, capacity: examples * rows, training: true)
    workspace.load(parameters)
  }

  /// All that moves.
  var everything: [Range<Int>] { [0..<network.layout.trainedCount] }

  /// Forward and loss of some examples in a workspace; each example's own loss is the mean of its
  /// rows'.
  func forward(_ range: Range<Int>, in workspace: Workspace, values given: [Float]? = nil) {
    let values = given ?? self.values
    let width = rows * network.input.count
    workspace.fill(
      Array(values[range.lowerBound * width..<range.upperBound * width]),
      Array(labels[range.lowerBound * rows..<range.upperBound * rows]))
    network.forward(
      workspace, batch: range.count * rows, training: true, dropoutKey: key,
      firstExample: range.lowerBound * rows)
    workspace.takeLoss(network, batch: range.count * rows)
    // The loss is a mean over all rows.
    for i in 0..<range.count * rows * network.classes {
      workspace.logitsGradient[i] *= Float(range.count)
    }
    for i in 0..<min(range.count * rows, workspace.matchesGradient.count) {
      workspace.matchesGradient[i] = -matchWeight / Float(rows)
    }
  }

  /// Gradients of the examples, one after the other, by `Network.backward`.
  func truth() -> [[Float]] {
    let alone = Workspace(network, capacity: rows, training: true)
    alone.load(parameters)
    return (0..<examples).map { example in
      forward(example..<example + 1, in: alone)
      // Tied weights add up.
      for i in alone.gradient.indices { alone.gradient[i] = 0 }
      network.backward(alone, batch: rows, accumulate: true)
      return Array(alone.gradient)
    }
  }

  /// A sweep over all examples.
  func swept(_ ranges: [Range<Int>]? = nil) -> ExampleGradients {
    let gradients = ExampleGradients(
      network, ranges: ranges ?? everything, rowsPerExample: rows, capacity: examples)
    forward(0..<examples, in: workspace)
    gradients.sweep(workspace, examples: examples)
    return gradients
  }

  /// Σ c_i·g_i of a sweep, on top of nothing.
  func sum(_ gradients: ExampleGradients, _ factors: [Float]) -> [Float] {
    var target = [Float](repeating: 0, count: network.layout.trainedCount)
    target.withUnsafeMutableBufferPointer { gradients.add(factors, to: $0) }
    return target
  }

  /// c_i = min(1, C/‖g_i‖), C between the smallest and the largest norm.
  static func clipping(_ gradients: ExampleGradients) -> (factors: [Float], norm: Double) {
    let norms = (0..<gradients.examples).map { gradients.squaredNorm($0).squareRoot() }
    let sorted = norms.sorted()
    let norm = 0.5 * (sorted[0] + sorted[sorted.count - 1])
    return (norms.map { Float(min(1, norm / max($0, .leastNormalMagnitude))) }, norm)
  }
}

/// ‖x‖² over some places, in Double.
func squared(_ x: [Float], _ ranges: [Range<Int>]) -> Double {
  ranges.reduce(0) { sum, range in x[range].reduce(sum) { $0 + Double($1) * Double($1) } }
}

/// Expects two vectors to differ by little of the length of the second.
func expectAlike(
  _ observed: [Float], _ expected: [Double], within bound: Double = 1e-5, scale: Double? = nil,
  _ what: @autoclosure () -> String = "", sourceLocation: SourceLocation = #_sourceLocation
) {
  let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
  let apart = zip(observed, expected).reduce(0) { sum, pair in
    sum + (Double(pair.0) - pair.1) * (Double(pair.0) - pair.1)
  }.squareRoot()
  #expect(
    apart <= bound * (scale ?? length) && observed.count == expected.count,
    "\(what()): \(apart) apart at length \(length)", sourceLocation: sourceLocation)
}

import Base
import Foundation
import Tensor
import TestSupport
import Testing

/// Properties of single layers that no golden number shows.
@Suite("Layers")
struct LayerTests {
  /// The values after `recipe`; a 1×1 average in front keeps in-place layers off the input.
  private func output(_ recipe: String, _ values: [Float]) throws -> [Float] {
    let network = try NetworkRecipe.build(
      "avg 1 1 0; " + recipe, input: FeatureShape(features: values.count))
    let workspace = Workspace(network, capacity: 1, training: false)
    workspace.fill(values)
    network.forward(workspace, batch: 1, training: false)
    return Array(workspace.logits)
  }

  static let line: [Float] = (-400...400).map { Float($0) / 16 }

  @Test("The tempered sigmoid (2, 2, 1) is tanh")
  func tanhIdentity() throws {
    for (x, y) in zip(Self.line, try output("tempered 2 2 1", Self.line)) {
      // 2g and 1 are subtracted: an ulp of 2g, below 2⁻²², remains.
      #expect(abs(Double(y) - tanh(Double(x))) < 0x1p-22, "tanh(\(x)) = \(y)")
    }
  }

  @Test("The tempered sigmoid stays within −o … s − o and is finite far out")
  func temperedRange()
    throws
  {
    let values: [Float] = [-1e30, -1e4, -60, -1, 0, 1, 60, 1e4, 1e30]
    let result = try output("tempered 1.5 3 0.5", values)
    for y in result { #expect(y >= -0.5 && y <= 1) }
    #expect(result == result.sorted())
    #expect(result.first == -0.5 && result.last == 1 && result[4] == 0.25)
  }

  @Test("ReLU keeps positive values and zeroes the rest")
  func relu() throws {
    let y = try output("relu", [-2, -0.0, 0, 3, .infinity])
    #expect(y == [0, 0, 0, 3, .infinity])
  }

  @Test("GELU is x·Φ(x) to a few ulps of x")
  func gelu() throws {
    for (x, y) in zip(Self.line, try output("gelu", Self.line)) {
      let bound = 4 * 0x1p-24 * Double(abs(x))
      #expect(abs(Double(y) - ReferenceLoss.gelu(Double(x))) <= bound, "gelu(\(x)) = \(y)")
    }
  }

  @Test("The first of equal maxima receives the whole gradient; NaN wins a window")
  func maximumTies() throws {
    let network = try NetworkRecipe.build(
      "conv c 1 1 1 0 1; max 2 2 0; dense fc 1 0",
      input: FeatureShape(height: 2, width: 2, channels: 2))
    let workspace = Workspace(network, capacity: 1, training: true)
    // The first channel is copied; the second only tells the places apart.
    workspace.load([1, 0, 0, 1])
    workspace.fill([5, 10, 7, 20, 7, 30, 7, 40])
    network.forward(workspace, batch: 1, training: true)
    workspace.logitsGradient[0] = 1
    network.backward(workspace, batch: 1)
    // Σ dy·x of the two channels, Σ dy, and the maximum.
    #expect(Array(workspace.gradient) == [7, 20, 1, 7])
    workspace.fill([5, 10, .nan, 20, 7, 30, 8, 40])
    network.forward(workspace, batch: 1, training: false)
    #expect(workspace.logits[0].isNaN)
  }

  @Test("Group norm gives each group mean β and variance γ² even around 10³")
  func groupNormOffset()
    throws
  {
    let shape = FeatureShape(height: 5, width: 5, channels: 4)
    let network = try NetworkRecipe.build("group n 2", input: shape)
    let workspace = Workspace(network, capacity: 1, training: false)
    workspace.load([2, 2, 2, 2, 0.5, 0.5, 0.5, 0.5])
    var stream = RandomStream(seed: 3, .test)
    workspace.fill((0..<shape.count).map { _ in Float(1000 + stream.gaussian()) })
    network.forward(workspace, batch: 1, training: false)
    let y = workspace.slotValues(network.logitsSlot, count: shape.count).map(Double.init)
    for group in 0..<2 {
      let members = y.indices.filter { $0 % 4 / 2 == group }.map { y[$0] }
      let mean = members.reduce(0, +) / 50
      let variance = members.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 50
      // An ulp of 1000 is 2⁻¹⁴; y = x·factor + constant cancels to that.
      #expect(abs(mean - 0.5) < 8 * 0x1p-14)
      #expect(abs(variance - 4) < 4 * 16 * 0x1p-14)
    }
  }

  @Test("Batch norm of a single value gives β and finite statistics")
  func singleValue() throws {
    let network = try NetworkRecipe.build(
      "dense fc1 3 0; batch n", input: FeatureShape(features: 2))
    let workspace = Workspace(network, capacity: 1, training: true)
    workspace.load(network.layout.initialParameters(.pytorch, seed: 1))
    let shift = try #require(network.layout["n.bias"])
    for i in shift.range { workspace.mutableParameters[i] = 0.25 }
    workspace.fill([1, -2])
    network.forward(workspace, batch: 1, training: true)
    #expect(Array(workspace.logits) == [0.25, 0.25, 0.25])
    let variance = try #require(network.layout["n.running_var"])
    for i in variance.range { expectClose(workspace.parameters[i], 0.9, ulps: 2) }
    workspace.takeLoss(network, batch: 1)
    network.backward(workspace, batch: 1)
    #expect(workspace.gradient.allSatisfy { $0.isFinite })
  }

  @Test(
    "Dropout zeroes a share p, scales the rest, and follows its key", arguments: [0.1, 0.5, 0.9])
  func dropout(rate: Double) throws {
    let count = 40_000
    let network = try NetworkRecipe.build(
      "avg 1 1 0; dropout \(rate); dropout \(rate)", input: FeatureShape(features: count))
    let workspace = Workspace(network, capacity: 1, training: true)
    workspace.fill([Float](repeating: 1, count: count))
    let layers = network.operations.compactMap { $0 as? Dropout }
    func masks(_ key: UInt64) -> [[Float]] {
      network.forward(workspace, batch: 1, training: true, dropoutKey: key)
      return layers.map { workspace.slotValues($0.mask, count: count) }
    }
    let first = masks(1)
    for mask in first {
      let kept = mask.count { $0 != 0 }
      // Five standard deviations of a binomial count.
      let deviation = (Double(count) * rate * (1 - rate)).squareRoot()
      #expect(abs(Double(kept) - Double(count) * (1 - rate)) < 5 * deviation)
      // Rates are rounded to 2⁻¹⁶.
      for value in mask where value != 0 {
        #expect(abs(Double(value) * (1 - rate) - 1) < 0x1p-16 / (1 - rate))
      }
    }
    // Two layers and two keys agree as often as chance has it.
    let share = rate * rate + (1 - rate) * (1 - rate)
    for other in [first[1], masks(2)[0]] {
      let same = zip(first[0], other).count { ($0 == 0) == ($1 == 0) }
      let deviation = (Double(count) * share * (1 - share)).squareRoot()
      #expect(abs(Double(same) - Double(count) * share) < 5 * deviation)
    }
    #expect(masks(1) == first)
    network.forward(workspace, batch: 1, training: false)
    #expect(workspace.logits.allSatisfy { $0 == 1 })
  }

  @Test(
    "A few outputs of many inputs: a batch's gradient is that of its parts",
    arguments: [3499, 3520])
  func wideDense(inputs: Int) throws {
    let network = try NetworkRecipe.build(
      "dense fc 10 1", input: FeatureShape(features: inputs))
    var stream = RandomStream(seed: 2, .test)
    let batch = 41
    let values = (0..<batch * inputs).map { _ in Float(stream.gaussian()) }
    let labels = (0..<batch).map { _ in stream.below(10) }
    let parameters = network.layout.initialParameters(.pytorch, seed: 1)
    func gradient(_ range: Range<Int>, accumulate: Bool, _ workspace: Workspace) {
      workspace.load(parameters)
      workspace.fill(
        Array(values[range.lowerBound * inputs..<range.upperBound * inputs]),
        Array(labels[range]))
      network.forward(workspace, batch: range.count, training: true)
      _ = workspace.takeLoss(network, batch: range.count)
      network.backward(workspace, batch: range.count, accumulate: accumulate)
    }
    let whole = Workspace(network, capacity: batch, training: true)
    gradient(0..<batch, accumulate: false, whole)
    var expected = [Double](repeating: 0, count: network.layout.trainedCount)
    let one = Workspace(network, capacity: 1, training: true)
    for example in 0..<batch {
      gradient(example..<example + 1, accumulate: false, one)
      for i in expected.indices { expected[i] += Double(one.gradient[i]) / Double(batch) }
    }
    expectClose(Array(whole.gradient), expected, bound: 20 * Rounding.unit, "gradient")
    // Twice the same is twice as much.
    gradient(0..<batch, accumulate: true, whole)
    expectClose(
      Array(whole.gradient), expected.map { 2 * $0 }, bound: 20 * Rounding.unit, "added")
  }

  @Test("An example's dropout mask does not depend on the batch behind it")
  func dropoutBatch()
    throws
  {
    let network = try NetworkRecipe.build("dropout 0.5", input: FeatureShape(features: 13))
    let workspace = Workspace(network, capacity: 4, training: true)
    workspace.fill([Float](repeating: 1, count: 52))
    network.forward(workspace, batch: 4, training: true, dropoutKey: 3)
    let four = Array(workspace.logits.prefix(26))
    network.forward(workspace, batch: 2, training: true, dropoutKey: 3)
    #expect(Array(workspace.logits.prefix(26)) == four)
  }
}

import Tensor
import TestSupport
import Testing

/// Initial weights: their distribution, and what they depend on.
@Suite("Initial parameters")
struct InitialisationTests {
  private func layout(classes: Int = 10, width: Int = 32) throws -> ParameterLayout {
    let spec = ModelSpec(kind: .resnet8, width: width, norm: .batch)
    let shape = FeatureShape(height: 8, width: 8, channels: 3)
    return try Network(spec, input: shape, classes: classes).layout
  }

  /// Mean and variance within five standard errors of U(−b, b) or N(0, σ²).
  private func checkMoments(
    _ values: ArraySlice<Float>, deviation: Double, kurtosis: Double, _ name: String
  ) {
    let n = Double(values.count)
    let mean = values.map(Double.init).reduce(0, +) / n
    let square = values.map { Double($0) * Double($0) }.reduce(0, +) / n
    let variance = deviation * deviation
    #expect(abs(mean) < 5 * deviation / n.squareRoot(), "\(name)")
    #expect(abs(square - variance) < 5 * variance * ((kurtosis - 1) / n).squareRoot(), "\(name)")
  }

  @Test("PyTorch's rule is uniform within ±1/√fan_in, weights and biases alike")
  func pytorch()
    throws
  {
    let spec = ModelSpec(kind: .cnn, width: 32)
    let shape = FeatureShape(height: 12, width: 12, channels: 3)
    let layout = try Network(spec, input: shape, classes: 10).layout
    let vector = layout.initialParameters(.pytorch, seed: 4)
    for entry in layout.entries {
      let bound = 1 / Double(entry.fanIn).squareRoot()
      let values = vector[entry.range]
      #expect(values.allSatisfy { Double(abs($0)) <= bound * (1 + 0x1p-24) }, "\(entry.name)")
      if values.count > 800 {
        #expect(
          Double(values.max() ?? 0) > 0.98 * bound && Double(values.min() ?? 0) < -0.98 * bound)
        checkMoments(values, deviation: bound / 3.0.squareRoot(), kurtosis: 1.8, entry.name)
      }
    }
  }

  @Test("He's rule is normal with variance 2/fan_in; Glorot's uniform with 2/(fan_in + fan_out)")
  func heAndGlorot() throws {
    let layout = try layout()
    let he = layout.initialParameters(.he, seed: 1)
    let glorot = layout.initialParameters(.glorot, seed: 1)
    for entry in layout.entries where entry.role == .weight {
      let name = entry.name
      checkMoments(
        he[entry.range], deviation: (2 / Double(entry.fanIn)).squareRoot(), kurtosis: 3, name)
      let spread = (2 / Double(entry.fanIn + entry.fanOut)).squareRoot()
      checkMoments(glorot[entry.range], deviation: spread, kurtosis: 1.8, name)
      let bound = spread * 3.0.squareRoot()
      #expect(glorot[entry.range].allSatisfy { Double(abs($0)) <= bound * (1 + 0x1p-24) })
    }
    let bias = try #require(layout["fc.bias"])
    #expect(he[bias.range].allSatisfy { $0 == 0 } && glorot[bias.range].allSatisfy { $0 == 0 })
  }

  @Test("A gain is the spread of the weights against that of a linear layer; biases are 0")
  func gain() throws {
    let layout = try layout()
    let vector = layout.initialParameters(.gain(factor: 1.7), seed: 1)
    for entry in layout.entries where entry.role == .weight {
      let deviation = 1.7 / Double(entry.fanIn).squareRoot()
      checkMoments(vector[entry.range], deviation: deviation, kurtosis: 3, entry.name)
    }
    let bias = try #require(layout["fc.bias"])
    #expect(vector[bias.range].allSatisfy { $0 == 0 })
  }

  @Test("A normal draw has normal tails: a third beyond σ, a twentieth beyond 2σ")
  func tails()
    throws
  {
    let layout = try layout()
    let he = layout.initialParameters(.he, seed: 2)
    let entry = try #require(layout["layer3.0.conv2.weight"])
    let deviation = (2 / Double(entry.fanIn)).squareRoot()
    let n = Double(entry.range.count)
    for (limit, share) in [(1.0, 0.317_310_5), (2.0, 0.045_500_3), (3.0, 0.002_699_8)] {
      let outside = he[entry.range].count { Double(abs($0)) > limit * deviation }
      let error = (share * (1 - share) / n).squareRoot()
      #expect(abs(Double(outside) / n - share) < 5 * error, "\(limit)σ")
    }
  }

  @Test(
    "Norms start as the identity under every rule, and `zero` is zero",
    arguments: [
      ModelSpec.Initialisation.pytorch, .he, .glorot, .gain(factor: 2), .zero,
      .file(path: "weights"),
    ])
  func norms(rule: ModelSpec.Initialisation) throws {
    let layout = try layout(width: 4)
    let vector = layout.initialParameters(rule, seed: 3)
    for entry in layout.entries {
      let values = vector[entry.range]
      switch entry.role {
      case .normScale, .runningVariance: #expect(values.allSatisfy { $0 == 1 })
      case .normShift, .runningMean: #expect(values.allSatisfy { $0 == 0 })
      case .weight, .bias: if rule == .zero { #expect(values.allSatisfy { $0 == 0 }) }
      default: Issue.record("\(entry.name) is no part of a residual network")
      }
    }
  }

  @Test("A tensor's weights do not depend on the sizes of later layers")
  func independence() throws {
    let (ten, hundred) = (try layout(classes: 10), try layout(classes: 100))
    let (a, b) = (
      ten.initialParameters(.pytorch, seed: 6), hundred.initialParameters(.pytorch, seed: 6)
    )
    for entry in ten.entries where !entry.name.hasPrefix("fc") {
      let other = try #require(hundred[entry.name])
      #expect(ten.exported(entry, from: a) == hundred.exported(other, from: b), "\(entry.name)")
    }
  }

  @Test("Weights are drawn in PyTorch's order: memory order does not matter")
  func drawnInOrder()
    throws
  {
    // The same 6×12 weights, after a map (permuted in memory) and after a vector (not permuted).
    let map = FeatureShape(height: 2, width: 2, channels: 3)
    let a = try NetworkRecipe.build("dense fc 6 1", input: map).layout
    let b = try NetworkRecipe.build("dense fc 6 1", input: FeatureShape(features: 12)).layout
    let (u, v) = (a.initialParameters(.he, seed: 9), b.initialParameters(.he, seed: 9))
    #expect(u != v)
    #expect(a.exported(a.entries[0], from: u) == b.exported(b.entries[0], from: v))
  }

  @Test("Equal seeds give equal bits, other seeds other weights")
  func seeds() throws {
    let layout = try layout(width: 4)
    let a = layout.initialParameters(.pytorch, seed: 1)
    #expect(layout.initialParameters(.pytorch, seed: 1) == a)
    let b = layout.initialParameters(.pytorch, seed: 2)
    let weights = layout.entries.filter { $0.role == .weight }.flatMap { Array($0.range) }
    #expect(weights.allSatisfy { a[$0] != b[$0] })
  }
}

import Testing

@testable import Base

@Suite("Discrete Gaussian")
struct DiscreteGaussianTests {
  /// s² as a fraction.
  struct Case: Sendable {
    let numerator: UInt64
    let denominator: UInt64
    var value: Double { Double(numerator) / Double(denominator) }
  }

  static let cases = [
    Case(numerator: 1, denominator: 4), Case(numerator: 1, denominator: 1),
    Case(numerator: 9, denominator: 2), Case(numerator: 1000, denominator: 7),
    Case(numerator: (1 << 50) - 1, denominator: (1 << 50) - 3),
  ]

  @Test("Frequencies agree with the exact probabilities: χ²", arguments: cases)
  func probabilities(
    variance: Case
  ) throws {
    let law = try #require(
      DiscreteGaussian(numerator: variance.numerator, denominator: variance.denominator))
    var stream = RandomStream(seed: 21, .test, step: Int(truncatingIfNeeded: variance.numerator))
    let n = 200_000
    let reach = Int(40 * variance.value.squareRoot()) + 40
    var counts = [Int](repeating: 0, count: 2 * reach + 1)
    for _ in 0..<n { counts[Int(law.draw(from: &stream)) + reach] += 1 }
    let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * variance.value)) }
    let total = weights.reduce(0, +)
    // Cells of fewer than ten expected draws are put together.
    var chi = 0.0
    var cells = 0.0
    var rest = (expected: 0.0, found: 0.0)
    for (weight, count) in zip(weights, counts) {
      let expected = weight / total * Double(n)
      if expected >= 10 {
        chi += (Double(count) - expected) * (Double(count) - expected) / expected
        cells += 1
      } else {
        rest = (rest.expected + expected, rest.found + Double(count))
      }
    }
    if rest.expected > 1 {
      chi += (rest.found - rest.expected) * (rest.found - rest.expected) / rest.expected
      cells += 1
    }
    // Degrees of freedom f: mean f, variance 2f.
    #expect(abs(chi - (cells - 1)) < 5 * (2 * (cells - 1)).squareRoot())
  }

  @Test("Wide noise has mean 0, variance s² and kurtosis 3")
  func moments() throws {
    let law = try #require(DiscreteGaussian(varianceAtLeast: 123_456_789.3))
    #expect(Double(law.numerator) / Double(law.denominator) - 123_456_789.3 < 1e-6)
    var stream = RandomStream(seed: 22, .test)
    let n = 100_000
    var sums = (0.0, 0.0, 0.0)
    for _ in 0..<n {
      let y = Double(law.draw(from: &stream)) / 123_456_789.3.squareRoot()
      sums.0 += y
      sums.1 += y * y
      sums.2 += y * y * y * y
    }
    let count = Double(n)
    #expect(abs(sums.0 / count) < 5 / count.squareRoot())
    #expect(abs(sums.1 / count - 1) < 5 * (2 / count).squareRoot())
    #expect(abs(sums.2 / count - 3) < 5 * (96 / count).squareRoot())
  }

  @Test("Variances out of range are refused, others never become smaller")
  func range() {
    #expect(DiscreteGaussian(numerator: 0, denominator: 1) == nil)
    #expect(DiscreteGaussian(numerator: 1, denominator: 0) == nil)
    #expect(DiscreteGaussian(numerator: 1 << 50, denominator: 1) == nil)
    for bad in [0, -1, .nan, .infinity, 1e-20, 1e20] {
      #expect(DiscreteGaussian(varianceAtLeast: bad) == nil)
    }
    for value in [0x1p-40, 1e-6, 0.1, 1, 2.0 / 3, 1e9 / 7, 0x1p48] {
      let law = DiscreteGaussian(varianceAtLeast: value)
      let variance = Double(law?.numerator ?? 0) / Double(law?.denominator ?? 1)
      #expect(variance >= value && variance - value <= max(0x1p-40, 0x1p-48 * value))
    }
  }

  @Test("exp(−a/b) as a probability, below and above 1")
  func bernoulli() {
    var stream = RandomStream(seed: 23, .test)
    let n = 100_000
    for (a, b) in [(0, 1), (1, 3), (1, 1), (7, 5), (5, 1)] as [(UInt128, UInt128)] {
      var hits = 0
      for _ in 0..<n where stream.bernoulliExp(a, over: b) { hits += 1 }
      let p = exp(-Double(a) / Double(b))
      let spread = (p * (1 - p) * Double(n)).squareRoot()
      #expect(abs(Double(hits) - p * Double(n)) <= 5 * spread)
    }
  }

  @Test("Numbers below a bound of more than 64 bits are even")
  func wideBound() {
    var stream = RandomStream(seed: 24, .test)
    let bound: UInt128 = 3 << 64
    var counts = [0.0, 0.0, 0.0]
    for _ in 0..<30_000 { counts[Int(stream.below(bound) >> 64)] += 1 }
    let chi = counts.map { ($0 - 10_000) * ($0 - 10_000) / 10_000 }.reduce(0, +)
    #expect(chi < 2 + 5 * 4.0.squareRoot())
    #expect(stream.below(1 as UInt128) == 0)
  }
}

@Suite("Grids")
struct GridTests {
  static func vector(_ count: Int, norm: Double, step: Int) -> [Float] {
    var stream = RandomStream(seed: 25, .test, step: step)
    let draws = (0..<count).map { _ in stream.normal() }
    let length = draws.map { $0 * $0 }.reduce(0, +).squareRoot()
    // A last place short of the norm, so that rounding to Float stays within.
    return draws.map { Float($0 / length * norm * (1 - 1e-6)) }
  }

  static func length(_ whole: [Int64]) -> Double { Double(Grid.squaredNorm(whole)).squareRoot() }

  @Test("Both roundings stay within their norm and a step of what they round")
  func roundings()
    throws
  {
    for (step, spacing) in [0x1p-12, 0x1p-6, 0x1p-2].enumerated() {
      let grid = try #require(Grid(spacing: spacing))
      let x = Self.vector(300, norm: 2, step: step)
      let cut = grid.towardZero(x, norm: 2)
      #expect(Self.length(cut) * spacing <= 2)
      for (a, b) in zip(x, cut) {
        #expect(abs(Double(b) * spacing) <= abs(Double(a)))
        #expect(abs(Double(b) * spacing - Double(a)) < spacing)
      }
      var stream = RandomStream(seed: 26, .dpRounding)
      let most = grid.sensitivity(norm: 2, dimension: 300, failure: 0.5)
      #expect(most >= 2 && most <= 2 + spacing * 300.0.squareRoot())
      let rounded = grid.stochastic(x, norm: 2, failure: 0.5, from: &stream)
      #expect(Self.length(rounded) * spacing <= most * (1 + 1e-12))
      for (a, b) in zip(x, rounded) { #expect(abs(Double(b) * spacing - Double(a)) < spacing) }
    }
  }

  @Test("Rounding at random keeps the mean")
  func mean() throws {
    let grid = try #require(Grid(spacing: 0.5))
    var stream = RandomStream(seed: 27, .dpRounding)
    let x: [Float] = [0.1, -0.35, 0.5, 1.2]
    var sums = [0.0, 0, 0, 0]
    let n = 20_000
    for _ in 0..<n {
      // A bound that no rounding meets: nothing is drawn again.
      let y = grid.stochastic(x, norm: 2, failure: 1e-300, from: &stream)
      for i in 0..<4 { sums[i] += Double(y[i]) * 0.5 }
    }
    // A step's share has a standard deviation of at most ½.
    for i in 0..<4 {
      #expect(abs(sums[i] / Double(n) - Double(x[i])) <= 5 * 0.25 / Double(n).squareRoot())
    }
  }

  @Test("What is too long is clipped, what is no number becomes 0")
  func contract() throws {
    let grid = try #require(Grid(atMost: 0.01))
    #expect(grid.spacing == 0x1p-7)
    let long = grid.towardZero([3, 4], norm: 1)
    #expect(Self.length(long) * grid.spacing <= 1 && long[0] == 76 && long[1] == 102)
    #expect(grid.towardZero([.nan, 1], norm: 1) == [0, 0])
    #expect(grid.towardZero([.infinity, 1], norm: 1) == [0, 0])
    #expect(grid.towardZero([], norm: 1).isEmpty)
    var stream = RandomStream(seed: 28, .dpRounding)
    #expect(grid.stochastic([.nan], norm: 1, failure: 0.1, from: &stream) == [0])
    #expect(grid.values([128, -64]) == [1, -0.5])
    for bad in [0, -1, 0.3, .nan, .infinity] { #expect(Grid(spacing: bad) == nil) }
  }
}

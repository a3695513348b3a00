import Base
import Testing

@Suite("Distributions")
struct DistributionsTests {
  static func stream(_ step: Int = 0) -> RandomStream { RandomStream(seed: 7, .test, step: step) }

  /// Mean and variance of n draws.
  static func moments(_ count: Int, _ draw: () -> Double) -> (mean: Double, variance: Double) {
    var sum = 0.0
    var squares = 0.0
    for _ in 0..<count {
      let value = draw()
      sum += value
      squares += value * value
    }
    let mean = sum / Double(count)
    return (mean, squares / Double(count) - mean * mean)
  }

  @Test("the first normals and gammas of a stream never change")
  func pinned() {
    // The normals agree with Python's statistics.NormalDist().inv_cdf at the same uniforms.
    var normals = Self.stream()
    var small = Self.stream(1)
    var large = Self.stream(2)
    let pins: [(found: Double, expected: Double)] = [
      (normals.normal(), -1.0706050175889696), (normals.normal(), 1.9488243159195366),
      (normals.normal(), 0.41195542753841896), (small.logGamma(0.1), -1.5394674868128382),
      (small.logGamma(0.1), -2.1188602117429625), (small.logGamma(0.1), -5.679519805990057),
      (large.gamma(5), 5.97341116974639), (large.gamma(5), 4.265328200650588),
      (large.gamma(5), 6.743569809294887),
    ]
    // A C library may round log and exp the other way in their last place.
    for (found, expected) in pins { #expect(abs(found - expected) <= 8 * expected.ulp) }
  }

  @Test("a normal number has mean 0, variance 1, and takes one word of its stream")
  func normalMoments() {
    var stream = Self.stream()
    let n = 200_000
    let (mean, variance) = Self.moments(n) { stream.normal() }
    // Five standard errors: of the mean 1/√n, of the variance √(2/n).
    #expect(abs(mean) < 5 / Double(n).squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / Double(n)).squareRoot())
    #expect(stream.counter == UInt64(n))
  }

  @Test("the normal quantile agrees with tables, in its three branches")
  func normalTails() {
    // P(|X| > 1.959963984540054) = 0.05 and P(|X| > 3.2905267314919255) = 0.001.
    var stream = Self.stream(3)
    let n = 400_000
    var beyond = (twenty: 0, thousand: 0)
    for _ in 0..<n {
      let value = abs(stream.normal())
      if value > 1.959963984540054 { beyond.twenty += 1 }
      if value > 3.2905267314919255 { beyond.thousand += 1 }
    }
    #expect(abs(Double(beyond.twenty) - 0.05 * Double(n)) < 5 * (0.05 * Double(n)).squareRoot())
    #expect(abs(Double(beyond.thousand) - 0.001 * Double(n)) < 5 * (0.001 * Double(n)).squareRoot())
  }

  @Test("a gamma number has mean α and variance α", arguments: [0.05, 0.5, 1, 2.5, 30, 1e6])
  func gammaMoments(alpha: Double) {
    var stream = Self.stream(4)
    let n = 200_000
    let (mean, variance) = Self.moments(n) { stream.gamma(alpha) }
    // The variance of the sample variance is (μ₄ − σ⁴)/n = (2α² + 6α)/n.
    #expect(abs(mean - alpha) < 5 * (alpha / Double(n)).squareRoot())
    // At α = 1e6 the two-pass difference above cancels 12 of 16 digits; its error is 1e-4 α.
    let rounding = alpha * alpha * 1e-14 * 10
    #expect(
      abs(variance - alpha) < 5 * ((2 * alpha * alpha + 6 * alpha) / Double(n)).squareRoot()
        + rounding)
  }

  @Test(
    "the logarithm of a gamma number is finite", arguments: [1e-300, 1e-9, 1e-3, 1, 1e6, 1e300])
  func gammaIsFinite(alpha: Double) {
    var stream = Self.stream(5)
    for _ in 0..<2000 { #expect(stream.logGamma(alpha).isFinite) }
  }

  @Test(
    "Dirichlet shares are ≥ 0 and sum to 1 for every α",
    arguments: [1e-300, 1e-6, 1e-3, 0.1, 1, 1e6, 1e300], [1, 2, 10, 1000])
  func dirichletIsShares(
    alpha: Double, count: Int
  ) {
    var stream = Self.stream(6)
    for _ in 0..<20 {
      let shares = stream.dirichlet(alpha, count: count)
      #expect(shares.count == count)
      #expect(shares.allSatisfy { $0 >= 0 && $0 <= 1 })
      // Each of the `count` quotients and sums rounds once.
      #expect(abs(shares.reduce(0, +) - 1) <= Double(count) * 0x1p-51)
    }
  }

  @Test("a Dirichlet share has mean 1/K and variance (1/K)(1 − 1/K)/(Kα + 1)")
  func dirichletMoments() {
    var stream = Self.stream(7)
    let n = 40_000
    let (alpha, count) = (0.5, 4)
    let (mean, variance) = Self.moments(n) { stream.dirichlet(alpha, count: count)[2] }
    let expected = 0.25 * 0.75 / 3
    #expect(abs(mean - 0.25) < 5 * (expected / Double(n)).squareRoot())
    // A share is in [0, 1], so its fourth central moment is below its variance.
    #expect(abs(variance - expected) < 5 * (expected / Double(n)).squareRoot())
  }

  @Test("small α puts all mass on one share, large α makes all alike")
  func dirichletLimits() {
    var stream = Self.stream(8)
    var concentrated = 0
    for _ in 0..<200 where (stream.dirichlet(1e-3, count: 10).max() ?? 0) > 0.99 {
      concentrated += 1
    }
    #expect(concentrated > 180)
    for share in stream.dirichlet(1e6, count: 10) { #expect(abs(share - 0.1) < 0.001) }
  }

  @Test("shares of equal or all-zero weights are alike, and of none there are none")
  func sharesOfLogarithms() {
    #expect(normalizedShares(ofLogarithms: []) == [])
    #expect(normalizedShares(ofLogarithms: [-.infinity, -.infinity]) == [0.5, 0.5])
    #expect(normalizedShares(ofLogarithms: [-1e308, -1e308]) == [0.5, 0.5])
    #expect(normalizedShares(ofLogarithms: [-.infinity, 3]) == [0, 1])
  }

  @Test("a categorical index follows its weights and never has weight 0")
  func categorical() {
    var stream = Self.stream(9)
    let weights = [0, 3, 0, 1, 6, 0]
    let table = Categorical(weights.map(Double.init))
    var counts = [Int](repeating: 0, count: weights.count)
    let n = 100_000
    for _ in 0..<n { counts[table.draw(from: &stream)] += 1 }
    for (count, weight) in zip(counts, weights) {
      let expected = Double(n * weight) / 10
      #expect(abs(Double(count) - expected) <= 5 * expected.squareRoot())
    }
    #expect(stream.categorical([0, 0, 2]) == 2)
  }

  @Test("the same address repeats every draw, another address none")
  func repeatable() {
    func draws(_ step: Int) -> [Double] {
      var stream = Self.stream(step)
      return [stream.normal(), stream.gamma(0.3)] + stream.dirichlet(0.5, count: 3)
    }
    #expect(draws(10) == draws(10))
    #expect(zip(draws(10), draws(11)).allSatisfy { $0 != $1 })
  }
}

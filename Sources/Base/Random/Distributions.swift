/// Draws from named distributions. Every algorithm is our own, so that neither a new library nor a
/// new toolchain changes a split.
extension RandomStream {
  /// Uniform in the open interval (0, 1), 52 bits: neither logarithm nor quantile can be infinite.
  public mutating func openUniform() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

  /// A standard normal number, N(0, 1), from exactly one 64-bit word: the quantile of a uniform.
  public mutating func normal() -> Double { NormalQuantile.value(openUniform()) }

  /// ln G for G ~ Gamma(α, 1), α > 0.
  ///
  /// The logarithm neither under- nor overflows where G would: for α = 0.001 a typical G is
  /// e^−1000.
  ///
  /// - Precondition: α is positive and finite.
  /// - Source: Marsaglia and Tsang, ACM TOMS 26(3), 2000; α < 1 by their §6, G(α) = G(α+1)·U^(1/α).
  public mutating func logGamma(_ alpha: Double) -> Double {
    precondition(alpha > 0 && alpha.isFinite, "RandomStream.logGamma: alpha is \(alpha)")
    guard alpha < 1 else { return logGammaAboveOne(alpha) }
    let boost = log(openUniform()) / alpha
    // Bounded away from −∞, so that differences of two results are numbers for every α.
    return logGammaAboveOne(alpha + 1) + max(boost, -Double.greatestFiniteMagnitude / 4)
  }

  /// A Gamma(α, 1) number; 0 where it would be below the smallest Double.
  public mutating func gamma(_ alpha: Double) -> Double { exp(logGamma(alpha)) }

  private mutating func logGammaAboveOne(_ alpha: Double) -> Double {
    let d = alpha - 1.0 / 3.0
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let u = openUniform()
      let logV = 3 * log(root)
      if u < 1 - 0.0331 * (x * x) * (x * x) { return log(d) + logV }
      if log(u) < 0.5 * x * x + d * (1 - root * root * root + logV) { return log(d) + logV }
    }
  }

  /// A point of Dir(α·1_count): `count` shares ≥ 0 whose sum is 1 to rounding.
  ///
  /// The gamma numbers are normalised in logarithms, p = softmax(ln G), so that even α = 0.001
  /// gives shares and never 0/0.
  public mutating func dirichlet(_ alpha: Double, count: Int) -> [Double] {
    var logarithms: [Double] = []
    logarithms.reserveCapacity(count)
    for _ in 0..<count { logarithms.append(logGamma(alpha)) }
    return normalizedShares(ofLogarithms: logarithms)
  }

  /// An index drawn with probability weight / Σ weights; one of weight 0 is never drawn.
  ///
  /// - Precondition: weights are ≥ 0 and finite, and one is positive.
  /// - Complexity: O(n); for many draws from the same weights use `Categorical`.
  public mutating func categorical(_ weights: [Double]) -> Int {
    Categorical(weights).draw(from: &self)
  }
}

/// Shares proportional to e^logarithm: p_i = e^(l_i − max l) / Σ_j e^(l_j − max l).
///
/// - Parameter logarithms: finite numbers; −∞ stands for a share of 0.
/// - Returns: shares ≥ 0 with sum 1 to rounding; all alike when every logarithm is −∞.
public func normalizedShares(ofLogarithms logarithms: [Double]) -> [Double] {
  guard let top = logarithms.max() else { return [] }
  guard top > -.infinity else {
    return [Double](repeating: 1 / Double(logarithms.count), count: logarithms.count)
  }
  var shares = logarithms.map { exp($0 - top) }
  var total = 0.0
  for share in shares { total += share }
  for index in shares.indices { shares[index] /= total }
  return shares
}

/// Indices 0 ..< n with given weights: O(n) once, O(log n) per draw, one 64-bit word per draw.
public struct Categorical: Sendable {
  private let cumulative: [Double]
  private let lastPositive: Int

  /// Weights need not sum to 1.
  ///
  /// - Precondition: weights are ≥ 0 and finite, and one is positive.
  public init(_ weights: [Double]) {
    var sums: [Double] = []
    sums.reserveCapacity(weights.count)
    var total = 0.0
    var last = -1
    for (index, weight) in weights.enumerated() {
      precondition(weight >= 0 && weight.isFinite, "Categorical: weight \(index) is \(weight)")
      total += weight
      sums.append(total)
      if weight > 0 { last = index }
    }
    precondition(last >= 0, "Categorical: no positive weight among \(weights.count)")
    cumulative = sums
    lastPositive = last
  }

  /// The first index whose cumulative weight exceeds a uniform share of the total.
  public func draw(from stream: inout RandomStream) -> Int {
    let target = stream.uniform() * cumulative[lastPositive]
    var low = 0
    var high = lastPositive
    while low < high {
      let middle = (low + high) / 2
      if cumulative[middle] > target { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// The quantile function of N(0, 1) to about 1e-16.
///
/// - Source: Wichura, Applied Statistics 37(3), 1988, Algorithm AS 241, PPND16.
package enum NormalQuantile {
  /// Φ⁻¹(p) for p in (0, 1).
  package static func value(_ p: Double) -> Double {
    let q = p - 0.5
    if abs(q) <= 0.425 {
      let r = 0.180625 - q * q
      return q * ratio(r, Self.centre.above, Self.centre.below)
    }
    var r = (-log(q < 0 ? p : 1 - p)).squareRoot()
    let magnitude: Double
    if r <= 5 {
      r -= 1.6
      magnitude = ratio(r, Self.shoulder.above, Self.shoulder.below)
    } else {
      r -= 5
      magnitude = ratio(r, Self.tail.above, Self.tail.below)
    }
    return q < 0 ? -magnitude : magnitude
  }

  /// Coefficients from the power 0 (first lane) to the power 7 (last lane).
  typealias Coefficients = (above: SIMD8<Double>, below: SIMD8<Double>)

  @inline(__always) private static func ratio(_ r: Double, _ a: SIMD8<Double>, _ b: SIMD8<Double>)
    -> Double
  {
    var above = a[7]
    var below = b[7]
    for power in stride(from: 6, through: 0, by: -1) {
      above = above * r + a[power]
      below = below * r + b[power]
    }
    return above / below
  }

  static let centre: Coefficients = (
    [
      3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
      1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
      3.3430575583588128105e4, 2.5090809287301226727e3,
    ],
    [
      1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
      2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
      5.2264952788528545610e3,
    ]
  )
  static let shoulder: Coefficients = (
    [
      1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
      3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
      2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ],
    [
      1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
      1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
      1.05075007164441684324e-9,
    ]
  )
  static let tail: Coefficients = (
    [
      6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
      2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
      2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ],
    [
      1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
      7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
      2.04426310338993978564e-15,
    ]
  )
}

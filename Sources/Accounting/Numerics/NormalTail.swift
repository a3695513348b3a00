import Base

/// The upper tail of the standard normal distribution, with full relative precision.
package enum NormalTail {
  /// Q(x) = P(Z > x) = ½ erfc(x/√2); relative error a few 10⁻¹⁶ down to 10⁻³⁰⁰.
  package static func probability(_ x: Double) -> Double { 0.5 * erfc(x * 0.5.squareRoot()) }

  /// φ(x) = e^{−x²/2} / √(2π).
  package static func density(_ x: Double) -> Double {
    exp(-0.5 * x * x) * 0.398942280401432677939946
  }

  /// The ratio of Mills, R(x) = Q(x) / φ(x), for x ≥ 0; about 1/x for large x.
  ///
  /// Where Q and φ underflow their ratio does not: differences of tails are taken here.
  ///
  /// - Source: below 3 the quotient itself, which loses x²/2 roundings; above, the continued
  ///   fraction 1/(x + 1/(x + 2/(x + 3/(x + …)))) of Laplace, from the far end.
  package static func ratio(_ x: Double) -> Double {
    if x < 3 { return probability(x) / density(x) }
    // 1/x to the last bit; also the way of what is not a number.
    guard x < 1e9 else { return 1 / x }
    // 10⁻¹⁷ needs about 700/x² + 12 terms; measured for x from 3 to 40.
    var term = Int(1400 / (x * x)) + 24
    var tail = x
    while term > 0 {
      tail = x + Double(term) / tail
      term -= 1
    }
    return 1 / tail
  }

  /// The x with Q(x) = p, for p in (0, 1), to about 10⁻¹⁵ of 1 + |x|.
  package static func quantile(_ p: Double) -> Double {
    if p > 0.5 { return -quantile(1 - p) }
    // Newton on ln Q, which is concave: from the right of the solution it never passes over it.
    var x = bound(p)
    for _ in 0..<60 {
      let step = (log(probability(x)) - log(p)) * ratio(max(0, x))
      x += step
      if abs(step) <= 1e-16 * (1 + abs(x)) { break }
    }
    return x
  }

  /// An x with Q(x) ≤ p, close to the smallest: √(2 ln(1/(2p))) for p < ½.
  package static func bound(_ p: Double) -> Double {
    // Q(x) ≤ ½ e^{−x²/2} for x ≥ 0.
    p >= 0.5 ? 0 : (-2 * log(2 * p)).squareRoot()
  }
}

/// e^a + e^b on logarithms, and sums of many.
enum LogSum {
  /// ln(e^a + e^b); −∞ is ln 0.
  static func pair(_ a: Double, _ b: Double) -> Double {
    let (large, small) = a > b ? (a, b) : (b, a)
    return small == -.infinity || large == .infinity ? large : large + log1p(exp(small - large))
  }

  /// ln Σ e^{v_i}.
  static func all(_ values: [Double]) -> Double {
    guard let largest = values.max(), largest.isFinite else { return values.max() ?? -.infinity }
    var sum = 0.0
    for value in values { sum += exp(value - largest) }
    return largest + log(sum)
  }

  /// ln(1 + e^v), exact for very negative v.
  static func onePlus(_ v: Double) -> Double { v > -1 ? pair(0, v) : log1p(exp(v)) }

  /// ln(e^v − 1) for v > 0.
  static func minusOne(_ v: Double) -> Double { v > 1 ? v + log1p(-exp(-v)) : log(expm1(v)) }
}

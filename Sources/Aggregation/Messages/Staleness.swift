import Base

/// How much less an update counts that was made from an old model.
///
/// s ≥ 0: steps of the server since the model was sent. All are 1 at s = 0.
///
/// - Source: Xie et al. 2019, arXiv:1903.03934, section 5.2.
package enum Staleness {
  /// (1 + s)^(−a), a ≥ 0.
  package static func polynomial(_ s: Int, exponent a: Double) -> Double {
    // The square root is exactly rounded everywhere, which pow need not be.
    if a == 0.5 { return 1 / Double(1 + s).squareRoot() }
    return pow(Double(1 + s), -a)
  }

  /// 1 up to s = b, then 1/(a·(s − b) + 1).
  package static func hinge(_ s: Int, slope a: Double, delay b: Double) -> Double {
    Double(s) <= b ? 1 : 1 / (a * (Double(s) - b) + 1)
  }
}

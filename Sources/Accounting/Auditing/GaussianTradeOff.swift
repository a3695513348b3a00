import Base

/// What a μ-GDP mechanism lets the best test of membership find.
///
/// A test that takes a share a of the others for members finds at most a share 1 − G_μ(a) of the
/// members, G_μ(a) = Φ(Φ⁻¹(1 − a) − μ), and the likelihood ratio of the two Gaussians reaches it.
///
/// - Source: Dong, Roth and Su 2019, arXiv:1905.02383, definition 2.6 and corollary 3.3.
extension GaussianMechanism {
  /// The mechanism whose δ(ε) goes through a point: its shift is the μ with which ε and δ agree.
  ///
  /// - Parameters:
  ///   - epsilon: ε ≥ 0.
  ///   - delta: δ; 0 gives a shift of 0, 1 an infinite one.
  public init(epsilon: Double, delta: Double) {
    let noise = Self.noiseMultiplier(epsilon: epsilon, delta: delta)
    self.init(shift: noise == 0 ? .infinity : 1 / noise)
  }

  /// Two releases as one: μ² = μ₁² + μ₂².
  public func composed(with other: GaussianMechanism) -> GaussianMechanism {
    GaussianMechanism(shift: (shift * shift + other.shift * other.shift).squareRoot())
  }

  /// The largest share of members that a test can find which takes a share of the others for
  /// members: Φ(Φ⁻¹(a) + μ), in [0, 1].
  public func power(falsePositives a: Double) -> Double {
    if a >= 1 || shift == .infinity { return 1 }
    guard a > 0 else { return 0 }
    return max(a, NormalTail.probability(-NormalQuantile.value(a) - shift))
  }

  /// Φ(Φ⁻¹(r) − μ): the least probability that an event can have in one case which has probability
  /// r in the other.
  static func unlikely(_ r: Double, shift: Double) -> Double {
    if r <= 0 { return 0 }
    if r >= 1 { return 1 }
    return NormalTail.probability(shift - NormalQuantile.value(r))
  }
}

import Base

/// The Gaussian mechanism without sampling, exactly.
///
/// Any composition of unsampled Gaussian releases is one Gaussian with m² = Σ T_i / σ_i², where
/// m is the distance between the two means in standard deviations:
///
///     δ(ε) = Φ(m/2 − ε/m) − e^ε Φ(−m/2 − ε/m)
///
/// - Source: Balle and Wang 2018, arXiv:1805.06530, Theorem 8; Dong, Roth and Su 2019,
///   arXiv:1905.02383, Corollary 2.13 (μ-GDP, their μ is our m).
public struct GaussianMechanism: Sendable, Equatable {
  /// `m` ≥ 0: sensitivity over standard deviation; 0 hides everything, infinity nothing.
  public let shift: Double

  /// A mechanism with this ratio of sensitivity and standard deviation.
  public init(shift: Double) { self.shift = max(0, shift) }

  /// `steps` releases with noise multiplier σ each: m = √T / σ.
  public init(noiseMultiplier: Double, steps: Int = 1) {
    self.init(shift: steps == 0 ? 0 : Double(steps).squareRoot() / max(0, noiseMultiplier))
  }

  /// δ(ε) for ε ≥ 0; relative error about 10⁻¹³ · max(1, ε/m²).
  ///
  /// Both terms are φ(m/2 − ε/m) times a ratio of Mills, which takes the exponential out and
  /// leaves a difference that does not underflow.
  public func delta(epsilon: Double) -> Double {
    if shift == 0 || epsilon == .infinity { return 0 }
    if shift == .infinity { return 1 }
    if epsilon <= 0 { return erf(shift * 0.5.squareRoot() / 2) }
    let near = epsilon / shift - shift / 2
    let far = epsilon / shift + shift / 2
    let density = NormalTail.density(near)
    let value =
      near >= 0
      ? density * (NormalTail.ratio(near) - NormalTail.ratio(far))
      : NormalTail.probability(near) - density * NormalTail.ratio(far)
    return min(1, max(0, value))
  }

  /// The smallest ε ≥ 0 with δ(ε) ≤ δ, from above, to the last bits; infinity for δ ≤ 0.
  public func epsilon(delta: Double) -> Double {
    if self.delta(epsilon: 0) <= delta { return 0 }
    if delta <= 0 || shift == .infinity { return .infinity }
    // Q(ε/m − m/2) bounds δ(ε).
    let high = shift * (shift / 2 + NormalTail.bound(delta))
    return Self.boundary(from: 0, to: max(high, .leastNormalMagnitude)) {
      self.delta(epsilon: $0) <= delta
    }
  }

  /// ε(δ) from below and from above: δ is known to 2⁻⁴⁴ · max(1, 1/m, ε/m²) of itself, because for
  /// small m it is a difference of ratios that are nearly the same.
  package func bracket(delta: Double) -> Bracket {
    let epsilon = epsilon(delta: delta)
    guard epsilon.isFinite, epsilon > 0, shift > 0 else {
      return Bracket(lower: epsilon, upper: epsilon)
    }
    let doubt = min(0.5, 0x1p-44 * max(1, max(1 / shift, epsilon / shift / shift)))
    // Values of δ beside the smallest one are far apart.
    let smallest = Double.leastNonzeroMagnitude
    return Bracket(
      lower: min(epsilon, self.epsilon(delta: delta * (1 + doubt) + smallest)) * (1 - 0x1p-50),
      upper: max(epsilon, self.epsilon(delta: delta * (1 - doubt) - smallest)) * (1 + 0x1p-50))
  }

  /// The smallest noise multiplier σ with δ(ε) ≤ δ after `steps` releases.
  ///
  /// Infinity for δ ≤ 0; 0 when even no noise meets the target (δ ≥ 1).
  public static func noiseMultiplier(epsilon: Double, delta: Double, steps: Int = 1) -> Double {
    if delta >= 1 || steps == 0 { return 0 }
    if delta <= 0 { return .infinity }
    func isMet(_ noise: Double) -> Bool {
      GaussianMechanism(noiseMultiplier: noise).delta(epsilon: max(0, epsilon)) <= delta
    }
    var high = 1.0
    while !isMet(high) { high *= 2 }
    while high > 1e-150, isMet(high / 2) { high /= 2 }
    return boundary(from: high / 2, to: high, where: isMet) * Double(steps).squareRoot()
  }

  /// The smallest number in (low, high] with a property that stays once it holds, by halving
  /// until low and high are neighbours; `high` has the property.
  static func boundary(from low: Double, to high: Double, where holds: (Double) -> Bool) -> Double {
    var (low, high) = (low, high)
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return high }
      if holds(middle) { high = middle } else { low = middle }
    }
  }
}

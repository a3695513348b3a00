/// Noise on the count of a cohort's updates that lie within the clip, from which the clip adapts.
package enum CountNoise {
  /// σ_b = m/20, the noise on the count of a cohort's whole updates.
  package static func deviation(cohort: Double) -> Double { cohort / 20 }

  /// σ of the updates when a total multiplier z also pays for the count:
  /// z_Δ = (z⁻² − (2σ_b)⁻²)^(−½).
  ///
  /// - Returns: nil when z ≥ 2σ_b: the count alone would cost more than z allows.
  package static func updateMultiplier(_ z: Double, countDeviation: Double) -> Double? {
    if z == 0 { return 0 }
    let rest = 1 / (z * z) - 1 / (4 * countDeviation * countDeviation)
    return rest > 0 ? 1 / rest.squareRoot() : nil
  }
}

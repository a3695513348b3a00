import Base

/// A bound on the Rényi divergence of one step with a fixed number of units, drawn without
/// replacement, for neighbours by replacement.
///
/// With q = m/N, r_j = j/(2σ'²), and σ' the noise over the sensitivity (twice the clip norm):
///
///     (α−1) D_α ≤ ln(1 + q² C(α,2) min(4(e^{r_2} − 1), 2e^{r_2})
///                      + Σ_{j≥3} 2 q^j C(α,j) e^{(j−1) r_j})
///
/// and never more than without sampling, α/(2σ'²). Clearly above the divergence of Poisson
/// sampling; the privacy loss accountant is tight here.
///
/// - Source: Wang, Balle and Kasiviswanathan 2019, arXiv:1808.00087, Theorem 9.
struct FixedSizeDivergence {
  /// Share of the units that is drawn, in (0, 1).
  let rate: Double
  /// Standard deviation of the noise over the sensitivity, > 0.
  let noise: Double

  /// The bound for every order; between whole orders the chord of a convex function.
  ///
  /// - Complexity: O(Σ α).
  func divergences(_ orders: [Double]) -> [Double] {
    orders.map { order in
      let amplified = Interpolation.chord(order, of: logMoment) / (order - 1)
      return min(amplified, order / (2 * noise * noise))
    }
  }

  /// The bound on (α−1) D_α for whole α ≥ 2.
  private func logMoment(_ order: Int) -> Double {
    let inverse = 0.5 / (noise * noise)
    let logRate = log(rate)
    var logBinomial = log(Double(order))
    var terms: [Double] = []
    terms.reserveCapacity(order)
    for j in stride(from: 2, through: order, by: 1) {
      logBinomial += log(Double(order - j + 1) / Double(j))
      let exponent = Double(j) * Double(j - 1) * inverse
      let factor = log(2) + exponent
      let last = j == 2 ? min(factor, log(4) + LogSum.minusOne(exponent)) : factor
      terms.append(Double(j) * logRate + logBinomial + last)
    }
    return LogSum.onePlus(LogSum.all(terms))
  }
}

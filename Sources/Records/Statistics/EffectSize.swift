import Base

/// How large paired differences are beside their own spread.
package struct EffectSize: Sendable, Equatable {
  /// Cohen's d_z: mean of the differences divided by their sample standard deviation.
  package let dz: Double
  /// Hedges' g_z = J(n − 1)·d_z without the bias of small n; nil for n = 2, where J is zero.
  ///
  ///     J(ν) = Γ(ν/2) / (√(ν/2)·Γ((ν − 1)/2))
  package let hedges: Double?

  /// The size of the effect; nil with fewer than two differences, or when all are equal.
  ///
  /// - Source: Cohen, Statistical Power Analysis (1988), §2.3.5; Hedges, Distribution theory for
  ///   Glass's estimator of effect size (1981), equation 6e.
  package init?(_ statistics: SeedStatistics) {
    guard let deviation = statistics.standardDeviation,
      deviation > 4 * .ulpOfOne * abs(statistics.mean)
    else { return nil }
    dz = statistics.mean / deviation
    let freedom = Double(statistics.count - 1)
    guard statistics.count > 2 else {
      hedges = nil
      return
    }
    let ratio = StudentT.logGamma(freedom / 2) - StudentT.logGamma((freedom - 1) / 2)
    hedges = dz * exp(ratio) / (freedom / 2).squareRoot()
  }
}

extension SeedStatistics {
  /// The two-sided p of Student's test that the mean is zero, t = mean·√n / s with n − 1 degrees of
  /// freedom: I₍ν/(ν+t²)₎(ν/2, ½); nil for n < 2, or when all values are zero.
  package var studentP: Double? {
    guard let deviation = standardDeviation else { return nil }
    guard deviation > 0 else { return mean == 0 ? nil : 0 }
    let t = mean * Double(count).squareRoot() / deviation
    let freedom = Double(count - 1)
    return StudentT.regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
  }
}

/// How often the first of two is better, as good, or worse.
package struct WinTieLoss: Sendable, Equatable {
  /// Pairs in which the first is better by more than the margin.
  package private(set) var wins = 0
  /// Pairs no further apart than the margin.
  package private(set) var ties = 0
  /// Pairs in which the first is worse by more than the margin.
  package private(set) var losses = 0

  /// Counts finite differences first − second.
  ///
  /// - Parameters:
  ///   - differences: one per pair.
  ///   - margin: largest distance that counts as a tie, ≥ 0.
  ///   - lowerIsBetter: whether a negative difference is a win.
  package init(_ differences: [Double], margin: Double = 0, lowerIsBetter: Bool = false) {
    for difference in differences {
      if abs(difference) <= margin {
        ties += 1
      } else if (difference < 0) == lowerIsBetter {
        wins += 1
      } else {
        losses += 1
      }
    }
  }

  /// Pairs counted.
  package var count: Int { wins + ties + losses }
  /// "5/0/1": wins, ties and losses.
  package var text: String { "\(wins)/\(ties)/\(losses)" }
}

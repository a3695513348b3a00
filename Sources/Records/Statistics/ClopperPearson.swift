/// Exact bounds on a probability from k successes in n independent trials.
///
/// - Source: Clopper and Pearson, Biometrika 26(4), 1934; by quantiles of the beta distribution.
package enum ClopperPearson {
  /// The p at which k or more successes have probability `error`: p is below it with at most
  /// that probability.
  ///
  /// - Parameters:
  ///   - successes: k in 0 ... n.
  ///   - trials: n ≥ 0; without trials the bound is 0.
  ///   - error: in (0, 1), one-sided.
  /// - Returns: 0 for k = 0, else the quantile `error` of Beta(k, n − k + 1), never rounded up.
  /// - Complexity: O(√n) about sixty times.
  package static func lower(_ successes: Int, of trials: Int, error: Double) -> Double {
    guard successes > 0, trials > 0 else { return 0 }
    let (k, n) = (Double(successes), Double(trials))
    return bracket { StudentT.regularizedBeta($0, k, n - k + 1) < error }.low
  }

  /// The p at which k or fewer successes have probability `error`: p is above it with at most
  /// that probability.
  ///
  /// - Parameters:
  ///   - successes: k in 0 ... n.
  ///   - trials: n ≥ 0; without trials the bound is 1.
  ///   - error: in (0, 1), one-sided.
  /// - Returns: 1 for k = n, else the quantile 1 − `error` of Beta(k + 1, n − k), never rounded
  ///   down.
  package static func upper(_ successes: Int, of trials: Int, error: Double) -> Double {
    guard successes < trials else { return 1 }
    let (k, n) = (Double(successes), Double(trials))
    // By the other tail, which keeps its digits where `error` is small.
    return bracket { StudentT.regularizedBeta(1 - $0, n - k, k + 1) > error }.high
  }

  /// Both bounds at half of the error each.
  ///
  /// - Parameters:
  ///   - successes: k in 0 ... n.
  ///   - trials: n ≥ 0.
  ///   - confidence: in (0, 1), such as 0.95.
  /// - Returns: the interval, within 0 ... 1.
  package static func interval(_ successes: Int, of trials: Int, confidence: Double = 0.95)
    -> ClosedRange<Double>
  {
    let error = (1 - confidence) / 2
    let low = lower(successes, of: trials, error: error)
    return low...max(low, upper(successes, of: trials, error: error))
  }

  /// Where a condition that holds near 0 ceases to hold, by bisection to the last bits.
  private static func bracket(_ holds: (Double) -> Bool) -> (low: Double, high: Double) {
    var (low, high) = (0.0, 1.0)
    while true {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { return (low, high) }
      if holds(middle) { low = middle } else { high = middle }
    }
  }
}

import Accounting
import Base

/// Wilcoxon's signed-rank test of paired differences: whether they are symmetric about zero.
///
/// Differences of zero are dropped, as by SciPy's `zero_method="wilcox"`; the n others are ranked
/// by size, equal sizes sharing their mean rank. W⁺ and W⁻ are the sums of the ranks of the
/// positive and the negative ones, and W = min(W⁺, W⁻).
///
/// Without ties or zeros and for n ≤ 25, p is exact: twice the share of the 2ⁿ assignments of signs
/// whose W⁺ is at most W. Else it is the normal approximation with a continuity correction, and
/// t the sizes of the groups of ties:
///
///     z = (|W − n(n+1)/4| − ½) / √(n(n+1)(2n+1)/24 − Σ(t³ − t)/48),   p = 2·Q(z)
///
/// - Source: Wilcoxon, Individual comparisons by ranking methods (1945); the correction for ties is
///   Lehmann's, Nonparametrics (1975), §3.2.
package struct WilcoxonTest: Sendable, Equatable {
  /// Whether p counts assignments or approximates.
  package enum Method: String, Sendable {
    /// All assignments of signs.
    case exact
    /// The normal approximation, corrected for continuity and ties.
    case normal
  }

  /// Differences other than zero.
  package let count: Int
  /// The smaller of the two rank sums.
  package let statistic: Double
  /// The two-sided p, in (0, 1]; nil without a difference other than zero.
  package let p: Double?
  /// How p was found.
  package let method: Method

  /// The most differences for which p is exact.
  package static let mostExact = 25

  /// Tests finite differences; O(n log n), exact O(n³).
  package init(_ differences: [Double]) {
    precondition(
      differences.allSatisfy(\.isFinite),
      "WilcoxonTest: \(differences.count) differences, not all finite")
    let kept = differences.filter { $0 != 0 }
    let (ranks, ties) = Self.ranks(kept.map(abs))
    let positive = zip(kept, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
    let n = Double(kept.count)
    count = kept.count
    statistic = min(positive, n * (n + 1) / 2 - positive)
    let isExact = kept.count == differences.count && ties.isEmpty && kept.count <= Self.mostExact
    method = isExact ? .exact : .normal
    if kept.isEmpty {
      p = nil
    } else if isExact {
      p = Self.exact(Int(clamping: statistic), kept.count)
    } else {
      let tied = ties.reduce(0.0) { $0 + Double($1) * (Double($1) * Double($1) - 1) }
      let variance = n * (n + 1) * (2 * n + 1) / 24 - tied / 48
      let distance = max(0, abs(statistic - n * (n + 1) / 4) - 0.5)
      p = min(1, 2 * NormalTail.probability(distance / variance.squareRoot()))
    }
  }

  /// min(1, 2·P(W⁺ ≤ w)) under the hypothesis: subsets of 1…n by their sum.
  private static func exact(_ w: Int, _ n: Int) -> Double {
    var subsets = [Double](repeating: 0, count: n * (n + 1) / 2 + 1)
    subsets[0] = 1
    for rank in 1...n {
      for sum in stride(from: rank * (rank + 1) / 2, through: rank, by: -1) {
        subsets[sum] += subsets[sum - rank]
      }
    }
    let below = subsets[...w].reduce(0, +)
    return min(1, 2 * below / Double(sign: .plus, exponent: n, significand: 1))
  }

  /// Ranks from 1, mean ranks for ties, and the sizes of the groups of ties.
  ///
  /// Sizes that differ by rounding alone are tied: shares of the same test set are multiples of one
  /// number, and their differences are not to be distinguished by their last bits.
  static func ranks(_ sizes: [Double]) -> (ranks: [Double], ties: [Int]) {
    let order = sizes.indices.sorted { (sizes[$0], $0) < (sizes[$1], $1) }
    let rounding = 1e-13 * (sizes.max() ?? 0)
    var ranks = [Double](repeating: 0, count: sizes.count)
    var ties: [Int] = []
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, sizes[order[end]] - sizes[order[end - 1]] <= rounding { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
      if end - start > 1 { ties.append(end - start) }
      start = end
    }
    return (ranks, ties)
  }
}

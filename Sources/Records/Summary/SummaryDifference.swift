import Base

/// A strategy against the first one given, on the seeds that both have: numbers of `summary.json`.
///
/// What they say is said by `Comparison`, which corrects for being several. The reference is fixed
/// before anything runs: comparing against the best one found would favour whichever was lucky.
package struct SummaryDifference: Sendable {
  /// The strategy compared.
  package let label: String
  /// The strategy it is compared with.
  package let reference: String
  /// The metric, such as "generic.accuracy".
  package let metric: String
  /// The differences over the seeds that both have.
  package let difference: PairedDifference

  /// Every comparison that has meaning; empty with one strategy.
  package static func all(_ summary: Summary) -> [SummaryDifference] {
    var found: [SummaryDifference] = []
    for metric in HeadlineMetric.compared {
      let known = summary.strategies.filter { $0.values[metric] != nil }
      guard let reference = known.first, let second = reference.values[metric] else { continue }
      for strategy in known.dropFirst() {
        let difference = PairedDifference(strategy.values[metric] ?? [:], minus: second)
        if difference.seeds.isEmpty { continue }
        found.append(
          SummaryDifference(
            label: strategy.label, reference: reference.label, metric: metric,
            difference: difference))
      }
    }
    return found
  }

  /// Entries of `summary.json`; in shares, not points.
  static let keys = Keys<Self>([
    Key("strategy", .text, "The strategy compared.") { $0.label },
    Key("reference", .text, "The first strategy that has the metric.") { $0.reference },
    Key("metric", .text, "generic.accuracy or personal.accuracy.") { $0.metric },
    Key("n", .integer, "Seeds that both have.") { $0.difference.seeds.count },
    Key("mean", .number, unit: "share", "Mean of strategy - reference.") {
      $0.difference.statistics.mean
    },
    Key(
      "halfWidth", .number, unit: "share", "Half of the width of its 95 % interval (paired t).",
      absent: "a single seed"
    ) { $0.difference.statistics.halfWidth },
    Key("wins", .integer, "Seeds on which the strategy is better.") { $0.difference.wins },
    Key("values", .list(.number), unit: "share", "The difference by seed.") {
      $0.difference.differences
    },
  ])
}

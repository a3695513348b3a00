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

  /// The comparison as an entry of `summary.json`; in shares, not points.
  package var json: JSON {
    .known([
      ("strategy", .string(label)), ("reference", .string(reference)), ("metric", .string(metric)),
      ("n", .int(difference.seeds.count)), ("mean", .number(difference.statistics.mean)),
      ("halfWidth", difference.statistics.halfWidth.map(JSON.number)),
      ("wins", .int(difference.wins)), ("values", .array(difference.differences.map(JSON.number))),
    ])
  }
}

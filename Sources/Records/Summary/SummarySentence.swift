import Base

/// A pairwise comparison in words: each strategy against the first one given.
///
/// The reference is fixed before anything runs: comparing against the best one found would favour
/// whichever was lucky.
package struct SummarySentence: Sendable {
  /// The strategy compared.
  package let label: String
  /// The strategy it is compared with.
  package let reference: String
  /// The metric, such as "generic.accuracy".
  package let metric: String
  /// The differences over the seeds that both have.
  package let difference: PairedDifference

  /// The two metrics that are compared in words.
  static let metrics = ["generic.accuracy", "personal.accuracy"]

  /// Every comparison that has meaning; empty with one strategy.
  package static func all(_ summary: Summary) -> [SummarySentence] {
    var sentences: [SummarySentence] = []
    for metric in metrics {
      let known = summary.strategies.filter { $0.values[metric] != nil }
      guard let reference = known.first, let second = reference.values[metric] else { continue }
      for strategy in known.dropFirst() {
        let difference = PairedDifference(strategy.values[metric] ?? [:], minus: second)
        if difference.seeds.isEmpty { continue }
        sentences.append(
          SummarySentence(
            label: strategy.label, reference: reference.label, metric: metric,
            difference: difference))
      }
    }
    return sentences
  }

  /// Such as "fedprox - fedavg, generic: +2.1 points [+1.2, +3.0], separated at 95 % …".
  package var text: String {
    let n = difference.seeds.count
    let model = metric.prefix { $0 != "." }
    let mean = 100 * difference.statistics.mean
    if difference.differences.allSatisfy({ $0 == 0 }) {
      return "\(label) - \(reference), \(model): equal on every seed"
    }
    let head = "\(label) - \(reference), \(model): \(NumberText.fixed(mean, 1, plus: true)) points"
    guard let half = difference.statistics.halfWidth else {
      return head + " (single seed: no interval)"
    }
    let low = NumberText.fixed(mean - 100 * half, 1, plus: true)
    let high = NumberText.fixed(mean + 100 * half, 1, plus: true)
    let verdict = difference.isSeparated == true ? "separated" : "not separated"
    return head + " [\(low), \(high)]: \(verdict) at 95 % (paired t);"
      + " better on \(difference.wins) of \(n) seeds"
  }

  /// The comparison as an entry of `summary.json`; in shares, not points.
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

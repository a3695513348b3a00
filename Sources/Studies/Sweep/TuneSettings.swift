import Base
import Records
import Scenario

/// How a sweep chooses a trial for each strategy.
package struct TuneSettings: Sendable {
  /// What trials are ranked by; nil for the balanced accuracy of the generic model, or personal
  /// accuracy for a strategy without one.
  package let metric: ComparisonMetric?
  /// Share of each client's images for validation where the scenario has none.
  package let validation: Double

  /// Measures on validation images, best first by default.
  package static let metrics = [
    "validation.generic.balancedAccuracy", "validation.personal.accuracy",
    "validation.generic.accuracy", "validation.generic.loss",
  ]

  static let fields: [Field] = [
    Field(
      "by", .choice(metrics), .optional,
      "What trials are ranked by, mean over seeds: a measure on validation images, never on test "
        + "images; balanced accuracy unless given, or personal accuracy for a strategy without a "
        + "generic model.", synonyms: ["metric", "monitor", "objective"]),
    Field(
      "validation", .number(above: 0, to: 0.9), .value(0.2),
      "Share of each client's images for validation where the scenario has none; the scenario that "
        + "comes out has none either.", synonyms: ["val", "share"]),
  ]

  /// Trials rank strategies by what clients do: the other paths are nobody's own.
  static func isOfStrategy(_ path: String) -> Bool {
    path.hasPrefix("client.") || path.hasPrefix("strategies[")
  }

  /// What every trial has beside its values, so that all strategies have the same grid: a section
  /// `client` of a strategy's own would hide the scenario's.
  func overrides(_ point: SweepPoint, base: JSON) -> [String] {
    var all: [String] = []
    if base["evaluation"]?["validation"] == nil {
      all.append("evaluation.validation=\(JSON.number(validation).compact)")
    }
    for (index, strategy) in (base["strategies"]?.elements ?? []).enumerated()
    where strategy["client"] != nil {
      for setting in point.settings where setting.path.hasPrefix("client.") {
        let own = "strategies[\(index)].\(setting.path)"
        // What the point says of the strategy itself holds.
        guard !point.settings.contains(where: { $0.path == own || own.hasPrefix($0.path + ".") })
        else { continue }
        all.append("\(own)=\(setting.value.compact)")
      }
    }
    return all
  }
}

import Base
import Federation
import Records
import Scenario

/// What a sweep chose for every strategy: the same trials for all, the best one on validation
/// images for each.
package struct Tuning: Sendable {
  /// What one strategy got.
  package struct Choice: Sendable {
    /// Its place in the scenario.
    package let place: Int
    package let label: String
    package let trial: SweepTrial
    package let metric: ComparisonMetric
    package let score: SeedStatistics
    /// Trials that were compared, and those that failed.
    package let compared: Int
    package let failed: Int

    /// What the strategy had under a path of the sweep.
    package func value(_ path: String) -> JSON? { Tuning.value(path, of: place, in: trial) }
  }

  /// In the order of the scenario; strategies without a finished trial are left out.
  package let choices: [Choice]
  /// Whether every trial has ended.
  package let isComplete: Bool
  let results: SweepResults

  /// Nil for a sweep that chooses nothing.
  package init?(_ results: SweepResults) {
    guard let settings = results.sweep.tune, let first = results.sweep.trials.first else {
      return nil
    }
    self.results = results
    isComplete = results.isComplete
    let failed = results.states.values.count { $0 == .failed }
    choices = first.labels.enumerated().compactMap { place, label in
      let entries = results.entries.filter { $0.label == label && $0.isComplete }
      guard let metric = Self.metric(settings, entries) else { return nil }
      let scored = entries.compactMap { entry in
        SweepResults.statistics(entry, metric).map { (entry, $0) }
      }
      // Equal scores: the earlier trial.
      let best = scored.enumerated().max { a, b in
        let (x, y) = (Self.rank(a.element.1, metric), Self.rank(b.element.1, metric))
        return x == y ? a.offset > b.offset : x < y
      }
      guard let (entry, score) = best?.element else { return nil }
      return Choice(
        place: place, label: label, trial: entry.trial, metric: metric, score: score,
        compared: scored.count, failed: failed)
    }
  }

  private static func rank(_ score: SeedStatistics, _ metric: ComparisonMetric) -> Double {
    let mean = metric.lowerIsBetter ? -score.mean : score.mean
    return mean.isNaN ? -.infinity : mean
  }

  /// The measure of the settings, or the first of the usual ones that a strategy has.
  private static func metric(_ settings: TuneSettings, _ entries: [SweepResults.Entry])
    -> ComparisonMetric?
  {
    let usual = TuneSettings.metrics.prefix(2).compactMap(ComparisonMetric.init)
    return (settings.metric.map { [$0] } ?? usual).first { metric in
      entries.contains { SweepResults.statistics($0, metric) != nil }
    }
  }

  /// Where a value of a trial belongs in a strategy of its own.
  private static func path(_ path: String, of place: Int) -> String? {
    if path.hasPrefix("client.") { return "strategies[\(place)].\(path)" }
    return path.hasPrefix("strategies[\(place)].") ? path : nil
  }

  /// Whether a path of the sweep says something of a strategy.
  static func isOwn(_ path: String, of place: Int) -> Bool { self.path(path, of: place) != nil }

  /// What a strategy had in a trial under a path of the sweep; nil where the path is not its own,
  /// or where it had no such field.
  static func value(_ path: String, of place: Int, in trial: SweepTrial) -> JSON? {
    guard let own = Self.path(path, of: place) else { return nil }
    let hasOwn = Overrides.value(at: "strategies[\(place)].client", in: trial.resolved) != nil
    let read = path.hasPrefix("client.") && !hasOwn ? path : own
    return Overrides.value(at: read, in: trial.resolved)
  }

  /// `path=value` texts that give every strategy what was chosen for it.
  package var overrides: [String] {
    choices.flatMap { choice in
      results.sweep.paths.compactMap { path in
        guard let value = choice.value(path), let own = Self.path(path, of: choice.place) else {
          return nil
        }
        return "\(own)=\(value.compact)"
      }
    }
  }

  /// `tuned.json`: the scenario with these values; validation only where the scenario has it.
  package var scenario: String {
    guard var tree = try? JSON(parsing: results.sweep.baseBytes) else { return "" }
    _ = Overrides.apply(overrides, to: &tree)
    let name = tree["name"]?.text ?? results.sweep.trials.first?.scenario.name ?? "run"
    tree["name"] = .string("\(name)-tuned")
    return tree.pretty
  }

  /// Whether trials ran under seeds under which the tuned scenario runs, too.
  package var sharesSeeds: Bool {
    guard let tree = try? JSON(parsing: results.sweep.baseBytes) else { return false }
    let own = tree["seeds"]?.elements?.compactMap(\.int) ?? [1, 2, 3]
    let used = results.sweep.trials.first?.scenario.seeds ?? []
    return used.contains { own.contains(Int($0)) }
  }

  /// Scores over the values of a path, the best over all other paths at each; by strategy.
  package func profile(_ path: Int) -> [(label: String, points: [(value: JSON, score: Double)])] {
    choices.map { choice in
      var values: [JSON] = []
      var scores: [Double] = []
      for entry in results.entries where entry.label == choice.label && entry.isComplete {
        let name = results.sweep.paths[path]
        guard let value = Self.value(name, of: choice.place, in: entry.trial),
          let mean = SweepResults.statistics(entry, choice.metric)?.mean
        else { continue }
        if let known = values.firstIndex(of: value) {
          let isBetter = choice.metric.lowerIsBetter ? mean < scores[known] : mean > scores[known]
          if isBetter { scores[known] = mean }
        } else {
          values.append(value)
          scores.append(mean)
        }
      }
      return (choice.label, zip(values, scores).map { ($0, $1) })
    }
  }
}

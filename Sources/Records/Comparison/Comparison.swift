import Base
import Scenario

/// All strategies of some run folders, each against one of them.
package struct Comparison: Sendable {
  package struct Settings: Sendable, Equatable {
    /// The metric's path; nil: `generic.accuracy` when all strategies have it, else
    /// `personal.accuracy`.
    package var metric: String?
    /// The label of the strategy that the others are compared with; nil: the first one.
    package var baseline: String?
    /// What is held equal; nil reads every run at its end.
    package var budget: RunBudget?
    /// Differences up to this count as ties, ≥ 0; in the metric's own unit.
    package var tieMargin = 0.0

    /// A comparison of final values.
    package init() {}
  }

  /// Where a run was read, when budgets are held equal.
  package struct Reading: Sendable, Equatable {
    package let round: Int
    /// What it had spent.
    package let spent: Double
  }

  /// One strategy.
  package struct Row: Sendable {
    package let label: String
    /// Values by seed; without those that have no value.
    package let values: [UInt64: Double]
    /// Mean and interval over the seeds.
    package let statistics: SeedStatistics
    /// Where each seed was read; empty without a budget.
    package let readings: [UInt64: Reading]
    /// Against the baseline; nil for the baseline itself, and where no seed is common.
    package var versus: PairedTests?

    /// The seeds with a value, ascending.
    package var seeds: [UInt64] { values.keys.sorted() }
  }

  package let metric: ComparisonMetric
  /// What was asked.
  package let settings: Settings
  /// The largest budget that every run uses; nil without one.
  package let limit: Double?
  /// The label of the strategy that the others are compared with.
  package let baseline: String
  /// The strategies, in the order of the folders.
  package let rows: [Row]
  /// One sentence for everything that was left out.
  package let leftOut: [String]

  /// Compares strategies that were measured under the same conditions.
  ///
  /// - Parameters:
  ///   - strategies: with their finished runs.
  ///   - settings: what is compared, and how.
  ///   - unfinished: sentences on runs that have not finished.
  /// - Throws: E2012 for an unknown metric or baseline (exit 2), E4100 when no run has finished
  ///   (exit 4), E7003 when nothing has the metric, the baseline lacks it, or a run's cost is not
  ///   known (exit 7).
  package init(
    _ strategies: [ComparedStrategy], _ settings: Settings = Settings(), unfinished: [String] = []
  ) throws(Failure) {
    guard !strategies.isEmpty else {
      throw Failure(
        .dataMissingOrCorrupt, "E4100", "no run has finished, so there is nothing to compare",
        hint: unfinished.first)
    }
    if let baseline = settings.baseline, !strategies.contains(where: { $0.label == baseline }) {
      throw Suggestions.unknown("strategy", baseline, among: strategies.map(\.label))
    }
    let read = try Self.read(strategies, settings.budget)
    let metric = try Self.metric(settings.metric, read.runs)
    var leftOut = unfinished.map { "left out: \($0)" } + read.leftOut
    var rows: [Row] = []
    for (strategy, runs) in zip(strategies, read.runs) {
      var values: [UInt64: Double] = [:]
      var missing: [String] = []
      for run in runs {
        // Of numbers this large, which only a damaged file has, differences would overflow.
        if let value = metric.read(run), abs(value) < 1e300 {
          values[run.seed] = value
        } else {
          missing.append("\(run.seed)")
        }
      }
      if !missing.isEmpty {
        let seeds = missing.count == 1 ? "seed" : "seeds"
        leftOut.append(
          "left out: \(strategy.label) has no \(metric.name) under \(seeds) "
            + missing.joined(separator: ", "))
      }
      rows.append(
        Row(
          label: strategy.label, values: values,
          statistics: SeedStatistics(values.sorted { $0.key < $1.key }.map(\.value)),
          readings: read.readings[strategy.label] ?? [:]))
    }
    guard let first = rows.first(where: { !$0.values.isEmpty }) else {
      throw Failure(
        .mismatch, "E7003", "no run has a value of \(metric.name)",
        hint: "choose another one with --metric")
    }
    let baseline = settings.baseline ?? first.label
    guard let place = rows.firstIndex(where: { $0.label == baseline }), !rows[place].values.isEmpty
    else {
      throw Failure(
        .mismatch, "E7003", "the baseline \(baseline) has no value of \(metric.name)",
        hint: "choose another metric or another baseline")
    }
    for index in rows.indices where index != place {
      rows[index].versus = PairedTests(
        rows[index].values, minus: rows[place].values,
        clients: Self.clients(strategies[index], read.runs[index]),
        minusClients: Self.clients(strategies[place], read.runs[place]), margin: settings.tieMargin,
        metric: metric)
    }
    PairedTests.correct(&rows)
    self.metric = metric
    self.settings = settings
    limit = read.limit
    self.baseline = baseline
    self.rows = rows
    self.leftOut = leftOut
  }

  /// The comparisons of a report, and of the end of a run: one by the metric that is asked for,
  /// else one for each of generic and personal accuracy that the baseline and another one have.
  package static func all(_ strategies: [ComparedStrategy], _ asked: Settings = Settings())
    throws(Failure) -> [Comparison]
  {
    if asked.metric != nil { return [try Comparison(strategies, asked)] }
    guard strategies.count > 1 else {
      // One strategy is compared with nothing, but a wrong name is still a wrong name.
      if asked.baseline != nil { _ = try Comparison(strategies, asked) }
      return []
    }
    var settings = asked
    var comparisons: [Comparison] = []
    for metric in HeadlineMetric.compared {
      settings.metric = metric
      do throws(Failure) {
        let comparison = try Comparison(strategies, settings)
        if comparison.rows.contains(where: { $0.versus != nil }) { comparisons.append(comparison) }
      } catch  where error.code != "E7003" { throw error } catch {
        // Not measured, or not of the baseline: there is no such comparison.
      }
    }
    return comparisons
  }

  private static func metric(_ name: String?, _ runs: [[StrategyRun]]) throws(Failure)
    -> ComparisonMetric
  {
    if let name {
      guard let metric = ComparisonMetric(name) else {
        throw Suggestions.unknown("metric", name, among: ComparisonMetric.names)
      }
      return metric
    }
    for name in HeadlineMetric.compared {
      if let metric = ComparisonMetric(name),
        runs.allSatisfy({ $0.contains { metric.read($0) != nil } })
      {
        return metric
      }
    }
    throw Failure(
      .mismatch, "E7003",
      "neither generic.accuracy nor personal.accuracy was measured for all strategies",
      hint: "choose a metric with --metric")
  }

  /// What a budget leaves of the runs.
  private struct Within {
    var runs: [[StrategyRun]] = []
    var readings: [String: [UInt64: Reading]] = [:]
    var limit: Double?
    var leftOut: [String] = []
  }

  /// The runs of every strategy by ascending seed, cut to what all could pay.
  private static func read(_ strategies: [ComparedStrategy], _ budget: RunBudget?) throws(Failure)
    -> Within
  {
    var within = Within()
    within.runs = strategies.map { strategy in strategy.seeds.compactMap { strategy.runs[$0]?.run }
    }
    guard let budget else { return within }
    var totals: [Double] = []
    for (strategy, runs) in zip(strategies, within.runs) {
      for run in runs {
        let costs = budget.spent(run.records)
        guard let total = costs.last ?? nil, total.isFinite, !costs.contains(where: { $0 == nil })
        else {
          throw Failure(
            .mismatch, "E7003",
            "\(strategy.label) seed \(run.seed) has no \(budget.rawValue) to hold equal: "
              + budget.absence, hint: "choose another --budget")
        }
        totals.append(total)
      }
    }
    within.limit = RunBudget.common(totals)
    for (index, strategy) in strategies.enumerated() {
      var kept: [StrategyRun] = []
      for run in within.runs[index] {
        guard let part = budget.within(within.limit ?? 0, run) else {
          within.leftOut.append(
            "left out: \(strategy.label) seed \(run.seed) was not evaluated within the budget")
          continue
        }
        kept.append(part.run)
        within.readings[strategy.label, default: [:]][run.seed] = Reading(
          round: part.run.records.last?.round ?? 0, spent: part.spent)
      }
      within.runs[index] = kept
    }
    return within
  }

  /// Accuracy of each client on its local test where its run was read, by seed.
  private static func clients(_ strategy: ComparedStrategy, _ runs: [StrategyRun]) -> [UInt64: [Int:
    Double]]
  {
    var known: [UInt64: [Int: Double]] = [:]
    for run in runs {
      let rounds = run.records.filter { $0.personal != nil }.map(\.round)
      if let round = rounds.last { known[run.seed] = strategy.runs[run.seed]?.clients[round] }
    }
    return known
  }
}

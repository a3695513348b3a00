import Aggregation
import Base
import Scenario

/// What a scenario's runs add up to: every headline metric of every strategy over its seeds.
package struct Summary: Sendable {
  /// One strategy's metrics.
  package struct Strategy: Sendable {
    /// The name in tables and folders.
    package let label: String
    /// The seeds, in the order given.
    package let seeds: [UInt64]
    /// Final values by metric name and seed; without metrics that have no meaning.
    package let values: [String: [UInt64: Double]]
    /// What privacy cost; nil without privacy.
    package let privacy: SpentPrivacy?
    /// What it cost to reach each accuracy that was asked for.
    package let targets: [TargetSummary]

    /// Statistics of a metric over seeds; nil when it has no meaning or no finite value.
    package func statistics(_ metric: String) -> SeedStatistics? {
      guard let bySeed = values[metric] else { return nil }
      let statistics = SeedStatistics(seeds.compactMap { bySeed[$0] })
      return statistics.count == 0 ? nil : statistics
    }
  }

  /// The strategies, in the order given.
  package let strategies: [Strategy]

  /// Reads the final metrics of all runs, and what it cost to reach `targets`.
  package init(_ results: [StrategyResult], targets: [AccuracyTarget] = []) {
    strategies = results.map { result in
      var values: [String: [UInt64: Double]] = [:]
      for metric in HeadlineMetric.all {
        for run in result.runs {
          if let value = metric.read(run) { values[metric.name, default: [:]][run.seed] = value }
        }
      }
      return Strategy(
        label: result.label, seeds: result.runs.map(\.seed), values: values,
        privacy: SpentPrivacy(result.runs), targets: targets.map { TargetSummary(result.runs, $0) })
    }
  }

  /// The content of `summary.json`.
  ///
  /// - Parameters:
  ///   - name: the scenario's name.
  ///   - digests: the last digest by strategy label and seed.
  ///   - warnings: what the reader must know, with what kept runs from finishing.
  /// - Returns: the file as a value.
  package func json(
    name: String, digests: [String: [UInt64: String]] = [:], warnings: [String] = []
  ) -> JSON {
    Self.keys.json((name, warnings, self, digests))
  }

  typealias Content = (
    name: String, warnings: [String], summary: Summary, digests: [String: [UInt64: String]]
  )

  static let keys = Keys<Content>([
    Key("name", .text, "The scenario's name.") { $0.name },
    Key(
      "warnings", .list(.text), "What the reader must know, with what kept runs from finishing."
    ) { $0.warnings },
    Key("interval", .text, "What `halfWidth` is.") { _ in
      "95 % Student t over seeds: mean ± halfWidth"
    },
    Key("strategies", .list(.object(strategyKeys)), "In the order of the scenario.") { content in
      content.summary.strategies.map { ($0, content.digests[$0.label] ?? [:]) }
    },
    Key(
      "differences", .list(.object(SummaryDifference.keys)),
      "Accuracies against the first strategy's, paired by seed."
    ) { SummaryDifference.all($0.summary) },
  ])

  private static let strategyKeys = Keys<(strategy: Strategy, digests: [UInt64: String])>([
    Key("strategy", .text, "The strategy's label.") { $0.strategy.label },
    Key("seeds", .list(.seed), "The seeds; lists of values are in this order.") {
      $0.strategy.seeds
    },
    Key("digests", .list(.orNull(.text)), "Digest of each run's last round.", absent: "not known") {
      one in one.digests.isEmpty ? nil : one.strategy.seeds.map { one.digests[$0] }
    },
    Key(
      "metrics",
      .named(
        "metric",
        "A path of rounds.jsonl: of the last evaluation; bytes and wall time over all rounds.",
        .object(metricKeys)),
      "The metrics that have a value."
    ) { one in
      HeadlineMetric.all.compactMap { metric in
        one.strategy.values[metric.name].map { values in
          (metric.name, one.strategy.seeds.map { values[$0] })
        }
      }
    },
    Key(
      "targets", .list(.object(TargetSummary.keys)), "What it cost to reach an accuracy.",
      absent: "the scenario has no evaluation.targets"
    ) { $0.strategy.targets.isEmpty ? nil : $0.strategy.targets },
  ])

  /// Of one value, or none, per seed.
  private static let metricKeys = Keys<[Double?]>([
    Key("mean", .number, "Over seeds.") { statistics($0).mean },
    Key("n", .integer, "Seeds that have a value.") { statistics($0).count },
    Key("std", .number, "Standard deviation over seeds.", absent: single) {
      statistics($0).standardDeviation
    },
    Key("halfWidth", .number, "Half of the width of the 95 % interval.", absent: single) {
      statistics($0).halfWidth
    }, Key("values", .list(.number), "By seed; null without one.") { $0.map { $0 ?? .nan } },
  ])

  private static let single = "a single seed"

  private static func statistics(_ values: [Double?]) -> SeedStatistics {
    SeedStatistics(values.compactMap { $0 })
  }
}

/// The tidy table `results.csv`: one row per number.
package enum ResultsTable {
  /// The first line in folders of earlier versions, which had a metric's path in three columns.
  package static let earlierHeader = "strategy,seed,round,metric,model,group,value"

  private typealias Line = (label: String, seed: UInt64, round: Int, row: Row)

  private static let table = CSVTable<Line>(
    [
      CSVColumn("strategy", "The strategy's label.") { $0.label },
      CSVColumn("seed", "The seed of the run.") { $0.seed },
      CSVColumn("round", "The round, from 1.") { $0.round },
    ] + rowColumns { $0.row })

  /// The columns of a number, wherever it stands.
  package static func rowColumns<Row>(_ number: @escaping @Sendable (Row) -> ResultsTable.Row)
    -> [CSVColumn<Row>]
  {
    [
      CSVColumn("metric", "A path of rounds.jsonl, such as generic.shots.tail or bytes.up.") {
        number($0).metric
      },
      CSVColumn(
        "value", "The number; shares are in [0, 1].",
        absent: "it is not finite, as an ε without "
          + "a guarantee"
      ) { number($0).value },
    ]
  }

  /// `results.csv` of a run folder.
  package static let page = FilePage(
    "results.csv", in: "run folder", "Every number of every round, one a row.", table)

  /// The whole file; what it cost to reach `targets` comes after a strategy's rounds.
  package static func csv(_ results: [StrategyResult], targets: [AccuracyTarget] = []) -> String {
    table.text(
      results.flatMap { result -> [Line] in
        let rounds = result.runs.flatMap { run in
          run.records.flatMap { record in
            rows(record).map { (result.label, run.seed, record.round, $0) }
          }
        }
        let reached = targetRows(result, targets).map { (result.label, $0.seed, $0.round, $0.row) }
        return rounds + reached
      })
  }

  /// One number of a record under its path, as everywhere: "generic.shots.tail".
  package struct Row: Equatable {
    package let metric: String
    package let value: Double

    package init(metric: String, value: Double) {
      self.metric = metric
      self.value = value
    }
  }

  /// The numbers of a record in a fixed order; those without meaning are left out.
  package static func rows(_ record: RoundRecord) -> [Row] {
    var rows: [Row] = []
    func add(_ metric: String, _ value: Double?) {
      if let value { rows.append(Row(metric: metric, value: value)) }
    }
    func add(_ path: String, _ shots: RoundRecord.Shots?) {
      add(path + ".head", shots?.head)
      add(path + ".middle", shots?.middle)
      add(path + ".tail", shots?.tail)
    }
    add("bytes.up", Double(record.bytes.up))
    add("bytes.down", Double(record.bytes.down))
    if record.bytes.setup > 0 { add("bytes.setup", Double(record.bytes.setup)) }
    add("train.loss", record.train?.loss)
    if let generic = record.generic {
      add("generic.accuracy", generic.accuracy)
      add("generic.loss", generic.loss)
      add("generic.balancedAccuracy", generic.balancedAccuracy)
      add("generic.macroF1", generic.macroF1)
      add("generic.ece", generic.ece)
      add("generic.shots", generic.shots)
      add("generic.shotsAbsolute", generic.shotsAbsolute)
    }
    if let personal = record.personal {
      add("personal.accuracy", personal.accuracy)
      add("personal.fairness.std", personal.fairness.std)
      add("personal.fairness.p10", personal.fairness.p10)
      add("personal.fairness.worst", personal.fairness.worst)
      add("personal.fairness.worstDecile", personal.fairness.worstDecile)
      add("personal.fairness.helped", personal.fairness.helped)
      add("personal.global", personal.global)
      add("personal.shots", personal.shots)
    }
    if let validation = record.validation {
      add("validation.generic.accuracy", validation.generic?.accuracy)
      add("validation.generic.balancedAccuracy", validation.generic?.balancedAccuracy)
      add("validation.generic.loss", validation.generic?.loss)
      add("validation.personal.accuracy", validation.personal)
    }
    if let unseen = record.unseen {
      add("unseen.accuracy", unseen.accuracy)
      add("unseen.fairness.worst", unseen.fairness.worst)
      add("unseen.fairness.worstDecile", unseen.fairness.worstDecile)
    }
    if let privacy = record.privacy {
      add("privacy.epsilon.max", privacy.epsilonMax)
      add("privacy.epsilon.median", privacy.epsilonMedian)
      add("privacy.clipped", privacy.clipped)
      add("privacy.noiseToSignal", privacy.noiseToSignal)
    }
    add("time.wall", record.time.wall)
    add("time.virtual", record.time.virtual)
    return rows
  }
}

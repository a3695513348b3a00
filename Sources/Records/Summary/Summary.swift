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
    .object([
      ("name", .string(name)), ("warnings", .array(warnings.map(JSON.string))),
      ("interval", "95 % Student t over seeds: mean ± halfWidth"),
      ("strategies", .array(strategies.map { Summary.json($0, digests[$0.label] ?? [:]) })),
      ("differences", .array(SummaryDifference.all(self).map(\.json))),
    ])
  }

  private static func json(_ strategy: Strategy, _ digests: [UInt64: String]) -> JSON {
    var metrics: [(String, JSON)] = []
    for metric in HeadlineMetric.all {
      guard let bySeed = strategy.values[metric.name] else { continue }
      let statistics = SeedStatistics(strategy.seeds.compactMap { bySeed[$0] })
      // A single seed has no spread.
      let entry = JSON.known([
        ("mean", .number(statistics.mean)), ("n", .int(statistics.count)),
        ("std", statistics.standardDeviation.map(JSON.number)),
        ("halfWidth", statistics.halfWidth.map(JSON.number)),
        ("values", .array(strategy.seeds.map { .number(bySeed[$0] ?? .nan) })),
      ])
      metrics.append((metric.name, entry))
    }
    let last = strategy.seeds.map { seed in digests[seed].map(JSON.string) ?? .null }
    return .known([
      ("strategy", .string(strategy.label)),
      ("seeds", .array(strategy.seeds.map { JSON(.number(String($0))) })),
      ("digests", digests.isEmpty ? nil : .array(last)), ("metrics", .object(metrics)),
      ("targets", strategy.targets.isEmpty ? nil : .array(strategy.targets.map(\.json))),
    ])
  }
}

/// The tidy table `results.csv`: one row per number.
package enum ResultsTable {
  /// The first line of the file.
  package static let header = "strategy,seed,round,metric,value"

  /// The first line in folders of earlier versions, which had a metric's path in three columns.
  package static let earlierHeader = "strategy,seed,round,metric,model,group,value"

  /// The whole file; what it cost to reach `targets` comes after a strategy's rounds.
  package static func csv(_ results: [StrategyResult], targets: [AccuracyTarget] = []) -> String {
    var out = header + "\n"
    for result in results {
      for run in result.runs {
        for record in run.records {
          for row in rows(record) {
            let value = CSV.number(row.value)
            let fields = [result.label, "\(run.seed)", "\(record.round)", row.metric]
            out += CSV.line(fields + [value]) + "\n"
          }
        }
      }
      for line in targetLines(result, targets) { out += line + "\n" }
    }
    return out
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

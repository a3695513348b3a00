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
        targets: targets.map { TargetSummary(result.runs, $0) })
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
      ("differences", .array(SummarySentence.all(self).map(\.json))),
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
  package static let header = "strategy,seed,round,metric,model,group,value"

  /// The whole file; what it cost to reach `targets` comes after a strategy's rounds.
  package static func csv(_ results: [StrategyResult], targets: [AccuracyTarget] = []) -> String {
    var out = header + "\n"
    for result in results {
      for run in result.runs {
        for record in run.records {
          for row in rows(record) {
            let value = CSV.number(row.value)
            let fields = [result.label, "\(run.seed)", "\(record.round)", row.metric, row.model]
            out += CSV.line(fields + [row.group, value]) + "\n"
          }
        }
      }
      for line in targetLines(result, targets) { out += line + "\n" }
    }
    return out
  }

  /// One number of a record, with what it was measured on.
  package struct Row: Equatable {
    package let metric: String
    package let model: String
    package let group: String
    package let value: Double

    package init(metric: String, model: String, group: String, value: Double) {
      self.metric = metric
      self.model = model
      self.group = group
      self.value = value
    }
  }

  /// The numbers of a record in a fixed order; those without meaning are left out.
  package static func rows(_ record: RoundRecord) -> [Row] {
    var rows: [Row] = []
    func add(_ metric: String, _ model: String, _ group: String, _ value: Double?) {
      if let value { rows.append(Row(metric: metric, model: model, group: group, value: value)) }
    }
    add("bytes.up", "", "all", Double(record.bytes.up))
    add("bytes.down", "", "all", Double(record.bytes.down))
    if record.bytes.setup > 0 { add("bytes.setup", "", "all", Double(record.bytes.setup)) }
    add("train.loss", "local", "all", record.train?.loss)
    if let generic = record.generic {
      add("accuracy", "generic", "all", generic.accuracy)
      add("loss", "generic", "all", generic.loss)
      add("balancedAccuracy", "generic", "all", generic.balancedAccuracy)
      add("macroF1", "generic", "all", generic.macroF1)
      add("ece", "generic", "all", generic.ece)
      for (suffix, shots) in [("", generic.shots), ("-absolute", generic.shotsAbsolute)] {
        add("accuracy", "generic", "head" + suffix, shots?.head)
        add("accuracy", "generic", "middle" + suffix, shots?.middle)
        add("accuracy", "generic", "tail" + suffix, shots?.tail)
      }
    }
    if let personal = record.personal {
      add("accuracy", "personal", "mean", personal.accuracy)
      add("accuracy", "personal", "std", personal.fairness.std)
      add("accuracy", "personal", "p10", personal.fairness.p10)
      add("accuracy", "personal", "worst", personal.fairness.worst)
      add("accuracy", "personal", "worst-decile", personal.fairness.worstDecile)
      add("helped", "personal", "all", personal.fairness.helped)
      add("accuracy", "personal", "global", personal.global)
      add("accuracy", "personal", "head", personal.shots?.head)
      add("accuracy", "personal", "middle", personal.shots?.middle)
      add("accuracy", "personal", "tail", personal.shots?.tail)
    }
    if let validation = record.validation {
      add("accuracy", "generic", "validation", validation.generic?.accuracy)
      add("balancedAccuracy", "generic", "validation", validation.generic?.balancedAccuracy)
      add("loss", "generic", "validation", validation.generic?.loss)
      add("accuracy", "personal", "validation", validation.personal)
    }
    if let unseen = record.unseen {
      add("accuracy", "personal", "unseen", unseen.accuracy)
      add("accuracy", "personal", "unseen-worst", unseen.fairness.worst)
      add("accuracy", "personal", "unseen-worst-decile", unseen.fairness.worstDecile)
    }
    if let privacy = record.privacy {
      add("privacy.epsilon", "", "max", privacy.epsilonMax)
      add("privacy.epsilon", "", "median", privacy.epsilonMedian)
      add("privacy.clipped", "", "all", privacy.clipped)
      add("privacy.noiseToSignal", "", "all", privacy.noiseToSignal)
    }
    add("time.wall", "", "all", record.time.wall)
    add("time.virtual", "", "all", record.time.virtual)
    return rows
  }
}

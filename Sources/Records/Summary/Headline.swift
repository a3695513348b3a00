/// One number that a run is judged by.
package struct HeadlineMetric: Sendable, Equatable {
  /// The path as in `rounds.jsonl`, such as "generic.shots.tail".
  package let name: String
  /// Reads it from a finished run; nil when it has no meaning there.
  package let read: @Sendable (StrategyRun) -> Double?

  /// What is compared where no metric is asked for.
  package static let compared = ["generic.accuracy", "personal.accuracy"]

  /// Metrics are the same when they have the same name.
  package static func == (a: HeadlineMetric, b: HeadlineMetric) -> Bool { a.name == b.name }

  /// All of them, in the order of files and tables.
  ///
  /// Accuracies are those of the last evaluation;
  /// bytes and times are totals over the rounds.
  package static let all: [HeadlineMetric] = [
    HeadlineMetric("generic.accuracy") { $0.lastGeneric?.accuracy },
    HeadlineMetric("generic.loss") { $0.lastGeneric?.loss },
    HeadlineMetric("generic.balancedAccuracy") { $0.lastGeneric?.balancedAccuracy },
    HeadlineMetric("generic.macroF1") { $0.lastGeneric?.macroF1 },
    HeadlineMetric("generic.shots.head") { $0.lastGeneric?.shots?.head },
    HeadlineMetric("generic.shots.middle") { $0.lastGeneric?.shots?.middle },
    HeadlineMetric("generic.shots.tail") { $0.lastGeneric?.shots?.tail },
    HeadlineMetric("generic.shotsAbsolute.head") { $0.lastGeneric?.shotsAbsolute?.head },
    HeadlineMetric("generic.shotsAbsolute.middle") { $0.lastGeneric?.shotsAbsolute?.middle },
    HeadlineMetric("generic.shotsAbsolute.tail") { $0.lastGeneric?.shotsAbsolute?.tail },
    HeadlineMetric("generic.ece") { $0.lastGeneric?.ece },
    HeadlineMetric("personal.accuracy") { $0.lastPersonal?.accuracy },
    HeadlineMetric("personal.fairness.std") { $0.lastPersonal?.fairness.std },
    HeadlineMetric("personal.fairness.p10") { $0.lastPersonal?.fairness.p10 },
    HeadlineMetric("personal.fairness.worst") { $0.lastPersonal?.fairness.worst },
    HeadlineMetric("personal.fairness.worstDecile") { $0.lastPersonal?.fairness.worstDecile },
    HeadlineMetric("personal.fairness.helped") { $0.lastPersonal?.fairness.helped },
    HeadlineMetric("personal.global") { $0.lastPersonal?.global },
    HeadlineMetric("personal.shots.head") { $0.lastPersonal?.shots?.head },
    HeadlineMetric("personal.shots.middle") { $0.lastPersonal?.shots?.middle },
    HeadlineMetric("personal.shots.tail") { $0.lastPersonal?.shots?.tail },
    HeadlineMetric("validation.generic.accuracy") { $0.measured?.validation?.generic?.accuracy },
    HeadlineMetric("validation.generic.balancedAccuracy") {
      $0.measured?.validation?.generic?.balancedAccuracy
    }, HeadlineMetric("validation.generic.loss") { $0.measured?.validation?.generic?.loss },
    HeadlineMetric("validation.personal.accuracy") { $0.measured?.validation?.personal },
    HeadlineMetric("validation.best") { run in
      run.measured.flatMap { $0.validation?.best == nil ? nil : Double($0.round) }
    }, HeadlineMetric("unseen.accuracy") { $0.measured?.unseen?.accuracy },
    HeadlineMetric("unseen.fairness.worst") { $0.measured?.unseen?.fairness.worst },
    HeadlineMetric("unseen.fairness.worstDecile") { $0.measured?.unseen?.fairness.worstDecile },
    HeadlineMetric("privacy.epsilon.max") { $0.lastPrivacy?.epsilonMax },
    HeadlineMetric("privacy.epsilon.median") { $0.lastPrivacy?.epsilonMedian },
    HeadlineMetric("privacy.noiseToSignal") { $0.lastPrivacy?.noiseToSignal },
    HeadlineMetric("privacy.clipped") { $0.lastPrivacy?.clipped },
    HeadlineMetric("train.loss") { run in run.records.last { $0.train != nil }?.train?.loss },
    HeadlineMetric("bytes.up") { run in run.total { Double($0.bytes.up) } },
    HeadlineMetric("bytes.down") { run in run.total { Double($0.bytes.down) } },
    HeadlineMetric("bytes.setup") { run in
      let bytes = run.total { Double($0.bytes.setup) }
      return (bytes ?? 0) > 0 ? bytes : nil
    }, HeadlineMetric("time.virtual") { $0.records.last?.time.virtual },
    HeadlineMetric("time.wall") { run in run.total { $0.time.wall } },
  ]

  private init(_ name: String, read: @escaping @Sendable (StrategyRun) -> Double?) {
    self.name = name
    self.read = read
  }
}

/// All rounds of one strategy with one seed.
package struct StrategyRun: Sendable, Equatable {
  package var seed: UInt64
  /// The rounds, ascending.
  package var records: [RoundRecord]

  package init(seed: UInt64, records: [RoundRecord]) {
    self.seed = seed
    self.records = records
  }

  /// The evaluation whose numbers are the run's results: the last one, or that of the best round by
  /// validation where the scenario asks for it; nil where nothing was evaluated.
  package var measured: RoundRecord? {
    let last = records.last { $0.generic != nil || $0.personal != nil || $0.validation != nil }
    guard let best = last?.validation?.best else { return last }
    return records.first { $0.round == best } ?? last
  }

  /// The generic model, as it counts.
  package var lastGeneric: RoundRecord.Generic? {
    measured?.generic ?? records.last { $0.generic != nil }?.generic
  }

  /// The personal models, as they count.
  package var lastPersonal: RoundRecord.Personal? {
    measured?.personal ?? records.last { $0.personal != nil }?.personal
  }

  /// What privacy cost at the end.
  package var lastPrivacy: RoundRecord.Privacy? { records.last { $0.privacy != nil }?.privacy }

  fileprivate func total(_ part: (RoundRecord) -> Double) -> Double? {
    records.isEmpty ? nil : records.reduce(0) { $0 + part($1) }
  }
}

/// What privacy cost a strategy: what every table and figure says of it.
package struct SpentPrivacy: Sendable, Equatable {
  /// The largest ε of all clients and seeds; infinite without a guarantee.
  package let epsilon: Double
  /// Whether that is an upper bound by Rényi divergences, as between evaluations.
  package let isBound: Bool
  package let delta: Double

  /// Nil for runs without privacy.
  package init?(_ runs: [StrategyRun]) {
    let last = runs.compactMap(\.lastPrivacy)
    guard let delta = last.map(\.delta).max() else { return nil }
    self.delta = delta
    // A run that did not protect spoils the guarantee of all.
    let isWhole = last.count == runs.count && last.allSatisfy(\.hasGuarantee)
    epsilon = isWhole ? last.map(\.epsilonMax).max() ?? .infinity : .infinity
    isBound = epsilon.isFinite && last.contains { $0.accountant != "pld" }
  }
}

package struct StrategyResult: Sendable, Equatable {
  /// The name in tables and folders.
  package var label: String
  /// One run per seed.
  package var runs: [StrategyRun]

  package init(label: String, runs: [StrategyRun]) {
    self.label = label
    self.runs = runs
  }

  /// The runs that count in a mean: those that have finished, where there is one.
  ///
  /// Of runs that stopped at different rounds no number is a mean of anything.
  package func counting(_ rounds: Int, patience: Int?) -> StrategyResult {
    let finished = runs.filter { $0.reaches(rounds, patience: patience) }
    return finished.isEmpty ? self : StrategyResult(label: label, runs: finished)
  }
}

extension StrategyRun {
  /// Whether it has done so many rounds, or ended before because it waited long enough for a better
  /// one.
  package func reaches(_ round: Int, patience: Int?) -> Bool {
    guard let last = records.last else { return false }
    return last.round >= round || BestRound(records).isOver(patience)
  }
}

import Base
import Records

/// A sweep's numbers so far, from the folders of its runs alone.
///
/// Nothing here depends on when, where or in which order runs were made; wall times are in none of
/// the tables.
package struct SweepResults: Sendable {
  /// One strategy of a trial that is where it shall be under all seeds.
  package struct Entry: Sendable {
    package let trial: SweepTrial
    package let label: String
    /// The round at which it is read: the last, or the rung where the trial was stopped.
    package let round: Int
    /// Its runs by seed, up to that round, without those that diverged.
    package let runs: [StrategyRun]
    /// Whether the trial ran to its end, under all seeds.
    package let isComplete: Bool
  }

  /// Where a trial stands.
  package enum State: String, Sendable {
    /// All rounds are done.
    case finished
    /// It was stopped at a rung, because others were better.
    case pruned
    /// It waits for a rung to be decided, or for its turn.
    case open
    /// A run of it failed.
    case failed
  }

  package let sweep: Sweep
  package let folder: String
  /// Every strategy of every trial that can be read.
  package let entries: [Entry]
  /// The front of all complete entries.
  package let front: ParetoFront
  /// Where each trial stands, by its number.
  package let states: [Int: State]
  /// Runs that are where they shall be.
  package let doneRuns: Int
  /// Runs that failed, in the order of trials, with the reason.
  package let failed: [(run: SweepRun, failure: SweepFailure)]
  let progress: SweepProgress

  init(_ sweep: Sweep, _ progress: SweepProgress, folder: String) {
    self.sweep = sweep
    self.progress = progress
    self.folder = folder
    var entries: [Entry] = []
    var states: [Int: State] = [:]
    var failed: [(SweepRun, SweepFailure)] = []
    for trial in sweep.trials {
      let goal = progress.goals[trial.number] ?? trial.rounds
      for run in trial.runs {
        guard let state = progress.states[run.folder], !state.isClosed, let failure = state.failure
        else { continue }
        failed.append((run, failure))
      }
      if failed.last?.0.trial == trial.number {
        states[trial.number] = .failed
      } else if progress.isPruned(trial) {
        states[trial.number] = .pruned
      } else {
        let isEnd = goal == trial.rounds && progress.reached(trial)
        states[trial.number] = isEnd ? .finished : .open
      }
      // A run counts as soon as it is where it shall be, other seeds or not.
      let here = trial.runs.filter { progress.reached($0, trial) }
      for label in trial.labels {
        let runs = here.compactMap { progress.states[$0.folder]?.run(label, upTo: goal) }
        guard !runs.isEmpty else { continue }
        entries.append(
          Entry(
            trial: trial, label: label, round: goal, runs: runs,
            isComplete: goal == trial.rounds && runs.count == trial.runs.count))
      }
    }
    self.entries = entries
    self.states = states
    self.failed = failed
    doneRuns = sweep.trials.reduce(0) { sum, trial in
      sum + trial.runs.count { progress.reached($0, trial) }
    }
    front = ParetoFront(
      entries.filter(\.isComplete).map { ($0.trial.number, $0.label, $0.runs) }, sweep.front)
  }

  /// Whether every run is where it shall be and no rung waits.
  package var isComplete: Bool {
    progress.open == nil && doneRuns == sweep.trials.reduce(0) { $0 + $1.runs.count }
  }

  // MARK: Tables

  /// The columns of a trial: its number and what it sets, a column for each path.
  private static func trialColumns<Row>(
    _ paths: [String], _ trial: @escaping @Sendable (Row) -> (name: String, values: [JSON?])
  ) -> [CSVColumn<Row>] {
    [CSVColumn("trial", "Number of the trial, from 1.") { trial($0).name }]
      + paths.enumerated().map { index, path in
        CSVColumn(
          path, "Value of a path that the sweep sets.", absent: "the trial has no such field"
        ) { row in
          let values = trial(row).values
          return values.indices.contains(index) ? values[index].map { SweepTrial.text($0) } : nil
        }
      }
  }

  private typealias Number = (entry: Entry, seed: UInt64, row: ResultsTable.Row)

  private static func resultsTable(_ paths: [String]) -> CSVTable<Number> {
    CSVTable(
      trialColumns(paths) { ("\($0.entry.trial.number)", $0.entry.trial.values) } + [
        CSVColumn("strategy", "The strategy's label.") { $0.entry.label },
        CSVColumn("seed", "The seed.") { $0.seed },
        CSVColumn("round", "The round at which the trial is read.") { $0.entry.round },
      ] + ResultsTable.rowColumns(\.row))
  }

  /// `results.csv`: one row per number at the end of a run.
  ///
  /// Metrics, models and groups are those of a run folder's `results.csv`; bytes are totals over
  /// the rounds, and so are `train.flops`, `train.steps` and `train.examples`. Accuracies are those
  /// of the last evaluation. Values of a path are as in the resolved scenario, empty where a trial
  /// has no such field.
  package var csv: String {
    Self.resultsTable(sweep.paths).text(
      entries.flatMap { entry in
        entry.runs.flatMap { run in Self.rows(run).map { (entry, run.seed, $0) } }
      })
  }

  /// The numbers of a run at its end.
  package static func rows(_ run: StrategyRun) -> [ResultsTable.Row] {
    guard var record = run.records.last else { return [] }
    record.generic = run.lastGeneric
    record.personal = run.lastPersonal
    record.privacy = run.lastPrivacy
    record.train = run.records.last { $0.train != nil }?.train
    record.bytes.up = run.records.reduce(0) { $0 + $1.bytes.up }
    record.bytes.down = run.records.reduce(0) { $0 + $1.bytes.down }
    record.bytes.setup = run.records.reduce(0) { $0 + $1.bytes.setup }
    let totals = ["train.flops", "train.steps", "train.examples"].compactMap { name in
      ComparisonMetric(name)?.read(run).map { value in
        ResultsTable.Row(metric: name, value: value)
      }
    }
    return ResultsTable.rows(record).filter { $0.metric != "time.wall" } + totals
  }

  /// The metrics of `trials.csv` and JSON: all that an entry has, without wall times.
  var metrics: [ComparisonMetric] {
    ComparisonMetric.names.filter { $0 != "time.wall" }.compactMap(ComparisonMetric.init).filter {
      metric in entries.contains { entry in entry.runs.contains { metric.read($0) != nil } }
    }
  }

  /// A metric of an entry over its seeds; nil when no run has it.
  static func statistics(_ entry: Entry, _ metric: ComparisonMetric) -> SeedStatistics? {
    let statistics = SeedStatistics(entry.runs.compactMap(metric.read))
    return statistics.count == 0 ? nil : statistics
  }

  /// `trials.csv`: one row per trial and strategy with the mean and half-width of the 95 % interval
  /// of every headline metric and cost.
  package var trialsCSV: String {
    let metrics = metrics.map { metric in
      (metric.name, { @Sendable (entry: Entry) in Self.statistics(entry, metric) })
    }
    return Self.trialsTable(sweep.paths, metrics).text(
      entries.map { entry in
        (
          entry, (states[entry.trial.number] ?? .open).rawValue,
          front.contains(entry.trial.number, entry.label)
        )
      })
  }

  private typealias Standing = (entry: Entry, state: String, isOnFront: Bool)

  private static func trialsTable(
    _ paths: [String], _ metrics: [(name: String, read: @Sendable (Entry) -> SeedStatistics?)]
  ) -> CSVTable<Standing> {
    CSVTable(
      trialColumns(paths) { ("\($0.entry.trial.number)", $0.entry.trial.values) } + [
        CSVColumn("strategy", "The strategy's label.") { $0.entry.label },
        CSVColumn("state", "finished, pruned, open or failed.") { $0.state },
        CSVColumn("round", "The round at which it is read.") { $0.entry.round },
        CSVColumn("n", "Seeds that are done.") { $0.entry.runs.count },
        CSVColumn("front", "1 on the front, else 0.") { $0.isOnFront ? 1 : 0 },
      ]
        + metrics.flatMap { metric in
          [
            CSVColumn(
              metric.name, "Mean of a metric over seeds.", absent: "it has no meaning there"
            ) { metric.read($0.entry)?.mean },
            CSVColumn(
              metric.name + ".halfWidth", "Half of the width of its 95 % interval.",
              absent: "a single seed"
            ) { metric.read($0.entry)?.halfWidth },
          ]
        })
  }

  /// `front.csv`: the points of the front, best in the first objective first.
  ///
  /// An infinite ε is written inf. The row `reference` has the corner of the hypervolume,
  /// and its last column the volume.
  package var frontCSV: String {
    var rows = sortedFront.compactMap { point -> FrontRow? in
      let trial = sweep.trials.first { $0.number == point.trial }
      return trial.map { ("\(point.trial)", $0.values, point.label, point.values, nil) }
    }
    if let volume = front.hypervolume {
      rows.append(("reference", [], "", front.objectives.map(\.reference), volume))
    }
    return Self.frontTable(sweep.paths, front.objectives.map(\.metric.name)).text(rows)
  }

  private typealias FrontRow = (
    name: String, settings: [JSON?], label: String, values: [Double?], volume: Double?
  )

  private static func frontTable(_ paths: [String], _ metrics: [String]) -> CSVTable<FrontRow> {
    @Sendable func text(_ value: Double?) -> String {
      value == .infinity ? "inf" : CSV.number(value)
    }
    return CSVTable(
      trialColumns(paths) { ($0.name, $0.settings) } + [
        CSVColumn("strategy", "The strategy's label.", absent: "the row reference") { $0.label }
      ]
        + metrics.enumerated().map { index, metric in
          CSVColumn(
            metric,
            "Mean of an objective over seeds; inf: an ε without a guarantee; of the row "
              + "reference, the corner of the hypervolume."
          ) { text($0.values[index]) }
        } + [
          CSVColumn("hypervolume", "What the front dominates.", absent: "all rows but reference") {
            text($0.volume)
          }
        ])
  }

  private static let failedTable = CSVTable<
    (run: SweepRun, failure: SweepFailure, command: String)
  >([
    CSVColumn("run", "The run's folder, below runs/.") { $0.run.folder },
    CSVColumn("trial", "Number of the trial.") { $0.run.trial },
    CSVColumn("seed", "The seed.") { $0.run.seed },
    CSVColumn("exit", "What the run alone would have exited with.") { $0.failure.exit },
    CSVColumn("code", "Such as E8001.") { $0.failure.code },
    CSVColumn("message", "What happened.") { $0.failure.message },
    CSVColumn("command", "What goes on with it.") { $0.command },
  ])

  /// The tables of a sweep's folder.
  static let pages = [
    FilePage(
      "sweep/results.csv", in: "sweep folder, as results.csv", "Every number at the end of runs.",
      resultsTable(["<path>"])),
    FilePage(
      "trials.csv", in: "sweep folder", "A row for each trial and strategy.",
      trialsTable(["<path>"], [("<metric>", { _ in nil })])),
    FilePage(
      "front.csv", in: "sweep folder", "The points that no other beats in all objectives.",
      frontTable(["<path>"], ["<metric>"])),
    FilePage("failed.csv", in: "sweep folder", "Runs that could not be finished.", failedTable),
    Tuning.page,
  ]

  /// The front, best in the first objective first; equal ones in the order of trials.
  var sortedFront: [ParetoFront.Point] {
    guard let first = front.objectives.first else { return [] }
    return front.front.map { front.points[$0] }.enumerated().sorted { a, b in
      let x = first.oriented(a.element.values[0])
      let y = first.oriented(b.element.values[0])
      return x == y ? a.offset < b.offset : x > y
    }.map(\.element)
  }

  /// `failed.csv`: the runs that could not be finished, and how to go on with each.
  package var failedCSV: String {
    Self.failedTable.text(failed.map { ($0.run, $0.failure, command($0.run, after: $0.failure)) })
  }

  /// What a person can type to go on with a run that failed; empty where it would diverge again.
  package func command(_ run: SweepRun, after failure: SweepFailure) -> String {
    if !failure.diverged.isEmpty { return "" }
    let path = SweepFolder(folder).folder(of: run)
    let isFolder = FileKind(of: FilePath.join(path, "scenario.json")) == .file
    return isFolder ? "fedsim resume \(path)" : "fedsim sweep \(folder)"
  }
}

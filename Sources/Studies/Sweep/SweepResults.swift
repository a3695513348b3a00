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

  private func valueFields(_ trial: SweepTrial) -> [String] {
    trial.values.map { $0.map { SweepTrial.text($0) } ?? "" }
  }

  /// `results.csv`: one row per number at the end of a run.
  ///
  /// Metrics, models and groups are those of a run folder's `results.csv`; bytes are totals over
  /// the rounds, and so are `train.flops`, `train.steps` and `train.examples`. Accuracies are those
  /// of the last evaluation. Values of a path are as in the resolved scenario, empty where a trial
  /// has no such field.
  package var csv: String {
    let fixed = ["strategy", "seed", "round", "metric", "value"]
    var out = CSV.line(["trial"] + sweep.paths + fixed) + "\n"
    for entry in entries {
      let start = ["\(entry.trial.number)"] + valueFields(entry.trial) + [entry.label]
      for run in entry.runs {
        for row in Self.rows(run) {
          let fields = ["\(run.seed)", "\(entry.round)", row.metric]
          out += CSV.line(start + fields + [CSV.number(row.value)]) + "\n"
        }
      }
    }
    return out
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
    let metrics = metrics
    var out =
      CSV.line(
        ["trial"] + sweep.paths + ["strategy", "state", "round", "n", "front"]
          + metrics.flatMap { [$0.name, $0.name + ".halfWidth"] }) + "\n"
    for entry in entries {
      let state = states[entry.trial.number] ?? .open
      var fields = ["\(entry.trial.number)"] + valueFields(entry.trial)
      fields += [entry.label, state.rawValue, "\(entry.round)", "\(entry.runs.count)"]
      fields.append(front.contains(entry.trial.number, entry.label) ? "1" : "0")
      for metric in metrics {
        let statistics = Self.statistics(entry, metric)
        fields += [CSV.number(statistics?.mean), CSV.number(statistics?.halfWidth)]
      }
      out += CSV.line(fields) + "\n"
    }
    return out
  }

  /// `front.csv`: the points of the front, best in the first objective first.
  ///
  /// An infinite ε is written inf. The row `reference` has the corner of the hypervolume,
  /// and its last column the volume.
  package var frontCSV: String {
    let names = front.objectives.map(\.metric.name)
    var out = CSV.line(["trial"] + sweep.paths + ["strategy"] + names + ["hypervolume"]) + "\n"
    func number(_ value: Double?) -> String { value == .infinity ? "inf" : CSV.number(value) }
    for point in sortedFront {
      guard let trial = sweep.trials.first(where: { $0.number == point.trial }) else { continue }
      let start = ["\(point.trial)"] + valueFields(trial) + [point.label]
      out += CSV.line(start + point.values.map(number) + [""]) + "\n"
    }
    guard let volume = front.hypervolume else { return out }
    let start = ["reference"] + sweep.paths.map { _ in "" } + [""]
    let corner = front.objectives.map { number($0.reference) }
    return out + CSV.line(start + corner + [number(volume)]) + "\n"
  }

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
    var out = CSV.line(["run", "trial", "seed", "exit", "code", "message", "command"]) + "\n"
    for (run, failure) in failed {
      out +=
        CSV.line([
          run.folder, "\(run.trial)", "\(run.seed)", "\(failure.exit)", failure.code,
          failure.message, command(run, after: failure),
        ]) + "\n"
    }
    return out
  }

  /// What a person can type to go on with a run that failed; empty where it would diverge again.
  package func command(_ run: SweepRun, after failure: SweepFailure) -> String {
    if !failure.diverged.isEmpty { return "" }
    let path = SweepFolder(folder).folder(of: run)
    let isFolder = FileKind(of: FilePath.join(path, "scenario.json")) == .file
    return isFolder ? "fedsim resume \(path)" : "fedsim sweep \(folder)"
  }
}

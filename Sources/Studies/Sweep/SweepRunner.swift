import Base
import Data
import Federation
import Records
import Report
import Scenario

/// Makes the runs of a sweep, each in a run folder of its own.
///
/// What has to be done is read from the disk, so that it does not matter which process did what, or
/// how often it was stopped: runs that are finished are left alone, unfinished ones go on from
/// their checkpoints, and one that another process holds is left to it.
package struct SweepRunner: Sendable {
  /// What is said while it goes on.
  package enum Event: Sendable {
    /// A run starts or goes on; its place among those of this process, from 1.
    case started(SweepRun, SweepTrial, place: Int, of: Int)
    /// A run is where it shall be.
    case ended(SweepRun, SweepTrial)
    case failed(SweepRun, SweepFailure)
    /// Another process makes the run.
    case held(SweepRun)
    /// Runs of an earlier sweep file are left alone.
    case leftAlone(Int)
  }

  /// How it ended.
  package struct Outcome: Sendable {
    /// 0, 8 when runs failed, or that of the interruption.
    package let exit: ExitCode
    /// All numbers so far.
    package let results: SweepResults
    /// A sentence on what is missing and who can do it; nil when nothing is.
    package let missing: String?
  }

  package let sweep: Sweep
  /// Where.
  package let folder: SweepFolder
  /// The runs of this process; nil for all.
  package let shard: SweepShard?
  /// Workers of a run.
  package let threads: Int

  package init(_ sweep: Sweep, in folder: SweepFolder, shard: SweepShard?, threads: Int) {
    self.sweep = sweep
    self.folder = folder
    self.shard = shard
    self.threads = threads
  }

  /// Makes all runs of this process that can be made now, and writes the tables.
  ///
  /// `interruption`: asked after every round whether to stop, and with which code.
  ///
  /// `tell`: called with what happens. `report`: called after every round.
  ///
  /// Throws what the sweep's own files give; what goes wrong in a run is in its outcome.
  package func run(
    interruption: () -> ExitCode? = { Interruption.requested }, tell: (Event) -> Void,
    report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> Outcome {
    let foreign = try folder.begin(sweep)
    if foreign > 0 { tell(.leftAlone(foreign)) }
    var work = Work()
    var stop: ExitCode?
    // Each pass takes the trials to the next rung; the last one, to their end.
    while stop == nil {
      let progress = try SweepProgress(sweep, folder)
      let trials = Dictionary(uniqueKeysWithValues: sweep.trials.map { ($0.number, $0) })
      let due = sweep.runs.compactMap { run -> (run: SweepRun, trial: SweepTrial)? in
        guard shard?.owns(run) ?? true, !work.settled.contains(run.folder),
          let trial = trials[run.trial], !progress.reached(run, trial)
        else { return nil }
        return (run, trial)
      }
      if due.isEmpty { break }
      for (place, item) in due.enumerated() {
        if let exit = interruption() {
          stop = exit
          break
        }
        let goal = progress.goals[item.run.trial] ?? item.trial.rounds
        // Another process may have made it since.
        if try folder.state(of: item.run, of: item.trial).reached(goal, of: item.trial) { continue }
        tell(.started(item.run, item.trial, place: place + 1, of: due.count))
        stop = try make(item.run, item.trial, goal, &work, interruption, tell) { state, record in
          var state = state
          // A strategy under a seed is a run of the display, in this trial and in the others.
          state.run += due[..<place].reduce(0) { $0 + $1.trial.labels.count }
          state.runs = due.reduce(0) { $0 + $1.trial.labels.count }
          report(state, record)
        }
        if stop != nil { break }
      }
    }
    let results = try folder.gather(sweep)
    let failed = results.failed.contains { shard?.owns($0.run) ?? true }
    return Outcome(
      exit: stop ?? (failed ? .sweepWithFailures : .done), results: results,
      missing: missing(results, isStopped: stop != nil))
  }

  /// What a process remembers between its runs.
  private struct Work {
    /// Folders of runs that failed or are held: not tried again by this process.
    var settled: Set<String> = []
    /// The images last read, with their description.
    var data: (dataset: DataSettings.Dataset, images: LabelledData)?
  }

  /// One run up to a round; an exit code when somebody asked to stop.
  private func make(
    _ run: SweepRun, _ trial: SweepTrial, _ goal: Int, _ work: inout Work,
    _ interruption: () -> ExitCode?, _ tell: (Event) -> Void,
    _ report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExitCode? {
    let failure: SweepFailure
    do {
      let result = try execute(run, trial, goal, &work, interruption, report)
      switch result.exit {
      case .done:
        try folder.note(nil, of: run)
        tell(.ended(run, trial))
        return nil
      case .diverged:
        let state = try folder.state(of: run, of: trial)
        let diverged = trial.labels.filter { state.run($0, upTo: goal) == nil }
        failure = SweepFailure(
          exit: Int(ExitCode.diverged.rawValue), code: "E8001",
          message: result.troubles.joined(separator: "; "), diverged: diverged)
      case .limitReached:
        // Limits are a run's own: others may still be within theirs.
        failure = SweepFailure(
          exit: Int(ExitCode.limitReached.rawValue), code: "E6002",
          message: result.troubles.joined(separator: "; "))
      default: return result.exit
      }
    } catch  where error.exit == .interrupted || error.exit == .terminated {
      return error.exit
    } catch  where error.code == "E9001" {
      work.settled.insert(run.folder)
      tell(.held(run))
      return nil
    } catch {
      let hint = error.hint.map { "; \($0)" } ?? ""
      failure = SweepFailure(
        exit: Int(error.exit.rawValue), code: error.code, message: error.message + hint)
    }
    if failure.diverged.isEmpty { work.settled.insert(run.folder) }
    try folder.note(failure, of: run)
    tell(.failed(run, failure))
    return nil
  }

  private func execute(
    _ run: SweepRun, _ trial: SweepTrial, _ goal: Int, _ work: inout Work,
    _ interruption: () -> ExitCode?, _ report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    let overrides = trial.overrides + ["seeds=[\(run.seed)]"]
    let reading = ScenarioReader().read(
      bytes: sweep.baseBytes, file: sweep.base, overrides: overrides, places: sweep.places)
    guard let scenario = reading.scenario, let resolved = reading.resolved, reading.hash == run.hash
    else {
      throw Failure(.internalError, "E1000", "the scenario of \(run.folder) reads differently")
    }
    let dataset = scenario.data.dataset
    let experiment: Experiment
    do throws(Failure) {
      let images: LabelledData
      if let known = work.data, known.dataset == dataset {
        images = known.images
      } else {
        work.data = nil
        images = try DatasetReader.load(dataset)
        work.data = (dataset, images)
      }
      experiment = try Experiment(scenario, data: images)
    } catch { throw scenario.paths.explained(error) }
    let words = overrides.map { "--set '\($0)'" }.joined(separator: " ")
    return try experiment.run(
      in: folder.folder(of: run),
      source: ScenarioSource(
        bytes: sweep.baseBytes, overrides: overrides, resolved: resolved, hash: run.hash,
        command: "fedsim run \(sweep.base) \(words)"), threads: threads, continues: true,
      warnings: reading.warnings.map { "\($0.path): \($0.message)" }, until: goal,
      interruption: interruption, leaves: { Interruption.requested != nil },
      page: RunReport.writePage, report: report)
  }

  /// What is missing, in a sentence.
  private func missing(_ results: SweepResults, isStopped: Bool) -> String? {
    let total = sweep.trials.reduce(0) { $0 + $1.runs.count }
    guard !results.isComplete else { return nil }
    let here = "\(results.doneRuns) of \(total) runs are there"
    // Without a shard nothing is left to others, but for runs that they hold.
    if isStopped || shard == nil { return "\(here); run the same command again to go on" }
    let again = "run the same command again when the others are done"
    guard let rung = results.progress.open else { return "\(here); \(again)" }
    return "\(here); rung \(rung) cannot be decided before all trials have reached it: \(again)"
  }
}

import Base
import Records

/// Successive halving: all trials run to the first rung, the best share of them to the next.
///
/// Of n trials that reach a rung the best max(1, floor(n · keep)) go on, by the mean over seeds of
/// a metric, read at the last evaluated round up to the rung; of several strategies in a trial the
/// best counts. A strategy without the metric under some seed, because it diverged, ranks below all
/// others; equal trials keep their order. A rung is a stop of the full run, not a shorter run:
/// schedules see `federation.rounds` as ever, and a trial that goes on has the bits of one that was
/// never stopped.
///
/// - Source: Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
///   optimization", AISTATS 2016.
package struct Halving: Sendable {
  /// What trials are ranked by.
  package let metric: ComparisonMetric
  /// Rounds after which trials are compared, ascending.
  package let rungs: [Int]
  /// The share that goes on.
  package let keep: Double

  /// How many of `count` trials go on.
  func kept(of count: Int) -> Int {
    // 1/3 as a Double times 9 must be 3.
    max(1, Int(clamping: (Double(count) * keep * (1 + 1e-12)).rounded(.down)))
  }

  /// A trial's value after a rung: the best strategy's mean over seeds; nil without one.
  ///
  /// `states`: the trial's runs.
  package func value(_ states: [SweepRunState], labels: [String], rung: Int) -> Double? {
    let means = labels.compactMap { label -> Double? in
      let values = states.compactMap { state -> Double? in
        guard let run = state.run(label, upTo: rung) else { return nil }
        return metric.read(run)
      }
      guard values.count == states.count, values.allSatisfy(\.isFinite) else { return nil }
      return Metrics.mean(values)
    }
    return metric.lowerIsBetter ? means.min() : means.max()
  }

  /// The places of the trials that go on, ascending.
  ///
  /// `values`: one per trial in the order of trials; nil for none.
  func best(_ values: [Double?]) -> [Int] {
    let ranked = values.indices.sorted { a, b in
      switch (values[a], values[b]) {
      case (.some(let x), .some(let y)) where x != y: metric.lowerIsBetter ? x < y : x > y
      case (.some, nil): true
      case (nil, .some): false
      default: a < b
      }
    }
    return ranked.prefix(kept(of: values.count)).sorted()
  }
}

/// How far a sweep has come, read from its folder: the same for every process that looks.
struct SweepProgress {
  /// What was decided at a rung.
  struct Decision: Sendable {
    let rung: Int
    /// The trials that reached it, with their values; nil for none.
    let entrants: [(trial: Int, value: Double?)]
    /// The numbers of those that go on.
    let kept: [Int]
  }

  /// What is on disk of every run, by the name of its folder.
  var states: [String: SweepRunState]
  /// The round that each trial shall reach now, by its number.
  private(set) var goals: [Int: Int] = [:]
  /// The decisions so far.
  private(set) var decisions: [Decision] = []
  /// The rung that cannot be decided yet; nil when there is none.
  private(set) var open: Int?

  /// Reads all runs and repeats every decision.
  init(_ sweep: Sweep, _ folder: SweepFolder) throws(Failure) {
    var states: [String: SweepRunState] = [:]
    for trial in sweep.trials {
      for run in trial.runs { states[run.folder] = try folder.state(of: run, of: trial) }
    }
    self.states = states
    guard let halving = sweep.halving else {
      for trial in sweep.trials { goals[trial.number] = trial.rounds }
      return
    }
    var active = sweep.trials
    for rung in halving.rungs {
      for trial in active { goals[trial.number] = rung }
      guard active.allSatisfy({ self.reached($0) }) else {
        open = rung
        return
      }
      let values = active.map { trial in
        halving.value(trial.runs.compactMap { states[$0.folder] }, labels: trial.labels, rung: rung)
      }
      // After the last round no trial goes on.
      if rung == active.map(\.rounds).max() { return }
      let kept = halving.best(values).map { active[$0] }
      decisions.append(
        Decision(
          rung: rung, entrants: zip(active, values).map { ($0.number, $1) },
          kept: kept.map(\.number)))
      active = kept
    }
    for trial in active { goals[trial.number] = trial.rounds }
  }

  /// Whether a run is where it shall be now.
  func reached(_ run: SweepRun, _ trial: SweepTrial) -> Bool {
    states[run.folder]?.reached(goals[run.trial] ?? trial.rounds, of: trial) ?? false
  }

  /// Whether all runs of a trial are where they shall be now.
  func reached(_ trial: SweepTrial) -> Bool { trial.runs.allSatisfy { reached($0, trial) } }

  /// Whether a trial was stopped at a rung for good.
  func isPruned(_ trial: SweepTrial) -> Bool {
    guard let last = decisions.last(where: { $0.entrants.contains { $0.trial == trial.number } })
    else { return false }
    return !last.kept.contains(trial.number)
  }
}

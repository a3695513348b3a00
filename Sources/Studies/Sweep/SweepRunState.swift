import Base
import Records

/// Why a run of a sweep ended before its last round, and not because somebody asked.
package struct SweepFailure: Sendable, Equatable {
  /// What the run alone would have exited with.
  package let exit: Int
  /// Such as "E8001".
  package let code: String
  /// What happened.
  package let message: String
  /// Labels of strategies that diverged: they would do so again.
  package var diverged: [String] = []
}

extension SweepFailure {
  /// Reads what `json` wrote; nil when it is none.
  init?(_ json: JSON) {
    guard let exit = json["exit"]?.int, let code = json["code"]?.text,
      let message = json["message"]?.text, let labels = json["diverged"]?.elements
    else { return nil }
    self.init(exit: exit, code: code, message: message, diverged: labels.compactMap(\.text))
  }

  /// The failure as an object.
  package var json: JSON {
    [
      "exit": .int(exit), "code": .string(code), "message": .string(message),
      "diverged": .array(diverged.map(JSON.string)),
    ]
  }
}

/// What is on disk of one run.
package struct SweepRunState {
  /// The records of every strategy, in the order of the scenario.
  package let results: [(label: String, run: StrategyRun)]
  /// The last round R.
  package let rounds: Int
  /// Evaluations without a better one after which the run ends; nil for never.
  let patience: Int?
  /// Whether the run has closed its folder after its last round.
  let isClosed: Bool
  /// Why it stopped; nil when nothing is known.
  package let failure: SweepFailure?

  /// All rounds are done, or all but those of strategies that diverged.
  var isFinished: Bool { isClosed || (failure.map { !$0.diverged.isEmpty } ?? false && allDone) }

  private var allDone: Bool { results.allSatisfy { isDone($0.label, $0.run, rounds) } }

  /// Rounds that every strategy has done.
  package var round: Int { results.map { $0.run.records.last?.round ?? 0 }.min() ?? 0 }
  /// Whether anything was done.
  var hasBegun: Bool { results.contains { !$0.run.records.isEmpty } }

  /// Whether all strategies have done so many rounds, or diverged before.
  func reached(_ goal: Int) -> Bool { results.allSatisfy { isDone($0.label, $0.run, goal) } }

  /// Whether the run is where it shall be: at a rung, or at its end.
  func reached(_ goal: Int, of trial: SweepTrial) -> Bool {
    goal < trial.rounds ? reached(goal) : isFinished
  }

  private func isDone(_ label: String, _ run: StrategyRun, _ goal: Int) -> Bool {
    if failure?.diverged.contains(label) ?? false { return true }
    return run.reaches(goal, patience: patience)
  }

  /// A strategy's records up to a round; nil when it has not come so far.
  package func run(_ label: String, upTo round: Int) -> StrategyRun? {
    guard let run = results.first(where: { $0.label == label })?.run,
      run.reaches(round, patience: patience)
    else { return nil }
    return StrategyRun(seed: run.seed, records: run.records.filter { $0.round <= round })
  }
}

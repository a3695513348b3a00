import Base
import Records

/// Why a run of a sweep ended before its last round, and not because somebody asked.
package struct SweepFailure: Sendable, Equatable {
  /// What the run alone would have exited with.
  package private(set) var exit: Int
  package private(set) var code: String
  package private(set) var message: String
  /// They would do so again.
  package private(set) var diverged: [String] = []

  package init(exit: Int, code: String, message: String, diverged: [String] = []) {
    (self.exit, self.code, self.message, self.diverged) = (exit, code, message, diverged)
  }
}

extension SweepFailure {
  package static let keys = Keys<Self>(
    { Self(exit: 0, code: "", message: "") },
    [
      Key(\.exit, "exit", .integer, "What the run alone would have exited with."),
      Key(\.code, "code", .text, "Such as E8001."),
      Key(\.message, "message", .text, "What happened."),
      Key(\.diverged, "diverged", .list(.text), "Labels of the strategies that diverged."),
    ])

  /// Reads what `json` wrote; nil when it is none.
  init?(_ json: JSON) {
    guard let read = Self.keys.read(json) else { return nil }
    self = read
  }

  /// The failure as an object.
  package var json: JSON { Self.keys.json(self) }
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

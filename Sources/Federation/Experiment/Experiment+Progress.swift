import Aggregation
import Base
import Records
import Scenario

extension Scenario {
  /// Whether models are measured after a round: every `evaluation.every` rounds, and after the
  /// first and the last.
  package func isEvaluated(_ round: Int) -> Bool {
    round <= 1 || round == federation.rounds || round % evaluation.every == 0
  }

  /// The places of the strategies in the order in which they run: `local-only` goes first, because
  /// others are measured against it.
  package var runPlaces: [Int] {
    let isLocal = strategies.map { $0.kind == LocalOnly.card.kind }
    return isLocal.indices.sorted { (isLocal[$0] ? 0 : 1, $0) < (isLocal[$1] ? 0 : 1, $1) }
  }

  /// What a display of progress must know before the first round.
  package func progressPlan(threads: Int) -> ProgressPlan {
    ProgressPlan(
      name: TerminalText.plain(name), strategies: runPlaces.map { strategies[$0].label },
      seeds: seeds, rounds: federation.rounds, threads: threads,
      checkpointEvery: output.checkpointEvery,
      epsilons: strategies.reduce(into: [:]) { known, choice in
        known[choice.label] = choice.privacy?.target?.epsilon
      })
  }
}

extension Experiment {
  /// The strategies in the order in which they run.
  package var runOrder: [Scenario.StrategyChoice] {
    scenario.runPlaces.map { scenario.strategies[$0] }
  }
}

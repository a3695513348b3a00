import Aggregation

extension Experiment {
  /// The strategies in the order in which they run: `local-only` goes first, because others are
  /// measured against it.
  var runOrder: [Scenario.StrategyChoice] { runPlaces.map { scenario.strategies[$0] } }

  /// Their places in the scenario, in that order.
  var runPlaces: [Int] {
    let isLocal = scenario.strategies.map { $0.kind == LocalOnly.card.kind }
    return isLocal.indices.sorted { (isLocal[$0] ? 0 : 1, $0) < (isLocal[$1] ? 0 : 1, $1) }
  }

  /// What a display of progress must know before the first round.
  public func progressPlan(threads: Int) -> ProgressPlan {
    ProgressPlan(
      name: scenario.name,
      strategies: runOrder.map(\.label),
      seeds: scenario.seeds,
      rounds: scenario.federation.rounds,
      threads: threads,
      checkpointEvery: scenario.output.checkpointEvery,
      epsilons: scenario.strategies.reduce(into: [:]) { known, choice in
        known[choice.label] = choice.privacy?.target?.epsilon
      }
    )
  }
}

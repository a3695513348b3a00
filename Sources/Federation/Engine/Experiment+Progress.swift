import Aggregation

extension Experiment {
  /// The strategies in the order in which they run: `local-only` goes first.
  var runOrder: [Scenario.StrategyChoice] {
    scenario.strategies.enumerated().sorted {
      ($0.element.kind == LocalOnly.card.kind ? 0 : 1, $0.offset)
        < ($1.element.kind == LocalOnly.card.kind ? 0 : 1, $1.offset)
    }.map(\.element)
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

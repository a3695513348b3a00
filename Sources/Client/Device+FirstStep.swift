import Tensor

extension Device {
  /// For callers that number their phases by hand: `firstStep` is a phase's first counter.
  public init(
    client: Int,
    round: Int,
    rounds: Int,
    seed: UInt64,
    examples: [Int],
    network: Network,
    workspace: Workspace,
    loader: BatchLoader,
    settings: LocalSettings,
    firstStep: Int,
    surroundings: Surroundings = Surroundings(),
    privacy: PrivateTraining? = nil
  ) {
    let phases: [StreamAddress.Phase] =
      [.transfer, .evaluation, .projection, .selection]
      + (0..<16).map { .server(exchange: $0) }
    self.init(
      client: client,
      round: round,
      rounds: rounds,
      seed: seed,
      examples: examples,
      network: network,
      workspace: workspace,
      loader: loader,
      settings: settings,
      phase: phases.first { $0.firstCounter == firstStep } ?? .start(firstStep >> 36),
      surroundings: surroundings,
      privacy: privacy
    )
  }
}

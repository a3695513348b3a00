/// What is known before the first round: which runs there will be.
package struct ProgressPlan: Sendable, Equatable {
  package var name: String
  /// Labels of the strategies, in the order in which they run.
  package var strategies: [String]
  /// The seeds; all strategies run under one before the next.
  package var seeds: [UInt64]
  package var rounds: Int
  /// Threads in use.
  package var threads: Int
  /// Rounds between checkpoints; 0 for none.
  package var checkpointEvery: Int
  /// The ε that a strategy aims at, by label.
  package var epsilons: [String: Double]

  package init(
    name: String, strategies: [String], seeds: [UInt64], rounds: Int, threads: Int,
    checkpointEvery: Int = 0, epsilons: [String: Double] = [:]
  ) {
    self.name = name
    self.strategies = strategies
    self.seeds = seeds
    self.rounds = rounds
    self.threads = threads
    self.checkpointEvery = checkpointEvery
    self.epsilons = epsilons
  }

  package var runs: Int { strategies.count * seeds.count }
}

/// What is known about a run at the end of a round.
package struct ProgressState: Sendable, Equatable {
  /// Position of the run among all, from 1.
  package var run: Int
  package var runs: Int
  /// The strategy's label.
  package var strategy: String
  package var seed: UInt64
  /// Rounds done.
  package var round: Int
  /// Rounds wanted.
  package var rounds: Int
  /// Accuracy of the generic model as a share; nil when never evaluated or without meaning.
  package var generic: Double?
  /// Mean personal accuracy as a share; nil likewise.
  package var personal: Double?
  /// Accuracy on tail classes as a share; nil likewise.
  package var tail: Double?
  /// The largest ε of a client so far; infinite without a guarantee, nil without privacy.
  package var epsilon: Double?
  /// Whether that ε is an upper bound by Rényi divergences, as between evaluations.
  package var epsilonIsBound = false
  /// Encoded bytes sent by clients so far.
  package var bytesUp: Int

  package init(
    run: Int, runs: Int, strategy: String, seed: UInt64, round: Int, rounds: Int,
    generic: Double? = nil, personal: Double? = nil, tail: Double? = nil, epsilon: Double? = nil,
    bytesUp: Int = 0
  ) {
    self.run = run
    self.runs = runs
    self.strategy = strategy
    self.seed = seed
    self.round = round
    self.rounds = rounds
    self.generic = generic
    self.personal = personal
    self.tail = tail
    self.epsilon = epsilon
    self.bytesUp = bytesUp
  }

  /// Takes over what a record says; accuracies of a round without evaluation stay.
  package mutating func add(_ record: RoundRecord) {
    round = record.round
    bytesUp += record.bytes.up
    if let part = record.generic {
      generic = part.accuracy
      tail = part.shots?.tail
    }
    if let part = record.personal { personal = part.accuracy }
    if let part = record.privacy {
      epsilon = part.hasGuarantee ? part.epsilonMax : .infinity
      epsilonIsBound = part.accountant != "pld"
    }
  }
}

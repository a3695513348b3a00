import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// A run in memory: nothing is written.
package struct Trial: Sendable {
  /// The network that was trained: the scenario's, or what the method made of it.
  package let network: Network
  /// The parameters that everybody started from.
  package let initial: [Float]
  /// The server's model at the end.
  package let model: [Float]
  /// What the server and the clients carry besides.
  package let serverMemory: StateTensors
  package let clientMemories: [Int: ClientMemory]
  /// The cohort of each round, ascending.
  package let cohorts: [[Int]]
  /// The digest before the first round and after each round.
  package let digests: [String]
  /// The records without times and evaluations.
  package let bytesUp: [Int]
  package let bytesDown: [Int]
  /// Bytes of the broadcast before the first round.
  package let bytesSetup: Int
  package let trainLoss: [Double]
  /// The generic and personal measures at the end; nil without that kind of model.
  package let generic: RoundRecord.Generic?
  package let personal: RoundRecord.Personal?
  /// The model for everybody at the end, as it is measured; nil when the method has none.
  package let genericModel: [Float]?
  /// Each client's model at the end, its own or the generic one.
  package let clientModels: [[Float]?]
  /// What privacy cost at the end, by both accountants; nil without it.
  package let privacy: RoundRecord.Privacy?
  /// The line of `privacy.jsonl` that goes with it.
  package let privacyLine: JSON?
  /// Clients that stopped because their budget was used up, by round.
  package let stopped: [[Int]]
  /// Floating-point operations of each round's training.
  package let flops: [Int]
  /// What the clock saw in each round; nil without one.
  package let clock: [ClockOutcome?]
  /// Most parameter vectors that workers and waiting uploads had at once.
  package let peakVectors: Int
}

extension Experiment {
  /// Runs one strategy under one seed without touching a file.
  ///
  /// `strategy`: index into the scenario's strategies.
  ///
  /// `seed`: index into the scenario's seeds.
  ///
  /// `interruptedAfter`: rounds after which the state goes through a checkpoint into a new
  /// simulation, as a resumed run does.
  ///
  /// `folder`: where that checkpoint is written and read again; nil keeps it in memory.
  package func trial(
    strategy: Int = 0, seed: Int = 0, threads: Int = 1, interruptedAfter: Int? = nil,
    folder: String? = nil
  ) throws -> Trial {
    let choice = scenario.strategies[strategy]
    let shared = context(seed, threads: threads, pretrained: try pretrained(in: nil))
    let context = try adapted(shared, to: choice)
    var simulation = try Self.simulation(of: choice, context)
    var digests = [Digest.hex(simulation.digest)]
    var rounds: [Round] = []
    var bytes: [RoundRecord.Bytes] = []
    var clock: [ClockOutcome?] = []
    var stopped: [[Int]] = []
    while simulation.round < scenario.federation.rounds {
      do throws(RoundFailure) { rounds.append(try simulation.runRound()) } catch {
        if case .diverged(let divergence) = error { throw divergence }
        throw error
      }
      digests.append(Digest.hex(simulation.digest))
      bytes.append(simulation.ledger.bytes)
      clock.append(simulation.clock?.outcome)
      stopped.append(simulation.privacy?.stopped ?? [])
      if simulation.round == interruptedAfter {
        var checkpoint: Checkpoint? = simulation.checkpoint
        if let folder {
          try checkpoint?.write(to: folder, scenarioHash: "trial", run: choice.label)
          checkpoint = try Checkpoint.read(from: folder, scenarioHash: "trial", run: choice.label)
        }
        simulation = try Self.simulation(of: choice, context)
        if let checkpoint { simulation.restore(checkpoint) }
      }
    }
    let evaluation = try simulation.evaluate()
    let trace = simulation.privacy?.trace(exact: true)
    return Trial(
      network: context.network, initial: context.problem.initial, model: simulation.server.model,
      serverMemory: simulation.state.memory(simulation.stages),
      clientMemories: simulation.state.clients.mapValues(\.merged), cohorts: rounds.map(\.sampled),
      digests: digests, bytesUp: bytes.map(\.up), bytesDown: bytes.map(\.down),
      bytesSetup: bytes.map(\.setup).reduce(0, +),
      trainLoss: rounds.map { $0.report.lossSum / $0.report.exampleWeight },
      generic: evaluation.generic,
      personal: Metrics.personal(evaluation.scores.map(\.accuracy), model: evaluation.scored),
      genericModel: simulation.genericModel(),
      clientModels: try context.split.clients.indices.map {
        try simulation.model(of: $0, worker: 0)
      },
      privacy: trace?.record, privacyLine: trace?.line, stopped: stopped,
      flops: rounds.map(\.flops), clock: clock, peakVectors: context.spaces.parameters.peak)
  }

  package func models(ofStrategy index: Int) throws -> ModelKinds {
    let choice = scenario.strategies[index]
    let context = try adapted(context(0, threads: 1), to: choice)
    return try Self.simulation(of: choice, context).method.models
  }
}

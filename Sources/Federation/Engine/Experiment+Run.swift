import Aggregation
import Client
import Tensor

/// How an experiment ended.
public struct ExperimentResult: Sendable {
  /// All runs so far, in the order of the scenario.
  public let results: [StrategyResult]
  /// What the process should exit with.
  public let exit: ExitCode
  /// One sentence per run that did not finish, with its likely causes.
  public let troubles: [String]
  /// The conditions in words.
  public let conditions: [String]
  /// What the user should know before believing a number.
  public let warnings: [String]
}

extension Experiment {
  /// Runs every strategy under every seed and writes the folder.
  ///
  /// Seeds are the outer loop, so that an interrupted experiment has compared all strategies
  /// under some seeds. `local-only` goes first: others are measured against it.
  ///
  /// `continues`: goes on with a folder that an earlier process left.
  ///
  /// `report`: called after every round.
  ///
  /// Returns what was measured, also when interrupted.
  public func run(
    in path: String,
    source: ScenarioSource,
    threads: Int,
    continues: Bool = false,
    warnings given: [String] = [],
    report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    try run(
      in: path,
      source: source,
      threads: threads,
      continues: continues,
      warnings: given,
      interruption: { Interruption.requested },
      report: report
    )
  }

  /// As above; `interruption` is asked after every round whether to stop, and with which code.
  package func run(
    in path: String,
    source: ScenarioSource,
    threads: Int,
    continues: Bool = false,
    warnings given: [String] = [],
    interruption: () -> ExitCode?,
    report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    try requireMemory(threads: threads)
    let folder = try ExperimentFolder(path, scenarioHash: source.hash, continues: continues)
    try folder.begin(self, source: source, threads: threads, warnings: given + warnings)
    let order = scenario.strategies.enumerated().sorted {
      ($0.element.kind == LocalOnly.card.kind ? 0 : 1, $0.offset)
        < ($1.element.kind == LocalOnly.card.kind ? 0 : 1, $1.offset)
    }.map(\.element)
    var runs: [String: [StrategyRun]] = [:]
    var troubles: [String] = []
    var exit = ExitCode.done
    var number = 0
    let total = scenario.seeds.count * order.count

    let pretrained = try pretrained(in: path)

    seeds: for (index, seed) in scenario.seeds.enumerated() {
      let arena = arena(index, threads: threads, pretrained: pretrained)
      var alone: [Int: [Int: Double]] = [:]
      for choice in order {
        number += 1
        var progress = ProgressState(
          run: number,
          runs: total,
          strategy: choice.label,
          seed: seed,
          round: 0,
          rounds: scenario.federation.rounds
        )
        guard let type = StrategyRegistry[choice.kind] else {
          throw Failure(.internalError, "E1021", "no strategy \(choice.kind)")
        }
        let result = try start(
          type,
          choice,
          arena,
          folder: path,
          source: source,
          alone: choice.kind == LocalOnly.card.kind ? [:] : alone,
          interruption
        ) { record in
          progress.add(record)
          report(progress, record)
        }
        runs[choice.label, default: []].append(
          StrategyRun(seed: seed, records: result.records)
        )
        if choice.kind == LocalOnly.card.kind { alone = result.scores }
        switch result.end {
        case .finished: break
        case .diverged(let divergence):
          exit = .diverged
          troubles.append(Self.explain(divergence, choice.label, seed))
        case .interrupted(let code):
          exit = code
          troubles.append(
            "\(choice.label) seed \(seed): stopped after round \(result.records.last?.round ?? 0), "
              + "checkpoint written; continue with: fedsim resume \(path)"
          )
          break seeds
        }
      }
    }
    let results = scenario.strategies.compactMap { choice in
      runs[choice.label].map { StrategyResult(label: choice.label, runs: $0) }
    }
    try folder.finish(self, results, source: source, warnings: given + warnings + troubles)
    return ExperimentResult(
      results: results,
      exit: exit,
      troubles: troubles,
      conditions: conditions,
      warnings: given + warnings
    )
  }

  /// Opens the strategy's type and runs it.
  private func start<Method: Strategy>(
    _ type: Method.Type,
    _ choice: Scenario.StrategyChoice,
    _ arena: Arena,
    folder: String,
    source: ScenarioSource,
    alone: [Int: [Int: Double]],
    _ interruption: () -> ExitCode?,
    _ report: (RoundRecord) -> Void
  ) throws(Failure) -> RunResult {
    let arena = try adapted(arena, to: choice, type)
    let run = Run(
      simulation: Simulation(Method(choice.settings, arena.problem), arena),
      arena: arena,
      label: choice.label,
      folder: FilePath.join(folder, "\(choice.label)-s\(arena.seed)"),
      scenarioHash: source.hash,
      alone: alone
    )
    return try run.complete(interruption, report)
  }

  private static func explain(
    _ divergence: Divergence,
    _ label: String,
    _ seed: UInt64
  ) -> String {
    let place =
      divergence.client.map { "client \($0), local step \(divergence.step ?? 0)" }
      ?? "the server's model"
    return "\(label) seed \(seed): diverged in round \(divergence.round) (\(place)); the rounds "
      + "before are kept. Most often the learning rate is too high; lower "
      + "client.optimizer.learningRate, or add warm-up with client.schedule.warmup"
  }
}

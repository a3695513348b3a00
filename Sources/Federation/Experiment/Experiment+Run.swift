import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// How an experiment ended.
package struct ExperimentResult: Sendable {
  /// All runs so far, in the order of the scenario.
  package let results: [StrategyResult]
  /// What the process should exit with.
  package let exit: ExitCode
  /// One sentence per run that did not finish, with its likely causes.
  package let troubles: [String]
  /// The conditions in words.
  package let conditions: [String]
  /// What the user should know before believing a number.
  package let warnings: [String]
  /// Those of them that only the runs could tell: what stands above the table.
  package let remarks: [String]
  /// What was found lost and was made anew.
  package var notes: [String] = []
}

extension Experiment {
  /// Runs every strategy under every seed and writes the folder.
  ///
  /// Seeds are the outer loop, so that an interrupted experiment has compared all strategies
  /// under some seeds. `local-only` goes first: others are measured against it.
  ///
  /// `continues`: goes on with a folder that an earlier process left.
  ///
  /// `page`: writes the folder's page, last.
  ///
  /// `report`: called after every round.
  ///
  /// Returns what was measured, also when interrupted.
  package func run(
    in path: String, source: ScenarioSource, threads: Int, continues: Bool = false,
    warnings given: [String] = [], page: PageWriter, report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    try run(
      in: path, source: source, threads: threads, continues: continues, warnings: given,
      interruption: { Interruption.requested }, leaves: { Interruption.requested != nil },
      page: page, report: report)
  }

  /// As above; `interruption` is asked after every round whether to stop, and with which code.
  ///
  /// `leaves`: asked before every batch, by any thread, whether a round that is under way should be
  /// left because somebody asked to stop; the run then stands behind the round before.
  ///
  /// `patience`: seconds from which on a round is too long to be waited for.
  ///
  /// `until`: a round after which every run stops behind a checkpoint, to go on another time as if
  /// it had not stopped; nil for the last one.
  package func run(
    in path: String, source: ScenarioSource, threads: Int, continues: Bool = false,
    warnings given: [String] = [], until last: Int? = nil, interruption: () -> ExitCode?,
    leaves: @escaping @Sendable () -> Bool = { false }, patience: Double = 1, page: PageWriter,
    report: (ProgressState, RoundRecord) -> Void
  ) throws(Failure) -> ExperimentResult {
    try requireMemory(threads: threads)
    let limits = LimitWatch(scenario.limits, folder: path, pending: largestEnd)
    let stops = { () -> ExitCode? in interruption() ?? (limits.isReached() ? .limitReached : nil) }
    let folder = try ExperimentFolder(path, scenarioHash: source.hash, continues: continues)
    try folder.begin(self, source: source, threads: threads, warnings: given + warnings)
    var ends = RunEnds(folder: path)
    var number = 0
    let pretrained = try pretrained(in: path) { leaves() ? interruption() ?? .interrupted : nil }

    seeds: for (index, seed) in scenario.seeds.enumerated() {
      var arena = arena(index, threads: threads, pretrained: pretrained)
      arena.stop = StopSign(leaves)
      var alone: [Int: [Int: Double]] = [:]
      for choice in runOrder {
        number += 1
        var progress = ProgressState(
          run: number, runs: scenario.seeds.count * scenario.strategies.count,
          strategy: choice.label, seed: seed, round: 0, rounds: scenario.federation.rounds)
        var run = try run(
          of: choice, arena, folder: FilePath.join(path, "\(choice.label)-s\(seed)"),
          scenarioHash: source.hash, alone: choice.kind == LocalOnly.card.kind ? [:] : alone)
        run.patience = patience
        let result = try run.complete(until: last, stops) { record in
          progress.add(record)
          report(progress, record)
        }
        if choice.kind == LocalOnly.card.kind { alone = result.scores }
        ends.add(result, of: choice.label, seed: seed, limit: limits.reason)
        if ends.isStopped { break seeds }
      }
    }
    let result = ends.result(of: self, warnings: given + warnings)
    try folder.finish(
      self, result.results, source: source, warnings: result.warnings + result.troubles, page: page)
    return result
  }

  /// Bytes that a run's last checkpoint and its models take at most, beside what methods remember.
  private var largestEnd: Int {
    let models = scenario.output.personalModels ? scenario.federation.clients : 0
    return 4 * network.layout.count * (2 + models)
  }
}

/// How the runs of an experiment ended so far.
private struct RunEnds {
  let folder: String
  private var runs: [String: [StrategyRun]] = [:]
  private var troubles: [String] = []
  private var still: [Stillness] = []
  private var notes: [String] = []
  private var exit = ExitCode.done
  /// Whether a run was interrupted, and with it all that would follow.
  private(set) var isStopped = false

  init(folder: String) { self.folder = folder }

  /// Takes in one run.
  ///
  /// `limit`: which limit of the scenario is reached, if one is.
  mutating func add(_ result: RunResult, of label: String, seed: UInt64, limit: String?) {
    runs[label, default: []].append(StrategyRun(seed: seed, records: result.records))
    notes += result.notes
    if let found = result.stillness { still.append(found) }
    switch result.end {
    case .finished, .paused: break
    case .diverged(let divergence):
      exit = .diverged
      troubles.append(divergence.sentence)
    case .interrupted(let code):
      exit = code
      isStopped = true
      let reason = limit.map { " at " + $0 } ?? ""
      let place =
        result.records.last.map { "after round \($0.round)\(reason), checkpoint written" }
        ?? "in its first round, of which nothing is kept"
      troubles.append(
        "\(label) seed \(seed): stopped \(place); continue with: fedsim resume \(folder)")
    }
  }

  /// All of them, in the order of the scenario's strategies.
  func result(of experiment: Experiment, warnings: [String]) -> ExperimentResult {
    let remarks = Stillness.sentences(still)
    return ExperimentResult(
      results: experiment.scenario.strategies.compactMap { choice in
        runs[choice.label].map { StrategyResult(label: choice.label, runs: $0) }
      }, exit: exit, troubles: troubles, conditions: experiment.conditions,
      warnings: remarks + warnings, remarks: remarks, notes: notes)
  }
}

import Base
import Data
import Federation
import Scenario

/// What a run of a sweep will take: a ``Plan`` of its scenario under one seed, without measuring
/// speed, summed up over its strategies.
package struct SweepCost: Sendable, Equatable {
  /// Clients trained, over all rounds and strategies; nil, as the others, when the data cannot be
  /// read.
  package let clientRounds: Double?
  /// Optimizer steps.
  package let steps: Double?
  /// Floating-point operations of clients' training.
  package let flops: Double?
  /// Encoded bytes, both ways and before the first round.
  package let bytes: Double?

  /// The cost of one run; dry runs are cut off after a twentieth of a second per strategy.
  ///
  /// `experiment`: of one seed; nil when its data cannot be read.
  init(_ experiment: Experiment?) {
    var settings = Plan.Settings(threads: 1)
    settings.probe = 0
    settings.dryRunSeconds = 0
    guard let experiment, let plan = try? Plan(experiment, settings) else {
      (clientRounds, steps, flops, bytes) = (nil, nil, nil, nil)
      return
    }
    clientRounds = plan.runs.reduce(0) { $0 + $1.clientRounds }
    steps = plan.runs.reduce(0) { $0 + $1.steps }
    flops = plan.runs.reduce(0) { $0 + $1.flops }
    bytes = plan.runs.reduce(0) { $0 + $1.bytesUp + $1.bytesDown + $1.bytesSetup }
  }
}

/// Costs of many runs: what they share is read once.
struct SweepEstimates {
  private var data: [(dataset: DataSettings.Dataset, images: LabelledData?)] = []

  /// The cost of one run of a trial.
  mutating func cost(of trial: SweepTrial) -> SweepCost {
    var scenario = trial.scenario
    scenario.seeds = Array(scenario.seeds.prefix(1))
    let dataset = scenario.data.dataset
    let images: LabelledData?
    if let known = data.first(where: { $0.dataset == dataset }) {
      images = known.images
    } else {
      images = try? DatasetReader.load(dataset)
      data.append((dataset, images))
    }
    return SweepCost(images.flatMap { try? Experiment(scenario, data: $0) })
  }
}

/// A sweep before it runs: every run with its state and cost.
package struct SweepListing: Sendable {
  /// One run.
  package struct Row: Sendable {
    package let run: SweepRun
    package let trial: SweepTrial
    /// "finished", "failed", "not begun", or rounds as "12/40".
    package let state: String
    /// What it takes from its first round to its last.
    package let cost: SweepCost
  }

  /// The runs in their order.
  package let rows: [Row]

  /// Lists the runs of a shard, or all; nothing is run or written.
  ///
  /// Throws what reading the runs' traces gives.
  package init(_ sweep: Sweep, in folder: SweepFolder, shard: SweepShard?) throws(Failure) {
    let progress = try SweepProgress(sweep, folder)
    var estimates = SweepEstimates()
    var rows: [Row] = []
    let costs = Dictionary(
      uniqueKeysWithValues: sweep.trials.map { ($0.number, ($0, estimates.cost(of: $0))) })
    for run in sweep.runs where shard?.owns(run) ?? true {
      guard let (trial, cost) = costs[run.trial], let state = progress.states[run.folder] else {
        continue
      }
      let word =
        if state.isClosed { "finished" } else if state.failure != nil { "failed" } else {
          state.hasBegun ? "\(state.round)/\(trial.rounds)" : "not begun"
        }
      let pruned = word != "finished" && progress.isPruned(trial)
      rows.append(Row(run: run, trial: trial, state: pruned ? "pruned \(word)" : word, cost: cost))
    }
    self.rows = rows
  }
}

import Client
import Tensor

/// What a run of a sweep will take, by arithmetic on its scenario.
///
/// With K clients in a round on average and n images on a client, T = steps(n) local steps of
/// min(B, n) images: K·R client rounds, K·R·T steps, F operations per image (forward and backward
/// pass), and a plain model each way. Strategies count alike; what a method sends or computes
/// besides is not in it.
public struct SweepCost: Sendable, Equatable {
  /// Clients trained, over all rounds and strategies.
  public let clientRounds: Double
  /// Optimizer steps; nil when the data cannot be read.
  public let steps: Double?
  /// Floating-point operations; nil likewise.
  public let flops: Double?
  /// Bytes of plain models, both ways; nil likewise.
  public let bytes: Double?

  /// The cost of one run.
  ///
  /// - Parameters:
  ///   - scenario: with any number of seeds, of which one counts.
  ///   - experiment: the same with its data; nil when they cannot be read.
  init(_ scenario: Scenario, _ experiment: Experiment?) {
    let strategies = Double(scenario.strategies.count)
    let rounds = Double(scenario.federation.rounds)
    let visits = scenario.federation.expectedCohort * rounds * strategies
    clientRounds = visits
    guard let experiment, let split = experiment.splits.first else {
      (steps, flops, bytes) = (nil, nil, nil)
      return
    }
    let images = max(1, split.trainIndices.count / max(1, split.clients.count))
    let batch = min(scenario.client.batch, images)
    let each = scenario.client.work.steps(examples: images, batch: scenario.client.batch)
    steps = visits * Double(each)
    flops = visits * Double(each * batch) * Double(experiment.network.trainingFLOPs)
    bytes = 2 * 4 * visits * Double(experiment.network.layout.trainedCount)
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
    return SweepCost(scenario, images.flatMap { try? Experiment(scenario, data: $0) })
  }
}

/// A sweep before it runs: every run with its state and cost.
public struct SweepListing: Sendable {
  /// One run.
  public struct Row: Sendable {
    /// The run.
    public let run: SweepRun
    /// Its trial.
    public let trial: SweepTrial
    /// "finished", "failed", "not begun", or rounds as "12/40".
    public let state: String
    /// What it takes from its first round to its last.
    public let cost: SweepCost
  }

  /// The runs in their order.
  public let rows: [Row]

  /// Lists the runs of a shard, or all; nothing is run or written.
  ///
  /// Throws what reading the runs' traces gives.
  public init(_ sweep: Sweep, in folder: SweepFolder, shard: SweepShard?) throws(Failure) {
    let progress = try SweepProgress(sweep, folder)
    var estimates = SweepEstimates()
    var rows: [Row] = []
    let costs = Dictionary(
      uniqueKeysWithValues: sweep.trials.map { ($0.number, ($0, estimates.cost(of: $0))) }
    )
    for run in sweep.runs where shard?.owns(run) ?? true {
      guard let (trial, cost) = costs[run.trial], let state = progress.states[run.folder] else {
        continue
      }
      let word =
        if state.isClosed {
          "finished"
        } else if state.failure != nil {
          "failed"
        } else {
          state.hasBegun ? "\(state.round)/\(trial.rounds)" : "not begun"
        }
      let pruned = word != "finished" && progress.isPruned(trial)
      rows.append(
        Row(run: run, trial: trial, state: pruned ? "pruned \(word)" : word, cost: cost)
      )
    }
    self.rows = rows
  }
}

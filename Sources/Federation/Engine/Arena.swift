import Aggregation
import Client
import Tensor

/// Everything that all strategies share under one seed: data, split, network, initial weights,
/// cohorts, workers.
///
/// Constant while they run.
struct Arena {
  /// The experiment.
  let scenario: Scenario
  /// The seed of all random streams.
  let seed: UInt64
  /// Who holds which training images.
  let split: Split
  /// What each client is tested on.
  let localTests: LocalTests
  /// The network and the common initial weights.
  let problem: LearningProblem
  /// Normalised training images.
  let train: BatchLoader
  /// Test images, normalised alike.
  let test: BatchLoader
  /// The cohort of each round.
  let sampler: CohortSampler
  /// The workers.
  let pool: WorkerPool
  /// Their memory.
  let spaces: WorkerSpaces

  /// The network.
  var network: Network { problem.network }

  /// A client in a round, on a worker.
  func device(
    client: Int,
    round: Int,
    examples: [Int],
    worker: Int,
    settings: LocalSettings? = nil,
    firstStep: Int = 0
  ) -> Device {
    Device(
      client: client,
      round: round,
      rounds: scenario.federation.rounds,
      seed: seed,
      examples: examples,
      network: network,
      workspace: spaces[worker],
      loader: train,
      settings: settings ?? problem.settings,
      firstStep: firstStep
    )
  }
}

/// One workspace per worker, made on first use by that worker, so that its pages are its own.
final class WorkerSpaces: @unchecked Sendable {
  // @unchecked: a worker touches only the place of its own number.
  private let places: UnsafeMutablePointer<Workspace?>
  private let count: Int
  private let make: () -> Workspace
  /// Where all of them have their parameters.
  let parameters: ParameterPool

  /// Examples that a workspace holds: a batch of training or of evaluation, never more images than
  /// there are.
  static func capacity(_ network: Network, _ settings: LocalSettings, images: Int) -> Int {
    max(network.microBatch(of: min(settings.batch, images)), network.evaluationBatch)
  }

  /// `capacity`: examples that each holds; by default enough for training and evaluation.
  init(
    _ network: Network,
    _ settings: LocalSettings,
    images: Int,
    workers: Int,
    capacity: Int? = nil
  ) {
    count = workers
    let capacity = capacity ?? Self.capacity(network, settings, images: images)
    // As many spares as uploads can wait: after the first rounds no vector is allocated again.
    let pool = ParameterPool(
      count: network.layout.count,
      limit: WorkerPool(workers: workers).window
    )
    parameters = pool
    make = {
      Workspace(
        network,
        capacity: capacity,
        training: true,
        moments: Optimizer.momentCount(settings.optimizer),
        pool: pool
      )
    }
    places = .allocate(capacity: workers)
    places.initialize(repeating: nil, count: workers)
  }

  deinit {
    places.deinitialize(count: count)
    places.deallocate()
  }

  /// Lets go of models that workers have loaded; while none runs.
  func forgetModels() {
    for worker in 0..<count { places[worker]?.forget() }
  }

  /// The workspace of a worker.
  subscript(worker: Int) -> Workspace {
    precondition(worker >= 0 && worker < count, "WorkerSpaces: worker \(worker) of \(count)")
    if let space = places[worker] { return space }
    let space = make()
    places[worker] = space
    return space
  }
}

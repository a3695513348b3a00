import Aggregation
import Base
import Client
import Data
import Scenario
import Tensor

/// Everything that all strategies share under one seed: data, split, network, initial weights,
/// cohorts, workers.
///
/// Constant while they run.
package struct RunContext: Sendable {
  package let scenario: Scenario
  /// The seed of all random streams.
  package internal(set) var seed: UInt64
  /// Who holds which training images.
  package internal(set) var split: Split
  let localTests: LocalTests
  /// Those of clients that never train for the server; nil without such.
  var unseenTests: LocalTests?
  /// The network and the common initial weights.
  package var problem: LearningProblem
  package private(set) var train: BatchLoader
  /// Test images, normalised alike.
  package private(set) var test: BatchLoader
  package var sampler: CohortSampler
  package let pool: WorkerPool
  /// Their memory, for the server's network.
  package var spaces: WorkerSpaces
  /// Their memory for the networks of `problem.groups`.
  var groupSpaces: [WorkerSpaces] = []
  /// What is done to a generic model's classifier before it is measured.
  var postHoc = PostHoc.none
  /// What message stages work with, each by its type: how clients are protected, how messages are
  /// encoded, devices and links.
  var features = Notes()

  /// Whether every upload is looked through for numbers that are not finite; a pass over each that
  /// only those need who look for the first one.
  var checksUploads = false
  /// Asks whether a round that is under way should be left.
  var stop = StopSign()
  /// Clients of a round that train, for probes that ask only how fast; nil for all.
  package var mostJobs: Int?

  package init(
    scenario: Scenario, seed: UInt64, split: Split, localTests: LocalTests,
    problem: LearningProblem, train: BatchLoader, test: BatchLoader, sampler: CohortSampler,
    pool: WorkerPool, spaces: WorkerSpaces, groupSpaces: [WorkerSpaces] = []
  ) {
    self.scenario = scenario
    self.seed = seed
    self.split = split
    self.localTests = localTests
    self.problem = problem
    self.train = train
    self.test = test
    self.sampler = sampler
    self.pool = pool
    self.spaces = spaces
    self.groupSpaces = groupSpaces
  }

  package var network: Network { problem.network }

  /// A client in a round, on a worker.
  func device(
    client: Int, round: Int, examples: [Int], worker: Int, settings: LocalSettings? = nil,
    phase: StreamAddress.Phase = .training, privacy: PrivateTraining? = nil
  ) -> Device {
    let spaces = spaces(of: client)
    return Device(
      client: client, round: round, rounds: scenario.federation.rounds, seed: seed,
      examples: examples, network: problem.network(of: client), workspace: spaces[worker],
      loader: train, settings: settings ?? problem.settings, phase: phase,
      surroundings: Device.Surroundings(
        publicExamples: split.publicIndices, pooledCounts: problem.pooledCounts,
        makeCompanion: { spaces.companion(worker) }, stop: stop), privacy: privacy)
  }

  /// The server's own computer in a round: worker 0, while no client trains.
  func serverDevice(round: Int, exchange: Int) -> Device {
    device(
      client: problem.clients, round: round, examples: split.publicIndices, worker: 0,
      phase: .server(exchange: exchange))
  }

  /// From now on the frozen network is asked once for the features of each image that comes
  /// without random changes.
  mutating func remembersFeatures() {
    let width = network.featureWidth
    train.features = FeatureMemory(images: train.images.count, width: width)
    test.features = FeatureMemory(images: test.images.count, width: width)
  }

  /// The memory that a client's network needs.
  package func spaces(of client: Int) -> WorkerSpaces {
    problem.groups.firstIndex { $0.clients.contains(client) }.map { groupSpaces[$0] } ?? spaces
  }

  /// Whether networks' passes are only counted from now on.
  package func dryRun(_ isOn: Bool) {
    spaces.isDryRun = isOn
    for spaces in groupSpaces { spaces.isDryRun = isOn }
  }

  /// Floating-point operations of all workers' passes so far.
  package var flops: Int { groupSpaces.reduce(spaces.allFLOPs) { $0 &+ $1.allFLOPs } }

  /// Lets go of models that workers have loaded; while none runs.
  package func forgetModels() {
    spaces.forgetModels()
    for spaces in groupSpaces { spaces.forgetModels() }
  }
}

/// One workspace per worker, made on first use by that worker, so that its pages are its own.
package final class WorkerSpaces: @unchecked Sendable {
  // @unchecked: a worker touches only the place of its own number.
  private let places: UnsafeMutablePointer<Workspace?>
  /// Workers; after their places there are as many for companions.
  private let count: Int
  private let make: () -> Workspace
  /// Where all of them have their parameters.
  package let parameters: ParameterPool

  /// Examples that a workspace holds: a batch of training or of evaluation, never more images than
  /// there are.
  package static func capacity(_ network: Network, _ settings: LocalSettings, images: Int) -> Int {
    max(network.largestMicroBatch(upTo: min(settings.batch, images)), network.evaluationBatch)
  }

  /// `capacity`: examples that each holds; by default enough for training and evaluation.
  package init(
    _ network: Network, _ settings: LocalSettings, images: Int, workers: Int, capacity: Int? = nil
  ) {
    count = workers
    let capacity = capacity ?? Self.capacity(network, settings, images: images)
    // As many spares as uploads can wait: after the first rounds no vector is allocated again.
    let pool = ParameterPool(
      count: network.layout.count, limit: WorkerPool(workers: workers).window)
    parameters = pool
    make = {
      Workspace(
        network, capacity: capacity, training: true,
        moments: Optimizer.momentCount(settings.optimizer), pool: pool)
    }
    places = .allocate(capacity: 2 * workers)
    places.initialize(repeating: nil, count: 2 * workers)
  }

  deinit {
    places.deinitialize(count: 2 * count)
    places.deallocate()
  }

  /// Whether passes are only counted from now on (`Workspace.isDryRun`); while no worker runs.
  var isDryRun = false {
    didSet { for place in 0..<2 * count { places[place]?.isDryRun = isDryRun } }
  }

  /// Floating-point operations of all passes so far.
  var allFLOPs: Int { (0..<count).reduce(0) { $0 &+ flops($1) } }

  /// Lets go of models that workers have loaded; while none runs.
  package func forgetModels() { for place in 0..<2 * count { places[place]?.forget() } }

  /// Floating-point operations of a worker's passes so far, in both of its workspaces.
  package func flops(_ worker: Int) -> Int {
    (places[worker]?.flops ?? 0) &+ (places[count + worker]?.flops ?? 0)
  }

  /// A second workspace of a worker, for methods that look at two models at once.
  func companion(_ worker: Int) -> Workspace {
    precondition(worker >= 0 && worker < count, "WorkerSpaces: worker \(worker) of \(count)")
    return workspace(count + worker)
  }

  package subscript(worker: Int) -> Workspace {
    precondition(worker >= 0 && worker < count, "WorkerSpaces: worker \(worker) of \(count)")
    return workspace(worker)
  }

  private func workspace(_ place: Int) -> Workspace {
    if let space = places[place] { return space }
    let space = make()
    space.isDryRun = isDryRun
    places[place] = space
    return space
  }
}

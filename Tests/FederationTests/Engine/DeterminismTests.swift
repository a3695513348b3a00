import Aggregation
import Federation
import Fixtures
import Tensor
import Testing

/// A federation with every source of randomness, small enough to run dozens of times.
struct RandomFederation: CustomTestStringConvertible, Sendable {
  let name: String
  let model: String
  /// How cohorts are drawn, as JSON.
  var sampling = #""uniform""#

  var testDescription: String { name }

  static let all = [
    RandomFederation(
      name: "dropout, uniform cohorts",
      model: #"{ "kind": "cnn", "width": 4, "dropout": [0.25, 0.5] }"#),
    RandomFederation(
      name: "batch norm, Poisson cohorts",
      model: #"{ "kind": "resnet8", "width": 4, "norm": "batch" }"#, sampling: #""poisson""#),
  ]

  /// Every strategy in the registry, so that a new one is tested without a line here.
  static let kinds = StrategyRegistry.infos.map(\.kind)

  /// Seven clients of unequal sizes, one of them empty; augmentation, shuffling, momentum.
  func experiment(_ kind: String, seeds: String = "[1]") throws -> Experiment {
    let sizes = [9, 3, 0, 14, 6, 5, 11]
    let file = try PartitionFile(sizes: sizes)
    var text = ScenarioText(seeds: seeds, partition: file.json)
    text.augment = #"["crop4", "flip"]"#
    text.normalize = "dataset"
    text.federation = """
      { "clients": 7, "rounds": 4, "participation": 0.7, "sampling": \(sampling) }
      """
    text.model = model
    text.work = #"{ "epochs": 1.5 }"#
    text.order = "shuffled"
    text.optimizer = #"{ "kind": "sgd", "learningRate": 0.02, "momentum": 0.5 }"#
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = [ScenarioText.registered(kind)]
    let images = sizes.reduce(0, +) + ScenarioText.somePublic.spareImages
    return try text.experiment(SmallImages.bytes(train: images))
  }
}

@Suite("Determinism")
struct DeterminismTests {
  @Test(
    "digests, models and measures are the same for 1, 2, 3 and 8 threads",
    arguments: RandomFederation.kinds, RandomFederation.all)
  func threads(
    _ kind: String, _ federation: RandomFederation
  ) throws {
    let experiment = try federation.experiment(kind)
    let reference = try experiment.trial(threads: 1)
    #expect(Set(reference.digests).count == 5)
    for threads in [2, 3, 8] {
      expectEqual(try experiment.trial(threads: threads), reference, "\(threads) threads")
    }
  }

  @Test(
    "a trial that goes through a checkpoint ends as if it had never stopped",
    arguments: RandomFederation.kinds, RandomFederation.all)
  func checkpoints(
    _ kind: String, _ federation: RandomFederation
  ) throws {
    let experiment = try federation.experiment(kind)
    let reference = try experiment.trial()
    for round in [1, 3] {
      let folder = try ScratchFolder()
      expectEqual(
        try experiment.trial(threads: 2, interruptedAfter: round), reference,
        "in memory after round \(round)")
      expectEqual(
        try experiment.trial(interruptedAfter: round, folder: folder.path), reference,
        "through a file after round \(round)")
    }
  }

  @Test("vectors of parameters grow with workers, not with clients", arguments: [1, 2, 3])
  func memory(_ threads: Int) throws {
    var text = ScenarioText()
    text.federation = #"{ "clients": 60, "rounds": 3 }"#
    let experiment = try text.experiment(SmallImages.floats(train: 240))
    // A window of uploads, and each worker's own.
    #expect(try experiment.trial(threads: threads).peakVectors <= 5 * threads)
  }

  @Test("two experiments from one text are equal; another seed is not")
  func seeds() throws {
    let federation = RandomFederation.all[0]
    let first = try federation.experiment("fedavg", seeds: "[1, 2]")
    let second = try federation.experiment("fedavg", seeds: "[1, 2]")
    expectEqual(try first.trial(), try second.trial(), "two experiments")
    let (one, two) = (try first.trial(seed: 0), try first.trial(seed: 1))
    #expect(Set(one.digests).isDisjoint(with: two.digests))
    #expect(one.cohorts != two.cohorts)
  }

  @Test("all strategies meet the same cohorts and start from the same weights")
  func pairing()
    throws
  {
    let federation = RandomFederation.all[1]
    // Asynchronous methods have no cohorts.
    let kinds = RandomFederation.kinds.filter {
      StrategyRegistry[$0]?.needs.contains(.clock) == false
    }
    let trials = try kinds.map { try federation.experiment($0).trial() }
    for trial in trials {
      #expect(trial.cohorts == trials[0].cohorts)
      // Methods that change the network have the same tensors elsewhere, and others besides.
      let common = trial.network.layout.entries.filter { entry in
        let base = trials[0].network.layout[entry.name]
        guard let base else { return false }
        #expect(trial.initial[entry.range] == trials[0].initial[base.range])
        return true
      }
      #expect(!common.isEmpty)
    }
  }

  private func expectEqual(
    _ a: Trial, _ b: Trial, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(a.digests == b.digests, "\(what)", sourceLocation: sourceLocation)
    let equal =
      bits(a.model) == bits(b.model) && a.serverMemory == b.serverMemory
      && a.clientMemories == b.clientMemories && a.clientModels == b.clientModels
      && a.generic == b.generic && a.personal == b.personal
      && a.trainLoss.map(\.bitPattern) == b.trainLoss.map(\.bitPattern) && a.bytesUp == b.bytesUp
      && a.bytesDown == b.bytesDown && a.cohorts == b.cohorts
    #expect(equal, "\(what)", sourceLocation: sourceLocation)
  }
}

import Aggregation
import Base
import Client
import Data
import Fixtures
import Scenario
import Tensor
import Testing

@testable import Federation

/// A frozen network is asked once for an image's features; nothing shows whether it was.
@Suite("Features that are remembered")
struct FeatureMemoryTests {
  static let models = [
    ModelSpec(kind: .vit, width: 12, patch: 4, depth: 1, heads: 3, mlpRatio: 2),
    ModelSpec(kind: .resnet8, width: 4, norm: .batch),
    ModelSpec(kind: .cnn, width: 4, dropout: [0.25, 0.5]),
    ModelSpec(kind: .mlp, width: 1, hidden: [9, 7]),
  ]

  /// FedIns on one of them, without an engine.
  private struct Setting {
    let data = SmallImages.bytes(train: 40)
    let method: FedIns
    let problem: LearningProblem

    init(_ model: ModelSpec, batchAveraged: Bool = false) throws {
      let settings = StrategySettings(
        FedIns.info,
        [
          "poolSize": .integer(5), "matched": .integer(2), "batchAveraged": .flag(batchAveraged),
        ])
      let base = BaseModel(spec: model, input: data.train.shape, classes: 3)
      let adapted = try #require(try FedIns.adapt(settings, base))
      let plain = try Network(model, input: base.input, classes: base.classes)
      problem = LearningProblem(
        network: adapted.network, clients: 1,
        settings: LocalSettings(
          work: .epochs(3), batch: 7, optimizer: OptimizerSpec(learningRate: 0.05, momentum: 0)),
        initial: adapted.initial(plain, plain.layout.initialParameters(.pytorch, seed: 3), 3),
        seed: 3)
      method = FedIns(settings, problem)
    }

    var network: Network { problem.network }

    func loader(_ memory: FeatureMemory?) -> BatchLoader {
      var loader = BatchLoader(data.train, PixelTransform(statisticsOf: data.train, at: [1, 2, 3]))
      loader.features = memory
      return loader
    }

    func memory() -> FeatureMemory {
      FeatureMemory(images: data.train.count, width: network.featureWidth)
    }

    func device(_ memory: FeatureMemory?, augmentation: AugmentationPlan = AugmentationPlan())
      -> Device
    {
      var settings = problem.settings
      settings.augmentation = augmentation
      return Device(
        client: 0, round: 1, rounds: 1, seed: 3, examples: Array(5..<38), network: network,
        workspace: Workspace(network, capacity: 16, training: true), loader: loader(memory),
        settings: settings)
    }

    /// The model after a round, and the operations that were counted.
    func round(_ memory: FeatureMemory?, _ augmentation: AugmentationPlan = AugmentationPlan())
      throws -> (model: [Float], flops: Int)
    {
      var device = device(memory, augmentation: augmentation)
      var own = ClientMemory()
      let received = method.download(ServerState(model: problem.initial), to: 0)
      _ = try method.train(&device, received: received, memory: &own)
      return (device.workspace.currentParameters, device.workspace.flops)
    }
  }

  @Test("a round is the same, bit for bit, without a memory, with a new one and with a full one")
  func rounds() throws {
    for model in Self.models {
      for batchAveraged in [false, true] {
        let setting = try Setting(model, batchAveraged: batchAveraged)
        let memory = setting.memory()
        let plain = try setting.round(nil)
        #expect(plain.model != setting.problem.initial)
        for filled in [0, 33] {
          #expect(memory.count == filled)
          let other = try setting.round(memory)
          #expect(bits(other.model) == bits(plain.model), "\(model.kind)")
          // What a pass costs is counted whether features were there or not.
          #expect(other.flops == plain.flops)
        }
      }
    }
  }

  @Test("features do not depend on who else is in the batch")
  func composition() throws {
    for model in Self.models {
      let setting = try Setting(model)
      let (network, memory) = (setting.network, setting.memory())
      let workspace = Workspace(network, capacity: 16, training: true)
      workspace.load(setting.problem.initial)
      // Filled in one composition, measured in others, against a network that remembers nothing.
      _ = network.measure(workspace, setting.loader(memory), [3, 9, 17, 4, 30, 31, 32, 2])
      for images in [[3], [4, 3, 39, 2, 9], Array(0..<16)] {
        let known = network.measure(workspace, setting.loader(memory), images)
        #expect(known == network.measure(workspace, setting.loader(nil), images), "\(model.kind)")
      }
      #expect(memory.count == 21)
    }
  }

  @Test("images that are changed at random are asked for every time")
  func augmented() throws {
    let setting = try Setting(Self.models[0])
    let memory = setting.memory()
    let flips = AugmentationPlan(flips: true)
    let plain = try setting.round(nil, flips)
    #expect(bits(try setting.round(memory, flips).model) == bits(plain.model))
    #expect(memory.count == 0)
    // What is known of the images as they are does not get in the way.
    _ = try setting.round(memory)
    #expect(memory.count == 33)
    #expect(bits(try setting.round(memory, flips).model) == bits(plain.model))
  }

  @Test("an input that no loader has put there is nobody's image")
  func ownInput() throws {
    let setting = try Setting(Self.models[0])
    let (network, memory) = (setting.network, setting.memory())
    let workspace = Workspace(network, capacity: 4, training: true)
    workspace.load(setting.problem.initial)
    setting.loader(memory).fill(workspace, [1, 2])
    network.forward(workspace, batch: 2, training: false)
    let first = Array(workspace.matches.prefix(2))
    workspace.input.update(repeating: 0.5)
    network.forward(workspace, batch: 2, training: false)
    #expect(workspace.matches[0] == workspace.matches[1])
    #expect(workspace.matches[0] != first[0])
    #expect(memory.count == 2)
  }

  private func experiment(_ change: (inout ScenarioText) -> Void = { _ in }) throws -> Experiment {
    var text = ScenarioText(partition: #"{ "kind": "dirichlet", "alpha": 1 }"#)
    text.model = #"{ "kind": "vit", "width": 12, "patch": 4, "depth": 1, "heads": 3 }"#
    text.federation = #"{ "clients": 5, "rounds": 4 }"#
    text.order = "shuffled"
    text.strategies = [ScenarioText.strategy("fedins", #""poolSize": 5, "matched": 2"#)]
    change(&text)
    return try text.experiment(SmallImages.bytes(train: 60))
  }

  @Test("runs agree for any number of threads, and after an interruption that forgets everything")
  func runs() throws {
    let experiment = try experiment()
    let whole = try experiment.trial()
    for threads in [2, 5] {
      let other = try experiment.trial(threads: threads)
      #expect(other.digests == whole.digests)
      #expect(other.flops == whole.flops)
    }
    let resumed = try experiment.trial(interruptedAfter: 2)
    #expect(resumed.digests == whole.digests)
    #expect(resumed.flops == whole.flops)
  }

  @Test("only a method that asks has a memory, and what it takes at most is added up")
  func need() throws {
    let shared = try experiment { $0.strategies.append(ScenarioText.strategy("fedssf")) }
    let context = shared.context(0, threads: 1)
    let choices = shared.scenario.strategies
    #expect(context.train.features == nil)
    let fedins = try shared.adapted(context, to: choices[0])
    #expect(fedins.train.features != nil && fedins.test.features != nil)
    #expect(fedins.train.features !== fedins.test.features)
    #expect(try shared.adapted(context, to: choices[1]).train.features == nil)
    #expect(FeatureMemory.bytes(images: 10, width: 12) == 10 * (8 + 4 * 12 + 40))
    // A memory has an end, however many images there are.
    let many = FeatureMemory.bytes(images: 100_000_000, width: 768)
    #expect(many < 100_000_000 * 8 + 1_200_000_000)
    for (strategy, isNamed) in [("fedins", true), ("fedssf", false)] {
      let one = try experiment { $0.strategies = [ScenarioText.strategy(strategy)] }
      let parts = one.baseNeed(threads: 1).parts.map(\.what)
      #expect(parts.contains("features of the frozen network") == isNamed)
    }
  }
}

import Records
import Federation
import Fixtures
import Testing

/// What a scenario composes with a method: losses, server optimizers, private groups, heads.
@Suite("Composition")
struct CompositionTests {
  static let sizes = [13, 7, 22]

  private func trials(_ strategies: [String], _ change: (inout ScenarioText) -> Void = { _ in })
    throws -> [Trial]
  {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = strategies
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: Self.sizes.reduce(0, +)))
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  @Test("FedAvg with a private head is FedPer, bit for bit")
  func privateHead() throws {
    let pair = try trials([
      ScenarioText.strategy("fedavg", #""private": ["head"]"#), ScenarioText.strategy("fedper"),
    ])
    #expect(pair[0].digests == pair[1].digests)
    #expect(pair[0].generic == nil)
    for (a, b) in zip(pair[0].clientModels, pair[1].clientModels) {
      #expect(bits(try #require(a)) == bits(try #require(b)))
    }
  }

  @Test("FedAvg with head and body private is local training alone and sends nothing")
  func everythingPrivate() throws {
    let pair = try trials([
      ScenarioText.strategy("fedavg", #""private": ["body", "head"]"#),
      ScenarioText.strategy("local-only"),
    ])
    for (a, b) in zip(pair[0].clientModels, pair[1].clientModels) {
      #expect(bits(try #require(a)) == bits(try #require(b)))
    }
    #expect(pair[0].bytesUp.allSatisfy { $0 == 0 })
  }

  @Test("FedAvg with a server momentum is FedAvgM, bit for bit")
  func serverMomentum() throws {
    let pair = try trials([
      ScenarioText.strategy(
        "fedavg", #""serverOptimizer": { "kind": "sgd", "momentum": 0.9, "learningRate": 0.5 }"#),
      ScenarioText.strategy("fedavgm", #""serverMomentum": 0.9, "serverLearningRate": 0.5"#),
    ])
    #expect(pair[0].digests == pair[1].digests)
  }

  @Test(
    "a loss that is switched off is cross-entropy, bit for bit; one that is not changes the model",
    arguments: [
      (#""loss": { "kind": "focal", "gamma": 0 }"#, true), (#""loss": "focal""#, false),
      (#""loss": { "kind": "logit-adjustment", "tau": 0 }"#, true),
      (#""loss": "balanced-softmax""#, false),
      (#""loss": { "kind": "ldam", "scale": 1, "maxMargin": 0, "reweightFrom": 1 }"#, true),
      (#""loss": "ldam""#, false), (#""loss": "class-balanced""#, false),
    ])
  func losses(_ loss: String, _ isOff: Bool) throws {
    let pair = try trials([ScenarioText.strategy("fedavg", loss), ScenarioText.strategy("fedavg")])
    #expect((bits(pair[0].model) == bits(pair[1].model)) == isOff)
    #expect(pair[0].bytesSetup == 0)
  }

  @Test("a global prior costs every client its counts once, and their sum")
  func globalPrior()
    throws
  {
    let trial = try trials([
      ScenarioText.strategy("fedavg", #""loss": { "kind": "balanced-softmax", "prior": "global" }"#)
    ])[0]
    #expect(trial.bytesSetup == 3 * 2 * 3 * 4)  // clients, directions, classes, bytes
  }

  @Test("a post-hoc head changes what is measured and nothing else")
  func postHoc() throws {
    let all = try trials([
      ScenarioText.strategy("fedavg"),
      ScenarioText.strategy(
        "fedavg", #""postHoc": { "kind": "tau-normalised", "tau": 0, "keepBias": true }"#),
      ScenarioText.strategy("fedavg", #""postHoc": { "kind": "logit-adjustment", "tau": 40 }"#),
    ])
    #expect(all[1].digests == all[0].digests && all[2].digests == all[0].digests)
    #expect(all[1].generic == all[0].generic)
    // So strong an adjustment lets the rarest class win everywhere.
    let recalls = try #require(all[2].generic).perClass
    #expect(recalls.sorted() == [0, 0, 1])
  }
}

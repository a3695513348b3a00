import Base
import Client
import Federation
import Fixtures
import Scenario
import Tensor
import Testing

@Suite("What a strategy's own clients do")
struct OwnClientTests {
  private let data = SmallImages.floats(train: 42)

  /// One strategy with a section `client` of its own.
  private func own(_ client: String, _ kind: String = "fedavg", _ fields: String = "") -> String {
    ScenarioText.strategy(kind, fields + (fields.isEmpty ? "" : ", ") + "\"client\": \(client)")
  }

  private func choice(_ client: String) throws -> Scenario.StrategyChoice {
    var text = ScenarioText()
    text.strategies = [own(client)]
    return try #require(try text.reading().scenario).strategies[0]
  }

  @Test("what is left out is the scenario's, and another kind takes nothing of the first")
  func laidOver() throws {
    let rate = try #require(try choice(#"{ "optimizer": { "learningRate": 0.5 } }"#).client)
    #expect(rate.work == .epochs(2) && rate.batch == 4 && rate.order == .sequential)
    #expect(rate.optimizer == OptimizerSpec(learningRate: 0.5, momentum: 0, weightDecay: 0))
    let steps = try #require(try choice(#"{ "work": { "steps": 7 } }"#).client)
    #expect(steps.work == .steps(7))
    let adam = try #require(
      try choice(#"{ "optimizer": { "kind": "adam", "beta1": 0.5 } }"#).client)
    #expect(
      adam.optimizer
        == OptimizerSpec(kind: .adam, learningRate: 0.001, beta1: 0.5, beta2: 0.999, epsilon: 1e-8))
    let schedule = try #require(
      try choice(#"{ "schedule": { "kind": "cosine", "warmup": 1 } }"#).client)
    #expect(schedule.schedule == LearningRateSchedule(.cosine(floor: 0), warmupRounds: 1))
    #expect(try choice("{}").client == ScenarioText().reading().scenario?.client)
  }

  @Test(
    "a run is that of a scenario that says the same for all, to the bit",
    arguments: ["fedavg", "scaffold", "fedper", "fedprox", "centralised", "ditto"])
  func equals(kind: String) throws {
    let cases: [(own: String, change: (inout ScenarioText) -> Void)] = [
      (#"{ "batch": 7 }"#, { $0.batch = 7 }), (#"{ "batch": 2 }"#, { $0.batch = 2 }),
      (
        #"{ "work": { "steps": 3 }, "order": "shuffled" }"#,
        {
          $0.work = #"{ "steps": 3 }"#
          $0.order = "shuffled"
        }
      ),
      (
        #"{ "optimizer": { "learningRate": 0.02, "weightDecay": 0.1 } }"#,
        {
          $0.optimizer =
            #"{ "kind": "sgd", "learningRate": 0.02, "momentum": 0, "weightDecay": 0.1 }"#
        }
      ),
      (
        #"{ "schedule": { "kind": "step", "every": 1, "factor": 0.5 } }"#,
        {
          $0.schedule = #"{ "kind": "step", "every": 1, "factor": 0.5 }"#
        }
      ),
    ]
    for (client, change) in cases {
      var text = ScenarioText()
      text.strategies = [ScenarioText.strategy("fedavg"), own(client, kind)]
      let mine = try text.experiment(data).trial(strategy: 1)
      var other = ScenarioText()
      other.strategies = [ScenarioText.strategy(kind)]
      change(&other)
      #expect(try other.experiment(data).trial().digests == mine.digests, "\(kind) \(client)")
      // The others are as if nobody had one.
      #expect(
        try text.experiment(data).trial(strategy: 0).digests
          == ScenarioText().experiment(data).trial().digests)
    }
  }

  @Test("moments of an own Adam have their place, whatever the scenario's optimizer keeps")
  func moments() throws {
    var text = ScenarioText()
    text.strategies = [own(#"{ "optimizer": { "kind": "adam" } }"#)]
    let mine = try text.experiment(data).trial(threads: 2, interruptedAfter: 1)
    var other = ScenarioText()
    other.optimizer = #"{ "kind": "adam" }"#
    #expect(try other.experiment(data).trial().digests == mine.digests)
  }

  @Test("the conditions and the resolved scenario say what differs")
  func said() throws {
    var text = ScenarioText()
    text.strategies = [
      ScenarioText.strategy("fedavg"),
      own(#"{ "batch": 8, "optimizer": { "learningRate": 0.5 } }"#, "fedprox"),
    ]
    let lines = try text.experiment(data).conditions
    #expect(lines.contains("clients of fedprox: batch 8, sgd 0.5"))
    #expect(!lines.contains { $0.hasPrefix("clients of fedavg") })
    let resolved = try #require(try text.reading().resolved?["strategies"]?.elements)
    #expect(resolved[0]["client"] == nil)
    #expect(resolved[1]["client"]?["batch"] == 8 && resolved[1]["client"]?["work"] != nil)
    let origins = Dictionary(uniqueKeysWithValues: try text.reading().origins.map { $0 })
    #expect(origins["strategies[1].client.order"] == "client")
    #expect(origins["strategies[1].client.batch"]?.hasPrefix("test.json:") == true)
  }

  @Test(
    "what is wrong or without effect in it is said at its own place",
    arguments: [
      (#"{ "batch": 0 }"#, "fedavg", "E3103", "$.strategies[0].client.batch"),
      (
        #"{ "optimizer": { "momentun": 0 } }"#, "fedavg", "E3101",
        "$.strategies[0].client.optimizer.momentun"
      ),
      (
        #"{ "optimizer": { "kind": "adam" } }"#, "scaffold", "E3302",
        "$.strategies[0].client.optimizer.kind"
      ),
      (
        #"{ "optimizer": { "beta1": 0.5 } }"#, "fedavg", "E3111",
        "$.strategies[0].client.optimizer.beta1"
      ),
      (
        #"{ "work": { "steps": 1, "epochs": 1 } }"#, "fedavg", "E3106",
        "$.strategies[0].client.work.steps"
      ),
      (
        #"{ "optimizer": { "nesterov": true } }"#, "fedavg", "E3207",
        "$.strategies[0].client.optimizer.nesterov"
      ),
      (
        #"{ "schedule": { "kind": "constant", "warmup": 9 } }"#, "fedavg", "W3010",
        "$.strategies[0].client.schedule.warmup"
      ),
      (
        #"{ "schedule": { "kind": "step", "every": 9 } }"#, "fedavg", "W3021",
        "$.strategies[0].client.schedule.every"
      ),
      ("{}", "fedavg", "W3021", "$.strategies[0].client"),
      (#"{ "batch": 4 }"#, "fedavg", "W3021", "$.strategies[0].client"),
      (#"{ "work": { "epochs": 3 } }"#, "fedrep", "W3021", "$.strategies[0].client.work"),
      ("3", "fedavg", "E3102", "$.strategies[0].client"),
    ])
  func wrong(client: String, kind: String, code: String, path: String) {
    var text = ScenarioText()
    text.strategies = [own(client, kind)]
    #expect(text.problems.contains { $0.code == code && $0.path == path }, "\(text.problems)")
    // Nothing that the scenario's own section says is complained about twice.
    #expect(!text.problems.contains { $0.path.hasPrefix("$.client") })
  }

  @Test("what the scenario's section has wrong is said once")
  func once() {
    var text = ScenarioText()
    text.batch = 0
    text.strategies = [own(#"{ "work": { "epochs": 1 } }"#)]
    #expect(text.problems.filter { $0.severity == .error }.map(\.path) == ["$.client.batch"])
  }

  @Test("strategies that differ in nothing else are told apart, equal ones are not")
  func duplicates() {
    var text = ScenarioText()
    text.strategies = [
      ScenarioText.strategy("fedavg"), own(#"{ "batch": 8 }"#), own(#"{ "batch": 4 }"#),
    ]
    let twice = text.problems.filter { $0.code == "W3008" }
    #expect(twice.map(\.path) == ["$.strategies[2]"])
  }
}

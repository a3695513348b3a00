import Aggregation
import Base
import Client
import Federation
import Fixtures
import Scenario
import Testing

/// A method that exchanges predictions: it needs public images, and serves any networks.
private struct PublicMethod: Strategy {
  typealias Fields = NoFields

  static let info = MethodInfo(
    kind: "public-method", title: "", summary: "", source: "", equations: [], messages: [],
    memory: "")
  static let needs: MethodNeeds = [.publicSet, .anyModels]

  init(_ settings: Settings, _ problem: LearningProblem) {}
  func download(_ server: ServerState, to client: Int) -> Payload { .empty }
  func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  { ClientUpdate(.empty, LocalReport()) }
  func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {}
}

private func fedloge(_ fields: String = "") -> String {
  "[{\"kind\": \"fedloge\"\(fields.isEmpty ? "" : ", " + fields)}]"
}
private func model(_ text: String) -> String { "\"model\": {\(text)}" }
private func text(_ dataset: String, _ model: String, _ methods: String = fedloge()) -> String {
  """
  {"fedsim": 1, "data": {"dataset": {\(dataset)}},
  "model": {\(model)}, "federation": {"clients": 10},
  "strategies": \(methods)}
  """
}

@Suite("Methods against their scenario")
struct MethodFitTests {
  private func read(_ text: String) -> ScenarioReading {
    ScenarioReader().read(bytes: Array(text.utf8), file: "s.json")
  }

  static let narrow: [(code: String, line: Int, text: String)] = [
    ("E3320", 5, scenario(top: model("\"kind\": \"mlp\", \"hidden\": [9]"), strategies: fedloge())),
    ("E3320", 5, scenario(top: model("\"kind\": \"logistic\""), strategies: fedloge())),
    ("E3320", 3, text("\"kind\": \"cifar10\", \"path\": \"x\"", "\"width\": 2")),
    ("E3320", 3, text("\"kind\": \"cifar100\", \"path\": \"x\"", "\"kind\": \"resnet20\"")),
    (
      "E3320", 3,
      text("\"kind\": \"cifar100\", \"path\": \"x\", \"labels\": \"coarse\"", "\"width\": 4")
    ),
    (
      "E3320", 3, text("\"kind\": \"mnist\", \"path\": \"x\"", "\"kind\": \"mlp\", \"hidden\": [9]")
    ),
    (
      "E3320", 5,
      scenario(
        top: model("\"kind\": \"mlp\""),
        strategies: "[{\"kind\": \"fedetf\", \"projectionWidth\": 9}]")
    ),
    (
      "E3320", 5,
      scenario(
        top: model("\"kind\": \"mlp\", \"classifier\": \"cosine\""),
        strategies: "[{\"kind\": \"fedavg\", \"postHoc\": \"logit-adjustment\"}]")
    ),
    (
      "E3320", 5,
      scenario(top: model("\"kind\": \"mlp\", \"classifier\": \"cosine\""), strategies: fedloge())
    ),
    (
      "E3322", 5,
      scenario(
        top: "\"clientModels\": [{\"share\": 1, \"model\": {\"kind\": \"mlp\"}}]",
        strategies: "[{\"kind\": \"fedavg\"}]")
    ),
  ]

  @Test("a method that its scenario cannot host is refused without data", arguments: narrow)
  func refused(_ sample: (code: String, line: Int, text: String)) throws {
    let reading = read(sample.text)
    #expect(reading.scenario == nil && reading.resolved == nil)
    let problem = try #require(reading.errors.first, "\(reading.problems)")
    #expect(reading.errors.count == 1)
    #expect(problem.code == sample.code)
    #expect(problem.path == "$.strategies[0]")
    #expect(problem.line == sample.line)
    #expect(problem.hint != nil)
  }

  @Test(
    "what fits, or cannot be known without the data, is not refused",
    arguments: [
      scenario(top: model("\"kind\": \"mlp\", \"hidden\": [20]"), strategies: fedloge()),
      text("\"kind\": \"cifar100\", \"path\": \"x\"", "\"kind\": \"resnet18\""),
      text("\"kind\": \"npy\", \"path\": \"x\"", "\"kind\": \"mlp\", \"hidden\": [2]"),
      text(
        "\"kind\": \"mnist\", \"path\": \"x\", \"prefix\": \"emnist-letters-\"",
        "\"kind\": \"mlp\", \"hidden\": [9]"),
      // Two of ten classes are for pre-training.
      scenario(
        top: model("\"kind\": \"mlp\", \"hidden\": [8], \"pretrain\": {\"classes\": [0, 1]}"),
        strategies: fedloge()),
      scenario(
        top: "\"clientModels\": [{\"share\": 1, \"model\": {\"kind\": \"mlp\"}}]",
        strategies: "[{\"kind\": \"local-only\"}]"),
    ])
  func accepted(_ text: String) { #expect(read(text).errors.isEmpty, "\(read(text).problems)") }

  @Test("what to know of a method is a warning of the scenario, or of data that it did not know")
  func cautions() throws {
    let masked = read(
      scenario(top: model("\"kind\": \"mlp\""), strategies: fedloge("\"mask\": true")))
    let warning = try #require(masked.warnings.first { $0.code == "W3020" })
    #expect(warning.path == "$.strategies[0]")
    #expect(warning.message.contains("class masking"))
    let narrow = read(
      scenario(top: model("\"kind\": \"mlp\", \"hidden\": [12]"), strategies: fedloge()))
    #expect(narrow.warnings.contains { $0.message.contains("too few free entries") })
    // The scenario has said it: the experiment does not say it again.
    let told = try Experiment(try #require(narrow.scenario), data: SmallImages.floats(train: 40))
    #expect(!told.warnings.contains { $0.contains("too few free entries") })

    let etf = "[{\"kind\": \"fedetf\"}]"
    for (hidden, isWide) in [(8, false), (9, true)] {
      let text = scenario(top: model("\"kind\": \"mlp\", \"hidden\": [\(hidden)]"), strategies: etf)
      #expect(read(text).errors.isEmpty)
      #expect(read(text).warnings.contains { $0.message.contains("span too little") } != isWide)
    }
    for (loss, isScaled) in [("cross-entropy", false), ("ldam", true)] {
      let text = scenario(
        top: model("\"kind\": \"mlp\", \"classifier\": \"cosine\""),
        strategies: "[{\"kind\": \"fedavg\", \"loss\": \"\(loss)\"}]")
      #expect(read(text).errors.isEmpty)
      #expect(read(text).warnings.contains { $0.message.contains("between -1 and 1") } != isScaled)
    }

    let unknown = read(
      text("\"kind\": \"npy\", \"path\": \"x\"", "\"kind\": \"mlp\"", fedloge("\"mask\": true")))
    #expect(!unknown.warnings.contains { $0.code == "W3020" })
    let experiment = try Experiment(
      try #require(unknown.scenario), data: SmallImages.floats(train: 40))
    #expect(experiment.warnings.contains { $0.contains("is with class masking") })
  }

  @Test("a network that only the data reveal as too narrow is refused before anything is written")
  func atRunTime() throws {
    let reading = read(
      text("\"kind\": \"npy\", \"path\": \"x\"", "\"kind\": \"mlp\", \"hidden\": [2]"))
    let made = try #require(reading.scenario)
    expectFailure(.scenarioInvalid, "E3320", ["fedloge", "2 features"]) {
      _ = try Experiment(made, data: SmallImages.floats(train: 40))
    }
  }

  @Test("needs are a public set and one network, unless the method says otherwise")
  func needs() {
    func codes(_ type: any Strategy.Type, _ set: Bool, _ models: Bool) -> [String] {
      MethodFit(type, StrategySettings(type.info)).misfits(
        hasPublicSet: set, hasClientModels: models
      ).map(\.code)
    }
    #expect(codes(PublicMethod.self, false, false) == ["E3321"])
    #expect(codes(PublicMethod.self, true, true) == [])
    #expect(codes(FedAvg.self, false, true) == ["E3322"])
    #expect(codes(FedAvg.self, false, false) == [])
  }
}

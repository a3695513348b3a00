import Base
import Data
import Federation
import Scenario
import Tensor
import Testing

/// A method that nobody asks what it needs.
private let anyModels = "[{\"kind\": \"controlled\"}]"

@Suite("Public images, styles, pre-training and groups in scenarios")
struct ScenarioSetsTests {
  @Test("a scenario with every such section gives every value")
  func everything() throws {
    let reading = read(setsScenario)
    let made = try #require(reading.scenario, "\(reading.problems)")
    #expect(made.data.publicSet == .init(size: 100))
    #expect(made.data.styles == .init(kinds: [.plain, .invert, .blur], perClient: 2))
    #expect(made.data.partition == .dirichletPrior(alpha: 0.3, perClient: 20, minPerClass: 0))
    let pretrain = try #require(made.pretrain)
    #expect(pretrain.source == .classes([2, 7]))
    #expect(pretrain.epochs == 4)
    #expect(pretrain.optimizer.kind == .adam)
    #expect(pretrain.schedule == LearningRateSchedule(.step(every: 2, factor: 0.5)))
    #expect(pretrain.augment == [.flip])
    #expect(pretrain.seed == 9)
    #expect(made.clientModels.map(\.clients) == [0..<5, 5..<8, 8..<10])
    #expect(made.clientModels.map(\.model.kind) == [.cnn, .resnet8, .mlp])
    #expect(made.model.kind == .resnet8)
    #expect(made.model(of: 4).kind == .cnn)
    #expect(made.model(of: 9).hidden == [12])
    #expect(made.model(of: 10) == made.model)
  }

  @Test("images are as wide as high unless said; without the field nothing stands in its place")
  func resize() throws {
    let square = read(scenario(data: "\"resize\": {\"height\": 48}"))
    let made = try #require(square.scenario, "\(square.problems)")
    #expect(made.data.resize == .init(height: 48, width: 48))
    #expect(made.data.knownImages?.shape == FeatureShape(height: 48, width: 48, channels: 3))
    let oblong = read(scenario(data: "\"resize\": {\"height\": 48, \"width\": 20}"))
    #expect(oblong.scenario?.data.resize == .init(height: 48, width: 20))
    let plain = read(scenario())
    #expect(plain.scenario?.data.resize == nil && plain.resolved?["data"]?["resize"] == nil)
    #expect(!plain.warnings.contains { $0.code == "W3014" })
    let same = read(scenario(data: "\"resize\": {\"height\": 32}"))
    #expect(same.warnings.contains { $0.code == "W3014" && $0.path == "$.data.resize" })
  }

  @Test("pre-training has its own defaults, and those of the clients' augmentation")
  func defaults()
    throws
  {
    let base = scenario(
      data: "\"augment\": [\"flip\"]", top: "\"model\": {\"pretrain\": {\"images\": 50}}")
    let pretrain = try #require(read(base).scenario?.pretrain)
    #expect(pretrain == PretrainSettings(source: .images(50), augment: [.flip]))
    #expect(
      pretrain.optimizer == OptimizerSpec(learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4))
    #expect(pretrain.schedule == LearningRateSchedule(.cosine(floor: 0)))
    #expect((pretrain.epochs, pretrain.batch, pretrain.seed) == (30, 128, 0))
    let plain = try #require(read(scenario()).scenario)
    #expect(plain.pretrain == nil && plain.data.publicSet == nil && plain.data.styles == nil)
    #expect(plain.clientModels.isEmpty)
    let resolved = try #require(read(scenario()).resolved)
    #expect(resolved["clientModels"] == nil && resolved["model"]?["pretrain"] == nil)
  }

  @Test(
    "defaults inside a group's model follow that model",
    arguments: [
      ("{}", "width", "32"), ("{\"width\": 12}", "norm.groups", "6"),
      ("{\"kind\": \"resnet20\"}", "width", "16"), ("{\"width\": 7}", "norm.groups", "7"),
      ("{\"kind\": \"lenet5\", \"norm\": \"group\"}", "norm.groups", "2"),
      ("{\"kind\": \"mlp\"}", "hidden", "[128]"),
    ])
  func nested(model: String, path: String, value: String) throws {
    let text = scenario(
      top: "\"model\": {\"width\": 40}, \"clientModels\": [{\"share\": 0.5}, "
        + "{\"share\": 0.5, \"model\": \(model)}]", strategies: anyModels)
    let reading = read(text)
    var json = try #require(reading.resolved?["clientModels"]?.elements?[1]["model"])
    for key in path.split(separator: ".") { json = try #require(json[String(key)]) }
    #expect(json.compact == value)
    let origins = Dictionary(uniqueKeysWithValues: reading.origins.map { ($0.path, $0.origin) })
    #expect(origins["clientModels[0].share"] == "s.json:6")
    #expect(origins["clientModels[1].model.\(path)"] != nil)
  }

  @Test("groups follow one another and share the clients out by largest remainders")
  func groups()
    throws
  {
    for (clients, shares, sizes) in [
      (10, [0.5, 0.5], [5, 5]), (3, [0.5, 0.5], [2, 1]), (10, [0.33, 0.33, 0.34], [3, 3, 4]),
      (7, [0.2, 0.3, 0.5], [1, 2, 4]), (1, [1], [1]),
      (10, [Double](repeating: 0.1, count: 10), [Int](repeating: 1, count: 10)),
    ] as [(Int, [Double], [Int])] {
      let list = shares.map { "{\"share\": \($0)}" }.joined(separator: ", ")
      let text = scenario(
        top: "\"federation\": {\"clients\": \(clients)}, \"clientModels\": [\(list)]",
        strategies: anyModels)
      let groups = try #require(read(text).scenario).clientModels
      #expect(groups.map(\.clients.count) == sizes)
      #expect(groups.flatMap { Array($0.clients) } == Array(0..<clients))
    }
  }

  @Test("an override reaches into a group and into pre-training")
  func overrides() throws {
    let set = ["clientModels[0].model.width=8", "model.pretrain.optimizer.learningRate=0.5"]
    let made = try #require(read(setsScenario, set: set).scenario)
    #expect(made.clientModels[0].model.width == 8)
    #expect(made.pretrain?.optimizer.learningRate == 0.5)
  }

  @Test("client styles default to all that are listed")
  func styles() throws {
    let text = scenario(data: "\"styles\": {\"kinds\": [\"plain\", \"flip\", \"blur\"]}")
    #expect(try #require(read(text).scenario).data.styles?.perClient == 3)
  }

  @Test("the limits of what can be held out are met exactly")
  func limits() {
    #expect(read(scenario(data: "\"public\": {\"size\": 4980}")).errors.isEmpty)
    let prior = { (text: String) in
      scenario(data: "\"partition\": {\"kind\": \"dirichlet-prior\", \"alpha\": 1, \(text)}")
    }
    #expect(read(prior("\"perClient\": 250")).errors.isEmpty)
    #expect(read(prior("\"minPerClass\": 25")).errors.isEmpty)
    #expect(
      read(scenario(data: "\"public\": {\"size\": 4000}, \"longTail\": {\"factor\": 100}")).errors
        .allSatisfy { $0.code != "E3205" })
  }

  @Test("conditions say what was held out, styled, pre-trained and grouped")
  func conditions()
    throws
  {
    let text = """
      {"fedsim": 1, "data": {"dataset": {"kind": "synthetic", "trainPerClass": 20,
        "testPerClass": 2}, "public": {"size": 40}, "longTail": {"factor": 2},
        "styles": {"kinds": ["invert", "blur"]}},
       "federation": {"clients": 4}, "client": {"batch": 8},
       "model": {"kind": "cnn", "width": 4, "pretrain": {"images": 60, "epochs": 2}},
       "clientModels": [{"share": 0.5, "model": {"kind": "logistic"}},
                        {"share": 0.5, "model": {"kind": "cnn", "width": 8}}],
       "strategies": \(anyModels)}
      """
    let made = try #require(read(text).scenario, "\(read(text).problems)")
    let lines = try Experiment(made).conditions
    #expect(
      lines.contains(
        "held out first, class-balanced: 40 public images, 60 for pre-training; the long tail "
          + "starts at 10 images of the rest"))
    #expect(lines.contains("pre-trained on 60 images: 2 epochs, batch 128, sgd 0.05, seed 0"))
    #expect(
      lines.contains("image styles invert, blur: 2 per client, all of them in the test images"))
    #expect(lines.contains("models of clients 0-1 logistic; 2-3 cnn width 8"))
  }
}

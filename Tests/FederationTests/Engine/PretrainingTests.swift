import Client
import Data
import Federation
import Fixtures
import Scenario
import Tensor
import Testing

@Suite("Starting points: pre-training, groups of networks, styles")
struct PretrainingTests {
  /// The first 18 images, for three clients.
  private let file: PartitionFile

  init() throws { file = try PartitionFile(sizes: [6, 6, 6]) }

  private func text() throws -> ScenarioText {
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 1 }"#
    text.strategies = [ScenarioText.strategy("fedavg")]
    return text
  }

  private let pretrain = """
    { "images": 12, "epochs": 3, "batch": 4, "seed": 7, "schedule": { "kind": "constant" },
      "optimizer": { "kind": "sgd", "learningRate": 0.1, "momentum": 0, "weightDecay": 0 } }
    """

  @Test("pre-training is local training on those images, bit for bit, but for a new classifier")
  func isLocalTraining() throws {
    let data = SmallImages.floats(train: 60)
    var text = try text()
    text.model = #"{ "kind": "mlp", "hidden": [6], "pretrain": \#(pretrain) }"#
    let experiment = try text.experiment(data)
    let start = try experiment.trial().initial
    let images = experiment.splits[0].pretrainIndices
    #expect(images.count == 12)
    #expect(Set(images).isDisjoint(with: experiment.splits[0].clients.flatMap { $0 }))

    var alone = try self.text()
    let file = try PartitionFile(clients: [images])
    alone.partition = file.json
    alone.seeds = "[7]"
    alone.federation = #"{ "clients": 1, "rounds": 3 }"#
    (alone.work, alone.order) = (#"{ "epochs": 1 }"#, "shuffled")
    alone.strategies = [ScenarioText.strategy("local-only")]
    let expected = try #require(try alone.experiment(data).trial().clientModels[0])
    let body = start.count - (6 + 1) * 3
    #expect(bits(Array(start[..<body])) == bits(Array(expected[..<body])))
    #expect(start[body...] != expected[body...])

    // The classifier is the run's own, as without pre-training.
    let plain = try self.text().experiment(data).trial().initial
    #expect(bits(Array(start[body...])) == bits(Array(plain[body...])))
    #expect(start[..<body] != plain[..<body])
  }

  @Test("a strategy that takes no pre-training starts as if there were none")
  func perStrategy() throws {
    let data = SmallImages.floats(train: 60)
    var text = try text()
    text.model = #"{ "kind": "mlp", "hidden": [6], "pretrain": \#(pretrain) }"#
    let trained = try text.experiment(data).trial()
    text.strategies = [
      ScenarioText.strategy("fedavg", #""pretrained": false"#),
      ScenarioText.strategy("fedavg", #""label": "b", "pretrained": true"#),
      ScenarioText.strategy("fedavg", #""label": "c""#),
    ]
    let experiment = try text.experiment(data)
    let plain = try self.text().experiment(data).trial()
    #expect(bits(try experiment.trial().initial) == bits(plain.initial))
    for place in [1, 2] {
      let other = try experiment.trial(strategy: place)
      #expect(bits(other.initial) == bits(trained.initial))
      #expect(other.digests == trained.digests)
    }
    let lines = experiment.conditions
    #expect(lines.contains { $0.hasSuffix("seed 7; from model.init start fedavg") }, "\(lines)")
  }

  @Test("where nobody starts from it, nothing is pre-trained, and that is said")
  func unused() throws {
    let fixture = try RunFixture {
      $0.model = #"{ "kind": "mlp", "hidden": [6], "pretrain": \#(pretrain) }"#
      $0.partition = #"{ "kind": "iid" }"#
      $0.strategies = [ScenarioText.strategy("fedavg", #""pretrained": false"#)]
    }
    try fixture.run("out")
    #expect(try !fixture.files("out").contains { $0.hasPrefix("pretrained/") })
    var text = try text()
    text.strategies = [ScenarioText.strategy("fedavg", #""pretrained": false"#)]
    #expect(
      text.problems.contains { $0.path == "$.strategies[0].pretrained" && $0.code == "W3021" })
    text.model = #"{ "kind": "mlp", "hidden": [6], "pretrain": \#(pretrain) }"#
    text.partition = #"{ "kind": "iid" }"#
    #expect(text.problems.contains { $0.path == "$.model.pretrain" && $0.code == "W3021" })
    text.strategies.append(ScenarioText.strategy("fedavg", #""label": "b""#))
    #expect(!text.problems.contains { $0.code == "W3021" })
    text.strategies = [ScenarioText.strategy("linear-probe", #""pretrained": false"#)]
    #expect(text.problems.contains { $0.code == "W3030" })
  }

  @Test("one backbone serves all seeds, is kept in the folder, and read again by a resumed run")
  func isKept() throws {
    let fixture = try RunFixture {
      $0.seeds = "[1, 2]"
      $0.partition = #"{ "kind": "iid" }"#
      $0.model = #"{ "kind": "mlp", "hidden": [6], "pretrain": \#(pretrain) }"#
      $0.federation = #"{ "clients": 3, "rounds": 3 }"#
    }
    try fixture.run("whole")
    let kept = try fixture.files("whole").filter { $0.hasPrefix("pretrained/") }
    #expect(kept.count == 1)
    try fixture.run("parts", stopAfter: 2)
    try fixture.run("parts", continues: true)
    for seed in [1, 2] {
      let name = "fedavg-s\(seed)/digest.txt"
      #expect(try fixture.lines("whole/\(name)") == fixture.lines("parts/\(name)"))
    }
    #expect(
      try fixture.bytes("whole/\(try #require(kept.first))")
        == fixture.bytes("parts/\(try #require(kept.first))"))
  }

  @Test("classes that are learnt beforehand are nobody's afterwards")
  func classes() throws {
    var text = try text()
    text.partition = #"{ "kind": "iid" }"#
    text.model = """
      { "kind": "mlp", "hidden": [6], "pretrain": { "classes": [1, 3], "epochs": 1 } }
      """
    text.classes = 5
    let data = SmallImages.floats(train: 60, classes: 5)
    let experiment = try text.experiment(data)
    #expect(experiment.network.classes == 3)
    #expect(
      experiment.splits[0].classCounts
        == [0, 2, 4].map { label in data.train.labels.count { $0 == label } })
    #expect(try experiment.trial().initial.count == (24 + 1) * 6 + (6 + 1) * 3)
  }

  @Test("clients of a group train their own network, as they would if all had it, bit for bit")
  func groups() throws {
    let data = SmallImages.floats(train: 18)
    let other = #"{ "kind": "mlp", "hidden": [5, 4] }"#
    var text = try text()
    text.strategies = [ScenarioText.strategy("local-only")]
    let plain = try text.experiment(data).trial().clientModels
    text.clientModels = """
      [{ "share": 0.6666666666666666, "model": \(text.model) },
       { "share": 0.3333333333333334, "model": \(other) }]
      """
    let mixed = try text.experiment(data).trial(threads: 2).clientModels
    text.clientModels = nil
    text.model = other
    let others = try text.experiment(data).trial().clientModels
    for (client, expected) in [plain[0], plain[1], others[2]].enumerated() {
      #expect(bits(try #require(mixed[client])) == bits(try #require(expected)))
    }
  }

  @Test("styled images are what clients learn from and are measured on")
  func styles() throws {
    let data = SmallImages.bytes(train: 18)
    var text = try text()
    let plain = try text.experiment(data).trial()
    text.styles = #"{ "kinds": ["plain"], "perClient": 1 }"#
    #expect(try text.experiment(data).trial().digests == plain.digests)
    text.styles = #"{ "kinds": ["invert"], "perClient": 1 }"#
    let inverted = try text.experiment(data).trial()
    #expect(inverted.digests != plain.digests)
    // The same as inverting the data beforehand.
    text.styles = nil
    func inverse(_ set: ImageSet) -> ImageSet {
      guard case .bytes(let bytes) = set.pixels else { return set }
      return ImageSet(
        shape: set.shape, pixels: .bytes(bytes.map { 255 - $0 }), labels: set.labels,
        classes: set.classes)
    }
    let given = LabelledData(
      title: data.title, train: inverse(data.train), test: inverse(data.test))
    let expected = try text.experiment(given).trial()
    #expect(expected.digests == inverted.digests)
    #expect(expected.generic == inverted.generic)
  }
}

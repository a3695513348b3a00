import Base
import Client
import Data
import Federation
import Fixtures
import Records
import Scenario
import Tensor
import TestSupport
import Testing

/// What must hold whatever network is frozen: identities, bytes, and what never moves.
@Suite("Methods on a frozen network")
struct FrozenMethodTests {
  /// A model, Σ_s d_s of its sites, and D.
  struct Backbone: CustomTestStringConvertible, Sendable {
    let model: String
    let channels: Int
    let features: Int
    var shape = FeatureShape(height: 8, width: 8, channels: 3)
    var testDescription: String { model }

    static let all = [
      // 4·(2 + 4), 8·6 and 16·6: convolutions, norms, and those of two shortcuts.
      Backbone(
        model: #"{ "kind": "resnet8", "width": 4, "norm": "batch" }"#, channels: 24 + 48 + 96,
        features: 16),
      Backbone(
        model: #"{ "kind": "resnet8", "width": 4, "norm": { "kind": "group", "groups": 2 } }"#,
        channels: 24 + 48 + 96, features: 16),
      // Patches; norm, qkv, projection, norm, hidden layer and its projection; last norm.
      Backbone(
        model: """
          { "kind": "vit", "width": 12, "patch": 4, "depth": 1, "heads": 3, "mlpRatio": 2 }
          """, channels: 12 + (12 + 36 + 12 + 12 + 24 + 12) + 12, features: 12),
      Backbone(
        model: #"{ "kind": "cnn", "width": 4, "norm": "none", "dropout": [0.25, 0.5] }"#,
        channels: 4 + 8 + 16, features: 16),
      Backbone(model: #"{ "kind": "mlp", "hidden": [9, 7] }"#, channels: 16, features: 7),
      Backbone(
        model: #"{ "kind": "lenet5", "width": 3, "norm": "none" }"#, channels: 3 + 8 + 60 + 42,
        features: 42, shape: FeatureShape(height: 28, width: 28, channels: 1)),
    ]
  }

  private static let methods = ["fedins", "fedssf", "linear-probe"]

  @Test(
    "two rounds train the part that travels and nothing else; bytes are the formula's",
    arguments: Backbone.all)
  func twoRounds(_ backbone: Backbone) throws {
    let file = try PartitionFile(sizes: [9, 6, 12])
    var text = ScenarioText(partition: file.json)
    text.model = backbone.model
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = [
      ScenarioText.strategy("fedins", #""poolSize": 5, "matched": 2"#),
      ScenarioText.strategy("fedssf"), ScenarioText.strategy("linear-probe"),
    ]
    let data = SmallImages.bytes(train: 27, shape: backbone.shape)
    let experiment = try text.experiment(data)
    let (sites, d, classes) = (2 * backbone.channels, backbone.features, 3)
    let floats = [
      5 * (sites + d + classes * (d + 1)), sites + classes * (d + 1), classes * (d + 1),
    ]
    for (index, kind) in Self.methods.enumerated() {
      let trial = try experiment.trial(strategy: index, threads: 2)
      #expect(trial.bytesUp == [Int](repeating: 3 * 4 * floats[index], count: 2), "\(kind)")
      #expect(trial.bytesDown == trial.bytesUp)
      #expect(trial.bytesSetup == 0 && trial.clientMemories.isEmpty)
      #expect(trial.trainLoss.allSatisfy { $0.isFinite })
      #expect(try #require(trial.generic).loss.isFinite)
      let layout = trial.network.layout
      #expect(layout.trainedCount == floats[index])
      for entry in layout.entries {
        let (before, after) = (trial.initial[entry.range], trial.model[entry.range])
        #expect((before == after) == (entry.role == .frozen), "\(kind): \(entry.name)")
      }
    }
  }

  private func trials(_ strategies: [String], _ change: (inout ScenarioText) -> Void = { _ in })
    throws -> [Trial]
  {
    let sizes = [13, 7, 22]
    let file = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 3 }"#
    text.order = "shuffled"
    text.strategies = strategies
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: sizes.reduce(0, +)))
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  @Test("federated SSF is FedIns with one entry and λ = 0, to rounding, but for the key")
  func oneEntry() throws {
    let pair = try trials([
      ScenarioText.strategy("fedssf"),
      ScenarioText.strategy("fedins", #""poolSize": 1, "matched": 1, "matchingWeight": 0"#),
    ])
    let layout = pair[0].network.layout
    for entry in layout.entries {
      let twin = try #require(pair[1].network.layout[entry.name])
      #expect(pair[0].initial[entry.range] == pair[1].initial[twin.range], "\(entry.name)")
      for (a, b) in zip(pair[0].model[entry.range], pair[1].model[twin.range]) {
        #expect(abs(a - b) <= 1e-5, "\(entry.name)")
      }
    }
    let key = try #require(pair[1].network.layout["pool.keys"])
    #expect(pair[1].network.layout.entries.count == layout.entries.count + 1)
    #expect(pair[1].model[key.range] == pair[1].initial[key.range])
    #expect(pair[0].model != pair[0].initial)
    #expect(zip(pair[1].bytesUp, pair[0].bytesUp).allSatisfy { $0 - $1 == 3 * 4 * 6 })
  }

  @Test("linear probing of a model that is nothing but a classifier is FedAvg, bit for bit")
  func onlyClassifier() throws {
    let pair = try trials([ScenarioText.strategy("fedavg"), ScenarioText.strategy("linear-probe")])
    { $0.model = #"{ "kind": "logistic" }"# }
    #expect(pair[0].digests == pair[1].digests)
  }

  @Test("pools count alike, whatever the scenario says of weights, unless the field leaves it so")
  func weights() throws {
    func digests(_ kind: String, _ fields: String, _ weighting: String) throws -> [String] {
      try trials([ScenarioText.strategy(kind, fields)]) {
        $0.federation = #"{ "clients": 3, "rounds": 2, "weighting": "\#(weighting)" }"#
      }[0].digests
    }
    for kind in ["fedins", "fedssf"] {
      let uniform = try digests(kind, "", "uniform")
      #expect(try digests(kind, "", "samples") == uniform)
      #expect(try digests(kind, #""weighting": "scenario""#, "uniform") == uniform)
      #expect(try digests(kind, #""weighting": "scenario""#, "samples") != uniform)
    }
  }

  @Test("clients that send the same pool leave it as it is", arguments: ["fedins", "fedssf"])
  func fixedPoint(_ kind: String) throws {
    // Three clients with copies of the same images, in the same order.
    let one = SmallImages.floats(train: 12)
    guard case .floats(let pixels) = one.train.pixels else { return }
    let copies = ImageSet(
      shape: one.train.shape, pixels: .floats(pixels + pixels + pixels),
      labels: one.train.labels + one.train.labels + one.train.labels, classes: 3)
    func run(_ clients: Int) throws -> Trial {
      let file = try PartitionFile(clients: (0..<clients).map { k in Array(12 * k..<12 * (k + 1)) })
      var text = ScenarioText(partition: file.json)
      text.federation = #"{ "clients": \#(clients), "rounds": 1 }"#
      text.strategies = [ScenarioText.strategy(kind)]
      return try text.experiment(LabelledData(title: "", train: copies, test: one.test)).trial()
    }
    let (alone, together) = (try run(1), try run(3))
    #expect(alone.initial == together.initial && alone.model != alone.initial)
    for (a, b) in zip(alone.model, together.model) { #expect(abs(a - b) <= 2 * max(a.ulp, 1e-8)) }
  }

  @Test("a private head stays at its client; the rest of the pool is averaged")
  func privateHead()
    throws
  {
    let trial = try trials([
      ScenarioText.strategy("fedins", #""poolSize": 4, "matched": 2, "private": ["head"]"#)
    ])[0]
    let layout = trial.network.layout
    #expect(trial.generic == nil)
    #expect(trial.bytesUp == [Int](repeating: 3 * 4 * 4 * (2 * 6 + 6), count: 3))
    let head = try #require(layout["pool.head.weight"])
    let scale = try #require(layout["pool.fc1.scale"])
    let models = try trial.clientModels.map { try #require($0) }
    #expect(models[0][head.range] != models[1][head.range])
    for model in models { #expect(model[scale.range] == trial.model[scale.range]) }
  }

  @Test("what makes no pool, or leaves nothing to adapt, is refused at validation")
  func refusals()
    throws
  {
    func expectRefusal(_ strategy: String, _ words: [String], model: String? = nil) {
      var text = ScenarioText()
      if let model { text.model = model }
      text.strategies = [strategy]
      let errors = text.problems.filter { $0.severity == .error }
      #expect(errors.map(\.code) == ["E3301"])
      for word in words { #expect(errors.allSatisfy { $0.message.contains(word) }) }
    }
    expectRefusal(ScenarioText.strategy("fedins", #""poolSize": 3, "matched": 4"#), ["4 of 3"])
    for kind in ["fedins", "fedssf"] {
      expectRefusal(ScenarioText.strategy(kind), ["logistic"], model: #"{ "kind": "logistic" }"#)
    }
  }

  @Test("a transformer out of a file with timm's names is the backbone", arguments: methods)
  func transformerFile(_ kind: String) throws {
    let spec = ModelSpec(kind: .vit, width: 12, patch: 4, depth: 2, heads: 3, mlpRatio: 2)
    let image = FeatureShape(height: 8, width: 8, channels: 3)
    // Trained on 21 classes.
    let trained = try Network(spec, input: image, classes: 21)
    var values = trained.layout.initialParameters(.timm, seed: 77)
    var stream = RandomStream(seed: 5, .test)
    for i in values.indices { values[i] += Float(0.1 * stream.gaussian()) }
    let file = trained.layout.safetensors(values)
    for name in ["cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.1.mlp.fc2.bias"] {
      #expect(file.items.contains { $0.name == name }, "\(name)")
    }
    let folder = try ScratchFolder()
    let path = try folder.write("vit.safetensors", file.encoded())
    var text = ScenarioText()
    text.model = """
      { "kind": "vit", "width": 12, "patch": 4, "depth": 2, "heads": 3, "mlpRatio": 2,
        "init": { "kind": "file", "path": "\(path)", "head": "fresh" } }
      """
    text.strategies = [ScenarioText.strategy(kind)]
    let trial = try text.experiment(SmallImages.bytes(train: 27)).trial()
    var frozen = 0
    for entry in trial.network.layout.entries where entry.role == .frozen {
      let source = try #require(trained.layout[entry.name])
      #expect(trial.model[entry.range] == values[source.range], "\(entry.name)")
      frozen += entry.range.count
    }
    #expect(frozen == values.count - 21 * 13)
    #expect(trial.trainLoss.allSatisfy { $0.isFinite } && trial.model != trial.initial)
  }
}

import Client
import Data
import Federation
import Fixtures
import Scenario
import Tensor
import Testing

@Suite("FedBN: private normalisation")
struct FedBNTests {
  static let sizes = [12, 8, 16]

  private func text(_ file: PartitionFile, _ model: String) -> ScenarioText {
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
    text.model = model
    text.optimizer = ScenarioText.Optimizers.momentum
    return text
  }

  @Test("it is FedAvg with the scenario's private norms, in every digest")
  func composed() throws {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = text(file, #"{ "kind": "resnet8", "width": 4, "norm": "batch" }"#)
    text.strategies = [
      ScenarioText.strategy("fedbn"), ScenarioText.strategy("fedavg", #""private": ["norm"]"#),
    ]
    let experiment = try text.experiment(SmallImages.bytes(train: 36))
    let pair = try (0..<2).map { try experiment.trial(strategy: $0) }
    #expect(pair[0].digests == pair[1].digests)
    #expect(pair[0].generic == nil && pair[0].personal == pair[1].personal)
  }

  /// Averaging written out by tensors' names: the engine trains single clients, and nothing else of
  /// it is used.
  @Test(
    "three rounds by hand: norms stay, all else is averaged, to the bit; bytes of both",
    arguments: ["batch", "group"])
  func byHand(_ norm: String) throws {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.bytes(train: 36)
    var text = text(file, #"{ "kind": "resnet8", "width": 4, "norm": "\#(norm)" }"#)
    text.strategies = [ScenarioText.strategy("fedbn")]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let network = experiment.network
    let settings = try #require(try text.reading().scenario).client

    // In this network convolutions have no bias: what has one dimension and is not the
    // classifier's is a norm's.
    let norms = network.layout.entries.filter { $0.shape.count == 1 && $0.layer != "fc" }
    #expect(norms.count == (norm == "batch" ? 4 : 2) * 9)
    let isNorm = Set(norms.flatMap(\.range))
    let rest = (0..<network.layout.count).filter { !isNorm.contains($0) }

    let loader = BatchLoader(data.train, PixelTransform(channels: 3))
    let workspace = Workspace(network, capacity: 32, training: true, moments: 1)
    var server = trial.initial
    var models: [Int: [Float]] = [:]
    for (index, cohort) in trial.cohorts.enumerated() {
      let total = Double(cohort.map { Self.sizes[$0] }.reduce(0, +))
      var sum = server.map { _ in Float(0) }
      for client in cohort {
        var start = models[client] ?? trial.initial
        for i in rest { start[i] = server[i] }
        var device = Device(
          client: client, round: index + 1, rounds: 3, seed: 1, examples: file.clients[client],
          network: network, workspace: workspace, loader: loader, settings: settings)
        device.workspace.load(start)
        var rule = PlainRule(SoftmaxCrossEntropy())
        _ = try device.train(&rule)
        let w = device.workspace.currentParameters
        models[client] = w
        let share = Float(Double(Self.sizes[client]) / total)
        for i in rest { sum[i] += share * (w[i] - server[i]) }
      }
      for i in rest { server[i] += sum[i] }
    }

    for client in 0..<3 {
      var expected = models[client] ?? trial.initial
      for i in rest { expected[i] = server[i] }
      #expect(try #require(trial.clientModels[client]) == expected)
    }
    let bytes = trial.cohorts.map { 4 * rest.count * $0.count }
    #expect(trial.bytesUp == bytes && trial.bytesDown == bytes)
  }

  @Test(
    "a network without norms brings a warning, one with norms none",
    arguments: [
      (#"{ "kind": "mlp" }"#, true), (#"{ "kind": "cnn", "norm": "none" }"#, true),
      (#"{ "kind": "resnet8", "norm": "group" }"#, false),
      (#"{ "kind": "cnn", "norm": "batch" }"#, false),
    ])
  func warning(_ model: String, _ isExpected: Bool) throws {
    var text = ScenarioText()
    text.model = model
    text.strategies = ["fedavg", "fedbn"].map { ScenarioText.strategy($0) }
    let warnings = try text.reading().warnings.filter { $0.code == "W3020" }
    #expect(warnings.map(\.path) == (isExpected ? ["$.strategies[1]"] : []))
  }
}

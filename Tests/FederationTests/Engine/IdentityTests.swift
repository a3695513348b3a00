import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

/// Identities between methods: the same bits where the arithmetic is the same, else to rounding.
@Suite("Identities between methods")
struct IdentityTests {
  static let sizes = [13, 7, 22]

  /// Trials of several strategies on the same unequal clients, shuffled batches, momentum.
  private func trials(
    _ strategies: [String], sizes: [Int] = sizes, _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> [Trial] {
    let file = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": \(sizes.count), "rounds": 3, "participation": 0.67 }
      """
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = strategies
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: sizes.reduce(0, +)))
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  @Test(
    "a method with its addition switched off is FedAvg, bit for bit and in every digest",
    arguments: [
      ("fedprox", #""proximalWeight": 0"#), ("fedper", #""privateLayers": 0"#),
      ("fedavg-ft", #""epochs": 2"#),
    ])
  func switchedOff(_ kind: String, _ fields: String) throws {
    let pair = try trials(
      ["fedavg", kind].map { ScenarioText.strategy($0, $0 == kind ? fields : "") })
    #expect(pair[0].model != pair[0].initial)
    #expect(bits(pair[0].model) == bits(pair[1].model))
    #expect(pair[0].digests == pair[1].digests)
    #expect(pair[0].bytesUp == pair[1].bytesUp)
  }

  @Test("FedAvgM with β = 0 and η_g = 1 has FedAvg's models, bit for bit")
  func fedAvgMWithoutMomentum() throws {
    let pair = try trials([
      ScenarioText.strategy("fedavg"),
      ScenarioText.strategy("fedavgm", #""serverMomentum": 0, "serverLearningRate": 1"#),
    ])
    #expect(bits(pair[0].model) == bits(pair[1].model))
  }

  @Test(
    "the server's step size and momentum leave batch norm's running statistics to the mean",
    arguments: [
      ("fedavgm", #""serverMomentum": 0.9, "serverLearningRate": 0.3"#),
      ("scaffold", #""serverLearningRate": 0.3"#),
    ])
  func runningStatistics(_ kind: String, _ fields: String) throws {
    let file = try PartitionFile(sizes: [12, 12, 12])
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 1 }"#
    text.model = #"{ "kind": "resnet8", "width": 4, "norm": "batch" }"#
    text.strategies = ["fedavg", kind].map { ScenarioText.strategy($0, $0 == kind ? fields : "") }
    let experiment = try text.experiment(SmallImages.bytes(train: 36))
    let pair = try (0..<2).map { try experiment.trial(strategy: $0) }
    let trained = experiment.network.layout.trainedCount
    #expect(trained < pair[0].model.count)
    #expect(pair[0].model[trained...] == pair[1].model[trained...])
    #expect(pair[0].model[..<trained] != pair[1].model[..<trained])
  }

  @Test("the additions do something when they are not switched off")
  func switchedOn() throws {
    let all = try trials([
      ScenarioText.strategy("fedavg"), ScenarioText.strategy("fedprox"),
      ScenarioText.strategy("scaffold"), ScenarioText.strategy("fedper"),
      ScenarioText.strategy("fedavgm"),
    ])
    for other in all.dropFirst() { #expect(other.model != all[0].model) }
  }

  @Test("FedPer with every layer private is local training alone, bit for bit, and sends nothing")
  func everythingPrivate() throws {
    let pair = try trials([
      ScenarioText.strategy("fedper", #""privateLayers": 2"#), ScenarioText.strategy("local-only"),
    ])
    for (a, b) in zip(pair[0].clientModels, pair[1].clientModels) {
      #expect(bits(try #require(a)) == bits(try #require(b)))
    }
    #expect(pair[0].bytesUp.allSatisfy { $0 == 0 })
    #expect(pair[0].bytesDown.allSatisfy { $0 == 0 })
  }

  @Test("SCAFFOLD's first round with equal shards is FedAvg's, to the rounding of one mean")
  func scaffoldFirstRound() throws {
    let pair = try trials(
      [ScenarioText.strategy("fedavg"), ScenarioText.strategy("scaffold")], sizes: [12, 12, 12]
    ) { $0.federation = #"{ "clients": 3, "rounds": 1 }"# }
    // A correction of +0 can turn the sign of a zero gradient and nothing else.
    #expect(pair[0].model == pair[1].model)
    #expect(pair[0].model != pair[0].initial)
  }

  @Test("SCAFFOLD with one full-batch step and everybody is FedSGD with uniform weights")
  func scaffoldIsGradientDescent() throws {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 5 }"#
    (text.batch, text.work) = (64, #"{ "steps": 1 }"#)
    text.strategies = [ScenarioText.strategy("scaffold")]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let layout = experiment.network.layout

    // w ← w − η·mean_k ∇F_k(w): the corrections cancel, Σ_k c_k = K·c after every round.
    let examples = ReferenceExample.all(data.train)
    let model = ReferenceModel(inputs: data.train.shape.count, hidden: 6, classes: 3)
    var w = layout.torchOrder(trial.initial).map(Double.init)
    let start = w
    for _ in 0..<5 {
      let gradients = file.clients.map { client in model.gradient(w, client.map { examples[$0] }) }
      for i in w.indices { w[i] -= 0.1 * gradients.map { $0[i] }.reduce(0, +) / 3 }
    }
    // Three roundings of w per round (step, mean, server), and gradients of √24 roundings; the
    // variates carry those of (w − w_k)/η, which η undoes: √2 as many again.
    let observed = layout.torchOrder(trial.model).map(Double.init)
    let roundings = (2.0 * 3 * 5).squareRoot() * norm(w, minus: nil)
    let allowed = 4 * Rounding.unit * (roundings + 24.0.squareRoot() * norm(w, minus: start))
    #expect(norm(observed, minus: w) <= allowed)
  }

  @Test(
    "one client with everything and plain SGD is centralised training with the same batches",
    arguments: ["sequential", "shuffled"])
  func oneClientIsCentralised(_ order: String) throws {
    let pair = try trials(
      [ScenarioText.strategy("fedavg"), ScenarioText.strategy("centralised")], sizes: [40]
    ) {
      $0.federation = #"{ "clients": 1, "rounds": 1 }"#
      $0.optimizer = ScenarioText.Optimizers.plain
      $0.order = order
    }
    // The server adds the rounded difference w_k − w to w: one rounding each.
    for i in pair[0].model.indices {
      let (start, w) = (Double(pair[0].initial[i]), Double(pair[1].model[i]))
      let allowed = Rounding.unit * (abs(w - start) + abs(w)) * (1 + Rounding.unit)
      #expect(abs(Double(pair[0].model[i]) - w) <= allowed)
    }
    #expect(pair[0].trainLoss == pair[1].trainLoss)
    #expect(pair[1].bytesUp == [0])
  }

  @Test("a client alone is the same client in a federation of its own, bit for bit")
  func localOnlyIsAlone() throws {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 6, "participation": 0.67 }"#
    text.optimizer = ScenarioText.Optimizers.nesterov
    text.strategies = [ScenarioText.strategy("local-only")]
    let together = try text.experiment(data).trial()
    for (client, images) in file.clients.enumerated() {
      let rounds = together.cohorts.count { $0.contains(client) }
      try #require(rounds > 0 && rounds < 6)
      let single = try PartitionFile(clients: [images])
      text.partition = single.json
      text.federation = #"{ "clients": 1, "rounds": \#(rounds) }"#
      let alone = try text.experiment(data).trial()
      let expected = try #require(alone.clientModels[0])
      #expect(bits(try #require(together.clientModels[client])) == bits(expected))
    }
  }

  @Test("weights by samples are uniform weights when clients are equally large")
  func equalClients()
    throws
  {
    let models = try ["samples", "uniform"].map { weighting in
      try trials([ScenarioText.strategy("fedavg")], sizes: [12, 12, 12]) {
        $0.federation = #"{ "clients": 3, "rounds": 3, "weighting": "\#(weighting)" }"#
      }[0]
    }
    #expect(models[0].digests == models[1].digests)
  }

  @Test("weights by samples are not uniform weights when clients differ")
  func unequalClients()
    throws
  {
    let models = try ["samples", "uniform"].map { weighting in
      try trials([ScenarioText.strategy("fedavg")]) {
        $0.federation = #"{ "clients": 3, "rounds": 3, "weighting": "\#(weighting)" }"#
      }[0]
    }
    #expect(models[0].digests.last != models[1].digests.last)
  }

  @Test("steps are epochs when they are the same work", arguments: [(2.0, 6), (0.5, 2), (0.01, 1)])
  func stepsAreEpochs(_ epochs: Double, _ steps: Int) throws {
    // 12 examples in batches of 4: three steps an epoch; halves are rounded away from zero.
    let runs = try [#"{ "epochs": \#(epochs) }"#, #"{ "steps": \#(steps) }"#].map { work in
      try trials([ScenarioText.strategy("fedavg")], sizes: [12, 12, 12]) { $0.work = work }[0]
    }
    #expect(runs[0].digests == runs[1].digests)
  }

  @Test("fine-tuned models are the generic model after local training, and differ from it")
  func fineTuned() throws {
    let trial = try trials([ScenarioText.strategy("fedavg-ft")])[0]
    for model in trial.clientModels { #expect(try #require(model) != trial.model) }
    let head = try trials([ScenarioText.strategy("fedavg-ft", #""tune": "head""#)])[0]
    #expect(head.digests == trial.digests)
    let headCount = (6 + 1) * 3
    let bodyCount = head.model.count - headCount
    for model in head.clientModels {
      let model = try #require(model)
      #expect(bits(Array(model[..<bodyCount])) == bits(Array(head.model[..<bodyCount])))
      #expect(model[bodyCount...] != head.model[bodyCount...])
    }
  }
}

/// The bit patterns: equality that tells −0 from 0 and knows NaN.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

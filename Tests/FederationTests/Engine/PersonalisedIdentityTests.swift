import Aggregation
import Federation
import Fixtures
import Scenario
import TestSupport
import Testing

/// Identities between personalised methods and the simpler ones that they contain.
@Suite("Identities of personalised methods")
struct PersonalisedIdentityTests {
  static let sizes = [13, 7, 22]
  static let optimizers = [ScenarioText.Optimizers.plain, ScenarioText.Optimizers.momentum]

  /// Trials of several strategies, given as kind and fields, on the same clients: shuffled batches,
  /// uniform weights, which every method knows.
  private func trials(
    _ strategies: [(String, String)], _ optimizer: String = optimizers[1],
    _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> [Trial] {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": 3, "rounds": 3, "participation": 0.67, "weighting": "uniform" }
      """
    text.order = "shuffled"
    text.optimizer = optimizer
    text.strategies = strategies.map { ScenarioText.strategy($0.0, $0.1) }
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: Self.sizes.reduce(0, +)))
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  private func expectSamePersonalModels(_ a: Trial, _ b: Trial) throws {
    for (x, y) in zip(a.clientModels, b.clientModels) {
      #expect(bits(try #require(x)) == bits(try #require(y)))
    }
  }

  static let asFedAvg = [
    ("fedrep", #""privateLayers": 0, "bodyEpochs": 2"#), ("fedbn", ""),
    ("lg-fedavg", #""sharedLayers": 1000"#),
    ("per-fedavg", #""adaptationRate": 0, "variant": "hf""#),
    ("per-fedavg", #""adaptationRate": 0, "variant": "fo""#),
  ]

  @Test(
    "switched off it is FedAvg, bit for bit and in every digest", arguments: asFedAvg, optimizers)
  func switchedOff(_ method: (String, String), _ optimizer: String) throws {
    let pair = try trials([("fedavg", ""), method], optimizer)
    #expect(pair[0].model != pair[0].initial)
    #expect(pair[0].digests == pair[1].digests)
    #expect(pair[0].trainLoss == pair[1].trainLoss)
    #expect(pair[0].bytesUp == pair[1].bytesUp)
    #expect(pair[0].bytesDown == pair[1].bytesDown)
    try expectSamePersonalModels(pair[0], pair[1])
  }

  @Test(
    "the generic model is FedAvg's, bit for bit",
    arguments: [
      ("ditto", #""proximalWeight": 0.7, "personalEpochs": 3, "personalRateFactor": 0.5"#),
      ("apfl", ""), ("apfl", #""adaptEvery": "step""#),
    ], optimizers)
  func generic(_ method: (String, String), _ optimizer: String) throws {
    let pair = try trials([("fedavg", ""), method], optimizer)
    #expect(bits(pair[0].model) == bits(pair[1].model))
    #expect(pair[0].trainLoss == pair[1].trainLoss)
    #expect(pair[0].generic == pair[1].generic)
    // Not each one: a share may end at 0.
    #expect(try pair[1].clientModels.contains { try #require($0) != pair[1].model })
  }

  static let alone = [
    ("ditto", #""proximalWeight": 0, "personalEpochs": 2"#),
    ("apfl", #""alpha": 1, "adaptive": false"#), ("lg-fedavg", #""sharedLayers": 0"#),
    ("fedrep", #""privateLayers": 1000, "headEpochs": 2"#),
  ]

  @Test(
    "without a pull, or with nothing shared, it is local training, bit for bit", arguments: alone,
    optimizers)
  func localOnly(_ method: (String, String), _ optimizer: String) throws {
    let pair = try trials([("local-only", ""), method], optimizer)
    try expectSamePersonalModels(pair[0], pair[1])
    #expect(pair[0].personal == pair[1].personal)
    if pair[1].generic == nil { #expect(pair[1].bytesUp.allSatisfy { $0 == 0 }) }
  }

  @Test("Ditto's rate factor is a factor of the learning rate, bit for bit")
  func dittoRate() throws {
    let fields = #""proximalWeight": 0, "personalEpochs": 2, "personalRateFactor": 2"#
    let ditto = try trials([("ditto", fields)])[0]
    let alone = try trials([("local-only", "")]) {
      $0.optimizer = ScenarioText.Optimizers.momentum.replacing("0.05", with: "0.1")
    }[0]
    try expectSamePersonalModels(ditto, alone)
  }

  @Test("a strong pull keeps Ditto's personal models nearer to the global one")
  func dittoPull()
    throws
  {
    let pair = try trials(
      [0.01, 5].map { ("ditto", #""proximalWeight": \#($0)"#) }, ScenarioText.Optimizers.plain
    ) { $0.federation = #"{ "clients": 3, "rounds": 3 }"# }
    for client in 0..<3 {
      let distances = try pair.map { trial in
        let own = try #require(trial.clientModels[client])
        return norm(own.map(Double.init), minus: trial.model.map(Double.init))
      }
      #expect(distances[1] < distances[0])
    }
  }

  @Test("APFL with a share fixed at 0 gives FedAvg's model to everyone, bit for bit")
  func apflWithoutLocal() throws {
    let pair = try trials([("fedavg", ""), ("apfl", #""alpha": 0, "adaptive": false"#)])
    for model in pair[1].clientModels { #expect(bits(try #require(model)) == bits(pair[0].model)) }
  }

  @Test("APFL's share stays in its bounds at any learning rate, and its first round moves none")
  func apflShare() throws {
    let plain = #"{ "kind": "sgd", "learningRate": 3, "momentum": 0 }"#
    let wild = try trials([("apfl", #""adaptEvery": "step""#)], plain)[0]
    for memory in wild.clientMemories.values {
      let share = try #require(memory["alpha"])
      #expect(share.count == 1 && share[0] >= 0 && share[0] <= 1)
    }
    let first = try trials([("apfl", #""alpha": 0.3"#)]) {
      $0.federation = #"{ "clients": 3, "rounds": 1 }"#
    }[0]
    for memory in first.clientMemories.values { #expect(memory["alpha"] == [0.3]) }
  }

  @Test("FedBABU's head never moves: in the server's model and, with the body tuned, in anyone's")
  func fedBABUHead() throws {
    let all = try trials([
      ("fedbabu", ""), ("fedbabu", #""tune": "body""#), ("fedbabu", #""tune": "head""#),
    ])
    let start = all[0].initial
    let body = 0..<start.count - (6 + 1) * 3
    let head = body.upperBound..<start.count
    #expect(bits(Array(all[0].model[head])) == bits(Array(start[head])))
    #expect(all[0].model[body] != start[body])
    // Fine-tuning changes nothing that training depends on.
    #expect(all[0].digests == all[1].digests && all[0].digests == all[2].digests)
    for client in 0..<3 {
      let models = try all.map { try #require($0.clientModels[client]) }
      #expect(models[0][body] != all[0].model[body] && models[0][head] != start[head])
      #expect(models[1][body] != all[0].model[body])
      #expect(bits(Array(models[1][head])) == bits(Array(start[head])))
      #expect(bits(Array(models[2][body])) == bits(Array(all[0].model[body])))
      #expect(models[2][head] != start[head])
    }
  }

  @Test("FedRep that never trains its heads has FedBABU's body, bit for bit")
  func fedRepIsFedBABU()
    throws
  {
    let pair = try trials([("fedbabu", ""), ("fedrep", #""headEpochs": 0, "bodyEpochs": 2"#)])
    #expect(bits(pair[0].model) == bits(pair[1].model))
    #expect(pair[0].bytesUp == pair[1].bytesUp)
  }

  @Test("FedRep sends what FedPer sends and trains in another order")
  func fedRepIsNotFedPer()
    throws
  {
    let pair = try trials([("fedper", ""), ("fedrep", #""headEpochs": 2, "bodyEpochs": 2"#)])
    #expect(pair[0].bytesUp == pair[1].bytesUp)
    #expect(pair[0].model != pair[1].model)
  }

  @Test("FedRep's body never feels the head's epochs: the first round's heads are trained on it")
  func fedRepOrder() throws {
    // Without a body phase to speak of, heads are those of FedAvg's fine-tuned heads.
    let trial = try trials([("fedrep", #""headEpochs": 2, "bodyEpochs": 1"#)]) {
      $0.federation = #"{ "clients": 3, "rounds": 1 }"#
      $0.order = "sequential"
    }[0]
    let tuned = try trials([("fedbabu", #""epochs": 2, "tune": "head""#)]) {
      $0.federation = #"{ "clients": 3, "rounds": 0 }"#
      $0.order = "sequential"
    }[0]
    let head = trial.initial.count - (6 + 1) * 3
    for client in 0..<3 {
      let model = try #require(tuned.clientModels[client])
      let memory = try #require(trial.clientMemories[client]?[ModelExchange.privatePart])
      #expect(bits(memory) == bits(Array(model[head...])))
    }
  }

  @Test(
    "pFedMe with one inner step and λ·η_p = 1 is FedAvg with uniform weights, to rounding",
    arguments: ["true", "false"])
  func pFedMeIsFedAvg(_ warm: String) throws {
    // θ = w − η_p·∇F(w) from a cold start, so λ·(w − θ) = ∇F(w).
    let fields = """
      "proximalWeight": 16, "innerSteps": 1, "innerRate": 0.0625, "warmStart": \(warm)
      """
    let pair = try trials([("fedavg", ""), ("pfedme", fields)], ScenarioText.Optimizers.plain)
    // Each step rounds θ, and λ·η = 1.6 of that reaches w.
    let w = pair[0].model.map(Double.init)
    let steps = Double(3 * (8 + 4 + 12))
    let allowed = 4 * Rounding.unit * 1.6 * steps.squareRoot() * norm(w, minus: nil)
    let error = norm(pair[1].model.map(Double.init), minus: w)
    // θ ← θ − η_p·∇F(θ) − (θ − w) forgets where it came from but for the place of its gradient.
    if warm == "false" { #expect(error <= allowed) } else { #expect(error > 10 * allowed) }
  }

  @Test("pFedMe's server goes β of the way to the mean")
  func pFedMeMixing() throws {
    let models = try trials([1, 0.5].map { ("pfedme", #""serverMixing": \#($0)"#) }) {
      $0.federation = #"{ "clients": 3, "rounds": 1 }"#
    }
    for i in models[0].model.indices {
      let start = Double(models[0].initial[i])
      let (whole, half) = (Double(models[0].model[i]), Double(models[1].model[i]))
      // One rounding of each sum at the server.
      let allowed = Rounding.unit * (abs(whole) + abs(half)) * (1 + Rounding.unit)
      #expect(abs(half - (start + whole) / 2) <= allowed)
    }
    #expect(models[0].clientMemories == models[1].clientMemories)
  }

  @Test("Per-FedAvg without adaptation steps measures the generic model, and first order is none")
  func perFedAvg() throws {
    let all = try trials([
      ("per-fedavg", #""adaptationSteps": 0"#), ("per-fedavg", ""),
      ("per-fedavg", #""variant": "fo""#),
    ])
    #expect(all[0].digests == all[1].digests)
    for client in 0..<3 {
      #expect(bits(try #require(all[0].clientModels[client])) == bits(all[0].model))
      #expect(try #require(all[1].clientModels[client]) != all[1].model)
    }
    #expect(all[1].model != all[2].model)
  }

  @Test("every addition does something by default")
  func switchedOn() throws {
    let kinds = ["fedrep", "fedbabu", "lg-fedavg", "pfedme", "per-fedavg"]
    let all = try trials([("fedavg", "")] + kinds.map { ($0, "") })
    for other in all.dropFirst() { #expect(other.model != all[0].model) }
  }

  @Test("FedBABU refuses a network that is all head")
  func fedBABUNeedsBody() throws {
    var text = ScenarioText()
    text.model = #"{ "kind": "logistic" }"#
    text.strategies = [ScenarioText.strategy("fedbabu")]
    let reading = ScenarioReader().read(bytes: Array(text.json.utf8), file: "test.json")
    #expect(reading.errors.map(\.code) == ["E3320"])
    #expect(reading.errors.map(\.path) == ["$.strategies[0]"])
  }
}

import Aggregation
import Client
import Data
import Federation
import Fixtures
import Foundation
import Tensor
import TestSupport
import Testing

/// Trials of FedLoGe on the fixture's perceptron: six features, three classes.
struct FedLoGeFixture {
  static let sizes = [13, 7, 22]
  static let (inputs, width, classes) = (24, 6, 3)
  static let headCount = (width + 1) * classes
  static let bodyCount = (inputs + 1) * width

  var fields = ""
  var federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
  var optimizer = ScenarioText.Optimizers.momentum
  var order = "shuffled"
  var model = #"{ "kind": "mlp", "hidden": [6] }"#
  var sizes = Self.sizes

  func text(_ partition: PartitionFile) -> ScenarioText {
    var text = ScenarioText(partition: partition.json)
    text.federation = federation
    text.optimizer = optimizer
    text.order = order
    text.model = model
    text.strategies = [ScenarioText.strategy("fedloge", fields)]
    return text
  }

  func trial(_ data: LabelledData? = nil) throws -> Trial {
    let file = try PartitionFile(sizes: sizes)
    let images = data ?? SmallImages.floats(train: sizes.reduce(0, +))
    return try text(file).experiment(images).trial()
  }

  /// The classifier of a model of the fixture: weight and bias.
  static func head(_ model: [Float]) -> [Float] { Array(model[bodyCount...]) }
  static func body(_ model: [Float]) -> [Float] { Array(model[..<bodyCount]) }
  /// ‖w_c‖ of a head.
  static func lengths(_ head: [Float]) -> [Double] {
    (0..<classes).map { VectorArithmetic.norm(head.span.extracting($0 * width..<($0 + 1) * width)) }
  }
}

@Suite("FedLoGe")
struct FedLoGeTests {
  typealias Fixture = FedLoGeFixture

  @Test(
    "the engine agrees with a federation written from the paper", arguments: [0.67, 1],
    [
      (ScenarioText.Optimizers.plain, ReferenceSGD()),
      (ScenarioText.Optimizers.momentum, ReferenceSGD(rate: 0.05, momentum: 0.9, decay: 0.01)),
      (
        ScenarioText.Optimizers.nesterov,
        ReferenceSGD(rate: 0.05, momentum: 0.8, nesterov: true, decay: 0.02)
      ),
    ])
  func reference(_ participation: Double, _ optimizer: (text: String, sgd: ReferenceSGD))
    throws
  {
    var fixture = Fixture(order: "sequential")
    fixture.federation = """
      { "clients": 3, "rounds": 4, "participation": \(participation) }
      """
    fixture.optimizer = optimizer.text
    let file = try PartitionFile(sizes: Fixture.sizes)
    let data = SmallImages.floats(train: Fixture.sizes.reduce(0, +))
    let experiment = try fixture.text(file).experiment(data)
    let trial = try experiment.trial()
    func doubles(_ vector: [Float]) -> [Double] { vector.map(Double.init) }
    func torch(_ model: [Float]) -> [Float] { experiment.network.layout.torchOrder(model) }

    let examples = ReferenceExample.all(data.train)
    let first = doubles(Fixture.head(trial.initial))
    let start = doubles(Fixture.body(torch(trial.initial)))
    var truth = ReferenceFedLoGe(
      inputs: Fixture.inputs, width: Fixture.width, classes: Fixture.classes,
      clients: file.clients.map { $0.map { examples[$0] } }, batch: 4, epochs: 2,
      sgd: optimizer.sgd, theta: start, frame: doubles(Fixture.head(trial.model)), psi: first,
      firstHead: first)
    for cohort in trial.cohorts { truth.run(cohort) }

    // As for other methods: √(steps + 3 a round) roundings of each weight, and those of gradients.
    func check(
      _ observed: [Float], _ expected: [Double], from start: [Double], times factor: Double = 1,
      _ what: String
    ) {
      let roundings = Double(truth.steps + 12).squareRoot() * norm(expected, minus: nil)
      let moved = Double(Fixture.inputs).squareRoot() * norm(expected, minus: start)
      let error = norm(doubles(observed), minus: expected)
      let allowed = 4 * Rounding.unit * max(1, factor) * (roundings + moved)
      #expect(error <= allowed, "\(what) is \(error) away; allowed are \(allowed)")
    }
    check(Fixture.body(torch(trial.model)), truth.theta, from: start, "θ")
    check(try #require(trial.serverMemory["auxiliary"]), truth.psi, from: first, "ψ")
    #expect(trial.clientMemories.keys.sorted() == truth.phi.keys.sorted())
    for (client, phi) in truth.phi {
      check(try #require(trial.clientMemories[client]?["head"]), phi, from: first, "φ of \(client)")
    }
    for client in 0..<3 {
      let model = try #require(trial.clientModels[client])
      #expect(bits(Fixture.body(model)) == bits(Fixture.body(trial.model)))
      check(Fixture.head(model), truth.personal(client), from: first, "φ' of \(client)")
    }
    // Rows of ψ' are rows of ψ times s/‖ψ_c‖, and so are their errors.
    let factor = 1.7 / (truth.lengths(truth.psi).min() ?? 1)
    check(
      Fixture.head(try #require(trial.genericModel)), truth.generic(scale: 1.7), from: first,
      times: factor, "ψ'")
  }

  @Test("the frame is the same at the server in every round, and a function of the seed")
  func frozen() throws {
    let start = try Fixture(federation: #"{ "clients": 3, "rounds": 0 }"#).trial()
    let end = try Fixture().trial()
    let frame = Fixture.head(start.model)
    #expect(bits(Fixture.head(end.model)) == bits(frame))
    #expect(Fixture.body(end.model) != Fixture.body(start.model))
    // ⌊0.6·18⌋ zeros, and no bias.
    #expect(frame.prefix(18).count { $0 == 0 } == 10)
    #expect(frame.suffix(3).allSatisfy { $0 == 0 })
    let sparser = try Fixture(fields: #""sparsity": 0.7"#).trial()
    #expect(Fixture.head(sparser.model).prefix(18).count { $0 == 0 } == 12)
    #expect(start.serverMemory["auxiliary"] == Fixture.head(start.initial))

    let biased = try Fixture(fields: #""frameBias": "default", "norm": 0.4"#).trial()
    let bias = Fixture.head(biased.model).suffix(3)
    #expect(bias.allSatisfy { $0 != 0 && abs($0) <= 1 / Float(6).squareRoot() })
    #expect(Fixture.head(biased.model).prefix(18) != frame.prefix(18))
    #expect(Fixture.body(biased.model) != Fixture.body(end.model))
  }

  @Test("other heads leave the backbone's trajectory as it is, bit for bit")
  func isolation() throws {
    let plain = try Fixture().trial()
    let own = try Fixture(fields: #""privateStart": "own""#).trial()
    #expect(bits(own.model) == bits(plain.model))
    #expect(own.serverMemory == plain.serverMemory)
    #expect(own.clientMemories.keys == plain.clientMemories.keys)
    for (client, memory) in own.clientMemories { #expect(memory != plain.clientMemories[client]) }

    // The same θ₀, and another ψ₀ and φ₀.
    let layout = try Network(
      ModelSpec(kind: .mlp, width: 1, hidden: [6]),
      input: FeatureShape(height: 3, width: 4, channels: 2), classes: 3
    ).layout
    var start = plain.initial
    for i in Fixture.bodyCount..<start.count { start[i] = Float(i % 7) - 3 }
    let folder = try ScratchFolder()
    try folder.write("w.safetensors", layout.safetensors(start, metadata: [:]).encoded())
    var fixture = Fixture()
    fixture.model = """
      { "kind": "mlp", "hidden": [6],
        "init": { "kind": "file", "path": "\(folder.at("w.safetensors"))" } }
      """
    let other = try fixture.trial()
    #expect(other.initial == start)
    #expect(bits(other.model) == bits(plain.model))
    #expect(other.serverMemory != plain.serverMemory)
    #expect(other.trainLoss == plain.trainLoss)
  }

  @Test("two clients with the same images are one client, bit for bit")
  func identicalClients()
    throws
  {
    let one = SmallImages.floats(train: 12)
    guard case .floats(let pixels) = one.train.pixels else { return }
    let twice = ImageSet(
      shape: one.train.shape, pixels: .floats(pixels + pixels),
      labels: one.train.labels + one.train.labels, classes: 3)
    var fixture = Fixture(order: "sequential", sizes: [12])
    fixture.federation = #"{ "clients": 1, "rounds": 3 }"#
    let alone = try fixture.trial(one)
    fixture.federation = #"{ "clients": 2, "rounds": 3 }"#
    fixture.sizes = [12, 12]
    let pair = try fixture.trial(LabelledData(title: "twice", train: twice, test: one.test))
    #expect(bits(pair.model) == bits(alone.model))
    #expect(pair.serverMemory == alone.serverMemory)
    #expect(pair.clientMemories[0] == pair.clientMemories[1])
    #expect(pair.clientMemories[0] == alone.clientMemories[0])
  }

  @Test("a client that is not drawn keeps its private head; all messages are the stated bytes")
  func messages() throws {
    let longer = try Fixture(federation: #"{ "clients": 3, "rounds": 4, "participation": 0.34 }"#)
      .trial()
    let shorter = try Fixture(federation: #"{ "clients": 3, "rounds": 3, "participation": 0.34 }"#)
      .trial()
    let drawn = try #require(longer.cohorts.last)
    #expect(drawn.count == 1)
    for client in 0..<3 {
      let isSame = longer.clientMemories[client] == shorter.clientMemories[client]
      #expect(isSame == !drawn.contains(client))
    }
    // θ and ψ, each way; the frame once to each of three clients.
    let bytes = 4 * (Fixture.bodyCount + Fixture.headCount)
    #expect(longer.bytesUp == [Int](repeating: bytes, count: 4))
    #expect(longer.bytesDown == longer.bytesUp)
    #expect(longer.bytesSetup == 3 * 4 * Fixture.headCount)
    for (traffic, size) in [("sparse", 4 * (18 - 10) + 3 + 4 * 3), ("seed", 8)] {
      let trial = try Fixture(fields: #""frameTraffic": "\#(traffic)""#).trial()
      #expect(trial.bytesSetup == 3 * size, "\(traffic)")
      #expect(bits(Fixture.head(trial.model)) == bits(Fixture.head(longer.model)))
    }
  }

  @Test("GA-FR with s = 1 is the scenario's τ-normalisation of ψ, and a composition like others")
  func postHoc() throws {
    let realigned = try Fixture(fields: #""scale": 1"#).trial()
    let normalised = try Fixture(
      fields: """
        "generic": "auxiliary",
        "postHoc": { "kind": "tau-normalised", "tau": 1, "keepBias": true }
        """
    ).trial()
    #expect(normalised.digests == realigned.digests)
    expectClose(
      try #require(normalised.genericModel), try #require(realigned.genericModel).map(Double.init),
      bound: Rounding.unit)
    let frame = try Fixture(fields: #""generic": "frame""#).trial()
    #expect(bits(try #require(frame.genericModel)) == bits(frame.model))
    // ψ is the mean whatever moves θ, as long as θ's first step is the same.
    let server = #""serverOptimizer": { "kind": "sgd", "momentum": 0.5 }"#
    let once = #"{ "clients": 3, "rounds": 1 }"#
    let pair = try [server, ""].map { try Fixture(fields: $0, federation: once).trial() }
    #expect(bits(pair[0].model) == bits(pair[1].model))
    #expect(pair[0].serverMemory["auxiliary"] == pair[1].serverMemory["auxiliary"])
    #expect(pair[0].serverMemory["momentum"]?.count == Fixture.bodyCount)
    let later = try [server, ""].map { try Fixture(fields: $0).trial() }
    #expect(later[0].model != later[1].model)
  }

  @Test("rows are longer for classes with more images: of all clients in ψ, of one in φ_k")
  func lengths() throws {
    let data = SmallImages.floats(train: 240)
    func images(_ label: Int32) -> [Int] {
      data.train.labels.indices.filter { data.train.labels[$0] == label }
    }
    let (many, some, few) = (images(0), images(1), images(2))
    // The second client has no image of the first class, the first none of the last.
    let file = try PartitionFile(clients: [
      Array(many.prefix(60)) + some.prefix(20),
      Array(some.dropFirst(20).prefix(20)) + few.prefix(6),
    ])
    var fixture = Fixture(federation: #"{ "clients": 2, "rounds": 10 }"#)
    fixture.optimizer = ScenarioText.Optimizers.plain
    let trial = try fixture.text(file).experiment(data).trial()
    let start = Fixture.lengths(Fixture.head(trial.initial))
    func growth(_ head: [Float]?) throws -> [Double] {
      zip(Fixture.lengths(try #require(head)), start).map { $0 / $1 }
    }
    let shared = try growth(trial.serverMemory["auxiliary"])
    #expect(shared[0] > shared[2])
    let own = try (0..<2).map { try growth(trial.clientMemories[$0]?["head"]) }
    #expect(own[0][2] < own[0][0] && own[1][0] < own[1][2])
    #expect(own[0][2] < own[1][2] && own[1][0] < own[0][0])
  }
}

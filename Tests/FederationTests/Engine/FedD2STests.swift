import Aggregation
import Client
import Data
import Federation
import Fixtures
import Scenario
import Tensor
import Testing

/// FedD2S against a reference written from its equations, its identities and its bytes.
@Suite("FedD2S")
struct FedD2STests {
  static let sizes = [13, 7, 22]

  /// Trials of strategies on the same three clients and a network with two cuts, of 6 and 5.
  private func trials(
    _ strategies: [String], rounds: Int = 4, _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> [Trial] {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": \#(rounds), "participation": 0.67 }"#
    text.model = #"{ "kind": "mlp", "hidden": [6, 5] }"#
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = strategies
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: Self.sizes.reduce(0, +)))
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  private func d2s(_ fields: String = "") -> String { ScenarioText.strategy("fedd2s", fields) }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var fields = ""
    var cuts = [2, 1]
    var rounds = 4
    var participation = 1.0
    var change: @Sendable (inout ReferenceFedD2S) -> Void = { _ in }
    var testDescription: String { name }

    static let all = [
      Case(name: "per sample, whole model"),
      Case(name: "per class", fields: #", "upload": "perClass""#, change: { $0.perClass = true }),
      Case(
        name: "participating layers only, λ = 0.5, τ = 2",
        fields: #", "klScope": "participatingOnly", "distillationWeight": 0.5, "temperature": 2"#,
        change: { ($0.wholeModel, $0.lambda, $0.tau) = (false, 0.5, 2) }),
      Case(
        name: "shared shallow weights, part of the clients",
        fields: #", "shareShallowWeights": true"#, participation: 0.67,
        change: { $0.sharesWeights = true }),
      Case(name: "shallow to deep", fields: #", "order": "s2d""#, cuts: [1, 2]),
      Case(name: "never", fields: #", "order": "never""#, cuts: [2], participation: 0.67),
    ]
  }

  @Test("models, heads and soft labels agree with a slow reference", arguments: Case.all)
  func reference(_ item: Case) throws {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": 3, "rounds": \(item.rounds), "participation": \(item.participation) }
      """
    text.model = #"{ "kind": "mlp", "hidden": [6, 5] }"#
    text.strategies = [
      d2s(
        """
        "headOptimizer": "sgd", "headLearningRate": 0.05, "headMomentum": 0.9,
        "headEpochs": 4, "headBatch": 64\(item.fields)
        """)
    ]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let layout = experiment.network.layout
    let examples = ReferenceExample.all(data.train)
    let initial = layout.torchOrder(trial.initial).map(Double.init)
    var reference = ReferenceFedD2S(
      ReferenceMLP(sizes: [24, 6, 5, 3]), clients: file.clients.map { $0.map { examples[$0] } },
      initial: initial, cuts: item.cuts, every: item.rounds / item.cuts.count)
    item.change(&reference)
    for (index, cohort) in trial.cohorts.enumerated() { reference.run(index + 1, cohort) }

    let bound = ReferenceBound(steps: 8 * 2 * item.rounds, longestSum: 24, depth: 6)
    for (client, model) in trial.clientModels.enumerated() {
      var expected = reference.models[client] ?? initial
      if reference.sharesWeights {
        // Measured with the server's layers before the last round's cut.
        let shallow = reference.net.start(item.cuts[item.cuts.count - 1])
        expected.replaceSubrange(..<shallow, with: reference.server[..<shallow])
      }
      let observed = layout.torchOrder(try #require(model))
      bound.check(observed, expected, from: initial, "model of \(client)")
    }
    for (cut, head) in reference.heads {
      let observed = try #require(trial.serverMemory["head.\(cut)"])
      let start = Array(initial[reference.net.start(cut)...])
      bound.check(observed, head, from: start, "head \(cut)")
    }
    for (client, rows) in reference.knowledge {
      let observed = try #require(trial.clientMemories[client]?["knowledge"])
      let expected = rows.flatMap { $0 }
      bound.check(observed, expected, from: expected.map { _ in 0 }, "q of \(client)")
    }
    #expect(trial.serverMemory.names.allSatisfy { $0.hasPrefix("head.") })
  }

  // MARK: - Identities

  private func expectSameModels(_ pair: [Trial]) throws {
    for (a, b) in zip(pair[0].clientModels, pair[1].clientModels) {
      #expect(bits(try #require(a)) == bits(try #require(b)))
    }
    #expect(pair[0].clientModels.contains { $0 != pair[0].initial })
  }

  @Test(
    "λ = 0 is local training, bit for bit",
    arguments: ["", #", "klScope": "participatingOnly""#, #", "upload": "perClass""#])
  func withoutDistillation(_ fields: String) throws {
    try expectSameModels(
      trials([d2s(#""distillationWeight": 0"# + fields), ScenarioText.strategy("local-only")]))
  }

  @Test("cut 0 is local training, and only the cut's number travels")
  func noCut() throws {
    let pair = try trials([d2s(#""cuts": [0]"#), ScenarioText.strategy("local-only")])
    try expectSameModels(pair)
    #expect(pair[0].bytesUp.allSatisfy { $0 == 0 })
    #expect(pair[0].bytesDown == pair[0].cohorts.map { 4 * $0.count })
    #expect(pair[0].trainLoss == pair[1].trainLoss)
  }

  @Test("in a client's first round there is nothing to distil: local training, bit for bit")
  func firstRound() throws {
    try expectSameModels(trials([d2s(), ScenarioText.strategy("local-only")], rounds: 1))
    let later = try trials([d2s(), ScenarioText.strategy("local-only")], rounds: 3)
    #expect(later[0].clientModels != later[1].clientModels)
  }

  @Test(
    "with participatingOnly the term's gradient on layers behind the cut is exactly 0",
    arguments: [(1, "participatingOnly"), (2, "participatingOnly"), (2, "wholeModel")])
  func scope(
    _ cut: Int, _ scope: String
  ) throws {
    // Two rounds of one step: both start the second from one model, and only its step has the term.
    let pair = try trials(
      [d2s(#""cuts": [\#(cut)], "klScope": "\#(scope)""#), ScenarioText.strategy("local-only")],
      rounds: 2
    ) {
      $0.federation = #"{ "clients": 3, "rounds": 2 }"#
      $0.work = #"{ "steps": 1 }"#
      $0.batch = 64
      $0.optimizer = ScenarioText.Optimizers.plain
    }
    let layout = try Network(
      ModelSpec(kind: .mlp, width: 1, hidden: [6, 5]),
      input: FeatureShape(height: 3, width: 4, channels: 2), classes: 3
    ).layout
    for (a, b) in zip(pair[0].clientModels, pair[1].clientModels) {
      let (a, b) = (try #require(a), try #require(b))
      for (index, entry) in layout.entries.enumerated() {
        let isBehind = index / 2 >= cut
        let isSame = bits(Array(a[entry.range])) == bits(Array(b[entry.range]))
        #expect(isSame == (isBehind && scope == "participatingOnly"), "\(entry.name)")
      }
    }
  }

  // MARK: - Bytes

  @Test(
    "bytes of every round are the formula's, a staircase that follows the cuts",
    arguments: ["int32", "uint8"])
  func bytesPerSample(_ type: String) throws {
    let trial = try trials([d2s(#""labelType": "\#(type)""#)])[0]
    let (classes, label) = (3, type == "int32" ? 4 : 1)
    for (round, cohort) in trial.cohorts.enumerated() {
      let width = round < 2 ? 5 : 6
      let examples = cohort.map { Self.sizes[$0] }
      #expect(
        trial.bytesUp[round]
          == examples.map { 4 * $0 * (width + classes) + label * $0 }.reduce(0, +))
      #expect(trial.bytesDown[round] == examples.map { 4 + 4 * $0 * classes }.reduce(0, +))
    }
    #expect(trial.bytesSetup == 3 * 4 * trial.initial.count)
  }

  @Test("per class, bytes do not know how many examples there are")
  func bytesPerClass() throws {
    let trial = try trials([d2s(#""upload": "perClass""#)])[0]
    // Every client has all three classes.
    for (round, cohort) in trial.cohorts.enumerated() {
      let width = round < 2 ? 5 : 6
      #expect(trial.bytesUp[round] == cohort.count * (4 * 3 * (width + 3) + 8 * 3))
      #expect(trial.bytesDown[round] == cohort.count * (4 + 4 * 3 * 3))
    }
  }

  @Test("shared shallow weights add both ways what lies before the cut")
  func bytesOfWeights()
    throws
  {
    let pair = try trials([d2s(), d2s(#""shareShallowWeights": true"#)])
    for (round, cohort) in pair[0].cohorts.enumerated() {
      let shallow = round < 2 ? 25 * 6 + 7 * 5 : 25 * 6
      let more = 4 * shallow * cohort.count
      #expect(pair[1].bytesUp[round] - pair[0].bytesUp[round] == more)
      #expect(pair[1].bytesDown[round] - pair[0].bytesDown[round] == more)
    }
  }

  // MARK: - Bookkeeping

  @Test("soft labels belong to their examples whatever the order of batches")
  func rowsLineUp()
    throws
  {
    let data = SmallImages.floats(train: 40)
    let network = try Network(
      ModelSpec(kind: .mlp, width: 1, hidden: [6]), input: data.train.shape, classes: 3)
    let settings = LocalSettings(
      work: .epochs(1), batch: 8, optimizer: OptimizerSpec(learningRate: 0.1))
    func largestGradient(shift: Int) throws -> Float {
      let space = Workspace(network, capacity: 256, training: true)
      space.load(network.layout.initialParameters(.pytorch, seed: 5))
      var device = Device(
        client: 0, round: 1, rounds: 1, seed: 1, examples: Array((0..<40).reversed()),
        network: network, workspace: space,
        loader: BatchLoader(data.train, PixelTransform(channels: 2)), settings: settings)
      // Targets that are the model's own answers leave no gradient, if each has its example's.
      var q = device.logits(of: device.examples)
      q.withUnsafeMutableBufferPointer {
        guard let q = $0.baseAddress else { return }
        Distillation.softmax(q, rows: 40, classes: 3, temperature: 3, into: q)
      }
      let term = SoftLabelTerm(
        targets: q, rows: (0..<40).map { ($0 + shift) % 40 }, weight: 1,
        distillation: Distillation(temperature: 3))
      var rule = SoftLabelRule(loss: nil, term: term)
      var largest: Float = 0
      for _ in 0..<5 {
        #expect(device.nextBatch() == 8)
        _ = try device.computeGradient(&rule)
        largest = max(largest, space.gradient.map { abs($0) }.max() ?? 0)
      }
      return largest
    }
    #expect(try largestGradient(shift: 0) < 1e-6)
    #expect(try largestGradient(shift: 1) > 1e-3)
  }

  // MARK: - Wrong input

  @Test(
    "a network that cannot be cut so is refused with what there is",
    arguments: [
      (#"{ "kind": "logistic" }"#, "", "has none"),
      (#"{ "kind": "mlp", "hidden": [4] }"#, #""cuts": [2]"#, "there is no cut 2"),
    ])
  func refused(_ model: String, _ fields: String, _ words: String) throws {
    var text = ScenarioText()
    text.model = model
    text.strategies = [d2s(fields)]
    let errors = text.problems.filter { $0.severity == .error }
    #expect(errors.map(\.code) == ["E3320"])
    #expect(errors.allSatisfy { $0.message.contains(words) })
  }
}

import Aggregation
import Base
import Client
import Data
import Federation
import Fixtures
import Records
import Scenario
import Tensor
import Testing

/// FedDistill and FedProto, which exchange a mean per class, against slow references.
@Suite("Means per class: FedDistill and FedProto")
struct ExchangedMeansTests {
  static let sizes = [13, 7, 22]
  static let net = ReferenceMLP(sizes: [24, 6, 3])

  /// A run on three clients, and what a reference needs.
  private struct Setup {
    let trial: Trial
    let layout: ParameterLayout
    let clients: [[ReferenceExample]]
    let initial: [Double]

    /// Clients of these images; the third one lacks class 2 with `lacking`.
    init(_ strategy: String, rounds: Int, participation: Double, lacking: Bool) throws {
      let data = SmallImages.floats(train: sizes.reduce(0, +))
      var lists: [[Int]] = [Array(0..<13), Array(13..<20), Array(20..<42)]
      if lacking { lists[2].removeAll { data.train.labels[$0] == 2 } }
      let file = try PartitionFile(clients: lists)
      var text = ScenarioText(partition: file.json)
      text.federation = """
        { "clients": 3, "rounds": \(rounds), "participation": \(participation) }
        """
      text.strategies = [strategy]
      let experiment = try text.experiment(data)
      trial = try experiment.trial()
      layout = experiment.network.layout
      let examples = ReferenceExample.all(data.train)
      clients = lists.map { $0.map { examples[$0] } }
      initial = layout.torchOrder(trial.initial).map(Double.init)
    }

    func checkModels(_ models: [Int: [Double]], rounds: Int) throws {
      let bound = ReferenceBound(steps: 12 * rounds, longestSum: 24, depth: 4)
      #expect(models.count > 1)
      for (client, expected) in models {
        let memory = try #require(trial.clientMemories[client]?["model"])
        bound.check(layout.torchOrder(memory), expected, from: initial, "model of \(client)")
      }
    }
  }

  // MARK: - FedDistill

  @Test(
    "FedDistill agrees with algorithm 1 in double precision",
    arguments: [
      ("training", "latest", 1.0), ("after", "latest", 0.67), ("training", "round", 0.67),
    ])
  func distillation(_ collect: String, _ reports: String, _ participation: Double) throws {
    let rounds = 4
    let setup = try Setup(
      ScenarioText.strategy(
        "feddistill",
        #""distillationWeight": 0.8, "collect": "\#(collect)", "reports": "\#(reports)""#),
      rounds: rounds, participation: participation, lacking: true)
    var models: [Int: [Double]] = [:]
    var kept: [Int: [Int: [Double]]] = [:]
    for (index, cohort) in setup.trial.cohorts.enumerated() {
      var next: [Int: [Int: [Double]]] = [:]
      var (up, down) = (0, 0)
      for k in cohort {
        let others = kept.filter { $0.key != k }.values
        func teacher(_ c: Int) -> [Double]? {
          let known = others.compactMap { $0[c] }
          guard !known.isEmpty else { return nil }
          return (0..<3).map { i in known.map { $0[i] }.reduce(0, +) / Double(known.count) }
        }
        var answers: [Int: [[Double]]] = [:]
        models[k] = Self.train(setup, models[k], k) { z, label in
          let p = ReferenceMLP.softmax(z)
          if collect == "training" { answers[label, default: []].append(p) }
          guard let q = teacher(label) else { return nil }
          return zip(p, q).map { 0.8 * ($0 - $1) }
        }
        if collect == "after", let w = models[k] {
          for example in setup.clients[k] {
            let p = ReferenceMLP.softmax(Self.net.logits(w, example.values))
            answers[example.label, default: []].append(p)
          }
        }
        next[k] = answers.mapValues { rows in
          (0..<3).map { i in rows.map { $0[i] }.reduce(0, +) / Double(rows.count) }
        }
        up += 4 * (3 + 1) * answers.count
        down += 4 * (3 + 1) * (0..<3).filter { teacher($0) != nil }.count
      }
      #expect(setup.trial.bytesUp[index] == up)
      #expect(setup.trial.bytesDown[index] == down)
      kept = reports == "round" ? next : kept.merging(next) { $1 }
    }
    try setup.checkModels(models, rounds: rounds)
  }

  /// Local training with a slope beside cross-entropy's at the logits.
  private static func train(
    _ setup: Setup, _ start: [Double]?, _ k: Int, _ extra: ([Double], Int) -> [Double]?
  ) -> [Double] {
    net.train(
      start ?? setup.initial, examples: setup.clients[k].count, batch: 4, epochs: 2, rate: 0.1,
      momentum: 0
    ) { g, w, places in
      for place in places {
        let example = setup.clients[k][place]
        let z = net.logits(w, example.values)
        var slope = ReferenceMLP.crossEntropySlope(z, example.label)
        if let extra = extra(z, example.label) { for c in slope.indices { slope[c] += extra[c] } }
        let mean = slope.map { $0 / Double(places.count) }
        net.addGradient(&g, w, example.values, logits: mean)
      }
    }
  }

  // MARK: - FedProto

  @Test(
    "FedProto agrees with algorithm 1 in double precision",
    arguments: [("sum", "samples", 1.0), ("mean", "uniform", 0.67), ("sum", "samples", 0.67)])
  func prototypes(_ distance: String, _ mean: String, _ participation: Double) throws {
    let rounds = 4
    let setup = try Setup(
      ScenarioText.strategy(
        "fedproto",
        #""prototypeWeight": 0.5, "distance": "\#(distance)", "prototypeMean": "\#(mean)""#),
      rounds: rounds, participation: participation, lacking: true)
    let lambda = distance == "sum" ? 0.5 : 0.5 / 6
    var models: [Int: [Double]] = [:]
    var common: [Int: [Double]] = [:]
    for (index, cohort) in setup.trial.cohorts.enumerated() {
      var sums = [[Double]](repeating: [Double](repeating: 0, count: 6), count: 3)
      var totals = [0.0, 0, 0]
      var up = 0
      for k in cohort {
        let w = Self.pulled(setup, models[k], k, common, lambda)
        models[k] = w
        for c in 0..<3 {
          let own = setup.clients[k].filter { $0.label == c }
          guard !own.isEmpty else { continue }
          let features = own.map { Self.net.values(w, $0.values)[1] }
          let share = mean == "samples" ? Double(own.count) : 1
          totals[c] += share
          for f in 0..<6 {
            sums[c][f] += share * features.map { $0[f] }.reduce(0, +) / Double(own.count)
          }
          up += 4 * (6 + 1 + (mean == "samples" ? 1 : 0))
        }
      }
      #expect(setup.trial.bytesUp[index] == up)
      #expect(setup.trial.bytesDown[index] == cohort.count * 4 * 7 * common.count)
      for c in 0..<3 where totals[c] > 0 { common[c] = sums[c].map { $0 / totals[c] } }
    }
    try setup.checkModels(models, rounds: rounds)
    let observed = try #require(setup.trial.serverMemory["prototypes"])
    let expected = (0..<3).flatMap { common[$0] ?? [Double](repeating: 0, count: 6) }
    ReferenceBound(steps: 12 * rounds, longestSum: 24, depth: 4).check(
      observed, expected, from: expected.map { _ in 0 }, "prototypes")
    try checkNearest(setup, expected)
  }

  private static func pulled(
    _ setup: Setup, _ start: [Double]?, _ k: Int, _ common: [Int: [Double]], _ lambda: Double
  ) -> [Double] {
    net.train(
      start ?? setup.initial, examples: setup.clients[k].count, batch: 4, epochs: 2, rate: 0.1,
      momentum: 0
    ) { g, w, places in
      let size = Double(places.count)
      for place in places {
        let example = setup.clients[k][place]
        let values = net.values(w, example.values)
        let slope = ReferenceMLP.crossEntropySlope(values[2], example.label)
        let pull = common[example.label].map { prototype in
          zip(values[1], prototype).map { 2 * lambda * ($0 - $1) / size }
        }
        net.addGradient(&g, w, example.values, logits: slope.map { $0 / size }, features: pull)
      }
    }
  }

  /// A personal model's winner is the nearest prototype.
  private func checkNearest(_ setup: Setup, _ prototypes: [Double]) throws {
    for (client, model) in setup.trial.clientModels.enumerated() {
      let w = setup.layout.torchOrder(try #require(model)).map(Double.init)
      for example in setup.clients[client] {
        let values = Self.net.values(w, example.values)
        let distances = (0..<3).map { c in
          (0..<6).map { f in
            let d = values[1][f] - prototypes[c * 6 + f]
            return d * d
          }.reduce(0, +)
        }
        let sorted = distances.sorted()
        guard sorted[1] - sorted[0] > 1e-4 else { continue }
        let winner = values[2].indices.max { values[2][$0] < values[2][$1] }
        #expect(distances.firstIndex(of: sorted[0]) == winner)
      }
    }
  }

  // MARK: - Identities

  private func pair(_ strategy: String) throws -> [Trial] {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = [strategy, ScenarioText.strategy("local-only")]
    let experiment = try text.experiment(SmallImages.floats(train: 42))
    return try (0..<2).map { try experiment.trial(strategy: $0) }
  }

  @Test(
    "with weight 0 the models are those of local training, bit for bit",
    arguments: [
      ("feddistill", #""distillationWeight": 0"#),
      ("fedproto", #""prototypeWeight": 0, "predict": "head""#),
    ])
  func switchedOff(_ kind: String, _ fields: String) throws {
    let pair = try pair(ScenarioText.strategy(kind, fields))
    for (a, b) in zip(pair[0].clientModels, pair[1].clientModels) {
      #expect(bits(try #require(a)) == bits(try #require(b)))
    }
    #expect(pair[0].trainLoss == pair[1].trainLoss)
    let on = try self.pair(ScenarioText.strategy(kind))
    #expect(on[0].clientModels != on[1].clientModels)
    #expect(on[0].trainLoss != on[1].trainLoss)
  }

  @Test("prediction by prototypes changes the classifier and nothing else")
  func classifierOnly()
    throws
  {
    let head = try pair(ScenarioText.strategy("fedproto", #""predict": "head""#))[0]
    let nearest = try pair(ScenarioText.strategy("fedproto"))[0]
    #expect(head.digests == nearest.digests)
    let body = 25 * 6
    for (a, b) in zip(head.clientModels, nearest.clientModels) {
      let (a, b) = (try #require(a), try #require(b))
      #expect(bits(Array(a[..<body])) == bits(Array(b[..<body])))
      #expect(a[body...] != b[body...])
    }
  }

  @Test("a class that nobody has is never predicted, and the measures stay finite")
  func absentClass() throws {
    let data = SmallImages.floats(train: 42)
    let lists = [Array(0..<20), Array(20..<42)].map { $0.filter { data.train.labels[$0] != 1 } }
    let file = try PartitionFile(clients: lists)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 2, "rounds": 2 }"#
    text.strategies = [ScenarioText.strategy("fedproto")]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let bias = try #require(experiment.network.layout["fc2.bias"]).range
    for model in trial.clientModels {
      let shifts = try #require(model)[bias]
      #expect(shifts[bias.lowerBound + 1] == -1e9)
      #expect(shifts.allSatisfy { $0.isFinite })
    }
    let personal = try #require(trial.personal)
    #expect(personal.accuracy.isFinite)
  }

  @Test("FedProto refuses a network without features")
  func refused() throws {
    var text = ScenarioText()
    text.model = #"{ "kind": "logistic" }"#
    text.strategies = [ScenarioText.strategy("fedproto")]
    let errors = text.problems.filter { $0.severity == .error }
    #expect(errors.map(\.code) == ["E3320"])
    #expect(errors.allSatisfy { $0.message.contains("no features to compare") })
  }
}

import Aggregation
import Base
import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

@Suite("CCVR and CReFF: classifiers re-trained at the server")
struct LongTailMethodTests {
  private let data = SmallImages.floats(train: 42)

  /// Clients with few classes: 0 has classes 0 and 1, 1 a single image of class 2 and all others of
  /// class 0, 2 nothing, 3 the rest.
  private func skewed() throws -> (file: PartitionFile, classes: [[Int]]) {
    let labels = data.train.labels.map { Int($0) }
    var clients: [[Int]] = [[], [], [], []]
    var seen = [0, 0, 0]
    for (image, label) in labels.enumerated() {
      seen[label] += 1
      switch label {
      case 0: clients[seen[0] % 2].append(image)
      case 1: clients[seen[1] % 2 == 0 ? 0 : 3].append(image)
      default: clients[seen[2] == 1 ? 1 : 3].append(image)
      }
    }
    return (
      try PartitionFile(clients: clients), clients.map { Set($0.map { labels[$0] }).sorted() }
    )
  }

  private func trials(_ strategies: [String], _ file: PartitionFile, rounds: Int = 3) throws
    -> [Trial]
  {
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": \#(file.clients.count), "rounds": \#(rounds) }"#
    text.order = "shuffled"
    text.strategies = strategies
    let experiment = try text.experiment(data)
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  /// What a head of hundreds of roundings may be off by, in the 2-norm.
  ///
  /// Each of S steps rounds each weight once; sums of n products move it; momentum passes errors on
  /// 1/(1 − ρ) times.
  private func allowed(_ head: [Double], _ start: [Double], steps: Int, terms: Int, rho: Double)
    -> Double
  {
    let roundings = Double(steps).squareRoot() * norm(head, minus: nil)
    let moved = Double(terms).squareRoot() * norm(head, minus: start)
    return 4 * Rounding.unit * (roundings + moved) / (1 - rho)
  }

  // MARK: CCVR

  @Test("CCVR trains as FedAvg, to the bit; until the first calibration in every digest")
  func ccvrTrainsAsFedAvg() throws {
    let (file, _) = try skewed()
    let runs = try trials(
      [
        ScenarioText.strategy("fedavg"), ScenarioText.strategy("ccvr"),
        ScenarioText.strategy("ccvr", #""every": 1"#),
      ], file)
    for run in runs.dropFirst() { #expect(bits(run.model) == bits(runs[0].model)) }
    #expect(runs[1].digests.prefix(3) == runs[0].digests.prefix(3))
    #expect(runs[1].digests[3] != runs[0].digests[3])
    // The last calibration depends on the last round alone.
    #expect(runs[1].serverMemory == runs[2].serverMemory)
    #expect(runs[1].digests[3] != runs[2].digests[3])
    // What is measured has the body of FedAvg and another classifier.
    let measured = try #require(runs[1].clientModels[0])
    let body = measured.count - 7 * 3
    #expect(bits(Array(measured[..<body])) == bits(Array(runs[0].model[..<body])))
    #expect(measured[body...] != runs[0].model[body...])
    #expect(Array(measured[body...]) == runs[1].serverMemory["calibrated"])
  }

  @Test("CCVR's statistics travel in calibrated rounds alone, and cost what the formula says")
  func ccvrBytes() throws {
    let (file, classes) = try skewed()
    let run = try trials([ScenarioText.strategy("ccvr", #""every": 2"#)], file)[0]
    let (whole, body, d) = (4 * run.model.count, 4 * (run.model.count - 7 * 3), 6)
    let perClass = 4 * (d + d * (d + 1) / 2)
    let statistics = classes.filter { !$0.isEmpty }.map { 4 * 3 + $0.count * perClass }.reduce(0, +)
    // A client without images takes no part.
    let base = classes.count { !$0.isEmpty } * whole
    #expect(base == 3 * whole && classes.map(\.count).contains(2))
    #expect(run.bytesUp == [base, base + statistics, base + statistics])
    #expect(run.bytesDown == [base, base + 3 * body, base + 3 * body])
  }

  @Test(
    "CCVR's classifier is that of a slow computation on the union of all features",
    arguments: ["current", "fresh"])
  func ccvrReference(_ start: String) throws {
    let (file, _) = try skewed()
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 4, "rounds": 2 }"#
    text.strategies = [
      ScenarioText.strategy(
        "ccvr",
        """
        "samplesPerClass": 20, "shrinkage": 0.2, "headEpochs": 4, "headBatch": 16,
        "headLearningRate": 0.05, "headStart": "\(start)"
        """)
    ]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let head = HeadReference(classes: 3, width: 6, clients: 4)
    let w = experiment.network.layout.torchOrder(trial.model).map(Double.init)
    let model = ReferenceModel(inputs: data.train.shape.count, hidden: 6, classes: 3)
    let examples = ReferenceExample.all(data.train)
    var features: [[Double]] = []
    var labels: [Int] = []
    for c in 0..<3 {
      let own = examples.filter { $0.label == c }.map { model.features(w, $0.values) }
      var stream = head.stream(2, c)
      features += head.samples(own, count: 20, shrinkage: 0.2, &stream)
      labels += [Int](repeating: c, count: 20)
    }
    var initial = head.stream(2, 3)
    let before =
      start == "current"
      ? Array(w[(w.count - 21)...])
      : (0..<21).map { _ in (2 * initial.uniform() - 1) / 6.0.squareRoot() }
    let expected = head.train(
      before, features, labels, epochs: 4, batch: 16, rate: 0.05, momentum: 0.9
    ) { head.stream(2, 4 + $0) }
    let observed = try #require(trial.serverMemory["calibrated"]).map(Double.init)
    #expect(norm(expected, minus: before) > 0.1)
    #expect(
      norm(observed, minus: expected)
        <= allowed(expected, before, steps: 16, terms: data.train.shape.count, rho: 0.9))
  }

  // MARK: CReFF

  @Test("CReFF trains as FedAvg, to the bit, and measures another classifier")
  func creffTrainsAsFedAvg() throws {
    let (file, classes) = try skewed()
    let runs = try trials(
      [
        ScenarioText.strategy("fedavg"),
        ScenarioText.strategy(
          "creff", #""featuresPerClass": 5, "featureSteps": 4, "headEpochs": 3"#),
      ], file)
    #expect(bits(runs[0].model) == bits(runs[1].model))
    let measured = try #require(runs[1].clientModels[0])
    let body = measured.count - 21
    #expect(bits(Array(measured[..<body])) == bits(Array(runs[0].model[..<body])))
    #expect(Array(measured[body...]) == runs[1].serverMemory["retrained"])
    #expect(measured[body...] != runs[0].model[body...])
    // C_k·(C·d + C) floats more up, C·d + C more down.
    let whole = 4 * measured.count
    let up = classes.filter { !$0.isEmpty }.map { whole + 4 * 21 * $0.count }.reduce(0, +)
    #expect(runs[1].bytesUp == [up, up, up])
    #expect(runs[1].bytesDown == [Int](repeating: 3 * (whole + 4 * 21), count: 3))
  }

  @Test(
    "CReFF agrees with a slow server whose slopes are central differences",
    arguments: [(32, 10), (3, 4)])
  func creffReference(_ gradientBatch: Int, _ draws: Int) throws {
    let (file, classes) = try skewed()
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 4, "rounds": 2 }"#
    text.strategies = [
      ScenarioText.strategy(
        "creff",
        """
        "featuresPerClass": 3, "featureSteps": 3, "featureLearningRate": 0.2, "headEpochs": 4,
        "headLearningRate": 0.1, "headBatch": 4, "gradientBatch": \(gradientBatch),
        "draws": \(draws)
        """)
    ]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let layout = experiment.network.layout
    let model = ReferenceModel(inputs: data.train.shape.count, hidden: 6, classes: 3)
    let examples = ReferenceExample.all(data.train)
    let server = HeadReference(classes: 3, width: 6, clients: 4)
    let initial = layout.torchOrder(trial.initial).map(Double.init)
    var federation = ReferenceFederation(
      model, clients: file.clients.map { $0.map { examples[$0] } }, batch: 4, epochs: 2,
      sgd: ReferenceSGD(), method: .fedAvg, initial: initial)
    var stream = server.stream(0, 0)
    var u = (0..<9).map { _ in (0..<6).map { _ in Double(Float(stream.normal())) } }
    var head = Array(initial[(initial.count - 21)...])
    let start = u
    for round in 1...2 {
      for c in 0..<3 {
        var target = head.map { _ in 0.0 }
        let owners = (0..<4).filter { classes[$0].contains(c) }
        for k in owners {
          let own = file.clients[k].map { examples[$0] }.filter { $0.label == c }.map {
            model.features(federation.server, $0.values)
          }
          var draw = RandomStream(seed: 1, .strategy, round: round, client: k, step: c)
          let size = min(gradientBatch, own.count)
          for _ in 0..<draws {
            let chosen = draw.permutation(own.count).prefix(size).map { own[$0] }
            let g = server.gradient(head, chosen, chosen.map { _ in c })
            for i in g.indices { target[i] += g[i] / Double(draws * owners.count) }
          }
        }
        let rows = c * 3..<(c + 1) * 3
        u.replaceSubrange(
          rows, with: server.match(Array(u[rows]), head, c, target, steps: 3, rate: 0.2))
      }
      federation.run(round, trial.cohorts[round - 1])
      var fresh = server.stream(round, 0)
      head = server.train(
        (0..<21).map { _ in (2 * fresh.uniform() - 1) / 6.0.squareRoot() }, u,
        (0..<9).map { $0 / 3 }, epochs: 4, batch: 4, rate: 0.1, momentum: 0
      ) { server.stream(round, 1 + $0) }
    }
    let (flat, before) = (u.flatMap { $0 }, start.flatMap { $0 })
    #expect(norm(flat, minus: before) > 0.1)
    // Six steps on features, whose slopes are sums over the images' values, the features and
    // the classes; then twelve steps on the head, which starts anew.
    let terms = data.train.shape.count
    let featureError = allowed(flat, before, steps: 6, terms: terms, rho: 0)
    let features = try #require(trial.serverMemory["features"]).map(Double.init)
    #expect(norm(features, minus: flat) <= featureError)
    let observed = try #require(trial.serverMemory["retrained"]).map(Double.init)
    #expect(
      norm(observed, minus: head) <= featureError
        + allowed(head, head.map { _ in 0 }, steps: 12, terms: 6, rho: 0))
  }

  @Test("a class that nobody in the cohort has keeps its features")
  func absentClass() throws {
    let labels = data.train.labels
    let file = try PartitionFile(clients: [
      labels.indices.filter { labels[$0] == 0 }, labels.indices.filter { labels[$0] == 1 },
    ])
    let run = try trials([ScenarioText.strategy("creff", #""featuresPerClass": 2"#)], file)[0]
    let server = HeadReference(classes: 3, width: 6, clients: 2)
    var stream = server.stream(0, 0)
    let initial = (0..<36).map { _ in Float(stream.normal()) }
    let features = try #require(run.serverMemory["features"])
    #expect(features[24...] == initial[24...])
    #expect(features[..<12] != initial[..<12])
    #expect(features[12..<24] != initial[12..<24])
    // CCVR draws nothing for such a class, and runs.
    let calibrated = try trials([ScenarioText.strategy("ccvr")], file)[0]
    #expect(calibrated.serverMemory["calibrated"] != nil)
  }
}

import Aggregation
import Base
import Client
import Data
import Federation
import Fixtures
import Testing

@Suite("KnFu")
struct KnFuTests {
  private func knfu(_ fields: String = "") -> String { ScenarioText.strategy("knfu", fields) }

  private func same(_ a: Trial, _ b: Trial) throws -> Bool {
    for (x, y) in zip(a.clientModels, b.clientModels) {
      if bits(try #require(x)) != bits(try #require(y)) { return false }
    }
    return true
  }

  @Test(
    "two rounds on different networks agree with a reference in double precision",
    arguments: ["kl", "jensen-shannon"])
  func reference(divergence: String) throws {
    let fixture = try PublicFixture([
      knfu(
        """
        "divergence": "\(divergence)",
        "beta": 3, "temperature": 2, "tuningEpochs": 2, "tuningBatch": 4, "privateWeight": 0.5
        """)
    ]) { $0.clientModels = PublicFixture.twoNetworks }
    let images = ReferenceImages(fixture.data.train)
    let known = images[fixture.publicImages]
    var peers = try fixture.peers()
    for _ in 1...2 {
      for (k, own) in fixture.file.clients.enumerated() {
        for places in ReferenceImages.batches(own.count, 4, epochs: 2) {
          let batch = places.map { own[$0] }
          peers[k].descend(rate: 0.1) { $0.crossEntropy(images[batch], images.labels(batch)) }
        }
      }
      let knowledge = peers.map { $0.probabilities(known) }
      let mixtures = mix(knowledge, beta: 3, isSymmetric: divergence != "kl")
      for (k, own) in fixture.file.clients.enumerated() {
        let targets = mixtures[k].map { row in
          let powers = row.map { $0.squareRoot() }
          return powers.map { $0 / powers.reduce(0, +) }
        }
        let steps = ReferenceImages.batches(known.count, 4, epochs: 2)
        let beside = ReferenceImages.batches(own.count, 4, steps: steps.count)
        for (places, ownPlaces) in zip(steps, beside) {
          let (x, q) = (places.map { known[$0] }, places.map { targets[$0] })
          let batch = ownPlaces.map { own[$0] }
          peers[k].descend(rate: 0.1) {
            $0.distillation(x, q, 2) + 0.5 * $0.crossEntropy(images[batch], images.labels(batch))
          }
        }
      }
    }
    let trial = try fixture.trials()[0]
    try fixture.expectEqual(trial, peers)
    #expect(trial.generic == nil)
    #expect(trial.personal != nil)
  }

  /// K̄ by the specification's formulas.
  private func mix(_ knowledge: [[[Double]]], beta: Double, isSymmetric: Bool) -> [[[Double]]] {
    let rows = Double(PublicFixture.publicCount)
    let smooth = knowledge.map { f in
      (0..<3).map { c in (f.reduce(0) { $0 + $1[c] } / rows + 1e-3) / (1 + 3e-3) }
    }
    return smooth.map { p in
      let terms = smooth.map { q in
        func distance(_ p: [Double], _ q: [Double]) -> Double {
          (0..<3).reduce(0) { $0 + p[$1] * log(p[$1] / q[$1]) }
        }
        let middle = zip(p, q).map { ($0 + $1) / 2 }
        return exp(
          -beta * (isSymmetric ? (distance(p, middle) + distance(q, middle)) / 2 : distance(p, q)))
      }
      return knowledge[0].indices.map { x in
        (0..<3).map { c in
          knowledge.indices.reduce(0) { $0 + terms[$1] * knowledge[$1][x][c] } / terms.reduce(0, +)
        }
      }
    }
  }

  @Test("with a large β and plain SGD it is local training alone, bit for bit")
  func infiniteBeta()
    throws
  {
    let fixture = try PublicFixture([
      ScenarioText.strategy("local-only"), knfu(#""beta": 1e9"#),
      knfu(#""beta": 10, "label": "b""#),
    ]) {
      $0.federation = #"{ "clients": 4, "rounds": 3, "participation": 0.75 }"#
      $0.order = "shuffled"
      $0.clientModels = PublicFixture.twoNetworks
    }
    let trials = try fixture.trials()
    #expect(try same(trials[0], trials[1]))
    #expect(trials[0].trainLoss == trials[1].trainLoss)
    #expect(trials[0].personal == trials[1].personal)
    #expect(
      trials[1].serverMemory["effective-neighbours"]?.allSatisfy { $0 == 0 || $0 == 1 } == true)
    #expect(try !same(trials[0], trials[2]))
  }

  @Test("without fine-tuning, or while warming up, it is local training alone, bit for bit")
  func switchedOff() throws {
    let fixture = try PublicFixture([
      ScenarioText.strategy("local-only"), knfu(#""tuningEpochs": 0"#),
      knfu(#""warmup": 2, "label": "b""#), knfu(#""warmup": 1, "label": "c""#),
    ]) { ($0.order, $0.optimizer) = ("shuffled", ScenarioText.Optimizers.momentum) }
    let trials = try fixture.trials()
    #expect(try same(trials[0], trials[1]))
    #expect(try same(trials[0], trials[2]))
    #expect(try !same(trials[0], trials[3]))
    #expect(trials[2].bytesUp == [0, 0] && trials[2].bytesDown == [0, 0])
    #expect(trials[2].serverMemory.isEmpty)
    let sent = 4 * 4 * PublicFixture.publicCount * 3
    #expect(trials[3].bytesUp == [0, sent] && trials[3].bytesDown == [0, sent])
  }

  @Test("bytes are 4·T·C each way, whatever the networks, and the images once")
  func bytes() throws {
    for isBytes in [false, true] {
      let fixture = try PublicFixture(
        [knfu(), knfu(#""estimate": "labelHistogram", "label": "oracle""#)], bytes: isBytes
      ) {
        $0.federation = #"{ "clients": 4, "rounds": 2, "participation": 0.75 }"#
        $0.clientModels = PublicFixture.twoNetworks
      }
      let trials = try fixture.trials()
      let floats = PublicFixture.publicCount * 3
      #expect(trials[0].bytesUp == [3, 3].map { 4 * floats * $0 })
      #expect(trials[0].bytesDown == trials[0].bytesUp)
      #expect(trials[1].bytesUp == [3, 3].map { 4 * (floats + 3) * $0 })
      #expect(trials[1].bytesDown == trials[0].bytesDown)
      let image = isBytes ? 8 * 8 * 3 : 4 * 3 * 4 * 2
      for trial in trials { #expect(trial.bytesSetup == 4 * PublicFixture.publicCount * image) }
    }
  }

  @Test(
    "trained models find the clients with their classes; untrained ones find all alike",
    arguments: [#""divergence": "kl""#, #""beta": 60"#])
  func neighbours(fields: String) throws {
    // Two clients with class 0 and some of class 1, two with class 2.
    let labels = SmallImages.floats(train: 46).train.labels
    let free = Array(0..<22)
    func images(_ wanted: Set<Int32>) -> [Int] { free.filter { wanted.contains(labels[$0]) } }
    let (low, high) = (images([0, 1]), images([2]))
    let clients = [low, high].flatMap { list in
      [0, 1].map { half in list.indices.filter { $0 % 2 == half }.map { list[$0] } }
    }
    for (rate, isTrained) in [(0.1, true), (1e-6, false)] {
      let fixture = try PublicFixture([knfu(fields)], clients: clients) {
        $0.federation = #"{ "clients": 4, "rounds": 1 }"#
        $0.work = #"{ "epochs": 40 }"#
        $0.optimizer = #"{ "kind": "sgd", "learningRate": \#(rate), "momentum": 0 }"#
        $0.clientModels = isTrained ? PublicFixture.twoNetworks : nil
      }
      let trial = try fixture.trials()[0]
      let counts = try #require(trial.serverMemory["effective-neighbours"])
      for count in counts { #expect(abs(count - (isTrained ? 2 : 4)) < 0.5, "\(counts)") }
      #expect(trial.serverMemory.names == ["effective-neighbours"])
    }
  }

  @Test(
    "estimates by the mean soft label come near the true label counts, and beat a uniform guess")
  func fidelity() throws {
    let labels = SmallImages.floats(train: 46).train.labels
    let order = (0..<22).sorted { (labels[$0], $0) < (labels[$1], $1) }
    let clients = [0..<6, 5..<12, 12..<18, 18..<22].map { Array(order[$0.clamped(to: 0..<22)]) }
    let disjoint = clients.enumerated().map { k, list in k == 1 ? Array(list.dropFirst()) : list }
    let fixture = try PublicFixture([knfu(#""tuningEpochs": 0"#)], clients: disjoint) {
      $0.federation = #"{ "clients": 4, "rounds": 1 }"#
      $0.work = #"{ "epochs": 40 }"#
    }
    let trial = try fixture.trials()[0]
    let images = ReferenceImages(fixture.data.train)
    var (estimated, uniform) = (0.0, 0.0)
    for (client, own) in disjoint.enumerated() {
      let start = try fixture.start(client)
      let model = try #require(trial.clientModels[client])
      let rows = ReferencePeer(start.network, model).probabilities(images[fixture.publicImages])
      for c in 0..<3 {
        let share = Double(own.count { labels[$0] == c }) / Double(own.count)
        let mean = rows.reduce(0) { $0 + $1[c] } / Double(rows.count)
        estimated += abs(mean - share)
        uniform += abs(1.0 / 3 - share)
      }
    }
    #expect(estimated < 0.5 * uniform, "\(estimated) of \(uniform)")
  }

  @Test("methods that exchange predictions need a public set; networks of all kinds suit them")
  func needs() {
    #expect(KnFu.needs == [.publicSet, .anyModels, .ownDownloads])
    #expect(FedMD.needs == [.publicSet, .anyModels])
    #expect(FedDF.needs == .publicSet)
  }
}

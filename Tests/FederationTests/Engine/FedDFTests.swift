import Base
import Data
import Federation
import Fixtures
import Testing

@Suite("FedDF")
struct FedDFTests {
  private func feddf(_ fields: String) -> String { ScenarioText.strategy("feddf", fields) }

  @Test("without steps it is FedAvg, bit for bit and in every digest")
  func noSteps() throws {
    let fixture = try PublicFixture([
      ScenarioText.strategy("fedavg"), feddf(#""steps": 0"#),
      feddf(#""steps": 1, "validationShare": 0, "label": "b""#),
    ]) {
      $0.federation = #"{ "clients": 4, "rounds": 3, "participation": 0.75 }"#
      ($0.order, $0.optimizer) = ("shuffled", ScenarioText.Optimizers.momentum)
    }
    let trials = try fixture.trials()
    #expect(trials[0].digests == trials[1].digests)
    #expect(bits(trials[0].model) == bits(trials[1].model))
    #expect(trials[2].model != trials[0].model)
    for trial in trials {
      #expect(trial.bytesUp == trials[0].bytesUp && trial.bytesDown == trials[0].bytesDown)
      #expect(trial.bytesSetup == 0)
    }
  }

  @Test("one client is its own ensemble: the server has nothing to learn, bit for bit")
  func oneClient() throws {
    let fixture = try PublicFixture(
      [ScenarioText.strategy("fedavg"), feddf(#""steps": 7, "validationShare": 0"#)],
      clients: [Array(0..<22)])
    let trials = try fixture.trials()
    #expect(bits(trials[0].model) == bits(trials[1].model))
  }

  @Test("two rounds agree with a reference in double precision")
  func reference() throws {
    let fixture = try PublicFixture([
      feddf(
        """
        "steps": 6, "validationShare": 0, "distillationBatch": 4, "distillationRate": 0.01,
        "temperature": 2
        """)
    ])
    let images = ReferenceImages(fixture.data.train)
    let known = images[fixture.publicImages]
    var server = try fixture.peers()[0]
    let initial = try fixture.start(0).initial
    let total = Double(PublicFixture.sizes.reduce(0, +))
    for _ in 1...2 {
      var sum = server.parameters.map { _ in 0.0 }
      var ensemble = known.map { _ in [0.0, 0, 0] }
      for own in fixture.file.clients {
        var client = server
        for places in ReferenceImages.batches(own.count, 4, epochs: 2) {
          let batch = places.map { own[$0] }
          client.descend(rate: 0.1) { $0.crossEntropy(images[batch], images.labels(batch)) }
        }
        for i in sum.indices {
          sum[i] += Double(own.count) / total * (client.parameters[i] - server.parameters[i])
        }
        for (x, z) in client.logits(known).enumerated() {
          for c in 0..<3 { ensemble[x][c] += z[c] / 4 }
        }
      }
      server.move(by: sum)
      let targets = ensemble.map { ReferencePeer.softmax($0, 2) }
      var (m, v) = (sum.map { _ in 0.0 }, sum.map { _ in 0.0 })
      for (s, places) in ReferenceImages.batches(known.count, 4, steps: 6).enumerated() {
        let (x, q) = (places.map { known[$0] }, places.map { targets[$0] })
        let g = server.gradient { $0.distillation(x, q, 2) }
        let rate = 0.01 * (1 + cos(Double.pi * Double(s) / 6)) / 2
        let t = Double(s + 1)
        server.move(
          by: g.indices.map { i in
            m[i] = 0.9 * m[i] + 0.1 * g[i]
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i]
            let root = (v[i] / (1 - pow(0.999, t))).squareRoot()
            return -rate * m[i] / (1 - pow(0.9, t)) / (root + 1e-8)
          })
      }
    }
    let trial = try fixture.trials()[0]
    let error = norm(trial.model.map(Double.init), minus: server.parameters)
    // Adam divides each gradient by its own size: small ones lend their error to whole steps.
    let allowed = 4 * allowedError(server, from: initial, terms: 24)
    #expect(error <= allowed, "\(error) away; allowed are \(allowed)")
    #expect(norm(server.parameters, minus: initial.map(Double.init)) > 1e3 * allowed)
  }

  /// The mean logits of clients that each trained for 20 epochs, on the public images.
  private func ensemble(_ fixture: PublicFixture) throws -> [[Double]] {
    let images = ReferenceImages(fixture.data.train)
    let known = images[fixture.publicImages]
    let start = try fixture.peers()[0]
    var ensemble = known.map { _ in [0.0, 0, 0] }
    for own in fixture.file.clients {
      var client = start
      for places in ReferenceImages.batches(own.count, 4, epochs: 20) {
        let batch = places.map { own[$0] }
        client.descend(rate: 0.1) { $0.crossEntropy(images[batch], images.labels(batch)) }
      }
      for (x, z) in client.logits(known).enumerated() {
        for c in 0..<3 { ensemble[x][c] += z[c] / 4 }
      }
    }
    return ensemble.map { ReferencePeer.softmax($0) }
  }

  @Test("the student comes nearer to the ensemble; the best look counts, and patience ends looking")
  func improvement() throws {
    func fields(_ steps: Int, _ patience: Int, every: Int) -> String {
      """
      "steps": \(steps), "patience": \(patience), "checkEvery": \(every), "validationShare": 0.4,
      "distillationRate": 0.5, "distillationBatch": 4, "distillationSchedule": "constant",
      "label": "\(steps)-\(patience)-\(every)"
      """
    }
    let looks = Array(stride(from: 3, through: 30, by: 3))
    let patience = [3, 6, 1000]
    let fixture = try PublicFixture(
      [
        ScenarioText.strategy("fedavg"),
        feddf(#""steps": 60, "validationShare": 0, "distillationRate": 0.01"#),
      ] + looks.map { feddf(fields($0, 1000, every: 1000)) }
        + patience.map { feddf(fields(30, $0, every: 3)) }
    ) {
      $0.federation = #"{ "clients": 4, "rounds": 1 }"#
      $0.work = #"{ "epochs": 20 }"#
    }
    let trials = try fixture.trials()
    let known = ReferenceImages(fixture.data.train)[fixture.publicImages]
    let targets = try ensemble(fixture)
    let network = try fixture.start(0).network
    func distance(_ model: [Float], _ places: [Int]) -> Double {
      ReferencePeer(network, model).distillation(
        places.map { known[$0] }, places.map { targets[$0] }, 1)
    }
    let distances = trials.prefix(2).map { distance($0.model, Array(0..<9)) }
    #expect(distances[1] < 0.2 * distances[0], "\(distances)")

    var stream = RandomStream(seed: 1, .server)
    let aside = Array(stream.permutation(9).prefix(3))
    let models = trials[2..<2 + looks.count].map(\.model)
    let losses = models.map { distance($0, aside) }
    var chosen: Set<Int> = []
    for (index, patience) in patience.enumerated() {
      var best = 0
      for look in looks.indices.dropFirst() {
        if losses[look] < losses[best] {
          best = look
        } else if looks[look] - looks[best] >= patience {
          break
        }
      }
      chosen.insert(best)
      #expect(
        bits(trials[2 + looks.count + index].model) == bits(models[best]),
        "patience \(patience): look \(best) of \(losses)")
    }
    #expect(chosen.count > 1, "\(losses)")
  }
}

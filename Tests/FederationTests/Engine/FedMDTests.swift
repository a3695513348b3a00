import Aggregation
import Data
import Federation
import Fixtures
import Testing

@Suite("FedMD")
struct FedMDTests {
  /// Nothing before the first round and no digest.
  private let off = #""publicEpochs": 0, "privateEpochs": 0, "digestEpochs": 0"#

  private func fedmd(_ fields: String) -> String { ScenarioText.strategy("fedmd", fields) }

  @Test(
    "two rounds on different networks agree with a reference in double precision",
    arguments: ["l1-logits", "kl-logits", "kl-probabilities"])
  func reference(_ digest: String)
    throws
  {
    let fixture = try PublicFixture([
      fedmd(
        """
        "digest": "\(digest)", "temperature": 2, "publicEpochs": 2, "privateEpochs": 1,
        "digestEpochs": 2, "publicBatch": 4
        """)
    ]) {
      $0.clientModels = PublicFixture.twoNetworks
      $0.work = #"{ "epochs": 1 }"#
    }
    let images = ReferenceImages(fixture.data.train)
    let places = fixture.publicImages
    let known = images[places]
    var peers = try fixture.peers()

    func study(_ k: Int, _ indices: [Int], _ epochs: Int) {
      for part in ReferenceImages.batches(indices.count, 4, epochs: epochs) {
        let batch = part.map { indices[$0] }
        peers[k].descend(rate: 0.1) { $0.crossEntropy(images[batch], images.labels(batch)) }
      }
    }
    for (k, own) in fixture.file.clients.enumerated() {
      study(k, places, 2)
      study(k, own, 1)
    }
    for _ in 1...2 {
      let scores = peers.map {
        digest == "kl-probabilities" ? $0.probabilities(known) : $0.logits(known)
      }
      let consensus = known.indices.map { x in
        (0..<3).map { c in scores.reduce(0) { $0 + $1[x][c] } / 4 }
      }
      let targets = consensus.map { row in
        switch digest {
        case "l1-logits": return row
        case "kl-logits": return ReferencePeer.softmax(row, 2)
        default:
          let powers = row.map { $0.squareRoot() }
          return powers.map { $0 / powers.reduce(0, +) }
        }
      }
      for (k, own) in fixture.file.clients.enumerated() {
        for part in ReferenceImages.batches(known.count, 4, epochs: 2) {
          let (x, q) = (part.map { known[$0] }, part.map { targets[$0] })
          peers[k].descend(rate: 0.1) {
            digest == "l1-logits" ? $0.absoluteError(x, q) : $0.distillation(x, q, 2)
          }
        }
        study(k, own, 1)
      }
    }
    try fixture.expectEqual(try fixture.trials()[0], peers)
  }

  @Test("with everything off it is local training alone, bit for bit")
  func switchedOff() throws {
    let fixture = try PublicFixture([ScenarioText.strategy("local-only"), fedmd(off)]) {
      $0.federation = #"{ "clients": 4, "rounds": 3, "participation": 0.75 }"#
      ($0.order, $0.optimizer) = ("shuffled", ScenarioText.Optimizers.momentum)
      $0.clientModels = PublicFixture.twoNetworks
    }
    let trials = try fixture.trials()
    for (a, b) in zip(trials[0].clientModels, trials[1].clientModels) {
      #expect(bits(try #require(a)) == bits(try #require(b)))
    }
    #expect(trials[0].trainLoss == trials[1].trainLoss)
    #expect(trials[1].serverMemory.isEmpty)
  }

  @Test("a client alone agrees with itself: the digest changes nothing, bit for bit")
  func alone()
    throws
  {
    for digest in ["l1-logits", "kl-logits", "kl-probabilities"] {
      let fields = #""publicEpochs": 0, "privateEpochs": 0, "digest": "\#(digest)""#
      let fixture = try PublicFixture(
        [ScenarioText.strategy("local-only"), fedmd(fields)], clients: [Array(0..<22)])
      let trials = try fixture.trials()
      #expect(trials[0].clientModels == trials[1].clientModels, "\(digest)")
    }
  }

  @Test("bytes are 4·P·C each way; a part of the images costs 8 more down, their labels once")
  func bytes() throws {
    let fixture = try PublicFixture([
      fedmd(off), fedmd(#""alignment": 9, "publicEpochs": 0, "label": "all""#),
      fedmd(#""alignment": 5, "publicEpochs": 1, "privateEpochs": 1, "label": "part""#),
    ]) { $0.clientModels = PublicFixture.twoNetworks }
    let trials = try fixture.trials()
    let images = 4 * 9 * 4 * (3 * 4 * 2)
    for trial in trials.prefix(2) {
      #expect(trial.bytesUp == [4, 4].map { 4 * 9 * 3 * $0 })
      #expect(trial.bytesDown == trial.bytesUp)
      #expect(trial.bytesSetup == images)
    }
    #expect(trials[2].bytesUp == [4, 4].map { 4 * 5 * 3 * $0 })
    #expect(trials[2].bytesDown == [4, 4].map { (4 * 5 * 3 + 8) * $0 })
    #expect(trials[2].bytesSetup == images + 4 * 9 * 4)
    for memory in trials[2].clientMemories.values { #expect(memory.names == ["model"]) }
  }

  @Test("each round draws other images, and the draw does not depend on what is trained")
  func alignment() throws {
    let fixture = try PublicFixture([
      fedmd(#""alignment": 5, "publicEpochs": 0, "privateEpochs": 0"#),
      fedmd(#""publicEpochs": 0, "privateEpochs": 0, "label": "all""#),
    ])
    let trials = try fixture.trials()
    #expect(trials[0].clientModels != trials[1].clientModels)
    let other = try fixture.experiment.trial(threads: 2)
    #expect(other.digests == trials[0].digests)
  }
}

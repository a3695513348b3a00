import Aggregation
import Fixtures
import Testing

@testable import Federation

/// A small federation whose messages are encoded.
struct CompressedFederation: Sendable {
  static let sizes = [23, 17, 32, 0, 12]
  /// Parameters of the network of 24 inputs, 6 hidden and 3 classes.
  static var parameters: Int { 24 * 6 + 6 + 6 * 3 + 3 }

  static func experiment(
    _ compression: [String?], kind: String = "fedavg", participation: Double = 0.6, rounds: Int = 4,
    more: String = "", _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> Experiment {
    let file = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": 5, "rounds": \(rounds), "participation": \(participation) }
      """
    text.order = "shuffled"
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = compression.map { section in
      ScenarioText.strategy(kind, section.map { #""compression": \#($0)\#(more)"# } ?? "")
    }
    change(&text)
    return try text.experiment(
      SmallImages.floats(train: sizes.reduce(0, +) + ScenarioText.somePublic.spareImages))
  }

  /// Sections with every kind of memory and codec.
  static let sections = [
    #"{ "uplink": { "kind": "topk", "ratio": 0.05 } }"#,
    #"{ "uplink": { "kind": "topk", "ratio": 0.05, "errorUnits": "gradient", "fading": 0.5 } }"#,
    #"{ "uplink": { "kind": "topk", "ratio": 0.1, "selection": "sampled", "values": "int8" } }"#,
    #"{ "uplink": { "kind": "dgc", "ratio": 0.02, "warmup": "quarters", "clip": 1 } }"#,
    #"{ "uplink": { "kind": "random-k", "ratio": 0.1, "places": "shared" } }"#,
    #"{ "uplink": { "kind": "threshold", "threshold": 0.01, "indices": "packed" } }"#,
    #"{ "uplink": { "kind": "sign" }, "downlink": { "kind": "quantize", "bits": 6 } }"#,
    #"{ "uplink": { "kind": "qsgd", "coding": "elias" }, "downlink": "natural" }"#,
    #"{ "uplink": { "kind": "ternary" }, "downlink": { "kind": "topk", "ratio": 0.1 } }"#,
    """
    { "uplink": { "kind": "low-rank", "rank": 1, "scope": "tensor",
      "groups": [{ "group": "head", "kind": "dense", "format": "bfloat16" }] } }
    """,
    """
    { "uplink": { "kind": "topk", "ratio": 0.1, "scope": "tensor",
      "layerwise": { "every": 2 } } }
    """,
  ]

  /// Memories that the mean of one block is enough for.
  static let meanSections = [
    #"{ "uplink": { "kind": "topk", "ratio": 0.1, "feedback": "ef21", "smoothing": 0.5 } }"#,
    #"{ "uplink": { "kind": "low-rank", "rank": 1, "sums": "factors" } }"#,
    #"{ "uplink": { "kind": "low-rank", "rank": 1, "sums": "factors", "errorReference": "own" } }"#,
  ]
}

@Suite("Compressed runs")
struct CompressedRunTests {
  @Test(
    "dense floats through real buffers: every strategy's plain run, bit for bit",
    arguments: RandomFederation.kinds)
  func dense(kind: String) throws {
    let section = """
      "compression": { "uplink": { "kind": "dense", "blocks": "all" },
        "downlink": { "kind": "dense", "blocks": "all" } }
      """
    let registered = ScenarioText.registered(kind)
    let experiment = try CompressedFederation.experiment([nil], rounds: 2) {
      $0.strategies = [registered, PrivateRunTests.with(section, registered)].enumerated().map {
        PrivateRunTests.with(#""label": "run-\#($0)""#, $1)
      }
    }
    let plain = try experiment.trial(strategy: 0)
    let coded = try experiment.trial(strategy: 1)
    #expect(coded.digests == plain.digests)
    #expect(coded.clientModels == plain.clientModels)
    // A frame has at least 7 bytes, and each tensor at least 3 besides its values.
    for (coded, plain) in zip(coded.bytesUp, plain.bytesUp) {
      #expect(coded >= plain && (plain == 0) == (coded == 0))
    }
  }

  @Test("the bytes of dense frames, by hand")
  func denseBytes() throws {
    let experiment = try CompressedFederation.experiment(
      [nil, #"{ "uplink": { "kind": "dense", "format": "float16", "scope": "model" } }"#],
      participation: 1)
    let plain = try experiment.trial(strategy: 0)
    let half = try experiment.trial(strategy: 1)
    let p = CompressedFederation.parameters
    #expect(plain.bytesUp == [Int](repeating: 4 * 4 * p, count: 4))
    #expect(half.bytesDown == plain.bytesDown)
    // Frame 2 + 1 + 4; codec, flags and d of two bytes; two bytes per value.
    #expect(p > 127 && p < 16384)
    #expect(half.bytesUp == [Int](repeating: 4 * (7 + 4 + 2 * p), count: 4))
  }

  @Test(
    "digests are the same for any number of threads and through a checkpoint",
    arguments: CompressedFederation.sections + CompressedFederation.meanSections)
  func determinism(
    section: String
  ) throws {
    let needsOneBlock = CompressedFederation.meanSections.contains(section)
    for kind in needsOneBlock ? ["fedavg", "fedprox"] : ["fedavg", "scaffold"] {
      let experiment = try CompressedFederation.experiment([section], kind: kind, rounds: 5)
      let reference = try experiment.trial()
      #expect(Set(reference.digests).count == 6)
      for threads in [2, 3] {
        let other = try experiment.trial(threads: threads)
        #expect(other.digests == reference.digests)
        #expect(other.bytesUp == reference.bytesUp && other.bytesDown == reference.bytesDown)
      }
      let folder = try ScratchFolder()
      let resumed = try experiment.trial(threads: 2, interruptedAfter: 3, folder: folder.path)
      #expect(resumed.digests == reference.digests)
      #expect(resumed.serverMemory == reference.serverMemory)
      #expect(resumed.clientMemories == reference.clientMemories)
      #expect(resumed.bytesUp == reference.bytesUp && resumed.bytesDown == reference.bytesDown)
    }
  }

  @Test("every strategy with a lossy codec both ways", arguments: RandomFederation.kinds)
  func everyStrategy(kind: String) throws {
    // A model, unlike a difference, needs all of its values.
    let uplink = kind == "fedasync" ? "natural" : #"topk", "ratio": 0.2, "blocks": "all"#
    let section = """
      "compression": { "uplink": { "kind": "\(uplink)" },
        "downlink": { "kind": "quantize", "blocks": "all" } }
      """
    let experiment = try CompressedFederation.experiment([nil], rounds: 2) {
      $0.strategies = [PrivateRunTests.with(section, ScenarioText.registered(kind))]
    }
    let trial = try experiment.trial()
    #expect(try experiment.trial(threads: 3).digests == trial.digests)
  }

  @Test("EF21 and deep gradient compression that leave nothing out are FedAvg and its momentum")
  func nothingLeftOut() throws {
    let whole = #""kind": "topk", "ratio": 1"#
    let experiment = try CompressedFederation.experiment([nil], participation: 1, rounds: 5) {
      $0.strategies = [
        ScenarioText.strategy("fedavg", ""),
        ScenarioText.strategy(
          "fedavg",
          #""label": "ef21", "compression": { "uplink": { \#(whole), "feedback": "ef21" } }"#),
        ScenarioText.strategy("fedavgm", #""serverMomentum": 0.5"#),
        ScenarioText.strategy(
          "fedavg",
          """
          "label": "dgc", "compression": { "uplink": { "kind": "dgc", "ratio": 1,
            "momentum": 0.5, "denseVectors": false } }
          """),
      ]
    }
    let models = try (0..<4).map { try experiment.trial(strategy: $0).model }
    for (a, b) in [(0, 1), (2, 3)] {
      #expect(models[a] != models[0] || a == 0)
      let difference = zip(models[a], models[b]).map { abs($0 - $1) }.max() ?? .nan
      // Sums of five updates in another order: a few units of the last place of values near 1.
      #expect(difference < 2e-6)
    }
    #expect(models[0] != models[2])
  }

  @Test("sums of factors: bytes by hand, and an update of the rank asked for")
  func factors() throws {
    let section = #"{ "uplink": { "kind": "low-rank", "rank": 1, "sums": "factors" } }"#
    let experiment = try CompressedFederation.experiment([section], participation: 1, rounds: 1)
    let trial = try experiment.trial()
    // 6×24 has factors of 6 and 24; a rank of 3×6 does not pay, biases are vectors.
    let (left, right) = (6 + 6 + 18 + 3, 24)
    #expect(trial.bytesUp == [4 * 4 * (left + right)])
    #expect(trial.bytesDown == [4 * 4 * (CompressedFederation.parameters + left + right)])
    let update = zip(trial.model, trial.initial).map { Double($0 - $1) }
    let rows = (0..<6).map { row in Array(update[row * 24..<(row + 1) * 24]) }
    for row in rows.dropFirst() {
      for j in 1..<24 { #expect(abs(row[j] * rows[0][0] - row[0] * rows[0][j]) < 1e-8) }
    }
    #expect(rows[0].contains { abs($0) > 1e-3 })
  }

  @Test("estimates of absent clients count: h is the weighted mean of all clients' h_k")
  func absentEstimates() throws {
    let experiment = try CompressedFederation.experiment(
      [#"{ "uplink": { "kind": "topk", "ratio": 0.3, "feedback": "ef21" } }"#], rounds: 6)
    let trial = try experiment.trial()
    let mean = try #require(trial.serverMemory["compression.mean/model"])
    let total = Double(CompressedFederation.sizes.reduce(0, +))
    var sum = [Double](repeating: 0, count: mean.count)
    for (client, size) in CompressedFederation.sizes.enumerated() {
      guard let own = trial.clientMemories[client]?["compression.estimate/model"] else { continue }
      for i in sum.indices { sum[i] += Double(size) / total * Double(own[i]) }
    }
    #expect(zip(mean, sum).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    #expect(sum.contains { abs($0) > 1e-3 })
  }

  @Test("a client that was away needs the frames that it missed, or the whole model")
  func shadow()
    throws
  {
    let section = #"{ "downlink": { "kind": "quantize", "bits": 4, "shadow": true } }"#
    let experiment = try CompressedFederation.experiment([section], participation: 0.4, rounds: 30)
    let trial = try experiment.trial()
    let full = 4 * CompressedFederation.parameters
    // Per tensor: codec, flags, d, chunk, bits, a scale per chunk of 1024, half a byte per value.
    let shapes = [24 * 6, 6, 18, 3]
    let frame = shapes.reduce(7) { sum, d in
      let head = 2 + (d > 127 ? 2 : 1) + 2 + 1
      return sum + head + 4 * ((d + 1023) / 1024) + (d + 1) / 2
    }
    var last: [Int: Int] = [:]
    var whole = 0
    for (index, cohort) in trial.cohorts.enumerated() {
      let round = index + 1
      var expected = 0
      for client in cohort where CompressedFederation.sizes[client] > 0 {
        let missed = last[client].map { (round - $0) * frame } ?? full
        if missed >= full { whole += 1 }
        expected += min(full, missed)
        last[client] = round
      }
      #expect(trial.bytesDown[index] == expected)
    }
    #expect(whole > 4)
    #expect(trial.serverMemory["compression.shadow/model"] != nil)
  }

  @Test("layer-wise strengths are told to each client once, a byte per tensor")
  func layerwise()
    throws
  {
    let section = """
      { "uplink": { "kind": "topk", "ratio": 0.1, "scope": "tensor", "indices": "u32",
        "layerwise": { "every": 3 } } }
      """
    let experiment = try CompressedFederation.experiment([section], participation: 1, rounds: 7)
    let trial = try experiment.trial()
    let plain = 4 * 4 * CompressedFederation.parameters
    // Solved after rounds 3 and 6; four clients hold examples, the network has four tensors.
    #expect(trial.bytesDown == (1...7).map { $0 == 4 || $0 == 7 ? plain + 4 * 4 : plain })
    let choice = try #require(trial.serverMemory["compression.choice/model"])
    #expect(choice.count == 4 && Set(choice).count > 1)
    #expect(trial.bytesUp[0] == trial.bytesUp[2] && trial.bytesUp[3] != trial.bytesUp[2])
  }

  @Test("conditions name codecs and memories, once where they are common")
  func conditions() throws {
    let common = try CompressedFederation.experiment([
      #"{ "uplink": { "kind": "topk", "ratio": 0.05, "values": "float16" } }"#
    ])
    #expect(common.conditions.contains("uplink: top-k 5 % float16 + error feedback"))
    let mixed = try CompressedFederation.experiment([
      nil,
      """
      { "uplink": { "kind": "dgc", "ratio": 0.001 },
        "downlink": { "kind": "quantize", "bits": 6 } }
      """,
    ])
    let line = mixed.conditions.last ?? ""
    #expect(line.contains("uplink: deep gradient compression, top-k 0.10 % float32, momentum 0.90"))
    #expect(line.contains("downlink: 6-bit integers"))
    #expect(!mixed.conditions.contains { $0.hasPrefix("uplink") })
  }
}

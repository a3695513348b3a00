import Aggregation
import Fixtures
import Records
import Testing

@testable import Federation

@Suite("Compression on the clock")
struct ClockedCompressionTests {
  private func experiment(
    _ strategies: [String], system: String, participation: Double = 1, rounds: Int = 3
  ) throws -> Experiment {
    try CompressedFederation.experiment([nil], participation: participation, rounds: rounds) {
      $0.strategies = strategies
      $0.system = system
    }
  }

  private static let topk = """
    "compression": { "uplink": { "kind": "topk", "ratio": 0.05 } }
    """

  @Test("what is lost on the way waits at the client, and its bytes count")
  func lost() throws {
    // No upload arrives: the server's model stays, and every client's error is the sum of its
    // updates, all made from the initial model.
    let strategies = [
      ScenarioText.strategy("fedavg", Self.topk),
      ScenarioText.strategy(
        "fedavg",
        #""label": "dgc", "compression": { "uplink": { "kind": "dgc", "momentum": 0.5 } }"#),
    ]
    let experiment = try experiment(strategies, system: #"{ "loss": 0.99 }"#, rounds: 2)
    let topk = try experiment.trial(strategy: 0)
    #expect(topk.model == topk.initial)
    #expect(topk.bytesUp.allSatisfy { $0 > 0 })
    let dgc = try experiment.trial(strategy: 1)
    for (client, size) in CompressedFederation.sizes.enumerated() where size > 0 {
      let error = try #require(topk.clientMemories[client]?["compression.error/model"])
      let waiting = try #require(dgc.clientMemories[client]?["compression.waiting/model"])
      let momentum = try #require(dgc.clientMemories[client]?["compression.momentum/model"])
      // u₁ = Δ₁, u₂ = Δ₁/2 + Δ₂, v = u₁ + u₂: v − u₂/1 = Δ₁ and nothing was masked.
      let first = zip(waiting, momentum).map { $0 - $1 }
      let second = zip(momentum, first).map { $0 - 0.5 * $1 }
      for i in error.indices { #expect(abs(error[i] - first[i] - second[i]) < 1e-6) }
      #expect(error.count { $0 != 0 } > error.count / 2)
    }
  }

  @Test("encoded bytes are what the links carry")
  func time() throws {
    let system = """
      { "network": { "up": "8 kbit/s", "down": "8 Mbit/s", "latency": 0 },
        "compute": { "kind": "constant", "speed": "1000 TFLOP/s" } }
      """
    let half = #""compression": { "uplink": { "kind": "dense", "format": "float16" } }"#
    let experiment = try experiment(
      [
        ScenarioText.strategy("fedavg", ""),
        ScenarioText.strategy("fedavg", half + #", "label": "half""#),
      ], system: system, rounds: 1)
    for strategy in 0..<2 {
      let trial = try experiment.trial(strategy: strategy)
      let clock = try #require(trial.clock[0])
      // Four clients send as many bytes each; they do it side by side.
      let expected = Double(trial.bytesUp[0]) / 4 / 1000 + Double(trial.bytesDown[0]) / 4 / 1e6
      #expect(abs(clock.end - expected) < 1e-3 * expected)
    }
  }

  @Test(
    "asynchronous methods with codecs: the same for any number of threads, and after a resume",
    arguments: [
      (#"{ "uplink": { "kind": "topk", "ratio": 0.05 } }"#, "fedbuff"),
      (
        #"{ "uplink": { "kind": "dgc", "ratio": 0.05 }, "downlink": { "kind": "quantize" } }"#,
        "fedbuff"
      ), (#"{ "uplink": "natural", "downlink": { "kind": "quantize" } }"#, "fedasync"),
    ])
  func asynchronous(section: String, kind: String) throws {
    let system = #"{ "compute": { "kind": "lognormal", "sigma": 1 }, "loss": 0.1 }"#
    let strategy = ScenarioText.strategy(kind, #""compression": \#(section)"#)
    let experiment = try experiment([strategy], system: system, participation: 0.6, rounds: 6)
    let reference = try experiment.trial()
    #expect(Set(reference.digests).count == 7)
    #expect(try experiment.trial(threads: 3).digests == reference.digests)
    let folder = try ScratchFolder()
    let resumed = try experiment.trial(threads: 2, interruptedAfter: 3, folder: folder.path)
    #expect(resumed.digests == reference.digests)
    #expect(resumed.bytesUp == reference.bytesUp && resumed.bytesDown == reference.bytesDown)
    #expect(resumed.clientMemories == reference.clientMemories)
  }

  @Test("factors of those that were heard alone, with shares among them")
  func lostFactors() throws {
    let section = #"{ "uplink": { "kind": "low-rank", "rank": 1, "sums": "factors" } }"#
    let experiment = try experiment(
      [ScenarioText.strategy("fedavg", #""compression": \#(section)"#)],
      system: #"{ "loss": 0.5 }"#, rounds: 1)
    let trial = try experiment.trial()
    let clock = try #require(trial.clock[0])
    #expect(!clock.lost.isEmpty && !clock.completed.isEmpty)
    // Biases travel as they are: what a client that was heard has left of them is nothing, and
    // what waits at the others is all of their update.
    let bias = 24 * 6..<24 * 6 + 6
    for client in clock.completed + clock.lost {
      let error = try #require(trial.clientMemories[client]?["compression.error/model"])
      #expect(error[bias].allSatisfy { $0 == 0 } == clock.completed.contains(client))
    }
    let plain = try self.experiment(
      [ScenarioText.strategy("fedavg", "")], system: #"{ "loss": 0.5 }"#, rounds: 1
    ).trial()
    for i in bias { #expect(abs(trial.model[i] - plain.model[i]) < 1e-6) }
  }

  @Test("late messages of a deadline wait, too")
  func late() throws {
    let system = """
      { "compute": { "kind": "table", "values": [1e9, 1e9, 1e9, 1e9, 1] }, "deadline": 10 }
      """
    let experiment = try experiment(
      [ScenarioText.strategy("fedavg", Self.topk)], system: system, rounds: 1)
    let trial = try experiment.trial()
    let late = try #require(trial.clientMemories[4]?["compression.error/model"])
    let inTime = try #require(trial.clientMemories[0]?["compression.error/model"])
    #expect(trial.clock[0]?.late == [4])
    // 5 % of 171 values, rounded up, were taken from those in time.
    let kept = 9
    #expect(inTime.count { $0 == 0 } >= kept)
    #expect(late.count { $0 == 0 } < inTime.count { $0 == 0 })
  }
}

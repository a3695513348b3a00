import Aggregation
import Federation
import Fixtures
import Testing

@testable import Base
@testable import Scenario

@Suite("Compression and privacy")
struct CompressedPrivacyTests {
  private static let topk = #"{ "uplink": { "kind": "topk", "ratio": 0.2 } }"#
  private static let ef21 = #"{ "uplink": { "kind": "topk", "ratio": 0.2, "feedback": "ef21" } }"#
  private static let shared = #"{ "uplink": { "kind": "random-k", "places": "shared" } }"#
  private static let own = #"{ "uplink": { "kind": "random-k" } }"#

  private static func client(_ placement: String) -> String {
    #"{ "unit": "client", "noiseMultiplier": 1, "placement": "\#(placement)" }"#
  }

  @Test(
    "sound orders are taken, unsound ones refused",
    arguments: [
      (topk, client("server"), true), (topk, client("local"), true),
      (topk, client("distributed"), false), (own, client("distributed"), false),
      (shared, client("distributed"), true), (ef21, client("server"), false),
      (ef21, client("local"), false), (ef21, #"{ "unit": "example", "noiseMultiplier": 1 }"#, true),
    ])
  func orders(compression: String, privacy: String, isSound: Bool) {
    let text = """
      { "fedsim": 1, "data": { "dataset": { "kind": "synthetic" } },
        "compression": \(compression), "privacy": \(privacy),
        "strategies": [ { "kind": "fedavg" } ] }
      """
    let reading = ScenarioReader().read(bytes: Array(text.utf8), file: "order.json")
    #expect(reading.errors.map(\.code) == (isSound ? [] : ["E3342"]))
  }

  @Test(
    "codecs that do not suit a method are refused",
    arguments: [
      (topk, "fedasync", false), (#"{ "uplink": "natural" }"#, "fedasync", true),
      (own, "fedasync", false), (ef21, "scaffold", false), (ef21, "fedavg", true),
      (#"{ "uplink": { "kind": "low-rank", "sums": "factors" } }"#, "fedmd", false),
      (#"{ "uplink": { "kind": "low-rank", "sums": "factors" } }"#, "fedprox", true),
    ])
  func methods(compression: String, kind: String, fits: Bool) {
    let text = """
      { "fedsim": 1, "data": { "dataset": { "kind": "synthetic" }, "public": { "size": 100 } },
        "compression": \(compression), "strategies": [ { "kind": "\(kind)" } ] }
      """
    let reading = ScenarioReader().read(bytes: Array(text.utf8), file: "fit.json")
    #expect(reading.errors.map(\.code) == (fits ? [] : ["E3341"]))
  }

  @Test("where the server adds noise, its clip comes after decoding: no message moves it further")
  func clipIsLast() throws {
    let clip = 0.01
    let experiment = try CompressedFederation.experiment(
      [#"{ "uplink": { "kind": "topk", "ratio": 0.2 } }"#], participation: 1, rounds: 3,
      more: #", "privacy": { "unit": "client", "noiseMultiplier": 0, "clip": \#(clip) }"#)
    let trial = try experiment.trial()
    let moved = zip(trial.model, trial.initial).reduce(0.0) {
      $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
    }
    // Three means of messages of at most the clip; most are longer, so most are cut to it.
    #expect(moved.squareRoot() <= 3 * clip * 1.0001)
    #expect(moved.squareRoot() > clip)
  }

  @Test("where clients add noise, it comes first: what waits is noise, too")
  func noiseIsFirst()
    throws
  {
    let experiment = try CompressedFederation.experiment(
      [#"{ "uplink": { "kind": "topk", "ratio": 0.01 } }"#], participation: 1, rounds: 1,
      more: """
        , "privacy": { "unit": "client", "noiseMultiplier": 100, "clip": 0.01,
          "placement": "local" }
        """)
    let trial = try experiment.trial()
    for (client, size) in CompressedFederation.sizes.enumerated() where size > 0 {
      let error = try #require(trial.clientMemories[client]?["compression.error/model"])
      // Standard deviation 100·0.01 in each value: nearly all of it waits.
      let mean = error.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(error.count)
      #expect(mean > 0.7 && mean < 1.3)
    }
  }

  @Test("an adaptive clip or a discrete noise that cannot have the noise accounted for is refused")
  func lessNoiseThanAccounted() throws {
    let target = #""target": { "epsilon": 0.001 }"#
    for (section, code) in [
      (#"{ "unit": "client", \#(target), "clipping": "adaptive" }"#, "E3332"),
      (#"{ "unit": "client", "noiseMultiplier": 200, "noise": "discrete" }"#, "E3332"),
    ] {
      let experiment = try PrivateFederation.experiment([section])
      let failure = #expect(throws: Failure.self) { try experiment.trial() }
      #expect(failure?.code == code)
    }
    let fitting = try PrivateFederation.experiment([
      #"{ "unit": "client", "noiseMultiplier": 100, "noise": "discrete" }"#
    ])
    #expect(try fitting.trial().privacy != nil)
  }
}

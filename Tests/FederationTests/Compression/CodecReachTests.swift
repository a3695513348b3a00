import Aggregation
import Fixtures
import Scenario
import Testing

@testable import Federation
@testable import Studies

@Suite("What codecs reach")
struct CodecReachTests {
  static let kinds = StrategyRegistry.infos.map(\.kind)

  /// Codecs and memories of uploads.
  private static let up = [
    #"{ "kind": "dense", "format": "float16", "blocks": "all" }"#,
    #"{ "kind": "topk", "ratio": 0.1 }"#, #"{ "kind": "topk", "ratio": 0.1, "blocks": "all" }"#,
    #"{ "kind": "topk", "ratio": 0.1, "indices": "packed", "blocks": "all" }"#,
    #"{ "kind": "topk", "ratio": 0.1, "block": 3, "indices": "packed", "blocks": "all" }"#,
    #"{ "kind": "topk", "ratio": 0.1, "scope": "tensor", "layerwise": { "every": 1 } }"#,
    #"{ "kind": "random-k", "ratio": 0.1, "places": "shared", "blocks": "all" }"#,
    #"{ "kind": "threshold", "threshold": 0.01, "blocks": "all" }"#,
    #"{ "kind": "quantize", "bits": 4, "errorFeedback": true, "blocks": "all" }"#,
    #"{ "kind": "quantize", "entropyCoded": true, "blocks": "all", "denseBelow": 40 }"#,
    #"{ "kind": "qsgd", "coding": "elias" }"#,
    #"{ "kind": "natural", "denseVectors": true, "blocks": "all" }"#,
    #"{ "kind": "sign", "blocks": "all" }"#,
    #"{ "kind": "ternary", "denseBelow": 1000000, "blocks": "all" }"#,
    #"{ "kind": "low-rank", "rank": 1, "blocks": "all" }"#,
    #"{ "kind": "low-rank", "rank": 255, "blocks": "all" }"#,
    #"{ "kind": "low-rank", "rank": 1, "sums": "factors" }"#,
    #"{ "kind": "topk", "ratio": 0.1, "feedback": "ef21" }"#,
    #"{ "kind": "dgc", "ratio": 0.1, "warmup": "quarters", "blocks": "all" }"#,
  ]
  /// Codecs and shadows of downloads.
  private static let down = [
    #"{ "kind": "quantize" }"#, #"{ "kind": "dense", "format": "bfloat16", "blocks": "all" }"#,
    #"{ "kind": "dense", "format": "bfloat16", "blocks": "all", "shadow": true }"#,
    #"{ "kind": "topk", "ratio": 0.1, "indices": "packed", "blocks": "all" }"#,
    #"{ "kind": "topk", "ratio": 0.1, "indices": "packed", "blocks": "all", "shadow": false }"#,
    #"{ "kind": "topk", "ratio": 0.1 }"#,
    #"{ "kind": "quantize", "bits": 5, "blocks": "all", "shadow": true }"#,
    #"{ "kind": "sign", "denseBelow": 1000000, "blocks": "all" }"#,
    #"{ "kind": "qsgd", "denseVectors": true, "blocks": "all" }"#,
  ]

  /// A strategy with a section and a label of its own.
  private static func entry(_ kind: String, _ label: Int, _ section: String?) -> String {
    let members =
      [#""label": "run-\#(label)""#] + (section.map { [#""compression": \#($0)"#] } ?? [])
    return members.reduce(ScenarioText.registered(kind)) { PrivateRunTests.with($1, $0) }
  }

  /// Whether a strategy takes a section; a refusal must be one of those that say why.
  private func takes(_ kind: String, _ section: String) throws -> Bool {
    let file = try PartitionFile(sizes: RunFixture.sizes)
    var text = ScenarioText(partition: file.json)
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = [Self.entry(kind, 0, section)]
    let errors = text.problems.filter { $0.severity == .error }.map(\.code)
    #expect(Set(errors).isSubset(of: ["E3341", "E3343", "E3364"]), "\(kind) \(section) \(errors)")
    return errors.isEmpty
  }

  /// For all strategies and codecs: bytes differ from the plain run's or a finding says why not,
  /// and a plan that calls itself exact is.
  @Test("a codec changes the bytes of its direction, or a warning says why not", arguments: kinds)
  func everyStrategy(kind: String) throws {
    let all =
      Self.up.map { (isUp: true, section: #"{ "uplink": \#($0) }"#) }
      + Self.down.map { (isUp: false, section: #"{ "downlink": \#($0) }"#) }
    let sections = try all.filter { try takes(kind, $0.section) }
    let fixture = try RunFixture { text in
      text.strategies = [Self.entry(kind, 0, nil)]
      text.strategies += sections.enumerated().map { Self.entry(kind, $0 + 1, $1.section) }
      text.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
    }
    var settings = Plan.Settings(threads: 1)
    settings.probe = 0
    let plan = try Plan(fixture.experiment, settings)
    let plain = try fixture.experiment.trial(strategy: 0)
    for (index, choice) in fixture.experiment.scenario.strategies.enumerated() {
      let trial = try fixture.experiment.trial(strategy: index)
      if plan.runs[index].isExact {
        #expect(plan.runs[index].bytesUp == Double(trial.bytesUp.reduce(0, +)), "\(choice)")
        #expect(plan.runs[index].bytesDown == Double(trial.bytesDown.reduce(0, +)), "\(choice)")
      }
      guard index > 0 else { continue }
      let isUp = sections[index - 1].isUp
      let findings = CodecReach.findings(choice, fixture.experiment, sizesCount: true)
      let hasNoEffect = findings.contains { $0.code == "W3044" }
      let isDifferent = isUp ? trial.bytesUp != plain.bytesUp : trial.bytesDown != plain.bytesDown
      if hasNoEffect {
        // Frames around 32-bit floats may still be counted; the values are the plain run's, but
        // for sums with a memory, which round otherwise.
        let links = [choice.compression?.uplink, choice.compression?.downlink].compactMap(\.self)
        if links.allSatisfy({ $0.memory == .none }) {
          #expect(trial.digests == plain.digests, "\(sections[index - 1]) \(findings)")
        }
      } else {
        #expect(isDifferent, "\(kind): \(sections[index - 1])")
      }
    }
  }

  @Test(
    "downloads differ between clients where a method says so, and nowhere else", arguments: kinds)
  func ownDownloads(kind: String) throws {
    let type = try #require(StrategyRegistry[kind])
    // Where clients share a shadow, all of its values but the first message's travel as changes.
    let section = #"{ "downlink": { "kind": "quantize", "blocks": "all", "shadow": true } }"#
    let isTaken = try takes(kind, section)
    let isOwn = type.needs.contains(.ownDownloads)
    #expect(isTaken == !(isOwn || type.needs.contains(.clock)))
  }

  @Test("a warning names method, direction, codec and reason, at validation and with the data")
  func words() throws {
    func findings(_ kind: String, _ section: String) throws -> (
      told: [String], found: [String], head: [String]
    ) {
      let file = try PartitionFile(sizes: RunFixture.sizes)
      var text = ScenarioText(partition: file.json)
      text.publicSet = ScenarioText.somePublic.json
      text.strategies = [Self.entry(kind, 0, section)]
      let told = try text.reading().warnings.filter { $0.code == "W3044" }.map(\.message)
      let count = RunFixture.sizes.reduce(0, +) + ScenarioText.somePublic.spareImages
      let experiment = try text.experiment(SmallImages.floats(train: count))
      return (
        told, experiment.warnings.filter { $0.contains(" encodes nothing") },
        experiment.conditions.filter { $0.contains(" encodes nothing") }
      )
    }
    let knfu = try findings("knfu", #"{ "uplink": { "kind": "topk", "ratio": 0.1 } }"#)
    let words = "run-0: uplink \"topk\" encodes nothing: "
    #expect(
      knfu.told == [
        words + "knowledge/probabilities: no parameters of a network, and blocks is \"parameters\""
      ])
    #expect(knfu.found.isEmpty, "told already")
    #expect(knfu.head == knfu.told, "the table's head has it, too")
    let small = try findings(
      "knfu", #"{ "uplink": { "kind": "topk", "ratio": 0.1, "blocks": "all", "denseBelow": 100 } }"#
    )
    #expect(small.told.isEmpty, "how many values there are is known with the data")
    #expect(small.found == [words + "knowledge/probabilities: fewer than denseBelow = 100 values"])
    let section = """
      { "uplink": { "kind": "quantize", "groups": [{ "group": "head", "kind": "sign" }] } }
      """
    for (kind, expected) in [("fedper", 1), ("fedavg", 0)] {
      let file = try PartitionFile(sizes: RunFixture.sizes)
      var text = ScenarioText(partition: file.json)
      text.strategies = [Self.entry(kind, 0, section)]
      #expect(try text.reading().warnings.count { $0.code == "W3047" } == expected, "\(kind)")
    }
    let alone = try findings("local-only", #"{ "downlink": "quantize" }"#)
    #expect(
      alone.told == ["run-0: downlink \"quantize\" encodes nothing: its server sends nothing"])
  }
}

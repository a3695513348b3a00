import Aggregation
import Base
import Federation
import Fixtures
import Records
import Scenario
import Testing

@Suite("More rounds for runs that are there")
struct ExtensionTests {
  @Test("every method's rounds are the same with more to come, but for those that say otherwise")
  func knownEnd() throws {
    for type in StrategyRegistry.all {
      var text = ScenarioText()
      text.publicSet = ScenarioText.somePublic.json
      text.strategies = [ScenarioText.registered(type.info.kind)]
      func digests(_ rounds: Int) throws -> [String] {
        text.federation = #"{ "clients": 3, "rounds": \#(rounds) }"#
        let data = SmallImages.floats(train: 42 + ScenarioText.somePublic.spareImages)
        return try text.experiment(data).trial().digests
      }
      let isSame = try digests(3) == Array(try digests(6).prefix(4))
      let knows = type.needs.contains(.knownEnd)
      // A method that knows the end may do the same in so short a run.
      #expect(isSame || knows, "\(type.info.kind)")
    }
    #expect(CCVR.needs.contains(.knownEnd))
  }

  @Test(
    "an extended run is a run of that length, file by file, and has the hash that it began with")
  func extended() throws {
    var short = ScenarioText()
    short.strategies = ["local-only", "fedavg", "ditto"].map { ScenarioText.strategy($0) }
    short.seeds = "[1, 2]"
    short.evaluation = #"{ "every": 2 }"#
    short.federation = #"{ "clients": 3, "rounds": 3 }"#
    let first = try RunFixture { $0 = short }
    try first.run("out")
    var long = short
    long.federation = #"{ "clients": 3, "rounds": 6, "extended": [3] }"#
    let whole = try RunFixture { $0 = long }
    #expect(whole.source.hash == first.source.hash)
    try whole.run("out")

    let kept = try #require(try FolderScenario(first.folder.at("out")))
    let scenario = try #require(try short.reading().scenario)
    let overrides = try kept.extended(to: 6, scenario)
    #expect(overrides == ["federation.rounds=6", "federation.extended=[3]"])
    let reading = ScenarioReader().read(
      bytes: kept.bytes, file: "test.json", overrides: kept.settings(overrides))
    let experiment = try Experiment(try #require(reading.scenario), data: first.data)
    _ = try experiment.run(
      in: first.folder.at("out"),
      source: ScenarioSource(
        bytes: kept.bytes, overrides: overrides, resolved: try #require(reading.resolved),
        hash: try #require(reading.hash), command: ""), threads: 2, continues: true,
      page: { _ in }, report: { _, _ in })
    for label in ["local-only", "fedavg", "ditto"] {
      for file in ["digest.txt", "clients.csv", "classes.csv", "checkpoints/last.safetensors"] {
        let path = "out/\(label)-s2/\(file)"
        #expect(try first.bytes(path) == whole.bytes(path), "\(path)")
      }
      let records = try RunTrace.records(in: first.folder.at("out/\(label)-s1"))
      #expect(records.filter { $0.personal != nil }.map(\.round) == [1, 2, 3, 4, 6])
    }
    // It can be extended again, from where it is then.
    let again = try #require(try FolderScenario(first.folder.at("out")))
    #expect(
      try again.extended(to: 9, try #require(reading.scenario))
        == ["federation.rounds=9", "federation.extended=[3,6]"])
    #expect(try RunFolder(first.folder.at("out")).unfinished.isEmpty)
  }

  @Test(
    "what knows the end is refused with its place",
    arguments: [
      ("client", #"{ "kind": "fedavg" }"#, #"{ "kind": "cosine" }"#),
      (
        "strategies[0].client",
        #"{ "kind": "fedavg", "client": { "schedule": { "kind": "cosine" } } }"#,
        #"{ "kind": "constant" }"#
      ),
      ("ldam", #"{ "kind": "fedavg", "loss": "ldam" }"#, #"{ "kind": "constant" }"#),
      ("ccvr", #"{ "kind": "ccvr" }"#, #"{ "kind": "constant" }"#),
      (
        "epsilon",
        #"""
        { "kind": "fedavg", "privacy": { "unit": "client", "clip": 1,
          "target": { "epsilon": 8, "delta": 0.01 } } }
        """#, #"{ "kind": "constant" }"#
      ),
    ])
  func refused(names: String, strategy: String, schedule: String) throws {
    var text = ScenarioText()
    text.strategies = [strategy]
    text.schedule = schedule
    let reasons = try #require(try text.reading().scenario).whatKnowsTheEnd
    #expect(reasons.count == 1 && reasons[0].contains(names), "\(reasons)")
    text.strategies = [#"{ "kind": "fedavg", "loss": { "kind": "ldam", "reweightFrom": 1 } }"#]
    text.schedule = #"{ "kind": "step", "every": 1 }"#
    #expect(try #require(try text.reading().scenario).whatKnowsTheEnd.isEmpty)
  }

  @Test("ends that are none are refused", arguments: ["[3, 2]", "[6]", "[7]", "[]", "[2, 2]"])
  func wrong(ends: String) {
    var text = ScenarioText()
    text.federation = #"{ "clients": 3, "rounds": 6, "extended": \#(ends) }"#
    #expect(text.problems.contains { ["E3223", "E3108", "E3109"].contains($0.code) }, "\(ends)")
  }
}

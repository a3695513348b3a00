import Aggregation
import Data
import Federation
import Scenario
import Testing

/// Fields that are given and change nothing are obeyed or said.
@Suite("Fields without effect")
struct WithoutEffectTests {
  private func reading(data: String) -> ScenarioReading {
    let text = """
      { "fedsim": 1, "seeds": [1], "strategies": [ { "kind": "fedavg" } ],
        "federation": { "clients": 2, "rounds": 1 },
        "data": { "dataset": { "kind": "synthetic", "classes": 3, "trainPerClass": 20,
                               "testPerClass": 5 }, \(data) } }
      """
    return ScenarioReader().read(bytes: Array(text.utf8), file: "s.json")
  }

  @Test("a cap cuts explicit sizes, too")
  func cap() throws {
    let settings = try #require(
      reading(
        data: #""longTail": { "profile": "explicit", "counts": [20, 9, 3], "maxPerClass": 10 }"#
      ).scenario?.data.longTail)
    #expect(try LongTail(settings, available: [20, 20, 20]).counts == [10, 9, 3])
    // What the cap takes away need not be there.
    #expect(try LongTail(settings, available: [15, 9, 3]).counts == [10, 9, 3])
  }

  @Test(
    "a cap above every class is said, whatever the profile",
    arguments: [
      (#""longTail": { "profile": "explicit", "counts": [9, 4, 3], "maxPerClass": 10 }"#, true),
      (#""longTail": { "profile": "explicit", "counts": [9, 4, 3], "maxPerClass": 9 }"#, false),
      (#""longTail": { "profile": "step", "factor": 2, "maxPerClass": 21 }"#, true),
      (#""longTail": { "factor": 2, "maxPerClass": 20 }"#, false),
    ])
  func capWithoutEffect(data: String, isSaid: Bool) {
    let reading = reading(data: data)
    #expect(reading.errors.isEmpty)
    #expect(reading.warnings.contains { $0.code == "W3011" } == isSaid)
  }

  @Test(
    "fields of another policy of local tests, and more test images than there are, are said",
    arguments: [
      (#""test": { "local": "holdout", "perClass": 3 }"#, true),
      (#""test": { "local": "prior-weighted", "holdoutShare": 0.5 }"#, true),
      (#""test": { "local": "match-client-labels", "perClass": 3 }"#, true),
      (#""test": { "perClass": 6 }"#, true), (#""test": { "perClass": 5 }"#, false),
      (#""test": { "local": "holdout", "holdoutShare": 0.5 }"#, false), (#""test": {}"#, false),
    ])
  func localTests(data: String, isSaid: Bool) {
    let reading = reading(data: data)
    #expect(reading.errors.isEmpty, "\(reading.errors.map(\.message))")
    #expect(reading.warnings.contains { $0.code == "W3012" } == isSaid, "\(data)")
  }

  @Test("a name elsewhere in the table is found as by a walk through all of it")
  func places() {
    let root = ScenarioFields.root(infos: StrategyRegistry.infos)
    let entries = FieldIndex.entries(of: root)
    let all = entries.filter { !$0.isRepetition } + entries.filter(\.isRepetition)
    let places = FieldPlaces(root)
    let words = Set(entries.flatMap { [$0.field.name] + $0.field.synonyms }).sorted()
    let spellings = all.map { entry in
      ([entry.field.name] + entry.field.synonyms).map(Suggestions.plain)
    }
    let shouted = words.map { $0.uppercased() }
    for word in words + shouted + ["nothing", ""] {
      let plain = Suggestions.plain(word)
      let place =
        all.firstIndex { $0.field.name == word } ?? spellings.firstIndex { $0.contains(plain) }
      #expect(places.path(of: word) == place.map { all[$0].path }, "\(word)")
    }
  }
}

import Base
import Federation
import Scenario
import Testing

/// SplitMix64, so that every failure replays.
///
/// - Source: Steele, Lea and Flood 2014.
private struct Dice {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }
}

@Suite("Scenarios that are damaged")
struct ScenarioFuzzTests {
  private static let extremes = [
    "1e300", "-1", "0", "9223372036854775807", "-9223372036854775808", "1e-320", "1e999", "0.5",
    "99999999999999999999999", "null", "true", "\"\"", "\"x\"", "[]", "{}", "[[[]]]", "-0.0",
    "{\"kind\": 1}", "\"\\u0000\"", "10000000", "1000000000", "\"é\"",
  ]

  @Test("bytes changed, cut out or repeated never make the reader trap", arguments: 0..<10)
  func bytes(seed: Int) {
    var dice = Dice(state: UInt64(seed))
    let original = Array((seed % 2 == 0 ? richScenario : setsScenario).utf8)
    for _ in 0..<100 {
      var text = original
      for _ in 0...dice.below(4) {
        let place = dice.below(text.count)
        switch dice.below(4) {
        case 0: text[place] = UInt8(truncatingIfNeeded: dice.next())
        case 1: text.removeSubrange(place..<min(text.count, place + 1 + dice.below(20)))
        case 2: text.insert(contentsOf: text[place...].prefix(dice.below(30)), at: place)
        default: text.removeSubrange(place...)
        }
        if text.isEmpty { text = [0x7B] }
      }
      let reading = ScenarioReader(infos: sampleInfos).read(bytes: text, file: "f", overrides: [])
      #expect((reading.scenario == nil) == !reading.errors.isEmpty)
    }
  }

  @Test("extreme values in any place never make the reader trap", arguments: 0..<10)
  func values(
    seed: Int
  ) throws {
    var dice = Dice(state: 1000 + UInt64(seed))
    let original = try JSON(parsing: seed % 2 == 0 ? richScenario : setsScenario)
    for _ in 0..<100 {
      var tree = original
      for _ in 0...dice.below(3) {
        let extreme = try JSON(parsing: Self.extremes[dice.below(Self.extremes.count)])
        replace(&tree, with: extreme, &dice)
      }
      let reading = read(tree.pretty)
      #expect((reading.scenario == nil) == !reading.errors.isEmpty)
      #expect(!reading.problems.contains { $0.code == "E1001" })
      for problem in reading.problems {
        #expect(problem.path.hasPrefix("$"))
        #expect(!problem.text.isEmpty)
      }
    }
  }

  /// Puts a value in the place of a random one.
  private func replace(_ tree: inout JSON, with value: JSON, _ dice: inout Dice) {
    switch tree.value {
    case .object(var members) where !members.isEmpty && dice.below(6) > 0:
      let index = dice.below(members.count)
      replace(&members[index].value, with: value, &dice)
      tree = JSON(.object(members))
    case .array(var items) where !items.isEmpty && dice.below(6) > 0:
      replace(&items[dice.below(items.count)], with: value, &dice)
      tree = JSON(.array(items))
    default: tree = value
    }
  }

  @Test("odd overrides never make the reader trap", arguments: 0..<10)
  func overrides(seed: Int) {
    var dice = Dice(state: 2000 + UInt64(seed))
    let letters = Array("ab.[]=0129-$\"{}seeds")
    for _ in 0..<100 {
      let text = String((0..<dice.below(24)).map { _ in letters[dice.below(letters.count)] })
      let reading = read(richScenario, set: [text, "seeds[0]=\(Self.extremes[dice.below(22)])"])
      #expect((reading.scenario == nil) == !reading.errors.isEmpty)
    }
  }

  @Test(
    "a file of very many wrong keys is refused without listing them all", .timeLimit(.minutes(1)))
  func manyKeys() {
    let keys = (0..<100_000).map { "\"key\($0)\": \($0)" }.joined(separator: ",\n")
    let reading = read("{\(keys)}")
    #expect(reading.scenario == nil)
    #expect(reading.problems.count < 1100)
  }
}

import Data
import Federation
import Scenario
import Testing

@Suite("Quantities with units")
struct QuantityTests {
  private static let anything =
    #"{ "fedsim": 1, "data": { "dataset": { "kind": "synthetic" } },"#
    + #""strategies": [{ "kind": "fedavg" }], "system": "#

  private func system(_ text: String) -> ScenarioReading {
    ScenarioReader().read(bytes: Array((Self.anything + text + "}").utf8), file: "s.json")
  }

  @Test(
    "text and plain numbers mean the same",
    arguments: [
      (#""10 Mbit/s""#, 10e6), (#""10Mbit/s""#, 10e6), (#""1.25 MB/s""#, 10e6), ("1e7", 10e6),
      (#""2.5e3 kbit/s""#, 2.5e6), (#""1 Gbit/s""#, 1e9), (#""300 B/s""#, 2400),
    ])
  func bandwidth(_ text: String, _ value: Double) {
    let reading = system(#"{ "network": { "up": \#(text) } }"#)
    #expect(reading.errors.isEmpty, "\(reading.errors.map(\.message))")
    #expect(reading.scenario?.system?.network.up == value)
  }

  @Test(
    "times and speeds have their own units",
    arguments: [
      (#"{ "network": { "latency": "40 ms" } }"#, 0.04), (#"{ "network": { "latency": 0 } }"#, 0),
      (#"{ "network": { "latency": "2 min" } }"#, 120),
      (#"{ "network": { "latency": "7 us" } }"#, 7e-6),
    ])
  func latency(_ text: String, _ value: Double) throws {
    let found = try #require(system(text).scenario?.system?.network.latency)
    #expect(abs(found - value) <= 1e-15 * value)
  }

  @Test("two spellings of one system are one experiment")
  func hash() {
    let a = system(#"{ "deadline": "1 min", "compute": { "speed": "20 GFLOP/s" } }"#)
    let b = system(#"{ "deadline": 60, "compute": { "speed": 2e10 } }"#)
    #expect(a.hash != nil)
    #expect(a.hash == b.hash)
  }

  @Test("the empty section is the default clock")
  func defaults() throws {
    #expect(try #require(system("{}").scenario).system == SystemSettings())
    let silent = ScenarioReader().read(
      bytes: Array((Self.anything.dropLast(#", "system": "#.count) + "}").utf8), file: "s.json")
    #expect(silent.scenario != nil)
    #expect(silent.scenario?.system == nil)
  }

  @Test(
    "what is no quantity is named with the units that are",
    arguments: [
      "10 mbit/s", "10 Mbit", "Mbit/s", "-1 Mbit/s", "1,5 Mbit/s", " 1 Mbit/s", "1  Mbit/s", "",
      "1. Mbit/s", ".5 Mbit/s", "1e Mbit/s", "0x1p3 bit/s", "10 ms", "nan bit/s", "inf bit/s",
      "1 Mbit/s ", "10",
    ])
  func wrong(_ text: String) throws {
    let problems = system(#"{ "network": { "up": "\#(text)" } }"#).errors
    #expect(problems.map(\.code) == ["E3114"])
    let problem = try #require(problems.first)
    #expect(problem.path == "$.system.network.up")
    #expect(problem.message.contains("bit/s, kbit/s, Mbit/s"))
  }

  @Test("ranges hold in the base unit", arguments: [#""0 bit/s""#, "0", "-5", #""1e300 GB/s""#])
  func ranges(_ text: String) {
    #expect(system(#"{ "network": { "up": \#(text) } }"#).errors.map(\.code) == ["E3103"])
  }

  @Test("the pattern of the schema accepts what the parser accepts")
  func pattern() throws {
    for kind in Quantity.Kind.allCases {
      let quantity = Quantity(kind: kind, NumberRange(0, 1e30))
      let pattern = try Regex(quantity.pattern)
      for (unit, factor) in kind.units {
        for (text, value) in [("3 \(unit)", 3.0), ("0.5e2\(unit)", 50), ("2E-1 \(unit)", 0.2)] {
          #expect(text.wholeMatch(of: pattern) != nil)
          #expect(quantity.value(of: text) == value * factor)
        }
        for text in ["3  \(unit)", "+3 \(unit)", "3 \(unit)s", "e5 \(unit)"] {
          #expect(text.wholeMatch(of: pattern) == nil)
          #expect(quantity.value(of: text) == nil)
        }
      }
    }
  }
}

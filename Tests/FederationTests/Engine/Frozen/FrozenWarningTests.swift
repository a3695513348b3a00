import Base
import Federation
import Fixtures
import Scenario
import Testing

/// What a scenario is told about methods on a frozen network.
@Suite("Warnings about frozen networks")
struct FrozenWarningTests {
  private func warnings(_ strategy: String, model: String = "") -> [String] {
    var text = ScenarioText()
    text.model = #"{ "kind": "mlp", "hidden": [6]\#(model) }"#
    text.strategies = [strategy]
    let reading = ScenarioReader().read(bytes: Array(text.json.utf8), file: "test.json")
    #expect(reading.errors.isEmpty)
    return reading.warnings.map { "\($0.code) \($0.path)" }
  }

  private static let kinds = ["fedins", "fedssf", "linear-probe"]
  private let pretrain = #", "pretrain": { "images": 10 }"#

  @Test("a network that nothing has trained", arguments: kinds)
  func untrained(_ kind: String) {
    let strategy = ScenarioText.strategy(kind)
    let code = "W3030 $.strategies[0]"
    #expect(warnings(strategy).contains(code))
    #expect(!warnings(strategy, model: pretrain).contains(code))
    let file = #", "init": { "kind": "file", "path": "x", "head": "fresh" }"#
    #expect(!warnings(strategy, model: file).contains(code))
    #expect(warnings(strategy, model: #", "init": "he""#).contains(code))
    #expect(!warnings(ScenarioText.strategy("fedavg")).contains(code))
  }

  @Test("one entry is another method")
  func oneEntry() {
    let strategy = ScenarioText.strategy("fedins", #""poolSize": 1, "matched": 1"#)
    #expect(warnings(strategy, model: pretrain).contains("W3002 $.strategies[0].poolSize"))
  }

  @Test("entries that nobody takes move under momentum and Adam, not under plain SGD")
  func optimizer() {
    for (optimizer, isWarned) in [
      (ScenarioText.Optimizers.plain, false), (ScenarioText.Optimizers.momentum, true),
      (#"{ "kind": "adam" }"#, true),
    ] {
      var text = ScenarioText()
      text.optimizer = optimizer
      text.strategies = [ScenarioText.strategy("fedins"), ScenarioText.strategy("fedssf")]
      let reading = ScenarioReader().read(bytes: Array(text.json.utf8), file: "test.json")
      let paths = reading.warnings.filter { $0.code == "W3005" }.map(\.path)
      #expect(paths == (isWarned ? ["$.strategies[0]"] : []))
    }
  }
}

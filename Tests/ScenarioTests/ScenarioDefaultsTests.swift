import Aggregation
import Client
import Data
import Tensor
import Testing

@testable import Base
@testable import Scenario

@Suite("Defaults, overrides and identity of scenarios")
struct ScenarioDefaultsTests {
  @Test("the smallest scenario gets every default")
  func smallest() throws {
    let reading = read(scenario(), file: "runs/first try.json")
    let made = try #require(reading.scenario, "\(reading.problems)")
    #expect(made.name == "first-try")
    #expect(made.seeds == [1, 2, 3])
    #expect(made.data.partition == .iid)
    #expect(made.data.augment == [])
    #expect(made.federation.clients == 20)
    #expect(made.federation.participation == 1)
    #expect(made.model.kind == .resnet8)
    #expect(made.model.width == 32)
    #expect(made.model.norm == .group(groups: 8))
    #expect(made.client.work == .epochs(1))
    #expect(
      made.client.optimizer
        == OptimizerSpec(kind: .sgd, learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4))
    #expect(made.evaluation.every == 5)
    #expect(reading.resolved?["federation"]?["rounds"] == 100)
    #expect(reading.resolved?["model"]?["norm"] == ["kind": "group", "groups": 8])
  }

  @Test(
    "defaults depend on what was chosen",
    arguments: [
      ("model.kind=lenet5", "model.width", "6"), ("model.kind=resnet18", "model.width", "64"),
      ("model.width=12", "model.norm.groups", "6"), ("model.width=7", "model.norm.groups", "7"),
      ("federation.rounds=10", "evaluation.every", "1"),
      ("federation.rounds=101", "evaluation.every", "6"),
      ("federation.rounds=0", "evaluation.every", "1"),
      ("client.optimizer.kind=adam", "client.optimizer.weightDecay", "0"),
      ("client.optimizer.kind=adamw", "client.optimizer.learningRate", "0.001"),
      ("data.dataset={\"kind\":\"leaf\",\"path\":\"x\"}", "data.partition.kind", "\"natural\""),
      (
        "data.dataset={\"kind\":\"cifar10\",\"path\":\"x\"}", "data.augment", "[\"crop4\",\"flip\"]"
      ), ("model={\"kind\":\"lenet5\",\"norm\":\"group\"}", "model.norm.groups", "2"),
    ])
  func derived(override: String, path: String, value: String) throws {
    var json = try #require(read(scenario(), set: [override]).resolved)
    for key in path.split(separator: ".") { json = try #require(json[String(key)]) }
    #expect(json.compact == value)
  }

  @Test(
    "a resolved scenario reads back as itself", arguments: [scenario(), richScenario, setsScenario])
  func fixedPoint(text: String) throws {
    let first = read(text)
    let resolved = try #require(first.resolved)
    let second = read(resolved.pretty, file: "other.json")
    #expect(second.resolved == resolved)
    #expect(second.hash == first.hash)
  }

  @Test("a target's delta is the run's, wherever it is written", arguments: [1e-8, 1e-5, 0.3])
  func oneDelta(delta: Double) throws {
    let text = "\"privacy\": {\"unit\": \"client\", \"target\": "
    let first = read(scenario(top: text + "{\"epsilon\": 2, \"delta\": \(delta)}}"))
    let resolved = try #require(first.resolved, "\(first.problems)")
    #expect(resolved["privacy"]?["delta"]?.double == delta)
    #expect(read(resolved.pretty).resolved == resolved)
    let outside = read(
      scenario(
        top: "\"privacy\": {\"delta\": \(delta), " + text.dropFirst(12) + "{\"epsilon\": 2}}"))
    #expect(
      outside.resolved?["privacy"]?["target"]?["delta"]?.double == delta, "\(outside.problems)")
  }

  @Test("a positive number that is 0 as a 32-bit float is out of a method's range")
  func smallestFloat() {
    let range = NumberRange(0, 100, exclusiveMinimum: true, isFloat: true)
    #expect(!range.contains(1e-40) && !range.contains(0) && range.contains(2e-38))
    #expect(NumberRange(0, 1, exclusiveMinimum: true).contains(1e-300))
  }

  @Test("every resolved value has an origin")
  func origins() throws {
    let reading = read(richScenario, set: ["client.batch=8"])
    let origins = Dictionary(uniqueKeysWithValues: reading.origins.map { ($0.path, $0.origin) })
    #expect(origins["client.batch"] == "override")
    #expect(origins["seeds"] == "s.json:2")
    #expect(origins["strategies[1].label"] == "s.json:18")
    #expect(origins["federation.weighting"] == "default")
  }

  @Test("second strategies of a kind get numbered labels")
  func labels() throws {
    let text = scenario(
      strategies: "[{\"kind\":\"fedprox\"},{\"kind\":\"fedavg\"},{\"kind\":\"fedprox\"}]")
    #expect(
      try #require(read(text).scenario).strategies.map(\.label) == [
        "fedprox", "fedavg", "fedprox-2",
      ])
  }

  @Test(
    "an override takes the place of a value",
    arguments: [
      "strategies[0].proximalWeight=0.5", "strategies.0.proximalWeight=0.5",
      "$.strategies[0].proximalWeight=5e-1",
    ])
  func overrides(text: String) throws {
    let made = try #require(read(richScenario, set: [text]).scenario)
    #expect(made.strategies[0].settings["proximalWeight"] == .number(0.5))
  }

  @Test(
    "a wrong override is refused like a wrong file",
    arguments: [
      ("client.batch=0", "E3103", "$.client.batch"), ("client.bath=4", "E3101", "$.client.bath"),
      ("nonsense", "E3004", "$"), ("=1", "E3004", "$"), ("a..b=1", "E3004", "$"),
      ("strategies[9].mu=1", "E3004", "$.strategies[9].mu"),
      ("strategies[99999999999999999999]=1", "E3004", "$"), ("fedsim.x=1", "E3004", "$.fedsim.x"),
      ("name=a b", "E3110", "$.name"), ("strategies[0]]=1", "E3004", "$"),
    ])
  func wrongOverrides(text: String, code: String, path: String) {
    let reading = read(scenario(), set: [text])
    #expect(reading.scenario == nil)
    #expect(reading.errors.contains { $0.code == code && $0.path == path && $0.isOverride })
  }

  @Test("the hash ignores spelling, order and output, and nothing else")
  func hash() throws {
    let base = try #require(read(scenario(), set: ["client.batch=32"]).hash)
    #expect(read(scenario()).hash == base)
    #expect(read(scenario(), set: ["client.batch=3.2e1"]).hash == base)
    #expect(read(scenario(), set: ["client.optimizer.learningRate=5e-2"]).hash == base)
    #expect(read(scenario(), set: ["output.checkpointEvery=3"]).hash == base)
    #expect(read(scenario(), set: ["client.batch=33"]).hash != base)
    #expect(read(scenario(), set: ["seeds=[1,2]"]).hash != base)
    let a: JSON = ["b": 1, "a": ["y": 2.50, "x": []]]
    let b: JSON = ["a": ["x": [], "y": 2.5], "output": 3, "b": JSON(.number("1e0"))]
    #expect(ScenarioReading.hash(ofResolved: a) == ScenarioReading.hash(ofResolved: b))
  }
}

import Aggregation
import Base
import Client
import Data
import Scenario
import Tensor
import Testing

@Suite("Reading scenarios")
struct ScenarioReaderTests {
  @Test(
    "a wrong scenario is refused with code, path, line and suggestion",
    arguments: wrongFiles + wrongNames + wrongValues + wrongTogether + wrongSets + wrongSetsTogether
      + wrongPrivacy + wrongCompression + wrongSystems)
  func wrong(_ sample: WrongScenario) throws {
    let reading = read(sample.text)
    #expect(reading.scenario == nil)
    #expect(reading.resolved == nil)
    let problem = try #require(
      reading.errors.first { $0.code == sample.code && $0.path == sample.path },
      "\(reading.problems.map(\.text).joined(separator: "\n"))")
    #expect(problem.line == sample.line)
    #expect(problem.suggestion == sample.suggestion)
  }

  @Test("the table of wrong scenarios is large enough")
  func enoughSamples() {
    #expect((wrongFiles + wrongNames + wrongValues + wrongTogether).count >= 60)
  }

  @Test("each part of a wrong scenario brings its own problem, in one go")
  func allAtOnce() {
    let text = scenario(
      data: "\"longTail\": {\"factor\": 0.1}",
      top: "\"client\": {\"lr\": 1, \"batch\": 0},\n\"seeds\": [1, 1],\n\"compare\": {}",
      strategies: "[{\"kind\": \"fedavg\", \"mu\": 1}]")
    let codes = read(text).errors.map(\.code)
    #expect(codes == ["E3112", "E3101", "E3101", "E3103", "E3109", "E3006"])
  }

  @Test(
    "a suspicious scenario is read, with a warning",
    arguments: [
      ("W3001", "$.seeds", scenario(top: "\"seeds\": [1]")),
      (
        "W3002", "$.strategies[0].proximalWeight",
        scenario(strategies: "[{\"kind\": \"fedprox\", \"proximalWeight\": 0}]")
      ), ("W3003", "$.client.batch", scenario(top: "\"client\": {\"batch\": 400}")),
      (
        "W3004", "$.federation.participation",
        scenario(top: "\"federation\": {\"participation\": 0.05, \"rounds\": 10}")
      ), ("W3005", "$.strategies[0]", scenario(strategies: "[{\"kind\": \"scaffold\"}]")),
      ("W3006", "$.data.longTail.factor", scenario(data: "\"longTail\": {\"factor\": 1}")),
      ("W3007", "$.federation.rounds", scenario(top: "\"federation\": {\"rounds\": 0}")),
      (
        "W3008", "$.strategies[1]",
        scenario(strategies: "[{\"kind\": \"fedavg\"}, {\"kind\": \"fedavg\"}]")
      ),
      (
        "W3010", "$.client.schedule.warmup",
        scenario(top: "\"client\": {\"schedule\": {\"warmup\": 100}}")
      ),
    ])
  func suspicious(code: String, path: String, text: String) {
    let reading = read(text)
    #expect(reading.scenario != nil)
    #expect(reading.errors.isEmpty)
    #expect(reading.warnings.contains { $0.code == code && $0.path == path })
  }

  @Test("a scenario with every section gives every value")
  func rich() throws {
    let reading = read(richScenario)
    let scenario = try #require(reading.scenario, "\(reading.problems)")
    #expect(scenario.seeds == [4, 5])
    #expect(
      scenario.data.dataset
        == .synthetic(classes: 10, trainPerClass: 300, testPerClass: 100, seed: 7))
    #expect(scenario.data.longTail?.profile == .exponential(factor: 10))
    #expect(scenario.data.longTail?.maxPerClass == 250)
    #expect(scenario.data.partition == .quantity(.powerLaw(exponent: 1.5), minPerClient: 1))
    #expect(scenario.data.localTest.policy == .holdout)
    #expect(scenario.federation.participation == 0.3)
    #expect(scenario.model.norm == .group(groups: 8))
    #expect(scenario.model.dropout == [0.25, 0.5])
    #expect(scenario.client.work == .steps(5))
    #expect(scenario.client.optimizer.weightDecay == 0.01)
    #expect(scenario.client.optimizer.beta2 == 0.999)
    #expect(scenario.client.schedule == LearningRateSchedule(.cosine(floor: 0.1), warmupRounds: 2))
    #expect(scenario.strategies.map(\.label) == ["fedprox", "weak", "controlled"])
    #expect(scenario.strategies[0].settings["proximalWeight"] == .number(0.1))
    #expect(scenario.strategies[1].settings["proximalWeight"] == .number(0.01))
    #expect(scenario.strategies[2].settings["option"] == .choice("I"))
    #expect(scenario.evaluation.every == 7)
    #expect(
      scenario.evaluation.targets == [
        AccuracyTarget(.generic, 0.5), AccuracyTarget(.generic, 0.25), AccuracyTarget(.personal, 1),
      ])
    #expect(scenario.output.checkpointEvery == 0)
    #expect(!scenario.output.personalModels)
  }

  @Test("perRound comes out as the same number of clients", arguments: [1, 3, 7, 9_999_999])
  func perRound(count: Int) throws {
    for clients in [10_000_000, 9_999_991] {
      let text = """
        {"fedsim": 1, "data": {"dataset": {"kind": "npy", "path": "x"}},
        "federation": {"clients": \(clients), "perRound": \(min(count, clients))},
        "strategies": [{"kind": "fedavg"}]}
        """
      let settings = try #require(read(text).scenario).federation
      #expect((settings.participation * Double(clients)).rounded() == Double(min(count, clients)))
    }
  }
}

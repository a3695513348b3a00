import Aggregation
import Base
import Client
import Federation
import Fixtures
import Scenario
import Report
import Testing

@Suite("Making and running experiments")
struct ExperimentTests {
  private let data = SmallImages.floats(train: 42)

  @Test("no strategy leaves a trace in the next one: runs of one experiment are those of their own")
  func independence() throws {
    let kinds = StrategyRegistry.infos.map(\.kind)
    let fixture = try RunFixture {
      $0.strategies = kinds.map { ScenarioText.strategy($0) }
      $0.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
      $0.seeds = "[3, 5]"
      $0.order = "shuffled"
      $0.optimizer = ScenarioText.Optimizers.nesterov
    }
    try fixture.run("out", threads: 2)
    for (index, kind) in kinds.enumerated() {
      for (place, seed) in [3, 5].enumerated() {
        let trial = try fixture.experiment.trial(strategy: index, seed: place)
        let lines = try fixture.lines("out/\(kind)-s\(seed)/digest.txt")
        #expect(lines == trial.digests.enumerated().map { "\($0.offset) \($0.element)" })
      }
    }
    #expect(fixture.exists("out/split/partition.json"))
    #expect(fixture.exists("out/split/partition-s5.json"))
    #expect(try fixture.lines("out/results.csv").count > 1)
  }

  @Test("a model file gives every seed the same start, and a wrong one is refused")
  func initialFile() throws {
    let fixture = try RunFixture { $0.seeds = "[1, 2]" }
    try fixture.run("out")
    let trained = try fixture.experiment.trial().model
    var text = fixture.text
    let path = fixture.folder.at("out/fedavg-s1/final/generic.safetensors")
    text.model = """
      { "kind": "mlp", "hidden": [6], "init": { "kind": "file", "path": "\(path)" } }
      """
    let experiment = try text.experiment(fixture.data)
    for seed in 0..<2 { #expect(try experiment.trial(seed: seed).initial == trained) }
    text.model = """
      { "kind": "mlp", "hidden": [7], "init": { "kind": "file", "path": "\(path)" } }
      """
    expectFailure(.dataMissingOrCorrupt, "E4080", ["fc1.weight"]) {
      _ = try text.experiment(fixture.data)
    }
  }

  @Test("what does not fit the data or the method is refused with exit 3")
  func refusals() throws {
    var text = ScenarioText()
    text.federation = #"{ "clients": 43, "rounds": 1 }"#
    expectFailure(.scenarioInvalid, "E3303", ["43", "42"]) { _ = try text.experiment(data) }
    text = ScenarioText()
    text.optimizer = #"{ "kind": "adam" }"#
    text.strategies = [ScenarioText.strategy("scaffold")]
    let reading = ScenarioReader().read(bytes: Array(text.json.utf8), file: "test.json")
    #expect(reading.errors.map(\.code) == ["E3302"])
    #expect(reading.errors.map(\.path) == ["$.client.optimizer.kind"])
  }

  @Test("a model that memory cannot hold is refused before anything is allocated or written")
  func tooLarge() throws {
    let folder = try ScratchFolder()
    var text = ScenarioText()
    text.model = #"{ "kind": "resnet18", "width": 4096, "norm": "none" }"#
    let experiment = try text.experiment(data)
    let reading = try text.reading()
    let source = ScenarioSource(
      bytes: [], overrides: [], resolved: try #require(reading.resolved), hash: "0", command: "")
    let path = folder.at("out")
    expectFailure(.scenarioInvalid, "E3305", ["resnet18", "GiB"]) {
      _ = try experiment.run(
        in: path, source: source, threads: 1, page: RunReport.writePage, report: { _, _ in })
    }
    #expect(FileKind(of: path) == .missing)
  }

  @Test("a cohort of clients without images trains nobody and moves nothing")
  func emptyCohort()
    throws
  {
    let file = try PartitionFile(clients: [[], [], [0, 1, 2, 3], []])
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 4, "rounds": 8, "participation": 0.25 }"#
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = StrategyRegistry.infos.map { ScenarioText.registered($0.kind) }
    let experiment = try text.experiment(data)
    for strategy in text.strategies.indices {
      let trial = try experiment.trial(strategy: strategy)
      for (round, cohort) in trial.cohorts.enumerated() where cohort != [2] {
        #expect(trial.bytesUp[round] == 0)
        #expect(trial.trainLoss[round].isNaN)
      }
      #expect(trial.cohorts.contains([2]))
      #expect(Set(trial.digests).count == trial.digests.count)
    }
  }

  @Test("a model that explodes ends the trial with its round")
  func explosion() throws {
    var text = ScenarioText()
    text.federation = #"{ "clients": 3, "rounds": 60 }"#
    text.strategies = [
      ScenarioText.strategy("fedavgm", #""serverLearningRate": 1e6, "serverMomentum": 0.99"#)
    ]
    let thrown = #expect(throws: Divergence.self) { _ = try text.experiment(data).trial() }
    #expect((thrown?.round ?? 0) >= 2)
  }
}

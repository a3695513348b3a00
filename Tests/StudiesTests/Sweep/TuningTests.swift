import Client
import Federation
import Fixtures
import Foundation
import Tensor
import Testing

@testable import Base
@testable import Records
@testable import Scenario
@testable import Studies

@Suite("Choosing values for every strategy")
struct TuningTests {
  private static let members = #"""
    "seeds": [11, 12], "tune": {},
    "grid": { "client.optimizer.learningRate": [0.001, 0.05, 0.4], "client.batch": [5, 8] }
    """#

  private static let strategies = #"""
    [ { "kind": "fedavg" }, { "kind": "fedper", "client": { "batch": 3 } },
      { "kind": "fedavg", "label": "slow", "client": { "optimizer": { "learningRate": 0.01 } } } ]
    """#

  private static let done: SweepFixture? = {
    let fixture = try? SweepFixture(members, base: SweepFixture.base(strategies: strategies))
    _ = try? fixture?.run("out")
    return fixture
  }()

  @Test("each strategy has the best trial by its validation images, the earliest of equals")
  func chosen() throws {
    let fixture = try #require(Self.done)
    let results = try fixture.run("out").results
    let tuning = try #require(Tuning(results))
    #expect(tuning.isComplete && tuning.choices.map(\.label) == ["fedavg", "fedper", "slow"])
    for choice in tuning.choices {
      let name =
        choice.label == "fedper"
        ? "validation.personal.accuracy" : "validation.generic.balancedAccuracy"
      #expect(choice.metric.name == name && choice.compared == 6)
      var best: (trial: Int, mean: Double)?
      for trial in fixture.sweep.trials {
        let values = try trial.runs.map { run in
          let folder = try RunFolder(fixture.folder.at("out/runs/\(run.folder)"))
          let entry = try #require(folder.entries.first { $0.label == choice.label })
          let last = try #require(entry.runs.first?.run.records.last?.validation)
          return try #require(last.generic?.balancedAccuracy ?? last.personal)
        }
        let mean = values.reduce(0, +) / Double(values.count)
        if best.map({ mean > $0.mean }) ?? true { best = (trial.number, mean) }
      }
      #expect(best?.trial == choice.trial.number && best?.mean == choice.score.mean)
    }
    // Two strategies that are told alike by the grid are alike.
    #expect(tuning.choices[0].trial.number == tuning.choices[2].trial.number)
  }

  @Test("the tuned scenario gives each strategy its own values, and is otherwise as it was")
  func scenario() throws {
    let fixture = try #require(Self.done)
    let tuning = try #require(Tuning(fixture.run("out").results))
    let text = try fixture.text("out/tuned.json")
    let reading = ScenarioReader().read(bytes: Array(text.utf8), file: "tuned.json")
    let scenario = try #require(reading.scenario, "\(reading.problems)")
    #expect(scenario.seeds == [1, 2] && scenario.evaluation.validation == nil)
    for choice in tuning.choices {
      let own = scenario.client(of: scenario.strategies[choice.place])
      let tried = choice.trial.scenario
      #expect(own == tried.client(of: tried.strategies[choice.place]))
      #expect(JSON.number(own.optimizer.learningRate) == choice.trial.values[0])
      #expect(JSON.int(own.batch) == choice.trial.values[1])
    }
    var untuned = try JSON(parsing: Array(text.utf8))
    untuned["name"] = nil
    untuned["strategies"] = nil
    var base = try JSON(parsing: fixture.sweep.baseBytes)
    base["strategies"] = nil
    #expect(untuned.compact == base.compact)
  }

  @Test("test images decide nothing: other test results, the same choice")
  func blind() throws {
    let fixture = try #require(Self.done)
    let results = try fixture.run("out").results
    let chosen = try #require(Tuning(results)).choices.map(\.trial.number)
    #expect(results.front.objectives.allSatisfy { !$0.metric.name.hasPrefix("generic.") })
    var stream = RandomStream(seed: 3, .test)
    for _ in 0..<20 {
      let others = results.changing { record in
        record.generic?.accuracy = stream.uniform()
        record.generic?.balancedAccuracy = stream.uniform()
        record.personal?.accuracy = stream.uniform()
      }
      #expect(Tuning(others)?.choices.map(\.trial.number) == chosen)
    }
  }

  @Test("the page, the table and the CSV say what was chosen and from what")
  func said() throws {
    let fixture = try #require(Self.done)
    let outcome = try fixture.run("out")
    let tuning = try #require(Tuning(outcome.results))
    let page = try fixture.text("out/sweep.html")
    #expect(page.contains("Chosen values") && page.contains("validation over client.batch"))
    let terminal = SweepTable(outcome.results).text(width: 100)
    #expect(terminal.contains("chosen values") && terminal.contains("never on test"))
    let csv = try fixture.text("out/tuned.csv").split(separator: "\n")
    #expect(csv.count == 1 + 3 * 2)
    for index in 0..<2 {
      for (choice, line) in zip(tuning.choices, tuning.profile(index)) {
        let best = line.points.map(\.score).max()
        #expect(best == choice.score.mean)
        let value = try #require(choice.trial.values[index])
        #expect(line.points.contains { $0.value == value && $0.score == best })
      }
    }
  }

  @Test("a scenario's own validation stays; what cannot be meant is refused")
  func refused() throws {
    let own = SweepFixture.base(rounds: 1).replacingOccurrences(
      of: #""every": 2"#, with: #""every": 1, "validation": 0.4"#)
    let sweep = try #require(SweepFixture.read(Self.members, base: own).sweep)
    #expect(sweep.trials.allSatisfy { $0.scenario.evaluation.validation == 0.4 })
    let wrong = [
      (#""tune": { "by": "generic.accuracy" }, "grid": { "client.batch": [4] }"#, "E3105"),
      (#""tune": {}, "grid": { "federation.rounds": [4, 5] }"#, "E3432"),
      (
        #""tune": {}, "grid": { "client.batch": [4] }, "prune": { "kind": "halving", "rungs": [1], "metric": "generic.accuracy" }"#,
        "E3431"
      ), (#""tune": { "validation": 1 }, "grid": { "client.batch": [4] }"#, "E3103"),
      (#""tune": {}"#, "E3424"),
    ]
    for (members, code) in wrong {
      #expect(SweepFixture.read(members).problems.map(\.code).contains(code), "\(members)")
    }
    let pruned =
      #""tune": {}, "grid": { "client.batch": [4, 5] }, "prune": { "kind": "halving", "rungs": [1] }"#
    #expect(
      SweepFixture.read(pruned).sweep?.halving?.metric.name == "validation.generic.balancedAccuracy"
    )
  }
}

extension SweepResults {
  /// The same results with other records.
  fileprivate func changing(_ change: (inout RoundRecord) -> Void) -> SweepResults {
    var progress = progress
    for (folder, state) in progress.states {
      let results = state.results.map { label, run -> (label: String, run: StrategyRun) in
        var run = run
        for place in run.records.indices { change(&run.records[place]) }
        return (label, run)
      }
      progress.states[folder] = SweepRunState(
        results: results, rounds: state.rounds, patience: state.patience, isClosed: state.isClosed,
        failure: state.failure)
    }
    return SweepResults(sweep, progress, folder: folder)
  }
}

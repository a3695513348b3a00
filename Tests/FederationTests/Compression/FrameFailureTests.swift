import Aggregation
import Base
import Client
import Codecs
import Fixtures
import Report
import Scenario
import Studies
import Testing

@testable import Federation

@Suite("Frames that fail are mistakes of the program, and no divergence")
struct FrameFailureTests {
  /// A run whose link has a codec that validation would have refused: QSGD without levels.
  private func run(up: Bool, stopped: Int? = nil) throws -> (RunFixture, Failure?) {
    let fixture = try RunFixture {
      $0.strategies = [
        ScenarioText.strategy(
          "fedavg",
          #""compression": { "uplink": "qsgd", "downlink": { "kind": "quantize", "bits": 6 } }"#)
      ]
    }
    var scenario = fixture.experiment.scenario
    let none = CodecSpec.qsgd(QSGDCodec(levels: 0))
    if up {
      scenario.strategies[0].compression?.uplink?.codec = none
    } else {
      scenario.strategies[0].compression?.downlink?.codec = none
    }
    let experiment = try Experiment(scenario, data: fixture.data)
    let failure = #expect(throws: Failure.self) {
      try experiment.run(
        in: fixture.folder.at("out"), source: fixture.source, threads: 2, continues: false,
        interruption: { nil }, page: RunReport.writePage, report: { _, _ in })
    }
    return (fixture, failure)
  }

  @Test(
    "on the way up: the run, round, client, block, codec and reason; exit 1; no divergence.json")
  func up() throws {
    let (fixture, found) = try run(up: true)
    let failure = try #require(found)
    #expect(failure.exit == .internalError && failure.code == "E1040")
    for fact in [
      "fedavg-s1", "round 1", "to the server", "block model", "values", "qsgd", "0 levels",
    ] {
      #expect(failure.message.contains(fact), "\(fact): \(failure.message)")
    }
    #expect(throws: (any Error).self) { try fixture.bytes("out/fedavg-s1/divergence.json") }
    // What was there before is whole: the run begins again from it.
    let result = try fixture.run("out", continues: true)
    #expect(result.exit == .done)
  }

  @Test("on the way down: what the server sends to all")
  func down() throws {
    let (_, found) = try run(up: false)
    let failure = try #require(found)
    #expect(failure.code == "E1040")
    #expect(failure.message.contains("from the server to all clients"), "\(failure.message)")
  }

  @Test("a plan ends with the same error, and not with a doubt")
  func planned() throws {
    let fixture = try RunFixture {
      $0.strategies = [ScenarioText.strategy("fedavg", #""compression": { "uplink": "qsgd" }"#)]
    }
    var scenario = fixture.experiment.scenario
    scenario.strategies[0].compression?.uplink?.codec = .qsgd(QSGDCodec(levels: 0))
    let experiment = try Experiment(scenario, data: fixture.data)
    var settings = Plan.Settings(threads: 1)
    settings.probe = 0
    let failure = #expect(throws: Failure.self) { _ = try Plan(experiment, settings) }
    #expect(failure?.code == "E1040")
  }

  @Test("values that are no numbers stay a divergence of their client and step")
  func notFinite() throws {
    let block = "model"
    let error = FrameError(.nonFinite, block: block, values: 3, codecs: "qsgd")
    let thrown = #expect(throws: RoundFailure.self) {
      try RoundFailure.coding(.up, round: 4, exchange: 0, client: 2, step: 7) {
        () throws(FrameError) in throw error
      }
    }
    #expect(thrown == .diverged(Divergence(round: 4, client: 2, step: 7)))
  }
}

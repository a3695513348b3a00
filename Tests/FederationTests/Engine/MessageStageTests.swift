import Aggregation
import Client
import Data
import Fixtures
import Scenario
import Tensor
import Testing

@testable import Federation

/// Counts what passes, from outside of the engine.
private final class CountingStage: MessageStage {
  private(set) var rounds = 0
  private(set) var uploads = 0
  private(set) var values = 0

  func beginRound(_ round: Round) { rounds += 1 }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    uploads += 1
    values += arrival.message.update.upload.blocks.reduce(0) { $0 + $1.count }
  }
}

/// Turns the uploads of one client around, as an attacker would, and remembers how often.
private final class FlippingStage: MessageStage, ClientStage {
  let client = 1
  let sectionName: String? = "flips"

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? { self }

  func leave(_ message: inout ClientMessage, _ device: Device, _ turn: ClientTurn)
    throws(RoundFailure)
  {
    guard turn.client == client else { return }
    let upload = message.update.upload
    message.update.upload = upload.replacing(upload.blocks.map { $0.values.map { -$0 } })
    message.state["flips"]["flips.count", default: [0]][0] += 1
  }
}

@Suite("Message stages")
struct MessageStageTests {
  private func simulation(_ stages: [any MessageStage], threads: Int = 1) throws -> Simulation {
    let experiment = try PrivateFederation.experiment([nil], participation: 1, rounds: 3)
    let choice = experiment.scenario.strategies[0]
    let context = try experiment.adapted(experiment.context(0, threads: threads), to: choice)
    let type = try Experiment.type(of: choice)
    return Simulation(type.init(choice.settings, context.problem), context, adding: stages)
  }

  @Test("a stage that looks changes nothing and sees every upload")
  func counting() throws {
    let stage = CountingStage()
    let (plain, counted) = (try simulation([]), try simulation([stage]))
    for _ in 1...2 {
      _ = try plain.runRound()
      _ = try counted.runRound()
    }
    #expect(counted.digest == plain.digest)
    let clients = counted.context.split.clients.count { !$0.isEmpty }
    #expect(stage.rounds == 2 && stage.uploads == 2 * clients)
    #expect(stage.values == stage.uploads * counted.context.problem.layout.count)
  }

  @Test("a stage that changes uploads changes the run, on any number of threads, and is resumed")
  func flipping() throws {
    let plain = try simulation([])
    let one = try simulation([FlippingStage()])
    let many = try simulation([FlippingStage()], threads: 3)
    for simulation in [plain, one, many] { _ = try simulation.runRound() }
    #expect(one.digest != plain.digest && one.digest == many.digest)
    let resumed = try simulation([FlippingStage()])
    resumed.restore(one.checkpoint)
    #expect(one.checkpoint.memories[1]?["flips.count"] == [1])
    for simulation in [one, resumed] { _ = try simulation.runRound() }
    #expect(resumed.digest == one.digest)
    #expect(resumed.state.clients[1]?["flips"]["flips.count"] == [2])
    #expect(resumed.state.clients[0]?.method["flips.count"] == nil)
  }
}

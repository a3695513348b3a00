import Aggregation
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

@Suite("FedAvg with clipped updates", .methods(ClippedFedAvg.self))
struct ClippedFedAvgTests {
  /// One round of FedAvg and one with a bound, on the same clients.
  private func trials(bound: Double) throws -> (plain: Trial, clipped: Trial) {
    let file = try PartitionFile(sizes: [13, 7, 22])
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 1 }"#
    text.strategies = [
      ScenarioText.strategy("fedavg"),
      ScenarioText.strategy("clipped-fedavg", #""bound": \#(bound)"#),
    ]
    let experiment = try text.experiment(SmallImages.floats(train: 42))
    return (try experiment.trial(strategy: 0), try experiment.trial(strategy: 1))
  }

  @Test("a bound that no update reaches is FedAvg, bit for bit")
  func wide() throws {
    let (plain, clipped) = try trials(bound: 1e6)
    #expect(plain.model != plain.initial)
    #expect(clipped.digests == plain.digests)
    #expect(clipped.bytesUp == plain.bytesUp)
  }

  @Test("a bound that every update reaches is as long as the server's step at most")
  func narrow() throws {
    let (plain, clipped) = try trials(bound: 0.01)
    func step(_ trial: Trial) -> Double {
      VectorArithmetic.norm(VectorArithmetic.difference(trial.model.span, trial.initial.span).span)
    }
    #expect(step(plain) > 0.1)
    #expect(step(clipped) > 0.001)
    #expect(step(clipped) <= 0.01 * (1 + 1e-5))
  }
}

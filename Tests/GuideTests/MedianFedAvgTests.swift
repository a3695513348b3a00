import Aggregation
import Federation
import Fixtures
import TestSupport
import Testing

@Suite("FedAvg with the median", .methods(MedianFedAvg.self))
struct MedianFedAvgTests {
  private func trials(clients: Int) throws -> [Trial] {
    let file = try PartitionFile(sizes: [Int](repeating: 12, count: clients))
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": \#(clients), "rounds": 1 }"#
    text.strategies = ["fedavg", "median-fedavg"].map { ScenarioText.strategy($0) }
    let experiment = try text.experiment(SmallImages.floats(train: 12 * clients))
    return try (0..<2).map { try experiment.trial(strategy: $0) }
  }

  @Test("the median of one update is that update, of two their mean", arguments: [1, 2])
  func few(clients: Int) throws {
    let trials = try trials(clients: clients)
    #expect(trials[0].model != trials[0].initial)
    for (mean, median) in zip(trials[0].model, trials[1].model) {
      #expect(abs(mean - median) <= 1e-6)
    }
  }

  @Test("of three it is another one than the mean")
  func three() throws {
    let trials = try trials(clients: 3)
    #expect(trials[0].model != trials[1].model)
  }
}

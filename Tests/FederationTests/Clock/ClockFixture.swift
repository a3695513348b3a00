import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

/// Three clients of 8, 8 and 4 images, one step a batch of 4, and devices whose speeds are given:
/// times of a round can be computed by hand.
struct ClockFixture {
  let sizes: [Int]
  let partition: PartitionFile
  let data: LabelledData
  var text: ScenarioText

  init(
    sizes: [Int] = [8, 8, 4], strategies: [String] = [ScenarioText.strategy("fedavg")],
    system: String?, _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws {
    self.sizes = sizes
    partition = try PartitionFile(sizes: sizes)
    data = SmallImages.floats(train: sizes.reduce(0, +))
    text = ScenarioText(partition: partition.json)
    text.federation = #"{ "clients": \#(sizes.count), "rounds": 3 }"#
    text.work = #"{ "epochs": 1 }"#
    text.strategies = strategies
    text.system = system
    change(&text)
  }

  func experiment() throws -> Experiment { try text.experiment(data) }

  func trial(_ index: Int = 0, threads: Int = 1) throws -> Trial {
    try experiment().trial(strategy: index, threads: threads)
  }

  /// Operations of one example in training, and bytes of the model.
  func work() throws -> (flops: Int, bytes: Int) {
    let network = try experiment().network
    return (network.trainingFLOPs, 4 * network.layout.count)
  }
}

/// Approximately equal: sums of a few doubles.
func expectClose(
  _ a: Double, _ b: Double, _ comment: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let isClose = abs(a - b) <= 1e-12 * max(abs(a), abs(b))
  #expect(isClose, "\(a) is not \(b) \(comment)", sourceLocation: sourceLocation)
}

import Aggregation
import Base
import Client
import Data
import Scenario
import Tensor

extension Experiment {
  /// Throws whatever a run would throw between reading its data and its first step: a method that
  /// cannot have its network, a target that no noise meets, more memory than there is.
  ///
  /// Nothing is trained and nothing is written.
  package func requireRunnable(threads: Int) throws(Failure) {
    try requireMemory(threads: threads)
    if let pretraining { _ = try pretrainingNetwork(pretraining) }
    for seed in scenario.seeds.indices {
      // Networks are the same under every seed; noise follows from who holds how much.
      let choices = scenario.strategies.filter { seed == 0 || $0.privacy?.isInert == false }
      if choices.isEmpty { break }
      let arena = arena(seed, threads: 1, looksAtPixels: false)
      for choice in choices { _ = try adapted(arena, to: choice) }
    }
  }

  /// The network that pre-training trains.
  func pretrainingNetwork(_ data: PretrainingData) throws(Failure) -> Network {
    do {
      return try Network(scenario.model, input: data.images.shape, classes: data.images.classes)
    } catch { throw Failure(.scenarioInvalid, "E3301", "$.model.kind: \(error.message)") }
  }
}

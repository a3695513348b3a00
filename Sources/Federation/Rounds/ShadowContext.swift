import Aggregation
import Base
import Client
import Data
import Scenario
import Tensor

extension RunContext {
  /// The same federation on some of its clients' images, with draws and noise of its own: a run
  /// that an attacker makes to see what such runs look like.
  ///
  /// What is fixed before a run stays: normalisation, noise multipliers and plans.
  ///
  /// - Parameters:
  ///   - seed: of the shadow's random streams.
  ///   - clients: training images of each client; a client that has images keeps at least one.
  /// - Returns: a context that shares this one's workers and memory.
  package func shadow(seed: UInt64, clients: [[Int]]) -> RunContext {
    var shadow = self
    shadow.seed = seed
    shadow.split = split.keeping(clients)
    shadow.sampler = CohortSampler(settings: sampler.settings, seed: seed, given: sampler.given)
    let problem = problem
    shadow.problem = LearningProblem(
      network: problem.network, clients: problem.clients, settings: problem.settings,
      initial: problem.initial, seed: seed, rounds: problem.rounds,
      composition: problem.composition, groups: problem.groups,
      pooledCounts: problem.pooledCounts, publicCount: problem.publicCount,
      imageBytes: problem.imageBytes)
    return shadow
  }
}

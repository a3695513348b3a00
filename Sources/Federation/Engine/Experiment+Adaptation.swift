import Aggregation
import Client
import Tensor

extension Experiment {
  /// What all strategies share, with what the scenario composes with one of them, and the network
  /// that it trains.
  ///
  /// - Throws: exit 3 when the method cannot have the network that it asks for.
  func adapted<Method: Strategy>(
    _ arena: Arena,
    to choice: Scenario.StrategyChoice,
    _ type: Method.Type
  ) throws(Failure) -> Arena {
    var arena = arena
    arena.problem.settings.loss = choice.loss
    arena.problem.composition = choice.composition
    arena.postHoc = choice.postHoc
    guard let adapted = try adaptation(choice, type) else { return arena }
    arena.problem.initial = adapted.initial(network, arena.problem.initial, arena.seed)
    arena.problem.network = adapted.network
    arena.spaces = WorkerSpaces(
      adapted.network,
      scenario.client,
      images: data.train.count,
      workers: arena.pool.workers
    )
    return arena
  }

  /// The network that a strategy makes of the scenario's, if it does.
  func adaptation<Method: Strategy>(
    _ choice: Scenario.StrategyChoice,
    _ type: Method.Type
  ) throws(Failure) -> AdaptedNetwork? {
    let base = BaseModel(
      spec: scenario.model,
      input: network.input,
      classes: network.classes
    )
    do {
      return try type.adapt(choice.settings, base)
    } catch {
      throw Failure(.scenarioInvalid, "E3301", "$.strategies \"\(choice.label)\": \(error.message)")
    }
  }

  /// Refuses strategies that the network cannot host, before anything is written.
  package func requireHosts() throws(Failure) {
    for choice in scenario.strategies {
      guard let type = StrategyRegistry[choice.kind] else { continue }
      let adapted = try adaptation(choice, type)?.network ?? network
      guard let objection = type.objection(choice.settings, to: adapted) else { continue }
      throw Failure(
        .scenarioInvalid,
        "E3320",
        "$.strategies \"\(choice.label)\": \(objection.problem)",
        hint: objection.hint
      )
    }
  }
}

import Aggregation
import Base
import Scenario

/// The exponential moving average of a run's generic models, which is measured in their place.
///
/// After round t, from 1, with θ_t the method's generic model and β the scenario's decay:
///
///     θ̄_t = θ̄_{t−1} + (1 − β_t)·(θ_t − θ̄_{t−1}),   β_t = min(β, t/(9 + t)),   θ̄_0 = θ_0
///
/// The clients train from θ_t, never from θ̄_t. It is made of what the server has, so that it costs
/// no privacy and no bytes.
///
/// - Complexity: O(parameters) per round, one model of memory.
/// - Source: Polyak and Juditsky 1992; under privacy, with this warm-up, De and others 2022,
///   arXiv:2204.13650.
final class ModelAverage: MessageStage {
  private static let tensor = "average.model"

  private let decay: Double
  private let run: StageContext
  /// θ̄ after the rounds so far; nil before the first.
  private(set) var model: [Float]?

  /// nil where the scenario asks for none, or the method has no generic model.
  init?(_ run: StageContext) {
    guard let decay = run.context.scenario.evaluation.averageDecay,
      run.method.models.contains(.generic)
    else { return nil }
    self.decay = decay
    self.run = run
  }

  var sectionName: String? { "average" }
  var section: StateTensors {
    get {
      var tensors = StateTensors()
      if let model { tensors[Self.tensor] = model }
      return tensors
    }
    set { model = newValue[Self.tensor] }
  }

  func beginRound(_ round: Round) {
    if model == nil { model = run.method.genericModel(run.state.server) }
  }

  func endRound(_ round: Round) throws(RoundFailure) {
    guard let current = run.method.genericModel(run.state.server), var average = model else {
      return
    }
    let t = Double(round.number)
    let share = Float(1 - min(decay, t / (9 + t)))
    for i in average.indices { average[i] += share * (current[i] - average[i]) }
    model = average
  }
}

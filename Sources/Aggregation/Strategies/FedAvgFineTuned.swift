import Client
import Tensor

/// FedAvg with local fine-tuning before each personal evaluation.
///
/// Cheap, and often ahead of more complex methods: Yu et al. 2020, arXiv:2002.04758.
package struct FedAvgFineTuned: BasedStrategy {
  package enum Tune: String, CaseIterable, Sendable { case model, head }

  package struct Fields: StrategyFields {
    let epochs = Hyperparameter(
      "epochs", "e", above: 0, to: 1000, default: 1, "local epochs of fine-tuning")
    let tune = Hyperparameter(
      "tune", default: Tune.model, "what is tuned: every layer, or the classifier alone")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedavg-ft", title: "FedAvg + fine-tuning",
    summary: "FedAvg; a client's personal model is the global one after some local epochs.",
    source: "Yu et al. 2020, arXiv:2002.04758; evaluation of FedAvg in most personalised papers",
    equations: [
      "training as FedAvg",
      "personal model of k:  v_k ← w;  e epochs of v_k ← v_k − η·∇F_k(v_k; batch)",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "none; fine-tuned models are used for evaluation only", composes: .all,
    fields: Fields.all)

  package let base: FedAvg
  let phase: LocalPhase

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    let headOnly = settings.tune == .head
    let tuned = ParameterSelection(problem.layout) {
      $0.role.isTrained && (!headOnly || $0.layer == problem.network.classifier)
    }
    phase = LocalPhase(.epochs(settings.epochs), ranges: tuned.ranges)
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    device.workspace.load(base.exchange.model(server, memory))
    var rule = PlainRule(device.loss)
    _ = try device.train(phase, &rule)
    return device.workspace.currentParameters
  }
}

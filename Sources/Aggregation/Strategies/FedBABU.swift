import Client
import Tensor

/// FedBABU: body aggregation and body update; the head is what it was drawn as until somebody
/// fine-tunes.
///
/// Oh et al., ICLR 2022, arXiv:2106.06042, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | θ_ext, the body | `exchange.shared`, the ranges of `bodyPhase` |
/// | θ_cls, the head | the initial classifier, which never travels |
/// | τ, local epochs | `client.work` |
/// | τ_f, epochs of fine-tuning | `epochs` |
package struct FedBABU: BasedStrategy {
  package enum Tune: String, CaseIterable, Sendable { case model, body, head }

  package struct Fields: StrategyFields {
    let epochs = Hyperparameter(
      "epochs", "τ_f", above: 0, to: 1000, default: 5,
      "local epochs of fine-tuning before a personal evaluation")
    let tune = Hyperparameter(
      "tune", default: Tune.model,
      "what fine-tuning moves: every layer, all but the classifier, or the classifier alone")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedbabu", title: "FedBABU",
    summary: "FedAvg of the body under a head that is never trained; clients fine-tune before "
      + "they are measured.", source: "Oh et al., ICLR 2022, arXiv:2106.06042, algorithm 1",
    equations: [
      "h: drawn once, the same everywhere, never trained",
      "φ_k ← φ;  E epochs of φ_k ← φ_k − η·∇_φ F_k(φ_k, h; batch)", "φ ← φ + Σ_{k∈S} p_k·(φ_k − φ)",
      "personal model of k:  v_k ← (φ, h);  e epochs of v_k ← v_k − η·∇F_k(v_k; batch)",
    ], messages: ["down: model (body tensors)", "up: model difference (body tensors)"],
    memory: "none; fine-tuned models are used for evaluation only",
    notes: [
      "The generic model is the body with the untrained head: the paper's initial accuracy.",
      "The head follows model.init like every layer; it is sent to nobody, for clients "
        + "draw it from the seed that they know.",
      "Fine-tuning moves everything as in the paper's main results; it also studies parts.",
    ], composes: .all, fields: Fields.all)

  /// A network that is all head has nothing to train.
  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? {
    if network.layout.entries.contains(where: { $0.layer != network.classifier }) { return nil }
    return (
      "fedbabu trains the layers before the classifier, and this network has none",
      "choose a model with a hidden layer, such as mlp or cnn"
    )
  }

  package let base: FedAvg
  let bodyPhase: LocalPhase
  let tuning: LocalPhase

  package init(_ settings: Settings, _ problem: LearningProblem) {
    let head = problem.network.classifier
    func trained(_ isMoved: (_ isHead: Bool) -> Bool) -> [Range<Int>] {
      ParameterSelection(problem.layout) { $0.role.isTrained && isMoved($0.layer == head) }.ranges
    }
    // What is neither shared nor private has its initial values wherever it is needed.
    base = FedAvg(ModelExchange(problem, where: { $0.layer != head }))
    bodyPhase = LocalPhase(problem.settings.work, ranges: trained { !$0 })
    let tune = settings.tune
    tuning = LocalPhase(
      .epochs(settings.epochs), ranges: trained { tune == .model || $0 == (tune == .head) })
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(base.exchange.model(received, memory))
    var rule = PlainRule(device.loss)
    let report = try device.train(bodyPhase, &rule)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    device.workspace.load(base.exchange.model(server, memory))
    var rule = PlainRule(device.loss)
    _ = try device.train(tuning, &rule)
    return device.workspace.currentParameters
  }
}

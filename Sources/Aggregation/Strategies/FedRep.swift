import Client
import Tensor

/// FedRep: the head is trained first, on a body that stands still, and then the body under it.
///
/// Collins et al., ICML 2021, arXiv:2102.07078, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | φ, the representation | the body: `exchange.shared` |
/// | h_i, the head of client i | `exchange.kept` |
/// | τ, local updates of the head | `headEpochs` |
/// | GRD(f_i(h_i, φ), φ, α) | the second of `phases`, `bodyEpochs` long |
package struct FedRep: BasedStrategy {
  package struct Fields: StrategyFields {
    let headEpochs = Hyperparameter(
      "headEpochs", "τ", in: 0...1000, default: 10.0,
      "local epochs on the head; 0 leaves all heads as they started")
    let bodyEpochs = Hyperparameter(
      "bodyEpochs", "E_b", above: 0, to: 1000, default: 1, "local epochs on the body")
    let privateLayers = Hyperparameter(
      "privateLayers", "h", in: 0...1000, default: 1,
      "dense or convolution layers of the head, counted from the output, norms with them",
      degenerate: (0, "fedavg"))
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedrep", title: "FedRep",
    summary: "Private heads trained on a frozen body, then the body under frozen heads, which is "
      + "averaged.", source: "Collins et al., ICML 2021, arXiv:2102.07078, algorithm 1",
    equations: [
      "h_k: E_h epochs of h_k ← h_k − η·∇_h F_k(φ, h_k; batch)",
      "φ_k ← φ;  E_b epochs of φ_k ← φ_k − η·∇_φ F_k(φ_k, h_k; batch)",
      "φ ← φ + Σ_{k∈S} p_k·(φ_k − φ);   h_k stays at client k",
    ], messages: ["down: model (body tensors)", "up: model difference (body tensors)"],
    memory: "client: h_k; all heads start from the same initial values",
    notes: [
      "headEpochs and bodyEpochs take the place of client.work.",
      "Each phase has an optimizer of its own: momentum starts at 0 twice a round.",
      "Running statistics belong to the body and follow the data in both phases.",
      "Public code changes the order of the phases and their lengths, and accuracy with them.",
      "No generic model: with private heads there is none to measure.",
    ], deviations: ["The paper averages bodies uniformly: federation.weighting \"uniform\"."],
    composes: [.loss, .serverOptimizer, .groups], fields: Fields.all)

  package static let ignores = [
    IgnoredField("client.work", "headEpochs and bodyEpochs say how much a client trains")
  ]

  package let base: FedAvg
  /// Head, then body; without those that would move nothing.
  let phases: [LocalPhase]

  package init(_ settings: Settings, _ problem: LearningProblem) {
    let head = problem.layout.lastLayers(settings.privateLayers)
    base = FedAvg(ModelExchange(problem, privately: { head.contains($0.layer) }))
    let parts = [(true, settings.headEpochs), (false, settings.bodyEpochs)]
    phases = parts.compactMap { isHead, epochs in
      let moved = ParameterSelection(problem.layout) {
        $0.role.isTrained && head.contains($0.layer) == isHead
      }
      guard epochs > 0, moved.count > 0 else { return nil }
      return LocalPhase(.epochs(epochs), ranges: moved.ranges)
    }
  }

  package func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    PrivateWork(
      batches: phases.reduce(0) { $0 + $1.work.steps(examples: n, batch: settings.batch) })
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(base.exchange.model(received, memory))
    var rule = PlainRule(device.loss)
    var report = LocalReport()
    for phase in phases { report.add(try device.train(phase, &rule)) }
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }
}

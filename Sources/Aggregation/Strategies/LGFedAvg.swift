import Tensor

/// LG-FedAvg: local representations, a global head.
///
/// Liang et al. 2020, arXiv:2001.01523, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | θ_k^ℓ, the local representation | the body: `exchange.kept` |
/// | θ^g, the global model | the last layers: `exchange.shared` |
package struct LGFedAvg: BasedStrategy {
  package struct Fields: StrategyFields {
    let sharedLayers = Hyperparameter(
      "sharedLayers", "L", in: 0...1000, default: 1,
      "dense or convolution layers shared, counted from the output, norms with them",
      degenerate: (0, "local-only"), inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "lg-fedavg", title: "LG-FedAvg",
    summary: "Everybody trains a whole model; only its last layers are averaged, the body stays "
      + "private.", source: "Liang et al. 2020, arXiv:2001.01523, algorithm 1",
    equations: [
      "w_k = (φ_k, h);  E epochs of SGD on φ_k and h_k together",
      "h ← h + Σ_{k∈S} p_k·(h_k − h);   φ_k stays at client k",
    ], messages: ["down: model (last layers)", "up: model difference (last layers)"],
    memory: "client: φ_k; all bodies start from the same initial values",
    notes: [
      "No generic model: with private bodies there is none to measure; the paper's ensemble of all "
        + "bodies for unseen clients is not part of it.",
      "A client that never took part is measured with the shared head and the initial body.",
    ],
    deviations: [
      "The paper starts from a model that FedAvg has trained, much public code from scratch, as "
        + "here; model.init \"file\" starts from a saved one."
    ], composes: [.loss, .serverOptimizer, .groups], fields: Fields.all)

  package let base: FedAvg

  /// Both parts train together, as a whole model does: FedAvg with a private body.
  package init(_ settings: Settings, _ problem: LearningProblem) {
    let layers = problem.layout.lastLayers(settings.sharedLayers)
    base = FedAvg(ModelExchange(problem, privately: { !layers.contains($0.layer) }))
  }
}

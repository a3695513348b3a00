import Tensor

/// FedPer: a shared body, a private head.
///
/// Arivazhagan et al. 2019, arXiv:1912.00818, algorithms 1 and 2.
///
/// | paper | here |
/// |---|---|
/// | W_B, base layers | the body: `exchange.shared` |
/// | W_P, personalisation layers | the head: `exchange.kept` |
/// | K_P | `privateLayers` |
package struct FedPer: BasedStrategy {
  package struct Fields: StrategyFields {
    let privateLayers = Hyperparameter(
      "privateLayers", "K_P", in: 0...1000, default: 1,
      "dense or convolution layers kept private, counted from the output, norms with them",
      degenerate: (0, "fedavg"))
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedper", title: "FedPer",
    summary: "Everybody trains a whole model; only the body is averaged, the head stays private.",
    source: "Arivazhagan et al. 2019, arXiv:1912.00818, algorithms 1 and 2",
    equations: [
      "w_k = (φ, h_k);  E epochs of SGD on φ and h_k together",
      "φ ← φ + Σ_{k∈S} p_k·(φ_k − φ);   h_k stays at client k",
    ], messages: ["down: model (body tensors)", "up: model difference (body tensors)"],
    memory: "client: h_k; all heads start from the same initial values",
    notes: [
      "No generic model: with private heads there is none to measure.",
      "A client that never took part is measured with the shared body and the initial head.",
    ], composes: [.loss, .serverOptimizer, .groups], fields: Fields.all)

  package let base: FedAvg

  /// Both parts train together, as a whole model does: FedAvg with a private head.
  package init(_ settings: Settings, _ problem: LearningProblem) {
    let layers = problem.layout.lastLayers(settings.privateLayers)
    base = FedAvg(ModelExchange(problem, privately: { layers.contains($0.layer) }))
  }
}

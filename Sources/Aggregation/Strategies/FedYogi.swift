/// FedYogi: Yogi at the server.
///
/// Reddi et al., ICLR 2021, arXiv:2003.00295, algorithm 2.
///
/// | paper | here |
/// |---|---|
/// | Δ_t | the mean upload |
/// | m_t, v_t | u and v of `ServerOptimizer` |
/// | β₁, β₂, τ, η | `beta1`, `beta2`, `tau`, `serverLearningRate` |
package struct FedYogi: BasedStrategy {
  package typealias Fields = FedAdam.Fields

  package static let info = MethodInfo(
    kind: "fedyogi", title: "FedYogi",
    summary: "FedAdam whose second moment grows at once and shrinks slowly.",
    source: "Reddi et al., ICLR 2021, arXiv:2003.00295, algorithm 2",
    equations: [
      "Δ ← mean_{k∈S}(w_k − w);   u ← β₁·u + (1 − β₁)·Δ",
      "v ← v − (1 − β₂)·Δ²·sign(v − Δ²);   w ← w + η_g·u/(√v + τ)",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "server: u and v, each of the model's size",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "Running statistics of batch norm are averaged as in FedAvg.",
      "No bias correction, as in the paper; v starts at τ².",
    ], composes: [.loss, .groups, .postHoc], fields: Fields.all)

  package static let weighting: WeightingRule = .uniform

  package let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) {
    var problem = problem
    problem.composition.serverOptimizer = ServerOptimizer(
      .yogi, learningRate: settings.serverLearningRate, beta1: settings.beta1,
      beta2: settings.beta2, tau: settings.tau)
    base = FedAvg(problem)
  }
}

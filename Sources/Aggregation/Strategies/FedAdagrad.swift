/// FedAdagrad: Adagrad at the server.
///
/// Reddi et al., ICLR 2021, arXiv:2003.00295, algorithm 2.
///
/// | paper | here |
/// |---|---|
/// | Δ_t | the mean upload |
/// | v_t, τ, η | v of `ServerOptimizer`, `tau`, `serverLearningRate` |
package struct FedAdagrad: BasedStrategy {
  package struct Fields: StrategyFields {
    let serverLearningRate = Hyperparameter.serverLearningRate(0.1, inferred: true)
    let tau = Hyperparameter.adaptivity
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedadagrad", title: "FedAdagrad",
    summary: "FedAvg whose server divides each coordinate by the root of all its squared updates.",
    source: "Reddi et al., ICLR 2021, arXiv:2003.00295, algorithm 2",
    equations: ["Δ ← mean_{k∈S}(w_k − w)", "v ← v + Δ²;   w ← w + η_g·Δ/(√v + τ)"],
    messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "server: v, of the model's size",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "Running statistics of batch norm are averaged as in FedAvg.",
      "No bias correction, as in the paper; v starts at τ².",
      "The paper's experiments have no first moment here (β₁ = 0).",
    ], composes: [.loss, .groups, .postHoc], fields: Fields.all)

  package static let weighting: WeightingRule = .uniform

  package let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) {
    var problem = problem
    problem.composition.serverOptimizer = ServerOptimizer(
      .adagrad, learningRate: settings.serverLearningRate, tau: settings.tau)
    base = FedAvg(problem)
  }
}

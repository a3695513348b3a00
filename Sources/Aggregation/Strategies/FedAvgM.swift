/// FedAvgM: momentum at the server.
///
/// Hsu et al. 2019, arXiv:1909.06335, section 4.3.
///
/// | paper | here |
/// |---|---|
/// | β | `serverMomentum` |
/// | v | u of `ServerOptimizer` |
/// | Δw (theirs points backwards, ours forwards) | the mean upload |
package struct FedAvgM: BasedStrategy {
  package struct Fields: StrategyFields {
    let serverMomentum = Hyperparameter(
      "serverMomentum", "β", in: 0...0.9999, default: 0.9,
      "decay of the server's momentum; 0.97 in some work", degenerate: (0, "fedavg"))
    let serverLearningRate = Hyperparameter(
      "serverLearningRate", "η_g", above: 0, to: 1e6, default: 1, "step size of the server")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedavgm", title: "FedAvgM",
    summary: "FedAvg with heavy-ball momentum on the server's update.",
    source: "Hsu et al. 2019, arXiv:1909.06335, section 4.3",
    equations: ["Δ ← Σ_{k∈S} p_k·(w_k − w);   u ← β·u + Δ;   w ← w + η_g·u"],
    messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "server: u, of the model's size",
    notes: [
      "Running statistics of batch norm are averaged as in FedAvg: momentum would overshoot."
    ], composes: [.loss, .groups, .postHoc], fields: Fields.all)

  package let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) {
    var problem = problem
    problem.composition.serverOptimizer = ServerOptimizer(
      .sgd, learningRate: settings.serverLearningRate, momentum: settings.serverMomentum)
    base = FedAvg(problem)
  }
}

/// FedBuff: asynchronous clients, and a server that steps when its buffer is full.
///
/// Nguyen et al., AISTATS 2022, arXiv:2106.06639, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | K | `buffer` |
/// | τ_i(t) | `staleness`: steps of the server since the client was sent its model |
/// | s(τ) = (1 + τ)^(−1/2) | `arrivalWeight`, with `stalenessExponent` for 1/2 |
/// | η_g, server momentum | `serverOptimizer` |
/// | M, clients training at a time | the size of a cohort |
package struct FedBuff: BasedStrategy {
  package struct Fields: StrategyFields {
    let buffer = Hyperparameter(
      "buffer", "K", in: 1...100_000, default: 10,
      "updates in a step of the server; 10 in the paper")
    let stalenessExponent = Hyperparameter(
      "stalenessExponent", "a", in: 0...100, default: 0.5,
      "how fast an update's weight falls with its staleness; 0 for not at all")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedbuff", title: "FedBuff",
    summary: "Clients work at their own pace; the server steps by the mean of each K updates.",
    source: "Nguyen et al., AISTATS 2022, arXiv:2106.06639, algorithm 1",
    equations: [
      "client, at any time: w_k ← w;  local SGD;  Δ_k = w_k − (the w that it was sent)",
      "on arrival: b ← b + s(τ_k)·Δ_k,   s(τ) = (1 + τ)^(−a),   τ_k steps since it was sent w",
      "when K updates are in: w ← w + η_g·b/K;  b ← 0",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "server: up to K − 1 updates that wait",
    notes: [
      "Updates count alike whatever the number of examples, as in the paper.",
      "As many clients are at work at a time as a cohort has; a round is as many arrivals.",
      "Running statistics of batch norm take the same mean without η_g.",
      "η_g and momentum are the scenario's serverOptimizer: sgd with learningRate and momentum.",
    ], composes: .all, fields: Fields.all)
  package static let weighting = WeightingRule.uniform
  package static let needs: MethodNeeds = .clock

  package let base: FedAvg
  package let buffer: Int
  package let exponent: Double

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    buffer = settings.buffer
    exponent = settings.stalenessExponent
  }

  package var schedule: Schedule { .buffered(buffer) }

  package func arrivalWeight(staleness: Int) -> Double {
    Staleness.polynomial(staleness, exponent: exponent)
  }
}

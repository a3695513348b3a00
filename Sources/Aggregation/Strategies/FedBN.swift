import Tensor

/// FedBN: every client keeps its own normalisation.
///
/// Li et al., ICLR 2021, arXiv:2102.07623, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | BN layers of client k: γ, β, μ, σ² | `exchange.kept` |
/// | w of all other layers | `exchange.shared` |
package struct FedBN: BasedStrategy {
  package typealias Fields = NoFields

  package static let info = MethodInfo(
    kind: "fedbn", title: "FedBN",
    summary: "FedAvg of everything but normalisation layers, which stay private.",
    source: "Li et al., ICLR 2021, arXiv:2102.07623, algorithm 1",
    equations: [
      "w_k = (u_k, b_k), b_k: scales, shifts and running statistics of norms",
      "E epochs of SGD on u_k and b_k together",
      "u ← u + Σ_{k∈S} p_k·(u_k − u);   b_k stays at client k",
    ],
    messages: [
      "down: model (all tensors but those of norms)",
      "up: model difference (all tensors but those of norms)",
    ], memory: "client: b_k; all start from the same initial values",
    notes: [
      "Norms of every kind are private; group and layer norm have no running statistics.",
      "No generic model: with private norms there is none to measure.",
      "Undefined for clients that never took part; they are measured with initial norms.",
      "On a network without norms it is FedAvg, generic model included.",
    ], deviations: ["The paper averages uniformly: federation.weighting \"uniform\"."],
    composes: [.loss, .serverOptimizer, .groups])

  /// Where nothing is private, nothing of the method is left.
  package static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )] {
    let hasNorms = network.layout.entries.contains { ParameterGroup.norm.contains($0, of: network) }
    if hasNorms { return [] }
    return [
      (
        "fedbn on a network without normalisation layers equals fedavg",
        "set model.norm to \"batch\" or \"group\", or choose a model that has norms"
      )
    ]
  }

  package let base: FedAvg

  /// All parts train together, as a whole model does: FedAvg with private norms.
  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(
      ModelExchange(problem, privately: { ParameterGroup.norm.contains($0, of: problem.network) }))
  }
}

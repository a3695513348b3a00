import Tensor

/// Federated SSF: a frozen network, one scale and shift after each of its layers, and a
/// classifier; clients train these, the server averages them.
///
/// What FedIns is with a pool of one entry: no keys, no matching, no second pass for a query.
/// SSF: Lian et al., NeurIPS 2022, arXiv:2210.08823; federated: Feng et al., ICCV 2023,
/// arXiv:2308.06051.
///
/// | paper | here |
/// |---|---|
/// | γ_s, β_s | `pool.<layer>.scale` [1, d_s], `pool.<layer>.shift` [1, d_s] |
/// | W, b | `pool.head.weight` [1, C, D], `pool.head.bias` [1, C] |
package struct FedSSF: BasedStrategy {
  package struct Fields: StrategyFields {
    let weighting = FedIns.weightingField
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedssf", title: "Federated SSF",
    summary: "A frozen network; scales and shifts after its layers and a classifier are averaged.",
    source: "Feng et al., ICCV 2023, arXiv:2308.06051 (the ablation of FedIns); SSF: Lian et al., "
      + "NeurIPS 2022, arXiv:2210.08823, equation 2",
    equations: [
      "after every layer s of the frozen network:  y = γ_s ⊙ x + β_s;   z = W·h + b",
      "θ = (γ, β, W, b):  θ ← θ + Σ_{k∈S} w_k·(θ_k − θ),   w_k = 1/|S|",
    ],
    messages: [
      "down: model (scales, shifts, classifier)",
      "up: model difference (scales, shifts, classifier)", "floats each way: 2·Σ_s d_s + C·(D + 1)",
    ], memory: "none; the frozen network is everybody's from the start and never sent",
    notes: [
      "γ starts at N(1, 0.02²), β at N(0, 0.02²), W at N(0, 2/(C·D)), b at 0, as a pool's entry."
    ], composes: .all, fields: Fields.all)

  package static let needs: MethodNeeds = [.trainedNetwork]

  package static func adapt(_ settings: Settings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  { try base.adaptedOnce() }

  package let uploadWeighting: WeightingRule
  package let base: FedAvg

  /// FedAvg of everything that is trained.
  package init(_ settings: Settings, _ problem: LearningProblem) {
    uploadWeighting = settings.weighting.rule
    base = FedAvg(ModelExchange(problem) { $0.role.isTrained })
  }
}

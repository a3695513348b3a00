import Client
import Tensor

/// FedProx.
///
/// Li et al., MLSys 2020, arXiv:1812.06127, algorithm 2.
///
/// | paper | here |
/// |---|---|
/// | μ | `proximalWeight` |
/// | wᵗ | `received` |
/// | h_k(w; wᵗ) = F_k(w) + μ/2·‖w − wᵗ‖² | `Rule` |
package struct FedProx: BasedStrategy {
  package struct Fields: StrategyFields {
    let proximalWeight = Hyperparameter(
      "proximalWeight", "μ", in: 0...1e6, default: 0.01, "weight of the proximal term",
      degenerate: (0, "fedavg"))
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedprox", title: "FedProx",
    summary: "FedAvg with a proximal term that keeps local models near the global one.",
    source: "Li et al., MLSys 2020, arXiv:1812.06127, algorithm 2",
    equations: [
      "w_k ← w;  w_k ← w_k − η·(∇F_k(w_k; batch) + μ·(w_k − w))", "w ← w + Σ_{k∈S} p_k·(w_k − w)",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "none",
    notes: [
      "Local work is the scenario's amount of SGD, not a γ-inexact solution.",
      "Published code uses μ from 0 (no FedProx at all) to 1; the paper tunes over "
        + "{0.001, 0.01, 0.1, 1}.",
      "Private groups are pulled towards their own values at the start of the round.",
    ], composes: .all, fields: Fields.all)

  /// The gradient of the proximal objective: g ← g + μ·(w − wᵗ).
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    let proximalWeight: Float
    package let received: [Float]

    package mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      // μ = 0 must leave the very bits of FedAvg: −0 + 0 would turn a sign.
      guard proximalWeight != 0 else { return }
      VectorArithmetic.addScaledDifference(
        &gradient, proximalWeight, parameters, received.span.extracting(first: gradient.count))
    }
  }

  let proximalWeight: Float
  package let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.init(settings.proximalWeight, problem)
  }

  /// With a given μ.
  package init(_ proximalWeight: Double, _ problem: LearningProblem) {
    self.proximalWeight = Float(proximalWeight)
    base = FedAvg(problem)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let model = base.exchange.model(received, memory)
    device.workspace.load(model)
    var rule = Rule(loss: device.loss, proximalWeight: proximalWeight, received: model)
    let report = try device.train(&rule)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }
}

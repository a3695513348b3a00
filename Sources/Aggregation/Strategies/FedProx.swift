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
package struct FedProx: Strategy {
  package static let card = StrategyCard(
    kind: "fedprox",
    title: "FedProx",
    summary: "FedAvg with a proximal term that keeps local models near the global one.",
    source: "Li et al., MLSys 2020, arXiv:1812.06127, algorithm 2",
    equations: [
      "w_k ← w;  w_k ← w_k − η·(∇F_k(w_k; batch) + μ·(w_k − w))",
      "w ← w + Σ_{k∈S} p_k·(w_k − w)",
    ],
    messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "none",
    notes: [
      "Local work is the scenario's amount of SGD, not a γ-inexact solution.",
      "Published code uses μ from 0 (no FedProx at all) to 1; the paper tunes over "
        + "{0.001, 0.01, 0.1, 1}.",
    ],
    fields: [
      Hyperparameter(
        "proximalWeight",
        symbol: "μ",
        .number(0...1e6, exclusiveMinimum: false),
        default: .number(0.01),
        "weight of the proximal term",
        degenerate: (.number(0), "fedavg")
      )
    ]
  )

  /// The gradient of the proximal objective: g ← g + μ·(w − wᵗ).
  struct Rule: LocalRule {
    let proximalWeight: Float
    let received: [Float]

    mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      // μ = 0 must leave the very bits of FedAvg: −0 + 0 would turn a sign.
      guard proximalWeight != 0 else { return }
      VectorArithmetic.addScaledDifference(
        &gradient,
        proximalWeight,
        parameters,
        received.span.extracting(first: gradient.count)
      )
    }
  }

  let proximalWeight: Float
  let exchange: ModelExchange

  package init(_ settings: StrategySettings, _ problem: LearningProblem) {
    proximalWeight = Float(settings.number("proximalWeight"))
    exchange = ModelExchange(problem)
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    exchange.download(server)
  }

  package func train(
    _ device: inout Device,
    received: Payload,
    memory: inout ClientMemory
  ) throws(Divergence) -> ClientUpdate {
    let anchor = received[ModelExchange.block]
    device.workspace.load(anchor)
    var rule = Rule(proximalWeight: proximalWeight, received: anchor)
    let report = try device.train(&rule)
    return ClientUpdate(exchange.difference(device, from: received), report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    exchange.apply(uploads[ModelExchange.block], to: &server.model)
  }
}

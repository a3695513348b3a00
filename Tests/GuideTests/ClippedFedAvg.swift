import Aggregation
import Client
import Tensor

/// FedAvg whose clients send updates of bounded length.
///
/// McMahan et al., ICLR 2018, arXiv:1710.06963, section 2.2, without its noise.
///
/// | paper | here |
/// |---|---|
/// | S, the bound | `bound` |
/// | Δ_k | the upload's block "model" |
package struct ClippedFedAvg: BasedStrategy {
  package struct Fields: StrategyFields {
    let bound = Hyperparameter(
      "bound", "S", above: 0, to: 1e6, default: 1, "longest update that a client may send")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "clipped-fedavg", title: "FedAvg with clipped updates",
    summary: "FedAvg; no client's update is longer than a bound.",
    source: "McMahan et al., ICLR 2018, arXiv:1710.06963, section 2.2, without its noise",
    equations: ["w ← w + Σ_{k∈S} p_k·Δ_k·min(1, S/‖Δ_k‖),   Δ_k = w_k − w"],
    messages: ["down: model (all tensors)", "up: clipped model difference (all tensors)"],
    memory: "none", composes: .all, fields: Fields.all)

  package let base: FedAvg
  let bound: Double

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    bound = settings.bound
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let update = try base.train(&device, received: received, memory: &memory)
    var difference = update.upload[ModelExchange.block]
    let length = VectorArithmetic.norm(difference.span)
    if length > bound { VectorArithmetic.scale(&difference, by: Float(bound / length)) }
    var upload = Payload.empty
    upload.append(ModelExchange.block, base.exchange.shared, gathered: difference)
    return ClientUpdate(upload, update.report)
  }
}

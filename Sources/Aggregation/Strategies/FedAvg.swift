import Client
import Tensor

/// FedAvg.
///
/// McMahan et al., AISTATS 2017, arXiv:1602.05629, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | w_t | `server.model` |
/// | n_k / n | the weight of a `WeightedUpload` |
/// | ClientUpdate(k, w) | `train` |
package struct FedAvg: Strategy {
  package typealias Fields = NoFields

  package static let info = MethodInfo(
    kind: "fedavg", title: "FedAvg",
    summary: "Local SGD from the global model, then the weighted mean of the local models.",
    source: "McMahan et al., AISTATS 2017, arXiv:1602.05629, algorithm 1",
    equations: [
      "w_k ← w;  E epochs of w_k ← w_k − η·∇F_k(w_k; batch)",
      "w ← w + Σ_{k∈S} p_k·(w_k − w),   p_k = n_k / Σ_{j∈S} n_j",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "none", notes: ["federation.weighting \"uniform\" takes p_k = 1/|S| instead."],
    composes: .all)
  package static let disclosures: [Disclosure] = [.training(ModelExchange.block)]

  package let exchange: ModelExchange

  package init(_ settings: Settings, _ problem: LearningProblem) {
    exchange = ModelExchange(problem)
  }

  /// FedAvg of some tensors, with others kept at the clients.
  package init(_ exchange: ModelExchange) { self.exchange = exchange }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    exchange.download(server)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(exchange.model(received, memory))
    var rule = PlainRule(device.loss)
    let report = try device.train(&rule)
    exchange.remember(device, &memory)
    return ClientUpdate(exchange.difference(device, from: received), report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    exchange.apply(uploads[ModelExchange.block], to: &server)
  }

  package var models: ModelKinds { exchange.models }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { exchange.isCommon ? nil : exchange.model(server, memory) }
}

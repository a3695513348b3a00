import Aggregation
import Client
import Tensor

/// FedAvg whose server takes the median of the updates, coordinate by coordinate.
///
/// Yin et al., ICML 2018, arXiv:1803.01498, option I of algorithm 1.
package struct MedianFedAvg: Strategy {
  package typealias Fields = NoFields

  package static let info = MethodInfo(
    kind: "median-fedavg", title: "FedAvg with the median",
    summary: "Local SGD from the global model, then the coordinate-wise median of the updates.",
    source: "Yin et al., ICML 2018, arXiv:1803.01498, option I of algorithm 1",
    equations: ["w ← w + median_{k∈S} Δ_k,   Δ_k = w_k − w, coordinate by coordinate"],
    messages: ["down: model (all tensors)", "up: model difference (all tensors)"], memory: "none",
    composes: .all)
  package static let disclosures: [Disclosure] = [.training(ModelExchange.block)]
  package static let weighting: WeightingRule = .uniform

  let base: FedAvg

  package init(_ settings: Settings, _ problem: LearningProblem) { base = FedAvg(problem) }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    base.download(server, to: client)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  { try base.train(&device, received: received, memory: &memory) }

  /// `AllUploads` hands over every update of the round; the result must not depend on their order.
  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts) {
    let updates = uploads.uploads.map { $0.payload[ModelExchange.block] }
    guard let first = updates.first else { return }
    let middle = updates.count / 2
    let median = first.indices.map { place -> Float in
      let sorted = updates.map { $0[place] }.sorted()
      return updates.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    base.exchange.apply(median, to: &server)
  }
}

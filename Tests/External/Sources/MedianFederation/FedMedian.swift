import Aggregation
import Client
import Tensor

/// The median of all uploads, coordinate by coordinate (Yin et al., ICML 2018, arXiv:1803.01498).
///
/// An aggregator of one's own: it keeps every upload, because a median needs them all.
struct CoordinateMedian: Aggregator {
  private var uploads: [[Float]] = []

  init() {}

  mutating func add(_ upload: WeightedUpload) {
    uploads.append(upload.payload[ModelExchange.block])
  }

  /// [d]; nil before the first upload.
  var median: [Float]? {
    guard let first = uploads.first else { return nil }
    let middle = uploads.count / 2
    return first.indices.map { place in
      let sorted = uploads.map { $0[place] }.sorted()
      return uploads.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
  }
}

/// FedAvg with the median in place of the mean.
struct FedMedian: Strategy {
  typealias Fields = NoFields

  static let info = MethodInfo(
    kind: "fed-median", title: "FedMedian",
    summary: "Local SGD from the global model, then the coordinate-wise median of the updates.",
    source: "Yin et al., ICML 2018, arXiv:1803.01498",
    equations: ["w ← w + median_k (w_k − w), coordinate by coordinate"],
    messages: ["down: model (all tensors)", "up: model difference (all tensors)"], memory: "none")
  static let disclosures: [Disclosure] = [.training(ModelExchange.block)]

  private let exchange: ModelExchange

  init(_ settings: Settings, _ problem: LearningProblem) {
    exchange = ModelExchange(problem)
  }

  func download(_ server: ServerState, to client: Int) -> Payload { exchange.download(server) }

  func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(exchange.model(received, memory))
    var rule = PlainRule(device.loss)
    let report = try device.train(&rule)
    return ClientUpdate(exchange.difference(device, from: received), report)
  }

  func step(_ server: inout ServerState, _ uploads: CoordinateMedian, _ round: RoundFacts) {
    exchange.apply(uploads.median, to: &server)
  }
}

import Client
import Tensor

/// FedPer: a shared body, a private head.
///
/// Arivazhagan et al. 2019, arXiv:1912.00818, algorithms 1 and 2.
///
/// | paper | here |
/// |---|---|
/// | W_B, base layers | the body: `exchange.shared` |
/// | W_P, personalisation layers | the head: `memory["head"]` |
/// | K_P | `privateLayers` |
package struct FedPer: Strategy {
  package static let card = StrategyCard(
    kind: "fedper",
    title: "FedPer",
    summary: "Everybody trains a whole model; only the body is averaged, the head stays private.",
    source: "Arivazhagan et al. 2019, arXiv:1912.00818, algorithms 1 and 2",
    equations: [
      "w_k = (φ, h_k);  E epochs of SGD on φ and h_k together",
      "φ ← φ + Σ_{k∈S} p_k·(φ_k − φ);   h_k stays at client k",
    ],
    messages: ["down: model (body tensors)", "up: model difference (body tensors)"],
    memory: "client: h_k; all heads start from the same initial values",
    notes: [
      "No generic model: with private heads there is none to measure.",
      "A client that never took part is measured with the shared body and the initial head.",
    ],
    fields: [
      Hyperparameter(
        "privateLayers",
        symbol: "K_P",
        .integer(0...1000),
        default: .integer(1),
        "dense or convolution layers kept private, counted from the output, norms with them",
        degenerate: (.integer(0), "fedavg")
      )
    ]
  )

  package static let models: ModelKinds = .personal

  private static let head = "head"

  let exchange: ModelExchange
  let privateHead: ParameterSelection
  let initial: [Float]

  package init(_ settings: StrategySettings, _ problem: LearningProblem) {
    let layers = problem.layout.lastLayers(settings.integer("privateLayers"))
    exchange = ModelExchange(problem) { !layers.contains($0.layer) }
    privateHead = ParameterSelection(problem.layout) { layers.contains($0.layer) }
    initial = problem.initial
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    exchange.download(server)
  }

  package func train(
    _ device: inout Device,
    received: Payload,
    memory: inout ClientMemory
  ) throws(Divergence) -> ClientUpdate {
    var model = initial  // its head serves a client that takes part for the first time
    exchange.receive(received, into: &model)
    if let head = memory[Self.head] { privateHead.scatter(head, into: &model) }
    device.workspace.load(model)
    var rule = PlainRule()
    let report = try device.train(&rule)
    // Without private layers nothing is remembered: FedAvg's state, digest and checkpoint.
    if privateHead.count > 0 {
      memory[Self.head] = privateHead.gather(device.workspace.currentParameters)
    }
    return ClientUpdate(exchange.difference(device, from: received), report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    exchange.apply(uploads[ModelExchange.block], to: &server.model)
  }

  /// (φ, h_k).
  package func personalModel(
    _ device: inout Device,
    _ server: ServerState,
    _ memory: ClientMemory
  ) throws(Divergence) -> [Float]? {
    var model = server.model  // its head is still the initial one: the server never moves it
    if let head = memory[Self.head] { privateHead.scatter(head, into: &model) }
    return model
  }
}

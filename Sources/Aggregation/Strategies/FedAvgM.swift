import Client
import Tensor

/// FedAvgM: momentum at the server.
///
/// Hsu et al. 2019, arXiv:1909.06335, section 4.3.
///
/// | paper | here |
/// |---|---|
/// | β | `serverMomentum` |
/// | v | `server.memory["momentum"]` |
/// | Δw (theirs points backwards, ours forwards) | the mean upload |
package struct FedAvgM: Strategy {
  package static let card = StrategyCard(
    kind: "fedavgm",
    title: "FedAvgM",
    summary: "FedAvg with heavy-ball momentum on the server's update.",
    source: "Hsu et al. 2019, arXiv:1909.06335, section 4.3",
    equations: [
      "Δ ← Σ_{k∈S} p_k·(w_k − w);   u ← β·u + Δ;   w ← w + η_g·u"
    ],
    messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "server: u, of the model's size",
    notes: [
      "Running statistics of batch norm are averaged as in FedAvg: momentum would overshoot."
    ],
    fields: [
      Hyperparameter(
        "serverMomentum",
        symbol: "β",
        .number(0...0.9999, exclusiveMinimum: false),
        default: .number(0.9),
        "decay of the server's momentum; 0.97 in some work",
        degenerate: (.number(0), "fedavg")
      ),
      Hyperparameter(
        "serverLearningRate",
        symbol: "η_g",
        .number(0...1e6, exclusiveMinimum: true),
        default: .number(1),
        "step size of the server"
      ),
    ]
  )

  private static let momentum = "momentum"

  let serverMomentum: Float
  let serverLearningRate: Float
  let exchange: ModelExchange
  let client: FedAvg

  package init(_ settings: StrategySettings, _ problem: LearningProblem) {
    serverMomentum = Float(settings.number("serverMomentum"))
    serverLearningRate = Float(settings.number("serverLearningRate"))
    exchange = ModelExchange(problem)
    client = FedAvg(StrategySettings(FedAvg.card), problem)
  }

  /// u starts at zero.
  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: problem.initial)
    server.memory[Self.momentum] = [Float](repeating: 0, count: problem.layout.count)
    return server
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    exchange.download(server)
  }

  /// Clients run FedAvg.
  package func train(
    _ device: inout Device,
    received: Payload,
    memory: inout ClientMemory
  ) throws(Divergence) -> ClientUpdate {
    try client.train(&device, received: received, memory: &memory)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    guard let mean = uploads[ModelExchange.block],
      var momentum = server.memory[Self.momentum]
    else { return }
    server.memory[Self.momentum] = nil  // one owner: no copy below
    VectorArithmetic.scale(&momentum, by: serverMomentum)
    VectorArithmetic.addScaled(&momentum, 1, mean)
    exchange.apply(mean, scaledBy: serverLearningRate, step: momentum, to: &server.model)
    server.memory[Self.momentum] = momentum
  }
}

import Client
import Tensor

/// FedDyn: a local penalty that follows each client's own drift.
///
/// Acar et al., ICLR 2021, arXiv:2111.04263, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | θ^{t−1}, θ_k^t | `server.model`, the device's model |
/// | ∇L_k(θ_k^{t−1}) | `memory["lambda"]` |
/// | h^t | `server.memory["h"]` |
/// | α | `alpha` |
/// | m, P_t | `round.clients`, the cohort |
package struct FedDyn: Strategy {
  package struct Fields: StrategyFields {
    let alpha = Hyperparameter(
      "alpha", "α", above: 0, to: 1e6, default: 0.01, "weight of the dynamic penalty; 0.01 to 0.1")
    let gradientClip = Hyperparameter(
      "gradientClip", in: 0...1e6, default: 10,
      "largest norm of a local gradient with its penalty; 0 for no limit", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "feddyn", title: "FedDyn",
    summary: "A linear and a quadratic term make local optima agree with the global one.",
    source: "Acar et al., ICLR 2021, arXiv:2111.04263, algorithm 1",
    equations: [
      "client: SGD on F_k(θ) − ⟨λ_k, θ⟩ + α/2·‖θ − w‖² from w;   λ_k ← λ_k − α·(w_k − w)",
      "server: h ← h − α/K·Σ_{k∈S}(w_k − w);   w ← mean_S w_k − h/α",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "client: λ_k; server: h; both start at zero, of the trained tensors' size",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "h takes the sum over the cohort, divided by the number of all clients.",
      "The authors' code divides α by a client's share of the data and clips gradients at norm 10.",
      "The measured model is w; the authors' code also reports the mean of the local models.",
      "Weight decay joins the gradient after the clip, as in the authors' code.",
      "Running statistics of batch norm are averaged as in FedAvg.",
    ], composes: [.loss, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [.training(ModelExchange.block)]

  package static let weighting: WeightingRule = .uniform

  /// g ← clip(g − λ_k + α·(θ − w)).
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    let alpha: Float
    package let clip: Double
    let lambda: [Float]
    package let received: [Float]

    package mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      VectorArithmetic.addScaled(&gradient, -1, lambda.span)
      VectorArithmetic.addScaledDifference(
        &gradient, alpha, parameters, received.span.extracting(first: gradient.count))
      guard clip > 0 else { return }
      let norm = VectorArithmetic.norm(gradient.span)
      guard norm > clip else { return }
      let factor = Float(clip / norm)
      for i in gradient.indices { gradient[i] *= factor }
    }
  }

  private static let lambda = "lambda"
  private static let h = "h"

  let alpha: Float
  package let clip: Double
  package let exchange: ModelExchange
  package let trainedCount: Int

  package init(_ settings: Settings, _ problem: LearningProblem) {
    alpha = Float(settings.alpha)
    clip = settings.gradientClip
    exchange = ModelExchange(problem)
    trainedCount = problem.layout.trainedCount
  }

  /// h starts at zero.
  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: problem.initial)
    server.memory[Self.h] = zeros
    return server
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    exchange.download(server)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let model = received[ModelExchange.block]
    device.workspace.load(model)
    var lambda = memory[Self.lambda, default: zeros]
    var rule = Rule(loss: device.loss, alpha: alpha, clip: clip, lambda: lambda, received: model)
    let report = try device.train(&rule)
    let upload = exchange.difference(device, from: received)
    let change = upload[ModelExchange.block]
    for i in lambda.indices { lambda[i] -= alpha * change[i] }
    memory[Self.lambda] = lambda
    return ClientUpdate(upload, report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    guard let mean = uploads[ModelExchange.block], var h = server.memory[Self.h] else { return }
    server.memory[Self.h] = nil  // one owner: no copy below
    let share = alpha * Float(Double(round.uploads) / Double(round.clients))
    var step = mean
    for i in h.indices {
      h[i] -= share * mean[i]
      step[i] -= h[i] / alpha
    }
    server.memory[Self.h] = h
    exchange.apply(mean, step: step, to: &server.model)
  }

  private var zeros: [Float] { [Float](repeating: 0, count: trainedCount) }
}

import Base
import Client
import Tensor

/// SCAFFOLD: control variates against client drift.
///
/// Karimireddy et al., ICML 2020, arXiv:1910.06378, algorithm 1 with option II.
///
/// | paper | here |
/// |---|---|
/// | x, y_i | `server.model`, the device's model |
/// | c, c_i | `server.memory["control"]`, `memory["control"]` |
/// | η_l, η_g | the client's learning rate, `serverLearningRate` |
/// | K (local steps) | `effectiveSteps`: τ for plain SGD |
package struct Scaffold: Strategy {
  package struct Fields: StrategyFields {
    let serverLearningRate = Hyperparameter(
      "serverLearningRate", "η_g", above: 0, to: 1e6, default: 1, "step size of the server")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "scaffold", title: "SCAFFOLD",
    summary: "Each local step is corrected by the difference of two control variates.",
    source: "Karimireddy et al., ICML 2020, arXiv:1910.06378, algorithm 1, option II",
    equations: [
      "w_k ← w;  w_k ← w_k − η·(∇F_k(w_k; batch) − c_k + c)",
      "c_k⁺ ← c_k − c + (w − w_k) / (a·η),   a = τ_k for plain SGD",
      "w ← w + η_g·mean_S(w_k − w);   c ← c + |S|/K · mean_S(c_k⁺ − c_k);   c_k ← c_k⁺",
    ],
    messages: [
      "down: model (all tensors), control (trained tensors)",
      "up: model difference (all tensors), control difference (trained tensors)",
    ], memory: "client: c_k; server: c; both start at zero",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "With momentum the paper's divisor τ·η is wrong; here a is the displacement that τ unit "
        + "gradients cause, so that c_k⁺ stays an average gradient. a = τ without momentum.",
      "Weight decay is part of the local gradient and so of the control variates.",
    ], composes: [.loss, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .training(ModelExchange.block), .training(control, .gradients),
  ]

  package static let weighting: WeightingRule = .uniform

  /// Adaptive optimizers rescale each coordinate: no scalar a exists.
  package static func objection(to optimizer: OptimizerSpec) -> String? {
    optimizer.kind == .sgd
      ? nil : "scaffold needs the optimizer sgd: its control variates are averages of gradients"
  }

  /// The paper's steps are plain SGD; `effectiveSteps` is our extension.
  package static func caution(about optimizer: OptimizerSpec) -> (warning: String, hint: String)? {
    guard optimizer.momentum > 0 else { return nil }
    let momentum = JSON.number(optimizer.momentum).compact
    return (
      "scaffold with client momentum \(momentum): control variates assume plain SGD steps",
      "set client.optimizer.momentum to 0 to follow the paper"
    )
  }

  /// g ← g + (c − c_k).
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    let correction: [Float]

    package mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      VectorArithmetic.addScaled(&gradient, 1, correction.span)
    }
  }

  private static let control = "control"

  let serverLearningRate: Float
  package let exchange: ModelExchange
  let trained: ParameterSelection
  package let optimizer: OptimizerSpec

  package init(_ settings: Settings, _ problem: LearningProblem) {
    serverLearningRate = Float(settings.serverLearningRate)
    exchange = ModelExchange(problem)
    trained = ParameterSelection(problem.layout) { $0.role.isTrained }
    optimizer = problem.settings.optimizer
  }

  /// c starts at zero.
  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: problem.initial)
    server.memory[Self.control] = [Float](repeating: 0, count: trained.count)
    return server
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    var payload = exchange.download(server)
    payload.append(Self.control, trained, gathered: server.memory[Self.control, default: []])
    return payload
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(received[ModelExchange.block])
    let c = received[Self.control]
    let own = memory[Self.control, default: [Float](repeating: 0, count: trained.count)]
    var correction = c
    VectorArithmetic.addScaled(&correction, -1, own)
    var rule = Rule(loss: device.loss, correction: correction)
    let report = try device.train(&rule)

    // c_k⁺ − c_k = −c + (w − w_k)/(a·η)
    var upload = exchange.difference(device, from: received)
    let divisor = effectiveSteps(report.steps) * device.learningRate
    var change = Array(upload[ModelExchange.block].prefix(trained.count))
    VectorArithmetic.scale(&change, by: divisor > 0 ? Float(-1 / divisor) : 0)
    VectorArithmetic.addScaled(&change, -1, c)
    var next = own
    VectorArithmetic.addScaled(&next, 1, change)
    memory[Self.control] = next
    upload.append(Self.control, trained, gathered: change)
    return ClientUpdate(upload, report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    exchange.apply(uploads[ModelExchange.block], scaledBy: serverLearningRate, to: &server.model)
    guard let mean = uploads[Self.control], var control = server.memory[Self.control] else {
      return
    }
    server.memory[Self.control] = nil  // one owner: no copy below
    VectorArithmetic.addScaled(&control, Float(Double(round.uploads) / Double(round.clients)), mean)
    server.memory[Self.control] = control
  }

  /// The displacement a that `steps` steps with gradient 1 and rate 1 cause.
  ///
  /// τ for plain SGD; [τ − ρ(1 − ρ^τ)/(1 − ρ)]/(1 − ρ) with momentum ρ (Wang et al. 2020,
  /// arXiv:2007.07481).
  func effectiveSteps(_ steps: Int) -> Double {
    var velocity = 0.0
    var moved = 0.0
    for _ in 0..<steps {
      velocity = optimizer.momentum * velocity + 1
      moved += optimizer.nesterov ? 1 + optimizer.momentum * velocity : velocity
    }
    return moved
  }
}

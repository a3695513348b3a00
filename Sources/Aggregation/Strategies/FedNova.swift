import Client
import Tensor

/// FedNova: clients that take more steps do not count more.
///
/// Wang et al., NeurIPS 2020, arXiv:2007.07481, section 4.
///
/// | paper | here |
/// |---|---|
/// | τ_i | `report.steps` |
/// | ‖a_i‖₁ | `normalisation` |
/// | −η·d_i = (w_i − w)/‖a_i‖₁ | the block "model" of the upload |
/// | τ_eff = Σ p_i·‖a_i‖₁ | the mean of the block "steps" |
/// | μ | `proximalWeight` |
package struct FedNova: BasedStrategy {
  package struct Fields: StrategyFields {
    let proximalWeight = Hyperparameter(
      "proximalWeight", "μ", in: 0...1e6, default: 0,
      "weight of FedProx's term in the local objective; 0 for none")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fednova", title: "FedNova",
    summary: "Each client's update is divided by its amount of local work before averaging.",
    source: "Wang et al., NeurIPS 2020, arXiv:2007.07481, section 4",
    equations: [
      "client: w_k ← w;  local SGD;  d_k = (w_k − w)/a_k,   a_k = ‖a_k‖₁ of its τ_k steps",
      "a_k = τ_k (plain);  [τ_k − ρ·(1 − ρ^τ_k)/(1 − ρ)]/(1 − ρ) (momentum ρ)",
      "a_k = [1 − (1 − η·μ)^τ_k]/(η·μ) (proximal term μ)",
      "τ_eff = Σ_{k∈S} p_k·a_k;   w ← w + τ_eff·Σ_{k∈S} p_k·d_k",
    ],
    messages: [
      "down: model (all tensors)", "up: normalised model difference (all tensors), a_k (one float)",
    ], memory: "none",
    notes: [
      "Differs from FedAvg only where clients take different numbers of steps.",
      "p_k are normalised over the cohort; some code defaults to 1/|S|.",
      "Weight decay is part of the local gradient and not of a_k.",
      "Running statistics of batch norm are averaged as in FedAvg.",
      "Some code takes Σ p_k·τ_k for τ_eff with the proximal term; here it is Σ p_k·a_k always.",
    ], composes: .all, fields: Fields.all)
  package static let disclosures: [Disclosure] = [.training(ModelExchange.block), .size(steps)]

  /// Adaptive optimizers have no fixed weights of their gradients.
  package static func objection(to optimizer: OptimizerSpec) -> String? {
    optimizer.kind == .sgd
      ? nil : "fednova needs the optimizer sgd: updates are divided by the weights of gradients"
  }

  private static let steps = "steps"

  package let base: FedAvg
  /// The clients when there is a proximal term.
  let proximal: FedProx
  let proximalWeight: Double
  package let optimizer: OptimizerSpec
  /// Trained floats among the shared ones: running statistics come after them.
  package let trainedCount: Int

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    proximalWeight = settings.proximalWeight
    proximal = FedProx(proximalWeight, problem)
    optimizer = problem.settings.optimizer
    let trained = problem.layout.trainedCount
    trainedCount = base.exchange.shared.ranges.reduce(0) { $0 + $1.clamped(to: 0..<trained).count }
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let update =
      proximalWeight == 0
      ? try base.train(&device, received: received, memory: &memory)
      : try proximal.train(&device, received: received, memory: &memory)
    let a = normalisation(update.report.steps, rate: device.learningRate)
    var direction = update.upload[ModelExchange.block]
    scale(&direction, by: a > 0 ? 1 / a : 0)
    var upload = Payload.empty
    upload.append(ModelExchange.block, base.exchange.shared, gathered: direction)
    upload.append(Self.steps, [NamedShape("a", [1])], values: [Float(a)])
    return ClientUpdate(upload, update.report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    guard var mean = uploads[ModelExchange.block], let steps = uploads[Self.steps] else { return }
    scale(&mean, by: Double(steps[0]))
    base.exchange.apply(mean, to: &server)
  }

  /// ‖a_k‖₁ of `steps` steps: Σ over steps of how far a gradient of 1 in that step moves a weight
  /// by the end, with rate 1.
  ///
  /// The recursion is linear and the same in every step, so this is Σ_n |h(n)|, h(n) being the
  /// displacement n steps after a single gradient of 1. That gives the closed forms of the paper,
  /// and covers Nesterov's form and a proximal term with momentum.
  ///
  /// - Complexity: O(steps).
  package func normalisation(_ steps: Int, rate: Double) -> Double {
    var (position, velocity, total) = (0.0, 0.0, 0.0)
    for step in 0..<steps {
      let gradient = (step == 0 ? 1 : 0) - rate * proximalWeight * position
      velocity = optimizer.momentum * velocity + gradient
      position += optimizer.nesterov ? gradient + optimizer.momentum * velocity : velocity
      total += abs(position)
    }
    return total
  }

  /// Multiplies the trained floats.
  private func scale(_ values: inout [Float], by factor: Double) {
    let factor = Float(factor)
    for i in 0..<trainedCount { values[i] *= factor }
  }
}

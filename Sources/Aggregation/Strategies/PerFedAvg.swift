import Client
import Tensor

/// Per-FedAvg: a model from which one gradient step makes a good personal one.
///
/// Fallah, Mokhtari and Ozdaglar, NeurIPS 2020, arXiv:2002.07948, algorithm 1 with the gradient
/// estimates FO and HF of section 5.
///
/// | paper | here |
/// |---|---|
/// | w_{k+1,t}^i, w̃ | `w`, `adapted` |
/// | α | `adaptationRate` |
/// | β | the client's learning rate, through the client's optimizer |
/// | τ local updates | steps of `client.work` |
/// | D, D′, D″ | the next batches, one after the other |
/// | δ | `finiteDifference` |
package struct PerFedAvg: BasedStrategy {
  package enum Variant: String, CaseIterable, Sendable { case hf, fo }

  package struct Fields: StrategyFields {
    let variant = Hyperparameter(
      "variant", default: Variant.hf, "second-order term by finite differences (hf), or none (fo)")
    let adaptationRate = Hyperparameter(
      "adaptationRate", "α", in: 0...1e6, default: 0.01,
      "step size of the adaptation, in training and evaluation", degenerate: (0, "fedavg"))
    let finiteDifference = Hyperparameter(
      "finiteDifference", "δ", above: 0, to: 1, default: 0.001,
      "how far gradients for hf are taken apart, in units of g", inferred: true)
    let adaptationSteps = Hyperparameter(
      "adaptationSteps", in: 0...10_000, default: 1,
      "steps of size α, each on a batch, before a personal evaluation")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "per-fedavg", title: "Per-FedAvg",
    summary: "Federated meta-learning: clients descend on the loss after one adaptation step.",
    source: "Fallah, Mokhtari and Ozdaglar, NeurIPS 2020, arXiv:2002.07948, algorithm 1",
    equations: [
      "w̃ = w_k − α·∇F_k(w_k; D)", "fo: w_k ← w_k − β·∇F_k(w̃; D′)",
      "hf: w_k ← w_k − β·(∇F_k(w̃; D′) − α·[∇F_k(w_k + δ·g; D″) − ∇F_k(w_k − δ·g; D″)]/(2δ)),  "
        + "g = ∇F_k(w̃; D′)", "w ← mean_S(w_k);   personal model of k: w − α·∇F_k(w; batch)",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "none; adapted models are used for evaluation only",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "A local step takes two batches (fo) or three (hf), and two or four gradients.",
      "β is client.optimizer.learningRate; the paper's experiments have β = 0.001, α = 0.01.",
      "α is not scheduled: it is part of the model's purpose.",
      "The estimate goes through the client's optimizer: momentum and weight decay apply to w_k; "
        + "the adaptation is plain SGD.",
      "Running statistics follow the passes at w_k and w̃, not those of finite differences.",
      "The reported training loss is that of the adapted models, F_k(w̃; D′).",
    ],
    deviations: ["Paper: w_k takes plain SGD steps, which is client.optimizer without momentum."],
    composes: .all, fields: Fields.all)

  package static let weighting: WeightingRule = .uniform

  package let base: FedAvg
  let hasCurvature: Bool
  let adaptationRate: Float
  let finiteDifference: Float
  let adaptationSteps: Int

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(ModelExchange(problem))
    hasCurvature = settings.variant == .hf
    adaptationRate = Float(settings.adaptationRate)
    finiteDifference = Float(settings.finiteDifference)
    adaptationSteps = settings.adaptationSteps
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    // Hessian-free: a third batch, with two gradients; all are planned as dearly as that one.
    let steps = settings.work.steps(examples: n, batch: settings.batch)
    return hasCurvature
      ? PrivateWork(batches: 3 * steps, gradientsPerBatch: 2) : PrivateWork(batches: 2 * steps)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    var w = base.exchange.model(received, memory)
    let trained = device.network.layout.trainedCount
    var gradient = [Float](repeating: 0, count: w.count)
    var optimizer = VectorOptimizer(device.settings.optimizer, count: w.count)
    var report = LocalReport()
    for _ in 0..<device.stepCount(device.settings.work) {
      try estimate(&device, &w, &gradient, &report)
      optimizer.step(&w, gradient: gradient, learningRate: device.learningRate, range: 0..<trained)
    }
    device.workspace.load(w)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  /// The gradient of F_k(w − α·∇F_k(w)), or its estimate, on the next batches.
  ///
  /// With α = 0 it is the gradient of F_k on the next batch, and no other batch is drawn.
  private func estimate(
    _ device: inout Device, _ w: inout [Float], _ gradient: inout [Float],
    _ report: inout LocalReport
  ) throws(Divergence) {
    var adapted = w
    if adaptationRate != 0 { try adapt(&device, &adapted, &gradient, &report) }
    let batch = device.nextBatch()
    var rule = PlainRule(device.loss)
    report.add(try device.gradient(&rule, at: &adapted, into: &gradient), examples: batch)
    let trained = device.network.layout.trainedCount
    w.replaceSubrange(trained..., with: adapted[trained...])
    if adaptationRate != 0, hasCurvature { try subtractCurvature(&device, w, &gradient, &report) }
  }

  /// w ← w − α·∇F_k(w; the next batch).
  private func adapt(
    _ device: inout Device, _ w: inout [Float], _ gradient: inout [Float],
    _ report: inout LocalReport
  ) throws(Divergence) {
    var rule = PlainRule(device.loss)
    report.examples += device.nextBatch()
    _ = try device.gradient(&rule, at: &w, into: &gradient)
    for i in 0..<device.network.layout.trainedCount { w[i] -= adaptationRate * gradient[i] }
  }

  /// g ← g − α·∇²F_k(w; the next batch)·g, the product by central differences.
  private func subtractCurvature(
    _ device: inout Device, _ w: [Float], _ gradient: inout [Float], _ report: inout LocalReport
  ) throws(Divergence) {
    let trained = device.network.layout.trainedCount
    var rule = PlainRule(device.loss)
    let batch = device.nextBatch()
    report.examples += 2 * batch
    var ahead = w
    var backward = w
    for i in 0..<trained {
      ahead[i] += finiteDifference * gradient[i]
      backward[i] -= finiteDifference * gradient[i]
    }
    var gradientAhead = gradient
    var gradientBehind = gradient
    var twin = device  // the same batch, augmentation and dropout
    _ = try twin.gradient(&rule, at: &ahead, into: &gradientAhead)
    _ = try device.gradient(&rule, at: &backward, into: &gradientBehind)
    let scale = adaptationRate / (2 * finiteDifference)
    for i in 0..<trained { gradient[i] -= scale * (gradientAhead[i] - gradientBehind[i]) }
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    var w = base.exchange.model(server, memory)
    guard !device.examples.isEmpty else { return w }
    var gradient = [Float](repeating: 0, count: w.count)
    var report = LocalReport()
    for _ in 0..<adaptationSteps { try adapt(&device, &w, &gradient, &report) }
    return w
  }
}

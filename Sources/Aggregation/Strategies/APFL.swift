import Client
import Tensor

/// APFL: a mixture of a global and a local model, with a share that each client learns.
///
/// Deng, Kamani and Mahdavi 2020, arXiv:2003.13461, algorithm 1 and equation 10.
///
/// | paper | here |
/// |---|---|
/// | w_i, v_i, v̄_i | `w`, `memory["local"]`, `mixed` |
/// | α_i | `memory["alpha"]`, starts at `alpha` |
/// | η_t | the client's learning rate, for w_i, v_i and α_i |
/// | ξ_i, one batch for both gradients | `device` and its `twin` |
package struct APFL: BasedStrategy {
  package enum AdaptEvery: String, CaseIterable, Sendable { case round, step }

  package struct Fields: StrategyFields {
    let alpha = Hyperparameter(
      "alpha", "α", in: 0...1, default: 0.5, "share of the local model, at the start if it adapts")
    let adaptive = Hyperparameter("adaptive", default: true, "whether each client learns its share")
    let adaptEvery = Hyperparameter(
      "adaptEvery", default: AdaptEvery.round,
      "whether the share moves at the first batch of a round or at every batch", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "apfl", title: "APFL",
    summary: "FedAvg, and a local model at each client that is trained in a mixture with it; the "
      + "share adapts.", source: "Deng, Kamani and Mahdavi 2020, arXiv:2003.13461, algorithm 1",
    equations: [
      "on each batch, with v̄ = α_k·v_k + (1 − α_k)·w_k before the step:",
      "  w_k ← w_k − η·∇F_k(w_k);   v_k ← v_k − η·α_k·∇F_k(v̄)",
      "  α_k ← clip(α_k − η·⟨v_k − w_k, ∇F_k(v̄)⟩, 0, 1), at the first batch of a round",
      "w ← mean_S(w_k);   personal model of k: α_k·v_k + (1 − α_k)·w",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "client: v_k, which starts from the initial model, and α_k",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "The factor α_k on the step of v_k is the paper's; some public code drops it.",
      "w_k and v_k have optimizers of their own; an adaptive one rescales the factor α_k away.",
      "v_k equals w_k until the first step of all, so the first round leaves α_k as it is when it "
        + "adapts once a round.",
      "The personal model mixes with the server's w; a client's own w_k is lost with its upload.",
      "Running statistics of v̄ are v_k's: they are not mixed, for those of a mixture are no "
        + "mixture; with α_k = 0 the personal model is w, statistics included.",
      "The reported training loss is that of w_k.",
    ], composes: .all, fields: Fields.all)

  package static let weighting: WeightingRule = .uniform

  private static let own = "local"
  private static let share = "alpha"

  package let base: FedAvg
  let alpha: Float
  package let adaptive: Bool
  let everyStep: Bool
  package let initial: [Float]
  let trained: Int

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(ModelExchange(problem))
    alpha = Float(settings.alpha)
    adaptive = settings.adaptive
    everyStep = settings.adaptEvery == .step
    initial = problem.initial
    trained = problem.layout.trainedCount
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    // Two gradients a batch: at w and at the mixture.
    PrivateWork(
      batches: settings.work.steps(examples: n, batch: settings.batch), gradientsPerBatch: 2)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    var w = base.exchange.model(received, memory)
    var v = memory[Self.own, default: initial]
    var alpha = memory[Self.share]?[0] ?? self.alpha
    var gradient = [Float](repeating: 0, count: w.count)
    var mixedGradient = gradient
    var rule = PlainRule(device.loss)
    let spec = device.settings.optimizer
    var optimizers = (
      w: VectorOptimizer(spec, count: w.count), v: VectorOptimizer(spec, count: v.count)
    )
    let rate = device.learningRate
    var report = LocalReport()

    for step in 0..<device.stepCount(device.settings.work) {
      let batch = device.nextBatch()
      var mixed = mixture(alpha, v, w)
      var twin = device  // the same batch, augmentation and dropout
      report.add(try device.gradient(&rule, at: &w, into: &gradient), examples: batch)
      _ = try twin.gradient(&rule, at: &mixed, into: &mixedGradient)
      report.examples += batch
      v.replaceSubrange(trained..., with: mixed[trained...])

      let used = alpha
      if adaptive, everyStep || step == 0 {
        let slope = VectorArithmetic.dot(
          VectorArithmetic.difference(v.span, w.span).span.extracting(first: trained),
          mixedGradient.span.extracting(first: trained))
        // Not max(0, min(1, …)), which would make 0 of a NaN.
        let next = alpha - Float(rate * slope)
        alpha = next < 0 ? 0 : next > 1 ? 1 : next
      }
      for i in 0..<trained { mixedGradient[i] *= used }
      optimizers.w.step(&w, gradient: gradient, learningRate: rate, range: 0..<trained)
      optimizers.v.step(&v, gradient: mixedGradient, learningRate: rate, range: 0..<trained)
    }

    memory[Self.own] = v
    memory[Self.share] = [alpha]
    device.workspace.load(w)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  /// α·v + (1 − α)·w with the running statistics of v, [count].
  private func mixture(_ alpha: Float, _ v: [Float], _ w: [Float]) -> [Float] {
    // The ends to the bit: 0·v + w could turn the sign of a zero.
    if alpha == 0 { return w }
    var mixed = v
    if alpha == 1 { return mixed }
    for i in 0..<trained { mixed[i] = alpha * v[i] + (1 - alpha) * w[i] }
    return mixed
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    mixture(
      memory[Self.share]?[0] ?? alpha, memory[Self.own, default: initial],
      base.exchange.model(server, memory))
  }
}

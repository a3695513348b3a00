import Client
import Tensor

/// pFedMe: personalisation by Moreau envelopes.
///
/// Dinh, Tran and Nguyen, NeurIPS 2020, arXiv:2006.08848, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | w_{i,r}, θ̃_i | `w`, `theta` |
/// | λ | `proximalWeight` |
/// | R local rounds | steps of `client.work` |
/// | K gradient steps on h̃_i(θ; w, D) | `innerSteps` |
/// | η, of w | the client's learning rate, through the client's optimizer |
/// | step size of θ | `innerRate`, scheduled like η |
/// | β | `serverMixing` |
package struct PFedMe: BasedStrategy {
  package struct Fields: StrategyFields {
    let proximalWeight = Hyperparameter(
      "proximalWeight", "λ", above: 0, to: 1e6, default: 15, "weight of the proximal term")
    let innerSteps = Hyperparameter(
      "innerSteps", "K", in: 1...1000, default: 5, "gradient steps towards each proximal point")
    let innerRate = Hyperparameter(
      "innerRate", "η_p", above: 0, to: 1e6, default: 0.01,
      "step size of these steps; below 2/λ for stability", inferred: true)
    let warmStart = Hyperparameter(
      "warmStart", default: true,
      "whether θ starts from the last batch's solution, as in the authors' code, or from w_k",
      inferred: true)
    let serverMixing = Hyperparameter(
      "serverMixing", "β", above: 0, to: 1e6, default: 1, "step of the server towards the mean")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "pfedme", title: "pFedMe",
    summary: "Each step moves the local model towards a personal one that solves a proximal "
      + "problem on a batch.",
    source: "Dinh, Tran and Nguyen, NeurIPS 2020, arXiv:2006.08848, algorithm 1",
    equations: [
      "w_k ← w;  R times, each on one batch D:",
      "  K times: θ ← θ − η_p·(∇F_k(θ; D) + λ·(θ − w_k))", "  w_k ← w_k − η·λ·(w_k − θ)",
      "w ← (1 − β)·w + β·mean_S(w_k);   personal model of k: θ",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "client: θ of its last step; used for evaluation only",
    notes: [
      "Means are unweighted as in the paper, whatever federation.weighting says.",
      "η·λ is the share of the way to θ that w_k goes: below 2 for stability.",
      "λ·(w_k − θ), the envelope's gradient, goes through the client's optimizer: momentum and "
        + "weight decay apply to w_k; steps on θ are plain SGD.",
      "Running statistics follow the passes of θ.",
      "A client that never took part is measured with w, the centre of its proximal problem.",
    ],
    deviations: ["Paper: w_k takes plain SGD steps, which is client.optimizer without momentum."],
    composes: [.loss, .groups, .postHoc], fields: Fields.all)

  package static let weighting: WeightingRule = .uniform

  private static let own = "personal"

  package let base: FedAvg
  let proximalWeight: Float
  let innerSteps: Int
  let innerRate: Double
  let warmStart: Bool
  let serverMixing: Float

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(ModelExchange(problem))
    proximalWeight = Float(settings.proximalWeight)
    innerSteps = settings.innerSteps
    innerRate = settings.innerRate
    warmStart = settings.warmStart
    serverMixing = Float(settings.serverMixing)
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    PrivateWork(
      batches: settings.work.steps(examples: n, batch: settings.batch),
      gradientsPerBatch: innerSteps)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    var w = base.exchange.model(received, memory)
    let trained = device.network.layout.trainedCount
    var theta = w
    var gradient = [Float](repeating: 0, count: w.count)
    var rule = PlainRule(device.loss)
    var optimizer = VectorOptimizer(device.settings.optimizer, count: w.count)
    let schedule = device.learningRate / device.settings.optimizer.learningRate
    let rate = Float(innerRate * schedule)
    var report = LocalReport()

    for _ in 0..<device.stepCount(device.settings.work) {
      let batch = device.nextBatch()
      if !warmStart { theta.replaceSubrange(..<trained, with: w[..<trained]) }
      var pass = device
      for _ in 0..<innerSteps {
        pass = device  // the same batch, augmentation and dropout each time
        let result = try pass.gradient(&rule, at: &theta, into: &gradient)
        report.add(result, examples: batch)
        for i in 0..<trained {
          theta[i] -= rate * (gradient[i] + proximalWeight * (theta[i] - w[i]))
        }
      }
      device = pass
      for i in 0..<trained { gradient[i] = proximalWeight * (w[i] - theta[i]) }
      optimizer.step(&w, gradient: gradient, learningRate: device.learningRate, range: 0..<trained)
    }

    w.replaceSubrange(trained..., with: theta[trained...])
    memory[Self.own] = theta
    device.workspace.load(w)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  /// w + β·(mean_S(w_k) − w).
  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    base.exchange.apply(uploads[ModelExchange.block], scaledBy: serverMixing, to: &server.model)
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { memory[Self.own] ?? base.exchange.model(server, memory) }
}

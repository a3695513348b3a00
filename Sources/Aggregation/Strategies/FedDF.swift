import Client
import Tensor

/// FedDF.
///
/// Lin et al., NeurIPS 2020, arXiv:2006.07242, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | x_{t,0} ← Σ p_k·x̂_t^k | FedAvg's step on `server.model` |
/// | x̂_t^k | the model sent down plus the upload's block "model" |
/// | N, η, d | `distillation.steps`, `.learningRate`, a batch of the public set |
/// | σ(1/\|S\|·Σ_k f(x̂_t^k, d)) | the targets of ``EnsembleDistillation`` |
package struct FedDF: Strategy {
  package enum DistillationSchedule: String, CaseIterable, Sendable { case cosine, constant }

  package struct Fields: StrategyFields {
    let steps = Hyperparameter(
      "steps", "N", in: 0...100_000_000, default: 10_000, "Steps of the server in a round at most.",
      degenerate: (0, "fedavg"))
    let patience = Hyperparameter(
      "patience", "N_p", in: 1...100_000_000, default: 1000,
      "Steps without improvement on the images kept aside after which the server stops.")
    let checkEvery = Hyperparameter(
      "checkEvery", "N_c", in: 1...100_000_000, default: 100,
      "Steps between two looks at the images kept aside; the authors' code has 100.", inferred: true
    )
    let validationShare = Hyperparameter(
      "validationShare", "ρ_v", in: 0...0.9, default: 0.1,
      "Share of the public images kept aside; 0 makes all steps and takes the last model.",
      inferred: true)
    let distillationBatch = Hyperparameter(
      "distillationBatch", "|d|", in: 1...1_000_000, default: 128, "Public images per step.")
    let distillationRate = Hyperparameter(
      "distillationRate", "η", above: 0, to: 1000, default: 1e-3,
      "Learning rate of the server's Adam, new in every round.")
    let distillationSchedule = Hyperparameter(
      "distillationSchedule", "η_s", default: DistillationSchedule.cosine,
      "Whether the rate falls over the steps, to 0 at the last one.")
    let temperature = Hyperparameter(
      "temperature", "τ", above: 0, to: 1000, default: 1, "Of teachers and student.")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "feddf", title: "FedDF",
    summary: "FedAvg, whose server then trains the mean model towards the clients' mean "
      + "predictions on public images.",
    source: "Lin et al., NeurIPS 2020, arXiv:2006.07242, algorithm 1",
    equations: [
      "clients as FedAvg;  x ← Σ_{k∈S} p_k·x_k",
      "N steps of Adam on x:  τ²·KL(softmax(1/(τ·|S|)·Σ_k f(x_k, d)) ‖ softmax(f(x, d)/τ)),  d a "
        + "batch of public images",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "none",
    notes: [
      "The public set is the server's: clients never see it, and nothing is sent for it.",
      "Teachers are in evaluation mode and count alike, whatever federation.weighting says; the "
        + "authors' code offers the mean of the losses instead of the mean of the logits.",
      "The server holds every client's model of a round at once.",
      "As in the authors' code, the best model looked at is taken, and the mean is none of them.",
    ],
    deviations: [
      "Whether the student still improves is judged by its distance to the teachers on public "
        + "images kept aside; the paper has labelled images at the server.",
      "One network for all: the paper's groups of different networks are not offered.",
    ], composes: [.loss, .serverOptimizer, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [.training(ModelExchange.block)]

  package static let needs: MethodNeeds = .publicSet

  package let base: FedAvg
  let distillation: EnsembleDistillation

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(ModelExchange(problem))
    distillation = EnsembleDistillation(
      steps: settings.steps, batch: settings.distillationBatch,
      learningRate: settings.distillationRate, isCosine: settings.distillationSchedule == .cosine,
      temperature: Float(settings.temperature), validationShare: settings.validationShare,
      checkEvery: settings.checkEvery, patience: settings.patience)
  }

  package static func largestBatch(_ settings: Settings) -> Int { settings.distillationBatch }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    base.download(server, to: client)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  { try base.train(&device, received: received, memory: &memory) }

  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts)
    throws(Divergence)
  {
    let sent = server.model
    var mean = WeightedMean()
    mean.add(uploads.uploads)
    base.step(&server, mean, round)
    guard distillation.steps > 0 else { return }
    let device = round.device
    server.model = try distillation.train(
      device, from: server.model, towards: try ensemble(device, sent, uploads))
  }

  /// 1/|S|·Σ_k f(x_k, d) for every public image, [T × C], in the order of the clients.
  private func ensemble(_ device: Device, _ sent: [Float], _ uploads: AllUploads) throws(Divergence)
    -> [Float]
  {
    let teachers = uploads.uploads.sorted { $0.client < $1.client }
    var sum = [Double](repeating: 0, count: device.examples.count * device.network.classes)
    for upload in teachers {
      var model = sent
      base.exchange.apply(upload.payload[ModelExchange.block], to: &model)
      device.workspace.load(model)
      let logits = device.logits(of: device.examples)
      guard VectorArithmetic.isFinite(logits.span) else {
        throw Divergence(round: device.round, client: upload.client)
      }
      for i in sum.indices { sum[i] += Double(logits[i]) }
    }
    return sum.map { Float($0 / Double(teachers.count)) }
  }
}

import Client
import Tensor

/// KnFu, effective knowledge fusion.
///
/// Seyedmohammadi et al. 2024, arXiv:2403.11892. An instantiation: see the method's deviations.
///
/// | paper | here |
/// |---|---|
/// | D_t, T | `device.surroundings.publicExamples`, `publicSet.count` |
/// | Ω_n | `memory["model"]`, of the client's own architecture |
/// | F_n | the upload's block "knowledge" |
/// | EPD P_n, d_nm, w_nm | ``KnowledgeFusion`` |
/// | K̄_n | `server.memory["knowledge.n"]` between the two exchanges of a round |
/// | N_eff,n = 1/Σ_m w_nm² | `server.memory["effective-neighbours"]`, 0 before n's first fusion |
package struct KnFu: Strategy {
  package struct Fields: StrategyFields {
    let beta = Hyperparameter(
      "beta", "β", in: 0...1e9, default: 10,
      "Sharpness of the weights: 0 mixes all alike, large values leave each client its own. The "
        + "value is the paper's, its place in the formula this program's reading.")
    let estimate = Hyperparameter(
      "estimate", "P_n", default: KnowledgeFusion.Estimate.meanSoftLabel,
      "A client's class distribution: from its predictions, or its true label counts, which it "
        + "then discloses (an oracle for comparisons).", inferred: true)
    let smoothing = Hyperparameter(
      "smoothing", "ε", above: 0, to: 1, default: 1e-3,
      "Added to every class of P_n before it is compared.", inferred: true)
    let divergence = Hyperparameter(
      "divergence", "d", default: KnowledgeFusion.Measure.jensenShannon,
      "How far two distributions are apart. Under Jensen-Shannon the paper's conclusion shows: "
        + "training alone is better where local sets are large and very different.", inferred: true)
    let topK = Hyperparameter(
      "topK", "k", in: 0...1_000_000, default: 0,
      "Clients in a mixture at most, those of largest weight; 0 for all.", inferred: true)
    let minWeight = Hyperparameter(
      "minWeight", "w_min", in: 0...1, default: 0.0,
      "Smaller weights become 0, all but a client's largest; the others are scaled to sum 1.",
      inferred: true)
    let includeSelf = Hyperparameter(
      "includeSelf", "n ∈ N_n", default: true,
      "Whether a client's own predictions are in its mixture.", inferred: true)
    let weightBySamples = Hyperparameter(
      "weightBySamples", "p_m", default: false,
      "Whether weights are multiplied by the clients' shares of federation.weighting.",
      inferred: true)
    let temperature = Hyperparameter(
      "temperature", "τ", above: 0, to: 1000, default: 1,
      "Of the targets and the model in step 4: 1 compares probabilities as they are.",
      inferred: true)
    let tuningEpochs = Hyperparameter(
      "tuningEpochs", "E_f", in: 0...1e6, default: 1, "Passes over the public set in step 4.",
      degenerate: (0, "local-only"), inferred: true)
    let tuningBatch = Hyperparameter(
      "tuningBatch", "B_f", in: 1...1_000_000, default: 64, "Public images per step.",
      inferred: true)
    let privateWeight = Hyperparameter(
      "privateWeight", "γ", in: 0...1e6, default: 0,
      "Weight of the loss on a private batch beside each public one in step 4.", inferred: true)
    let warmup = Hyperparameter(
      "warmup", "R_w", in: 0...1_000_000, default: 0,
      "First rounds of local training alone: models that know nothing yet have flat P_n.",
      inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "knfu", title: "KnFu (instantiation)",
    summary: "Clients send predictions on public images; the server mixes for each client those of "
      + "clients with similar data, and the client fine-tunes on the mixture.",
    source: "Seyedmohammadi, Atapour, Abouei and Mohammadi 2024, arXiv:2403.11892; an "
      + "instantiation of its abstract",
    equations: [
      "1. Ω_n ← E epochs of SGD on CE(softmax z_n(x), y) over D_n",
      "2. F_n[x] = softmax z_n(x) for every public x",
      "3. P_n = mean_x F_n[x];  P̃_n = (P_n + ε)/(1 + C·ε);  M = (P̃_n + P̃_m)/2",
      "   d_nm = KL(P̃_n ‖ M)/2 + KL(P̃_m ‖ M)/2",
      "   w_nm = exp(−β·d_nm) / Σ_j exp(−β·d_nj);  K̄_n[x] = Σ_m w_nm·F_m[x]",
      "4. Ω_n ← epochs over public x of τ²·KL(K̄_n[x] at τ ‖ softmax(z_n(x)/τ)) + γ·CE on D_n",
    ],
    messages: [
      "once, down: the public images (T·H·W·ch bytes, floats where the data are floats)",
      "up: F_n (T×C);  with estimate \"labelHistogram\" P_n (C) too",
      "down: K̄_n (T×C), each client's own",
    ],
    memory: "client: Ω_n, of its own architecture;  server: N_eff of each client, and K̄_n within a "
      + "round",
    notes: [
      "Nothing is averaged: clients may have networks of any kind (clientModels).",
      "The training loss of a round is that of step 1; steps and examples count step 4 too.",
      "Step 4 takes the client's optimizer and learning rate with moments of its own.",
      "Under warmup only step 1 happens, and nothing is sent.",
      "N_eff,n = 1/Σ_m w_nm² is in the checkpoint, as \"effective-neighbours\".",
    ],
    deviations: [
      "The paper's full text could not be had. From its abstract and outlines of others: the four "
        + "steps and their names, soft labels on a transfer set, local training by cross-entropy, "
        + "fusion per client by the estimated probability distributions (EPD), and β = 10.",
      "This program's reading: the EPD as the mean soft label, its smoothing, the Jensen-Shannon "
        + "divergence between EPDs, "
        + "weights exp(−β·d) with the client itself among them, probabilities at temperature 1 on "
        + "the way, fine-tuning by KL on the public set alone, and every default but that of beta.",
    ], composes: .loss, fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .examples(block, "soft labels of a client's model"),
    .examples(labels, "a client's class shares"),
  ]

  package static func disclosures(_ settings: Settings) -> [Disclosure] {
    isHistogram(settings) ? disclosures : disclosures.filter { $0.block != labels }
  }

  /// Whether class shares are sent.
  private static func isHistogram(_ settings: Settings) -> Bool {
    settings.estimate == .labelHistogram
  }

  private static let own = "model"
  private static let block = "knowledge"
  private static let labels = "label-distribution"
  private static let neighbours = "effective-neighbours"

  package static let needs: MethodNeeds = [.publicSet, .anyModels, .ownDownloads]
  package static let ignores = [
    IgnoredField("federation.weighting", "the method weighs clients' knowledge itself")
  ]

  package let models: ModelKinds = .personal
  package let exchanges = 2

  package let problem: LearningProblem
  package let publicSet: PublicSet
  let fusion: KnowledgeFusion
  let estimate: KnowledgeFusion.Estimate
  let temperature: Float
  package let epochs: Double
  package let batch: Int
  let privateWeight: Float
  package let warmup: Int

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.problem = problem
    publicSet = PublicSet(problem)
    var fusion = KnowledgeFusion()
    fusion.beta = settings.beta
    fusion.smoothing = settings.smoothing
    fusion.measure = settings.divergence
    fusion.includesSelf = settings.includeSelf
    fusion.topK = settings.topK
    fusion.minWeight = settings.minWeight
    fusion.usesShares = settings.weightBySamples
    self.fusion = fusion
    estimate = settings.estimate
    temperature = Float(settings.temperature)
    epochs = settings.tuningEpochs
    batch = settings.tuningBatch
    privateWeight = Float(settings.privateWeight)
    warmup = settings.warmup
  }

  package static func largestBatch(_ settings: Settings) -> Int { settings.tuningBatch }

  package func broadcast(_ server: ServerState) -> Payload { publicSet.broadcast }

  /// Nothing before local training; then the client's own K̄_n, of no rows while warming up.
  package func download(_ server: ServerState, to client: Int) -> Payload {
    guard server.exchange == 1 else { return .empty }
    return publicSet.message(Self.block, "probabilities", server.memory[Self.name(client)] ?? [])
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    if received.blocks.isEmpty { return try learn(&device, &memory) }
    let knowledge = received[Self.block]
    guard !knowledge.isEmpty, epochs > 0 else { return ClientUpdate(.empty, LocalReport()) }
    return ClientUpdate(.empty, try tune(&device, knowledge, &memory).withoutLoss)
  }

  /// Steps 1 and 2: local training, and what the model then knows of the public set.
  private func learn(_ device: inout Device, _ memory: inout ClientMemory) throws(Divergence)
    -> ClientUpdate
  {
    device.workspace.load(memory[Self.own, default: problem.initial(of: device.client)])
    var rule = PlainRule(device.loss)
    let report = try device.train(&rule)
    memory[Self.own] = device.workspace.currentParameters
    guard device.round > warmup else { return ClientUpdate(.empty, report) }
    let predictions = try device.publicProbabilities(device.surroundings.publicExamples)
    var upload = publicSet.message(Self.block, "probabilities", predictions)
    if estimate == .labelHistogram {
      let total = Float(device.examples.count)
      let shares = device.classCounts.map { Float($0) / total }
      upload.append(Self.labels, [NamedShape("probabilities", [shares.count])], values: shares)
    }
    return ClientUpdate(upload, report)
  }

  /// Step 3: effective knowledge fusion; after step 4 its results are forgotten.
  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts) {
    let sent = uploads.uploads.sorted { $0.client < $1.client }
    guard round.exchange == 0 else {
      for upload in sent { server.memory[Self.name(upload.client)] = nil }
      return
    }
    guard round.round > warmup else { return }
    let knowledge = sent.map { $0.payload[Self.block] }
    let distributions =
      estimate == .labelHistogram
      ? sent.map { $0.payload[Self.labels].map(Double.init) }
      : knowledge.map {
        KnowledgeFusion.distribution(
          $0, classes: publicSet.classes, histogram: estimate == .argmaxHistogram)
      }
    let weights = fusion.weights(distributions, shares: sent.map(\.weight))
    let none = [Float](repeating: 0, count: problem.clients)
    for (upload, row) in zip(sent, weights) {
      server.memory[Self.name(upload.client)] = KnowledgeFusion.fuse(knowledge, row)
      server.memory[Self.neighbours, default: none][upload.client] = Float(
        KnowledgeFusion.effectiveCount(row))
    }
  }

  /// Step 4: local fine-tuning on the public set, by an optimizer of its own.
  private func tune(_ device: inout Device, _ knowledge: [Float], _ memory: inout ClientMemory)
    throws(Divergence) -> LocalReport
  {
    let workspace = device.workspace
    workspace.load(memory[Self.own, default: problem.initial(of: device.client)])
    var student = device.visitingPublic(device.surroundings.publicExamples, batch: batch)
    var rule = DistillationRule(
      probabilities: knowledge, classes: publicSet.classes, temperature: temperature)
    let phase = LocalPhase(.epochs(epochs), ranges: [0..<device.network.layout.trainedCount])
    let report =
      privateWeight == 0
      ? try student.train(phase, &rule) : try tuneOnBoth(&device, &student, phase, &rule)
    memory[Self.own] = workspace.currentParameters
    return report
  }

  /// The same with γ times the private loss on a private batch in every step.
  private func tuneOnBoth(
    _ device: inout Device, _ student: inout Device, _ phase: LocalPhase,
    _ rule: inout DistillationRule
  ) throws(Divergence) -> LocalReport {
    var report = LocalReport()
    var own = PlainRule(device.loss)
    let workspace = device.workspace
    var optimizer = Optimizer(device.settings.optimizer, workspace)
    for _ in 0..<student.stepCount(phase.work) {
      report.examples += device.nextBatch()
      _ = try device.computeGradient(&own)
      let aside = Array(workspace.gradient)
      report.examples += student.nextBatch()
      _ = try student.computeGradient(&rule)
      for i in aside.indices { workspace.gradient[i] += privateWeight * aside[i] }
      optimizer.step(workspace, learningRate: student.learningRate, ranges: phase.ranges)
      report.steps += 1
    }
    return report
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { memory[Self.own, default: problem.initial(of: device.client)] }

  private static func name(_ client: Int) -> String { "\(block).\(client)" }
}

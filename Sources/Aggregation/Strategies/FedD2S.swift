import Base
import Client
import Tensor

/// FedD2S: personal models that distil through head models at the server, at ever shallower cuts.
///
/// Atapour et al. 2024, arXiv:2402.10846. The losses, messages and the schedule are an
/// instantiation: the paper's full text was not at hand.
///
/// | paper | here |
/// |---|---|
/// | u_n, Ω_0 | a client, `problem.initial` |
/// | f_n^{1:s} | the layers before `network.cuts[s − 1]` |
/// | g_s, its θ_s | `network.head(from:)`, `server.memory["head.s"]` |
/// | 𝒮, T_drop | `schedule` |
/// | h, p, y | block `representations` |
/// | q_n | block `knowledge`, `memory["knowledge"]` |
/// | λ, τ | `distillationWeight`, `temperature` |
package struct FedD2S: Strategy {
  package enum Upload: String, CaseIterable, Sendable { case perSample, perClass }
  package enum KlScope: String, CaseIterable, Sendable { case wholeModel, participatingOnly }
  package enum HeadInit: String, CaseIterable, Sendable { case initial, random }
  package enum HeadOptimizer: String, CaseIterable, Sendable { case adam, sgd }
  package enum LabelType: String, CaseIterable, Sendable { case int32, uint8 }

  package struct Fields: StrategyFields {
    let cuts = Hyperparameter(
      "cuts", "𝒮", of: 0...1000,
      "dropping set: cut numbers from the input, 0 for no exchange; empty: every cut there is")
    let order = Hyperparameter(
      "order", default: CutSchedule.Order.deepFirst,
      "deep to shallow (d2s), shallow to deep (s2d), or the deepest of the set for good (never)")
    let dropEvery = Hyperparameter(
      "dropEvery", "T_drop", in: 0...1_000_000, default: 0,
      "rounds per cut; 0: rounds over the number of cuts, rounded down", inferred: true)
    let distillationWeight = Hyperparameter(
      "distillationWeight", "λ", in: 0...1e6, default: 1, "weight of both distillation terms",
      degenerate: (0, "local-only"), inferred: true)
    let temperature = Hyperparameter(
      "temperature", "τ", above: 0, to: 1000, default: 3, "temperature of all soft labels",
      inferred: true)
    let upload = Hyperparameter(
      "upload", default: Upload.perSample,
      "a row per example, or the means over each class of the client", inferred: true)
    let klScope = Hyperparameter(
      "klScope", default: KlScope.wholeModel,
      "layers that the clients' distillation term trains: all, or those before the cut",
      inferred: true)
    let shareShallowWeights = Hyperparameter(
      "shareShallowWeights", default: false,
      "whether the server also averages the layers before the cut", inferred: true)
    let headInit = Hyperparameter(
      "headInit", default: HeadInit.initial,
      "what a new head starts from: Ω_0's layers after the cut, or weights of its own",
      inferred: true)
    let headEpochs = Hyperparameter(
      "headEpochs", "E_s", in: 0...100_000, default: 0,
      "epochs of head training in a round; 0: 5 per sample, 50 per class", inferred: true)
    let headBatch = Hyperparameter(
      "headBatch", "B_s", in: 1...65_536, default: 64, "rows per step of head training",
      inferred: true)
    let headOptimizer = Hyperparameter(
      "headOptimizer", default: HeadOptimizer.adam, "optimizer of head training", inferred: true)
    let headLearningRate = Hyperparameter(
      "headLearningRate", above: 0, to: 1000, default: 0.001, "its step size", inferred: true)
    let headMomentum = Hyperparameter(
      "headMomentum", in: 0...0.999, default: 0.9, "momentum of sgd; adam has none", inferred: true)
    let weightByCounts = Hyperparameter(
      "weightByCounts", default: true,
      "whether a class mean counts as often as it has examples (perClass)", inferred: true)
    let labelType = Hyperparameter(
      "labelType", default: LabelType.int32,
      "how labels travel: 4 bytes, or 1 for up to 256 classes", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedd2s", title: "FedD2S (instantiation)",
    summary: "Personal models that distil through head models at the server, data-free, while "
      + "layers leave the federation from the deepest to the shallowest.",
    source: "Atapour et al. 2024, arXiv:2402.10846; an instantiation of its abstract",
    equations: [
      "s(t) = 𝒮[min(⌊t/T_drop⌋, m − 1)],  𝒮 from the deepest cut to the shallowest",
      "client: CE(softmax z_n(x), y) + λ·τ²·KL(q_n ‖ σ_τ(z_n(x)))  over the whole model",
      "up: h = f_n^{1:s}(x), p = σ_τ(z_n(x)), y  of every example",
      "head g_s: CE(softmax g_s(h), y) + λ·τ²·KL(p ‖ σ_τ(g_s(h)))  on all uploads",
      "down: q_n = σ_τ(g_s(h)) of the client's own rows",
    ],
    messages: [
      "once: Ω_0 (all tensors)",
      "down: cut number s (1 int32); with shareShallowWeights the tensors before the cut",
      "up: representations [K_n, d_s], soft_labels [K_n, C], labels [K_n]; perClass: a row per "
        + "class that the client has, and counts",
      "down: soft_labels q_n, a row for each row uploaded",
    ], memory: "client: its model, q_n; server: one head per cut that was used",
    notes: [
      "Labels, or with perClass class presence and counts, leave the clients.",
      "Per example, messages grow as cuts move to larger maps: bytes per round are a staircase.",
      "h and p are taken of unaugmented images; q_n then serves every augmentation of its image.",
      "Optimizers start anew in every round, the heads' too.",
      "Evaluation: each client's own model; head models never predict for a client.",
      "A cut number counts blocks from the input: \"1\" is after the first block; 0 is a round of "
        + "local training without an exchange.",
    ],
    deviations: [
      "The paper's full text was not at hand: losses, payloads, the schedule of drops and all "
        + "defaults are inferred from its abstract and from related methods (FedGKT, FedGH, FD)."
    ], composes: .loss, fields: Fields.all)
  package static let needs: MethodNeeds = [.ownDownloads, .knownEnd]
  package static let ignores = [
    IgnoredField("federation.weighting", "knowledge is no mean of updates")
  ]

  package static let disclosures: [Disclosure] = [
    .examples(
      rows, "representations and soft labels of examples", .mixed,
      wholeNumbers: ["labels", "counts"]), .training(own),
  ]

  package static func disclosures(_ settings: Settings) -> [Disclosure] {
    let isPerClass = settings.upload == .perClass
    let sent = Disclosure.examples(
      rows,
      isPerClass
        ? "mean representations and soft labels of classes, and their counts"
        : "representations, soft labels and labels of examples", .mixed,
      wholeNumbers: isPerClass ? ["labels", "counts"] : ["labels"])
    return settings.shareShallowWeights ? [sent, .training(own)] : [sent]
  }

  private static let own = "model"
  private static let control = "cut"
  private static let rows = "representations"
  private static let knowledge = "knowledge"
  private static func head(_ cut: Int) -> String { "head.\(cut)" }
  private static func knowledgeName(_ client: Int) -> String { "knowledge.\(client)" }

  package let problem: LearningProblem
  package let schedule: CutSchedule
  let distillationWeight: Float
  let distillation: Distillation
  let isPerClass: Bool
  let reachesWholeModel: Bool
  let sharesWeights: Bool
  let startsRandom: Bool
  let countsWeigh: Bool
  let headEpochs: Int
  let headBatch: Int
  let headOptimizer: OptimizerSpec
  let labelElement: NamedShape.Element

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.problem = problem
    schedule = CutSchedule(
      settings.cuts, available: problem.network.cuts.count, order: settings.order,
      every: settings.dropEvery, rounds: problem.rounds)
    distillationWeight = Float(settings.distillationWeight)
    distillation = Distillation(temperature: Float(settings.temperature))
    isPerClass = settings.upload == .perClass
    reachesWholeModel = settings.klScope == .wholeModel
    sharesWeights = settings.shareShallowWeights
    startsRandom = settings.headInit == .random
    countsWeigh = settings.weightByCounts
    let epochs = settings.headEpochs
    headEpochs = epochs > 0 ? epochs : isPerClass ? 50 : 5
    headBatch = settings.headBatch
    let isAdam = settings.headOptimizer == .adam
    headOptimizer = OptimizerSpec(
      kind: isAdam ? .adam : .sgd, learningRate: settings.headLearningRate,
      momentum: isAdam ? 0 : settings.headMomentum)
    labelElement = settings.labelType == .uint8 ? .uint8 : .int32
  }

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? {
    let cuts = network.cuts
    if cuts.isEmpty {
      return (
        "fedd2s cuts between hidden layers; this network has none",
        "take a model with hidden layers, such as mlp, cnn or vgg"
      )
    }
    if let deepest = settings.cuts.max(), deepest > cuts.count {
      let names = cuts.enumerated().map { "\($0 + 1) \($1.name)" }.joined(separator: ", ")
      return ("there is no cut \(deepest); the network has \(names)", "0 is no exchange at all")
    }
    if settings.labelType == .uint8, network.classes > 256 {
      return ("\(network.classes) classes do not fit one byte", "leave labelType out")
    }
    return nil
  }

  package var models: ModelKinds { .personal }
  /// Representations up; soft labels down.
  package var exchanges: Int { 2 }

  // MARK: - Messages of the server

  /// Ω_0, so that representations of different clients mean the same.
  package func broadcast(_ server: ServerState) -> Payload {
    Payload("model", ParameterSelection(all: problem.layout), of: server.model)
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    var payload = Payload.empty
    let s = schedule.cut(round: server.round)
    if server.exchange == 0 {
      payload.append(Self.control, [NamedShape("s", [1], .int32)], values: [Float(s)])
      if sharesWeights, let cut = cut(s) {
        let shallow = problem.network.before(cut)
        payload.append(Self.own, shallow, gathered: shallow.gather(server.model))
      }
    } else if let q = server.memory[Self.knowledgeName(client)] {
      let classes = problem.network.classes
      payload.append(
        Self.knowledge, [NamedShape("soft_labels", [q.count / classes, classes])], values: q)
    }
    return payload
  }

  private func cut(_ s: Int) -> Network.Cut? { s > 0 ? problem.network.cuts[s - 1] : nil }

  // MARK: - A client

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    guard received.has(Self.control) else {
      if received.has(Self.knowledge) { memory[Self.knowledge] = received[Self.knowledge] }
      return ClientUpdate(.empty, LocalReport())
    }
    let cut = cut(Int(clamping: received[Self.control][0]))
    let hasWeights = received.has(Self.own)
    var model = memory[Self.own, default: problem.initial]
    if hasWeights, let cut { problem.network.before(cut).scatter(received[Self.own], into: &model) }
    device.workspace.load(model)
    let report = try trainLocally(&device, memory[Self.knowledge], cut)
    memory[Self.own] = device.workspace.currentParameters
    guard let cut else { return ClientUpdate(.empty, report) }
    var upload = Payload.empty
    let all = HeadRows.Part(of: device, at: cut, distillation)
    let part = isPerClass ? all.classMeans(problem.network.classes) : all
    part.append(
      to: &upload, Self.rows, classes: problem.network.classes, labels: labelElement,
      counts: isPerClass)
    if hasWeights {
      upload.append(
        Self.own, problem.network.before(cut), of: device.workspace.shareParameters(),
        minus: received.block(Self.own))
    }
    return ClientUpdate(upload, report)
  }

  /// Phase 1a: E epochs of CE + λ·τ²·KL(q ‖ σ_τ(z)), the second term when q was received.
  private func trainLocally(_ device: inout Device, _ knowledge: [Float]?, _ cut: Network.Cut?)
    throws(Divergence) -> LocalReport
  {
    var term: SoftLabelTerm?
    // λ = 0 and the time before any q must leave the very bits of local training.
    if let knowledge, distillationWeight > 0, cut != nil {
      term = SoftLabelTerm(
        targets: knowledge, rows: rowOfExample(device), weight: distillationWeight,
        distillation: distillation)
    }
    guard !reachesWholeModel, let cut, term != nil else {
      var rule = SoftLabelRule(loss: device.loss, term: term)
      return try device.train(&rule)
    }
    let trained = problem.layout.trainedCount
    let ranges = problem.network.before(cut).ranges.map { $0.clamped(to: 0..<trained) }
    var rule = PartialSoftLabelRule(loss: device.loss, term: term, ranges: ranges)
    return try device.train(&rule)
  }

  /// Which row of q belongs to each example: its own, or that of its class.
  private func rowOfExample(_ device: Device) -> [Int?] {
    guard isPerClass else { return Array(device.examples.indices) }
    let present = device.classCounts.indices.filter { device.classCounts[$0] > 0 }
    return device.examples.indices.map { present.firstIndex(of: device.label($0)) }
  }

  // MARK: - The server

  /// Local → global distillation into g_s, and what it says of every uploaded row.
  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts)
    throws(Divergence)
  {
    guard round.exchange == 0 else {
      // Sent once: what is not in a message is not kept.
      for upload in uploads.uploads { server.memory[Self.knowledgeName(upload.client)] = nil }
      return
    }
    let s = schedule.cut(round: round.round)
    guard let cut = cut(s) else { return }
    let network = problem.network.head(from: cut)
    let rows = HeadRows(
      uploads.uploads.map { upload in
        var part = HeadRows.Part(upload.payload.block(Self.rows))
        if !countsWeigh { part.weights = [] }
        return part
      })
    var training = HeadTraining(
      network, parameters: server.memory[Self.head(s)] ?? newHead(network, cut, s),
      optimizer: headOptimizer, batch: headBatch, distillationWeight: distillationWeight,
      temperature: distillation.temperature)
    _ = try training.train(
      rows, epochs: headEpochs, seed: problem.seed, round: round.round, client: round.clients)
    server.memory[Self.head(s)] = training.parameters
    for (upload, q) in zip(uploads.uploads, training.softLabels(rows)) {
      server.memory[Self.knowledgeName(upload.client)] = q
    }
    if sharesWeights { average(uploads, cut, &server.model) }
  }

  /// θ_s at its first use: Ω_0's layers after the cut, or new ones.
  private func newHead(_ network: Network, _ cut: Network.Cut, _ s: Int) -> [Float] {
    guard startsRandom else { return problem.network.after(cut).gather(problem.initial) }
    var stream = RandomStream(seed: problem.seed, .server, client: s)
    return network.layout.initialParameters(.pytorch, seed: stream.next())
  }

  /// w^{1:s} ← w^{1:s} + Σ p_n·Δ_n.
  private func average(_ uploads: AllUploads, _ cut: Network.Cut, _ model: inout [Float]) {
    let shallow = problem.network.before(cut)
    var values = shallow.gather(model)
    for upload in uploads.uploads {
      VectorArithmetic.addScaled(&values, Float(upload.weight), upload.payload[Self.own])
    }
    shallow.scatter(values, into: &model)
  }

  /// The client's whole model; with shared weights, the server's before the cut.
  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    var model = memory[Self.own, default: problem.initial]
    if sharesWeights, let cut = cut(schedule.cut(round: server.round)) {
      let shallow = problem.network.before(cut)
      shallow.scatter(shallow.gather(server.model), into: &model)
    }
    return model
  }
}

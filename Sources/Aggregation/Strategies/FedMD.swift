import Base
import Client
import Tensor

/// FedMD.
///
/// Li and Wang 2019, arXiv:1910.03581, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | D_0, d_j | the public set; each round's part of it, of `alignment` images |
/// | f_k | `memory["model"]`, of the client's own architecture |
/// | f_k(x_i), class scores | the upload's block "scores" |
/// | f̃(x_i), consensus | `server.memory["consensus"]` between the two exchanges of a round |
package struct FedMD: Strategy {
  package struct Fields: StrategyFields {
    let digest = Hyperparameter(
      "digest", "d(f, f̃)", default: Digest.absolute,
      "What is sent, and the loss of the digest: l1-logits; kl-logits is τ²·KL(softmax(f̃/τ) ‖ "
        + "softmax(f/τ)) of mean logits; kl-probabilities of mean probabilities.", inferred: true)
    let temperature = Hyperparameter(
      "temperature", "τ", above: 0, to: 1000, default: 1, "Of the two KL digests.", inferred: true)
    let alignment = Hyperparameter(
      "alignment", "|d_j|", in: 1...1_000_000_000, default: 5000,
      "Public images of a round, drawn anew in each; the whole public set when that is smaller.")
    let digestEpochs = Hyperparameter(
      "digestEpochs", "E_d", in: 0...1e6, default: 1,
      "Passes over the round's public images in the digest.", inferred: true)
    let publicBatch = Hyperparameter(
      "publicBatch", "B_0", in: 1...1_000_000, default: 128, "Public images per step.",
      inferred: true)
    let publicEpochs = Hyperparameter(
      "publicEpochs", "E_0", in: 0...1e6, default: 20,
      "Passes over the labelled public set before a client's first round; 0 uses no label.",
      inferred: true)
    let privateEpochs = Hyperparameter(
      "privateEpochs", "E_1", in: 0...1e6, default: 25,
      "Passes over the client's own images after that.", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedmd", title: "FedMD",
    summary: "Clients send class scores on public images; each moves towards their mean, then "
      + "trains on its own images.", source: "Li and Wang 2019, arXiv:1910.03581, algorithm 1",
    equations: [
      "at first:  f_k ← CE epochs over the public set with its labels, then over D_k",
      "communicate:  f_k(x_i) for the round's public x_i;   aggregate:  f̃ = 1/m·Σ_k f_k",
      "digest:  f_k ← epochs of 1/C·Σ_c |f_k(x_i)[c] − f̃(x_i)[c]|",
      "revisit:  f_k ← E epochs of CE over D_k",
    ],
    messages: [
      "once, down: the public images (T·H·W·ch bytes, floats where the data are floats), and their "
        + "labels where publicEpochs is above 0",
      "down: 8 bytes that choose the round's images, when they are not all",
      "up: scores (P×C);  down: consensus (P×C), the same for all and counted for each",
    ], memory: "client: f_k, of its own architecture;  server: the consensus within a round",
    notes: [
      "Nothing is averaged: clients may have networks of any kind (clientModels).",
      "Scores are logits. The paper names no loss; the authors' code has the mean absolute error.",
      "The digest takes the client's optimizer and learning rate with moments of its own.",
      "The training loss of a round is that of private images (and of public ones with their "
        + "labels at first); steps and examples count the digest too.",
    ],
    deviations: [
      "Transfer learning at first runs for given numbers of epochs, not to convergence."
    ], composes: .loss, fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .examples(scores, "soft labels of a client's model")
  ]

  /// What the digest minimises, and so what is exchanged.
  package enum Digest: String, Sendable, CaseIterable {
    case absolute = "l1-logits"
    case logits = "kl-logits"
    case probabilities = "kl-probabilities"
  }

  private static let own = "model"
  private static let scores = "scores"
  private static let consensus = "consensus"
  private static let choice = "alignment"

  package static let needs: MethodNeeds = [.publicSet, .anyModels]
  package static let ignores = [
    IgnoredField("federation.weighting", "the mean of predictions counts all clients alike")
  ]

  package let models: ModelKinds = .personal
  package let exchanges = 2

  package let problem: LearningProblem
  package let publicSet: PublicSet
  package let digest: Digest
  let temperature: Float
  package let alignment: Int
  package let batch: Int
  package let epochs: (digest: Double, publicSet: Double, own: Double)

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.problem = problem
    publicSet = PublicSet(problem)
    digest = settings.digest
    temperature = Float(settings.temperature)
    alignment = min(settings.alignment, publicSet.count)
    batch = settings.publicBatch
    epochs = (settings.digestEpochs, settings.publicEpochs, settings.privateEpochs)
  }

  package static func largestBatch(_ settings: Settings) -> Int { settings.publicBatch }

  package func broadcast(_ server: ServerState) -> Payload {
    var payload = publicSet.broadcast
    guard epochs.publicSet > 0 else { return payload }
    let count = publicSet.count
    let labels = NamedShape("labels", [count], .int32)
    payload.append("labels", [labels], values: [Float](repeating: 0, count: count))
    return payload
  }

  /// Which images count in this round; then the consensus on them.
  package func download(_ server: ServerState, to client: Int) -> Payload {
    var payload = Payload.empty
    if server.exchange == 1 {
      payload = publicSet.message(Self.consensus, "scores", server.memory[Self.consensus] ?? [])
    } else if alignment < publicSet.count {
      var stream = RandomStream(seed: problem.seed, .strategy, round: server.round)
      let words = [Float(stream.below(1 << 24)), Float(stream.below(1 << 24))]
      payload.append(Self.choice, [NamedShape("seed", [2], .int32)], values: words)
    }
    return payload
  }

  /// The round's images, in the order that all agree on.
  private func images(_ device: Device, _ words: [Float]?) -> [Int] {
    let all = device.surroundings.publicExamples
    guard let words else { return all }
    var stream = RandomStream(
      seed: UInt64(clamping: words[0]) << 24 | UInt64(clamping: words[1]), .strategy)
    return stream.permutation(all.count).prefix(alignment).sorted().map { all[$0] }
  }

  /// The revisit, and transfer learning: every round is planned as dearly as a client's first.
  package func privateWork(examples n: Int, _ settings: LocalSettings) -> PrivateWork {
    let revisit = settings.work.steps(examples: n, batch: settings.batch)
    let first =
      epochs.own > 0
      ? LocalSettings.Work.epochs(epochs.own).steps(examples: n, batch: settings.batch) : 0
    return PrivateWork(batches: revisit + first)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    if received.blocks.contains(where: { $0.name == Self.consensus }) {
      return try digestAndRevisit(&device, received[Self.consensus], &memory)
    }
    let report = try begin(&device, &memory)
    let words = received.blocks.first { $0.name == Self.choice }?.values
    memory[Self.choice] = words
    let images = images(device, words)
    let scores =
      digest == .probabilities
      ? try device.publicProbabilities(images) : try device.publicLogits(images)
    return ClientUpdate(publicSet.message(Self.scores, "scores", scores), report)
  }

  /// The model into the workspace; before a client's first round, transfer learning.
  private func begin(_ device: inout Device, _ memory: inout ClientMemory) throws(Divergence)
    -> LocalReport
  {
    var report = LocalReport()
    if let model = memory[Self.own] {
      device.workspace.load(model)
      return report
    }
    device.workspace.load(problem.initial(of: device.client))
    let everything = [0..<device.network.layout.trainedCount]
    if epochs.publicSet > 0 {
      let images = device.surroundings.publicExamples
      var pupil = device.visitingPublic(images, batch: batch, part: 1)
      var rule = PlainRule(pupil.loss)
      let phase = LocalPhase(.epochs(epochs.publicSet), ranges: everything)
      report.add(try pupil.train(phase, &rule))
    }
    if epochs.own > 0 {
      // A phase of its own: that of the round's training serves the revisit.
      var pupil = device.visiting(device.examples, phase: .transfer)
      var rule = PlainRule(device.loss)
      report.add(try pupil.train(LocalPhase(.epochs(epochs.own), ranges: everything), &rule))
    }
    memory[Self.own] = device.workspace.currentParameters
    return report
  }

  /// Towards the consensus, then the usual local training, with the batches that it has under every
  /// method.
  private func digestAndRevisit(
    _ device: inout Device, _ consensus: [Float], _ memory: inout ClientMemory
  ) throws(Divergence) -> ClientUpdate {
    device.workspace.load(memory[Self.own, default: problem.initial(of: device.client)])
    var report = LocalReport()
    if epochs.digest > 0 {
      let images = images(device, memory[Self.choice])
      var student = device.visitingPublic(images, batch: batch)
      let phase = LocalPhase(
        .epochs(epochs.digest), ranges: [0..<device.network.layout.trainedCount])
      report.add(try approach(consensus, &student, phase).withoutLoss)
    }
    memory[Self.choice] = nil
    var pupil = device.visiting(device.examples, phase: .training)
    var rule = PlainRule(device.loss)
    report.add(try pupil.train(&rule))
    memory[Self.own] = device.workspace.currentParameters
    return ClientUpdate(.empty, report)
  }

  private func approach(_ consensus: [Float], _ student: inout Device, _ phase: LocalPhase)
    throws(Divergence) -> LocalReport
  {
    let classes = publicSet.classes
    switch digest {
    case .absolute:
      var rule = AbsoluteErrorRule(targets: consensus)
      return try student.train(phase, &rule)
    case .logits:
      var rule = DistillationRule(logits: consensus, classes: classes, temperature: temperature)
      return try student.train(phase, &rule)
    case .probabilities:
      var rule = DistillationRule(
        probabilities: consensus, classes: classes, temperature: temperature)
      return try student.train(phase, &rule)
    }
  }

  /// f̃ = 1/m·Σ f_k, whatever the clients' sizes, in their order and in double precision.
  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts) {
    server.memory[Self.consensus] = nil
    guard round.exchange == 0 else { return }
    let sent = uploads.uploads.sorted { $0.client < $1.client }
    let share = 1 / Double(sent.count)
    server.memory[Self.consensus] = KnowledgeFusion.fuse(
      sent.map { $0.payload[Self.scores] }, sent.map { _ in share })
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { memory[Self.own, default: problem.initial(of: device.client)] }
}

/// The mean over examples and classes of |z − Z|.
private struct AbsoluteErrorRule: LocalRule {
  let loss: SoftmaxCrossEntropy? = nil
  /// Z of each of the device's examples, [n × C].
  let targets: [Float]

  static var adjustsGradient: Bool { false }

  mutating func addTerms(_ part: BatchPart) -> Double {
    let classes = part.network.classes
    let (logits, gradient) = (part.workspace.logits, part.workspace.logitsGradient)
    let slope = 1 / Float(part.batch * classes)
    var total = 0.0
    for (row, place) in part.places.enumerated() {
      for c in 0..<classes {
        let error = logits[row * classes + c] - targets[place * classes + c]
        total += Double(abs(error))
        gradient[row * classes + c] += error > 0 ? slope : error < 0 ? -slope : 0
      }
    }
    return total / Double(classes)
  }
}

import Base
import Client
import Tensor

/// Federated distillation: clients exchange what they answer on average for each class.
///
/// Jeong et al. 2018, arXiv:1811.11479, algorithm 1 (FD).
///
/// | paper | here |
/// |---|---|
/// | F̄_{k,ℓ} | `OutputMeans`, block `outputs`, `server.memory["outputs.k"]` |
/// | F̂_{k,ℓ} | block `knowledge` |
/// | γ | `distillationWeight` |
/// | φ | cross-entropy |
package struct FedDistill: Strategy {
  package enum Collect: String, CaseIterable, Sendable { case training, after }
  package enum Reports: String, CaseIterable, Sendable { case latest, round }

  package struct Fields: StrategyFields {
    let distillationWeight = Hyperparameter(
      "distillationWeight", "γ", in: 0...1e6, default: 1, "weight of the distillation term",
      degenerate: (0, "local-only"), inferred: true)
    let collect = Hyperparameter(
      "collect", default: Collect.training,
      "answers while training, as in the paper, or of the trained model in evaluation mode")
    let reports = Hyperparameter(
      "reports", default: Reports.latest,
      "means over every client's last report, or over those of the last round only", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "feddistill", title: "FD (federated distillation)",
    summary: "Personal models; per class, each learns from the mean answer of all others.",
    source: "Jeong et al. 2018, arXiv:1811.11479, algorithm 1 (FD)",
    equations: [
      "F̄_{k,c} = mean of softmax(z_k(x)) over the examples of class c that client k trained on",
      "F̂_{k,c} = mean of F̄_{j,c} over the clients j ≠ k that have class c",
      "client: CE(softmax z, y) + γ·CE(softmax z, F̂_{k,y})",
    ],
    messages: [
      "down: outputs F̂_{k,c} of the classes that others have, and which (int32)",
      "up: outputs F̄_{k,c} of the classes that the client has, and which (int32)",
    ], memory: "client: its model; server: each client's last F̄_k",
    notes: [
      "The paper lets every device train in every round. Here a client that is not in a cohort "
        + "speaks by its last report, or not at all (reports).",
      "One library averages logits and takes them for probabilities; these are probabilities.",
      "Class presence at each client becomes known to the server.",
    ], composes: .loss, fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .examples(outputs, "mean soft labels of a client's classes", wholeNumbers: ["classes"])
  ]

  private static let own = "model"
  private static let outputs = "outputs"
  private static func report(_ client: Int) -> String { "outputs.\(client)" }
  private static func classes(_ client: Int) -> String { "classes.\(client)" }

  /// Σ of answers per class.
  package struct OutputMeans {
    package let classes: Int
    var sums: [Double]
    package var counts: [Int]

    init(classes: Int) {
      self.classes = classes
      sums = [Double](repeating: 0, count: classes * classes)
      counts = [Int](repeating: 0, count: classes)
    }

    /// Adds softmax(z) of examples with these labels.
    package mutating func add(
      _ logits: UnsafePointer<Float>, _ labels: some Sequence<Int>, scratch: inout [Float]
    ) {
      for (i, label) in labels.enumerated() {
        scratch.withUnsafeMutableBufferPointer { row in
          guard let row = row.baseAddress else { return }
          Distillation.softmax(
            logits + i * classes, rows: 1, classes: classes, temperature: 1, into: row)
        }
        counts[label] += 1
        for c in 0..<classes { sums[label * classes + c] += Double(scratch[c]) }
      }
    }

    /// F̄_{k,c} of the classes that were seen, ascending, and which.
    package var means: (rows: [Float], classes: [Int]) {
      let seen = counts.indices.filter { counts[$0] > 0 }
      let rows = seen.flatMap { label in
        (0..<classes).map { Float(sums[label * classes + $0] / Double(counts[label])) }
      }
      return (rows, seen)
    }
  }

  /// CE + γ·CE(softmax z, F̂_y); notes the answers on the way.
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    let term: SoftLabelTerm?
    /// −Σ F̂_c·log F̂_c per class: what cross-entropy is more than KL.
    let entropies: [Double]
    /// The class of each example, by its place.
    package let labels: [Int]
    package var means: OutputMeans?
    private var scratch: [Float]

    package init(
      loss: SoftmaxCrossEntropy?, term: SoftLabelTerm?, entropies: [Double], labels: [Int],
      means: OutputMeans?, classes: Int
    ) {
      self.loss = loss
      self.term = term
      self.entropies = entropies
      self.labels = labels
      self.means = means
      scratch = [Float](repeating: 0, count: classes)
    }

    package static var adjustsGradient: Bool { false }

    package mutating func addTerms(_ part: BatchPart) -> Double {
      if let logits = part.workspace.logits.baseAddress {
        let labels = labels
        means?.add(UnsafePointer(logits), part.places.map { labels[$0] }, scratch: &scratch)
      }
      guard let term else { return 0 }
      var sum = term.add(part)
      for place in part.places { sum += Double(term.weight) * entropies[labels[place]] }
      return sum
    }
  }

  package let problem: LearningProblem
  let distillationWeight: Float
  let collectsInTraining: Bool
  let keepsReports: Bool

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.problem = problem
    distillationWeight = Float(settings.distillationWeight)
    collectsInTraining = settings.collect == .training
    keepsReports = settings.reports == .latest
  }

  package static let needs: MethodNeeds = [.anyModels, .ownDownloads]
  package static let ignores = [
    IgnoredField(
      "federation.weighting", "classes' outputs are averaged over the clients that have them")
  ]
  package var models: ModelKinds { .personal }

  /// F̂_k: for each class the mean over the others that have it, in the order of the clients.
  package func download(_ server: ServerState, to client: Int) -> Payload {
    let size = problem.network.classes
    var sums = [Double](repeating: 0, count: size * size)
    var counts = [Int](repeating: 0, count: size)
    for other in 0..<problem.clients where other != client {
      guard let rows = server.memory[Self.report(other)],
        let classes = server.memory[Self.classes(other)]
      else { continue }
      for (row, label) in classes.enumerated() {
        let label = Int(clamping: label)
        counts[label] += 1
        for c in 0..<size { sums[label * size + c] += Double(rows[row * size + c]) }
      }
    }
    let known = counts.indices.filter { counts[$0] > 0 }
    guard !known.isEmpty else { return .empty }
    return message(
      known.flatMap { label in
        (0..<size).map { Float(sums[label * size + $0] / Double(counts[label])) }
      }, known)
  }

  /// Rows and the classes they belong to.
  private func message(_ rows: [Float], _ classes: [Int]) -> Payload {
    var payload = Payload.empty
    payload.append(
      Self.outputs,
      [
        NamedShape("outputs", [classes.count, problem.network.classes]),
        NamedShape("classes", [classes.count], .int32),
      ], values: rows + classes.map(Float.init))
    return payload
  }

  /// What `message` made.
  private func read(_ payload: Payload) -> (rows: [Float], classes: [Int])? {
    guard let block = payload.blocks.first else { return nil }
    let values = block.values
    let count = block.tensors[0].count
    return (Array(values[..<count]), values[count...].map { Int(clamping: $0) })
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    let size = problem.network.classes
    device.workspace.load(memory[Self.own, default: problem.initial(of: device.client)])
    let labels = device.examples.indices.map { device.label($0) }
    var term: SoftLabelTerm?
    var entropies = [Double](repeating: 0, count: size)
    if distillationWeight > 0, let (rows, classes) = read(received) {
      term = SoftLabelTerm(
        targets: rows, rows: labels.map { classes.firstIndex(of: $0) }, weight: distillationWeight,
        distillation: Distillation())
      for (row, label) in classes.enumerated() {
        entropies[label] = Self.entropy(rows[row * size..<(row + 1) * size])
      }
    }
    var rule = Rule(
      loss: device.loss, term: term, entropies: entropies, labels: labels,
      means: collectsInTraining ? OutputMeans(classes: size) : nil, classes: size)
    let report = try device.train(&rule)
    memory[Self.own] = device.workspace.currentParameters
    let means = rule.means ?? answers(device, labels)
    return ClientUpdate(message(means.means.rows, means.means.classes), report)
  }

  private static func entropy(_ q: ArraySlice<Float>) -> Double {
    q.reduce(0) { $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0 }
  }

  /// The trained model's answers in evaluation mode.
  private func answers(_ device: Device, _ labels: [Int]) -> OutputMeans {
    var means = OutputMeans(classes: problem.network.classes)
    var scratch = [Float](repeating: 0, count: means.classes)
    device.forEachBatch(of: device.examples) { range in
      guard let logits = device.workspace.logits.baseAddress else { return }
      means.add(UnsafePointer(logits), labels[range], scratch: &scratch)
    }
    return means
  }

  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts) {
    if !keepsReports {
      for client in 0..<problem.clients {
        server.memory[Self.report(client)] = nil
        server.memory[Self.classes(client)] = nil
      }
    }
    for upload in uploads.uploads {
      guard let (rows, classes) = read(upload.payload), !classes.isEmpty else { continue }
      server.memory[Self.report(upload.client)] = rows
      server.memory[Self.classes(upload.client)] = classes.map(Float.init)
    }
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { memory[Self.own, default: problem.initial(of: device.client)] }
}

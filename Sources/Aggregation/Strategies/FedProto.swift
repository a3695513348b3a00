import Base
import Client
import Tensor

/// FedProto: clients exchange class prototypes, the mean features of each class, and nothing else.
///
/// Tan et al., AAAI 2022, arXiv:2105.00243, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | f_i(φ_i; ·) | the layers before the classifier |
/// | C_i^(j) | block `prototypes` upwards |
/// | C̄^(j) | `server.memory["prototypes"]`, block `prototypes` downwards |
/// | λ | `prototypeWeight` |
package struct FedProto: Strategy {
  package enum Distance: String, CaseIterable, Sendable { case mean, sum }
  package enum PrototypeMean: String, CaseIterable, Sendable { case samples, uniform }
  package enum Predict: String, CaseIterable, Sendable { case prototype, head }

  package struct Fields: StrategyFields {
    let prototypeWeight = Hyperparameter(
      "prototypeWeight", "λ", in: 0...1e6, default: 1,
      "weight of the distance to the prototypes; the paper tries 0.01 to 4")
    let distance = Hyperparameter(
      "distance", default: Distance.mean,
      "squared differences averaged over the features, or summed", inferred: true)
    let prototypeMean = Hyperparameter(
      "prototypeMean", default: PrototypeMean.samples,
      "prototypes of a class weighted by examples, or all clients alike")
    let predict = Hyperparameter(
      "predict", default: Predict.prototype,
      "what classifies: the nearest prototype, as in the paper, or the client's classifier")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedproto", title: "FedProto",
    summary: "Personal models whose features are pulled to common class prototypes; only "
      + "prototypes travel.",
    source: "Tan et al., AAAI 2022, arXiv:2105.00243, algorithm 1, equations 3 to 8",
    equations: [
      "C_k^(c) = mean of φ_k(x) over client k's examples of class c, after training",
      "C̄^(c) = Σ_k (n_kc/n_c)·C_k^(c)  over the round's clients that have class c",
      "client: CE + λ·‖φ_k(x) − C̄^(y)‖²/d", "predict: argmin_c ‖φ_k(x) − C̄^(c)‖",
    ],
    messages: [
      "down: prototypes [classes known, d], which (int32)",
      "up: prototypes [|C_k|, d], which (int32), and their counts (int32)",
    ], memory: "client: its model; server: C̄, and which classes have one",
    notes: [
      "Equation 6 divides the weighted mean by the number of clients once more; a mean of "
        + "prototypes needs no second division, and the authors' code has none.",
      "The authors' code averages clients alike (weighting: uniform).",
      "Equation 8 compares a client's prototype with the common one; algorithm 1 takes it batch by "
        + "batch, the authors' code example by example, as here.",
      "The paper leaves the scale of the distance open. The authors' code, whose λ the paper "
        + "reports, averages the squares over the features (distance: mean); their sum makes λ "
        + "larger by the factor d.",
      "A class that no client of the last round has keeps its prototype.",
      "A class without a prototype is never predicted from prototypes (its logit is −10⁹); while "
        + "none has one, the classifier predicts.",
      "Clients whose features have another width than the server's network, or none before the "
        + "classifier, train alone and send nothing.",
    ], composes: .loss, fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .examples(
      prototypes, "mean features of a client's classes, and their counts",
      wholeNumbers: ["classes", "counts"])
  ]

  package static func disclosures(_ settings: Settings) -> [Disclosure] {
    if weighsByCounts(settings) { return disclosures }
    return [.examples(prototypes, "mean features of a client's classes", wholeNumbers: ["classes"])]
  }

  /// Whether counts are sent.
  private static func weighsByCounts(_ settings: Settings) -> Bool {
    settings.prototypeMean == .samples
  }

  private static let own = "model"
  private static let prototypes = "prototypes"
  private static let known = "known"
  /// Logit of a class without a prototype: below every ‖φ‖² − distance² of a model that works.
  private static let never: Float = -1e9

  /// Adds λ·‖φ − C̄_y‖², or its mean over the features.
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    /// C̄, [C × d].
    let prototypes: [Float]
    /// Whether a class has one, [C]; empty when the term is off.
    package let known: [Bool]
    /// λ, or λ/d.
    package let weight: Double

    package static var adjustsGradient: Bool { false }
    package static var hasFeatureTerms: Bool { true }

    package mutating func addFeatureTerms(_ part: BatchPart) -> Double {
      guard !known.isEmpty else { return 0 }
      let width = part.network.featureWidth
      let space = part.workspace
      let factor = Float(2 * weight / Double(part.batch))
      var sum = 0.0
      for i in 0..<part.count {
        let label = Int(space.labels[i])
        guard known[label] else { continue }
        for f in 0..<width {
          let difference = space.features[i * width + f] - prototypes[label * width + f]
          space.featuresGradient[i * width + f] += factor * difference
          sum += Double(difference) * Double(difference)
        }
      }
      return weight * sum
    }
  }

  package let problem: LearningProblem
  package let weight: Double
  let countsWeigh: Bool
  let predictsByPrototype: Bool
  /// d of the clients that take part.
  package let width: Int

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.problem = problem
    width = problem.network.featureWidth
    let scale = settings.distance == .mean ? 1 / Double(width) : 1
    weight = settings.prototypeWeight * scale
    countsWeigh = Self.weighsByCounts(settings)
    predictsByPrototype = settings.predict == .prototype
  }

  package static let needs: MethodNeeds = .anyModels
  package static let ignores = [
    IgnoredField("federation.weighting", "prototypes are weighted by their own counts")
  ]
  package var models: ModelKinds { .personal }

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? {
    guard !hasFeatures(network) else { return nil }
    return (
      "the classifier reads the images themselves, so there are no features to compare",
      "take a model with a hidden layer, such as mlp or cnn"
    )
  }

  /// Whether anything that is trained is before the classifier.
  private static func hasFeatures(_ network: Network) -> Bool {
    network.layout.entries.contains { $0.layer != network.classifier }
  }

  /// Whether a client's prototypes can be compared with the others'.
  private func takesPart(_ client: Int) -> Bool {
    let network = problem.network(of: client)
    return network.featureWidth == width && Self.hasFeatures(network)
  }

  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: problem.initial)
    let classes = problem.network.classes
    server.memory[Self.prototypes] = [Float](repeating: 0, count: classes * width)
    server.memory[Self.known] = [Float](repeating: 0, count: classes)
    return server
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    let known = server.memory[Self.known, default: []]
    let classes = known.indices.filter { known[$0] > 0 }
    guard takesPart(client), !classes.isEmpty else { return .empty }
    let all = server.memory[Self.prototypes, default: []]
    return message(classes.flatMap { all[$0 * width..<($0 + 1) * width] }, classes, counts: nil)
  }

  private func message(_ rows: [Float], _ classes: [Int], counts: [Int]?) -> Payload {
    var tensors = [
      NamedShape("prototypes", [classes.count, width]),
      NamedShape("classes", [classes.count], .int32),
    ]
    if counts != nil { tensors.append(NamedShape("counts", [classes.count], .int32)) }
    var payload = Payload.empty
    payload.append(
      Self.prototypes, tensors,
      values: rows + classes.map(Float.init) + (counts ?? []).map(Float.init))
    return payload
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(memory[Self.own, default: problem.initial(of: device.client)])
    var rule = Rule(loss: device.loss, prototypes: [], known: [], weight: weight)
    if weight > 0, let block = received.blocks.first {
      rule = rule.knowing(block, classes: device.network.classes)
    }
    let report = try device.train(&rule)
    memory[Self.own] = device.workspace.currentParameters
    guard takesPart(device.client) else { return ClientUpdate(.empty, report) }
    return ClientUpdate(ownPrototypes(device), report)
  }

  /// C_k^(c) of the classes that the client has, ascending.
  private func ownPrototypes(_ device: Device) -> Payload {
    let counts = device.classCounts
    var sums = [Double](repeating: 0, count: counts.count * width)
    device.forEachBatch(of: device.examples) { range in
      for (i, place) in range.enumerated() {
        let start = device.label(place) * width
        for f in 0..<width { sums[start + f] += Double(device.workspace.features[i * width + f]) }
      }
    }
    let present = counts.indices.filter { counts[$0] > 0 }
    let rows = present.flatMap { c in
      (0..<width).map { Float(sums[c * width + $0] / Double(counts[c])) }
    }
    return message(rows, present, counts: countsWeigh ? present.map { counts[$0] } : nil)
  }

  package func step(_ server: inout ServerState, _ uploads: AllUploads, _ round: RoundFacts) {
    let classes = problem.network.classes
    var sums = [Double](repeating: 0, count: classes * width)
    var totals = [Double](repeating: 0, count: classes)
    for upload in uploads.uploads {
      guard let block = upload.payload.blocks.first else { continue }
      let values = block.values
      let rows = block.tensors[1].count
      for row in 0..<rows {
        let label = Int(clamping: values[rows * width + row])
        let share = countsWeigh ? Double(values[rows * (width + 1) + row]) : 1
        totals[label] += share
        for f in 0..<width { sums[label * width + f] += share * Double(values[row * width + f]) }
      }
    }
    for c in 0..<classes where totals[c] > 0 {
      server.memory[Self.known]?[c] = 1
      for i in c * width..<(c + 1) * width {
        server.memory[Self.prototypes]?[i] = Float(sums[i] / totals[c])
      }
    }
  }

  /// The client's model; its classifier is the nearest prototype's: −‖φ − p‖² = ‖φ‖² + 2p·φ − ‖p‖²,
  /// and ‖φ‖² is the same for all classes.
  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    var model = memory[Self.own, default: problem.initial(of: device.client)]
    let known = server.memory[Self.known, default: []]
    let layout = device.network.layout
    guard predictsByPrototype, takesPart(device.client), known.contains(1),
      let weights = layout[device.network.classifier + ".weight"]?.range,
      let biases = layout[device.network.classifier + ".bias"]?.range
    else { return model }
    let prototypes = server.memory[Self.prototypes, default: []]
    for c in known.indices {
      let row = prototypes[c * width..<(c + 1) * width]
      let start = weights.lowerBound + c * width
      for (i, p) in row.enumerated() { model[start + i] = known[c] > 0 ? 2 * p : 0 }
      let square = row.reduce(0.0) { $0 + Double($1) * Double($1) }
      model[biases.lowerBound + c] = known[c] > 0 ? Float(-square) : Self.never
    }
    return model
  }
}

extension FedProto.Rule {
  /// The rule with the prototypes of a message.
  fileprivate func knowing(_ block: PayloadBlock, classes: Int) -> Self {
    let values = block.values
    let (rows, width) = (block.tensors[0].shape[0], block.tensors[0].shape[1])
    var prototypes = [Float](repeating: 0, count: classes * width)
    var known = [Bool](repeating: false, count: classes)
    for row in 0..<rows {
      let label = Int(clamping: values[rows * width + row])
      known[label] = true
      for f in 0..<width { prototypes[label * width + f] = values[row * width + f] }
    }
    return Self(loss: loss, prototypes: prototypes, known: known, weight: weight)
  }
}

import Base
import Client
import Tensor

/// CCVR: a classifier calibrated on virtual features.
///
/// Luo et al., NeurIPS 2021, arXiv:2106.05001, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | f_θ, g_φ | the body and the classifier of `server.model` |
/// | N_{c,k}, μ_{c,k}, Σ_{c,k} | the blocks "counts" and "class-c" |
/// | μ_c, Σ_c | `ClassGaussians` |
/// | M_c | `samplesPerClass` |
/// | the calibrated classifier | `server.memory["calibrated"]` |
package struct CCVR: Strategy {
  package enum HeadStart: String, CaseIterable, Sendable { case current, fresh }

  package struct Fields: StrategyFields {
    let every = Hyperparameter(
      "every", in: 0...1_000_000, default: 0,
      "rounds between calibrations; 0 calibrates once, after the last round, as in the paper")
    let samplesPerClass = Hyperparameter(
      "samplesPerClass", "M_c", in: 1...1_000_000, default: 100,
      "virtual features per class; 100 to 2000")
    let shrinkage = Hyperparameter(
      "shrinkage", "s", in: 0...1, default: 0.0,
      "Σ_c ← (1 − s)·Σ_c + s·tr(Σ_c)/d·I, for classes with fewer examples than features")
    let headStart = Hyperparameter(
      "headStart", default: HeadStart.current,
      "what re-training starts from: FedAvg's classifier, or random weights", inferred: true)
    let headEpochs = Hyperparameter(
      "headEpochs", in: 1...100_000, default: 30, "epochs of re-training", inferred: true)
    let headLearningRate = Hyperparameter(
      "headLearningRate", above: 0, to: 1e6, default: 0.01,
      "step size of re-training, SGD with momentum 0.9", inferred: true)
    let headBatch = Hyperparameter(
      "headBatch", in: 1...1_000_000, default: 64, "virtual features per step of re-training",
      inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "ccvr", title: "CCVR",
    summary: "FedAvg; then the classifier is re-trained on features drawn from class Gaussians.",
    source: "Luo et al., NeurIPS 2021, arXiv:2106.05001, algorithm 1",
    equations: [
      "training as FedAvg",
      "client: n_kc, μ_kc, Σ_kc of the features of class c under the new global body",
      "μ_c = Σ_k n_kc·μ_kc/n_c",
      "Σ_c = [Σ_k (n_kc − 1)·Σ_kc + n_kc·μ_kc·μ_kcᵀ − n_c·μ_c·μ_cᵀ]/(n_c − 1)",
      "server: M features of each class from N(μ_c, Σ_c);  re-train the classifier on them",
    ],
    messages: [
      "down: model (all tensors)", "up: model difference (all tensors)",
      "down, in calibrated rounds: body (all tensors but the classifier)",
      "up, in calibrated rounds: counts (C), mean (d) and covariance (d·(d+1)/2) per own class",
    ], memory: "server: the calibrated classifier of the current body",
    notes: [
      "Statistics travel in a second exchange, after the server's step; FedAvg goes on with its "
        + "own classifier.", "Features are taken in evaluation mode, without augmentation.",
      "Classes that no client of the cohort has get no virtual features.",
      "Means and covariances of small classes say much about single examples.",
    ],
    deviations: [
      "The paper asks all clients for statistics; here those of the round's cohort send them."
    ], composes: [.loss, .serverOptimizer, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .training(ModelExchange.block),
    .examples(counts, "class counts", .none, wholeNumbers: ["class_counts"]),
    .examples("class", "means and covariances of the features of each class", .mixed),
  ]

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? { ClassifierPlace.objection(info.kind, to: network) }

  package static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )] {
    let width = ClassifierPlace(network)?.width ?? 0
    guard width >= 1024 else { return [] }
    let triangle = ClassGaussians.triangle(width)
    return [
      (
        "\(width) features have a covariance of \(triangle) numbers, which each client sends for "
          + "each of its classes, and whose root is taken with up to \(width)³/3 operations",
        "take a model with fewer inputs of its last layer, and calibrate seldom"
      )
    ]
  }

  /// The mean of models, or the sums of statistics: each exchange fills one of them.
  package struct Combination: Aggregator {
    package var models = WeightedMean()
    var gaussians: ClassGaussians?

    package init() {}

    package mutating func add(_ upload: WeightedUpload) { add([upload]) }

    package mutating func add(_ uploads: [WeightedUpload]) {
      guard uploads.contains(where: { $0.payload.has(CCVR.counts) }) else {
        return models.add(uploads)
      }
      for upload in uploads { add(statistics: upload.payload) }
    }

    private mutating func add(statistics: Payload) {
      let counts = statistics[CCVR.counts]
      for c in counts.indices where counts[c] > 0 {
        let block = statistics.block(CCVR.block(of: c))
        let values = block.values
        let width = block.tensors[0].count
        if gaussians == nil { gaussians = ClassGaussians(classes: counts.count, width: width) }
        gaussians?.add(
          class: c, count: Int(clamping: counts[c]), mean: Array(values[..<width]),
          covariance: Array(values[width...]))
      }
    }

    package mutating func restart() {
      models.restart()
      gaussians = nil
    }
  }

  package static let needs: MethodNeeds = .knownEnd

  private static let body = "body"
  private static let counts = "counts"
  private static let calibrated = "calibrated"
  private static func block(of c: Int) -> String { "class-\(c)" }

  package let base: FedAvg
  package let every: Int
  package let samples: Int
  let shrinkage: Double
  let isFresh: Bool
  package let epochs: Int
  package let learningRate: Double
  package let batch: Int
  package let classifier: ClassifierPlace
  let bodyTensors: ParameterSelection
  package let problem: LearningProblem

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    every = settings.every
    samples = settings.samplesPerClass
    shrinkage = settings.shrinkage
    isFresh = settings.headStart == .fresh
    epochs = settings.headEpochs
    learningRate = settings.headLearningRate
    batch = settings.headBatch
    classifier = ClassifierPlace(required: problem.network)
    bodyTensors = ParameterSelection(problem.layout) { $0.layer != problem.network.classifier }
    self.problem = problem
  }

  /// The model, then the statistics.
  package var exchanges: Int { 2 }

  /// Whether a round ends with a calibration.
  func calibrates(_ round: Int) -> Bool {
    round == problem.rounds || every > 0 && round % every == 0
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    if server.exchange == 0 { return base.download(server, to: client) }
    return calibrates(server.round) ? Payload(Self.body, bodyTensors, of: server.model) : .empty
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    if received.has(ModelExchange.block) {
      return try base.train(&device, received: received, memory: &memory)
    }
    guard received.has(Self.body) else { return ClientUpdate(.empty, LocalReport()) }
    // The classifier plays no part in features: any one will do.
    var model = problem.initial
    received.block(Self.body).scatter(bodyTensors, into: &model)
    device.workspace.load(model)
    return ClientUpdate(statistics(device), LocalReport())
  }

  /// Counts of all classes; mean and covariance of each class that the client has.
  private func statistics(_ device: Device) -> Payload {
    let width = classifier.width
    let features = device.features(of: device.examples)
    let counts = device.classCounts
    var upload = Payload.empty
    upload.append(
      Self.counts, [NamedShape("class_counts", [counts.count], .int32)],
      values: counts.map { Float($0) })
    for c in counts.indices where counts[c] > 0 {
      var own: [Float] = []
      for place in device.examples.indices where device.label(place) == c {
        own += features[place * width..<(place + 1) * width]
      }
      let (mean, covariance) = ClassGaussians.measure(own, width: width)
      upload.append(
        Self.block(of: c),
        [NamedShape("mean", [width]), NamedShape("covariance", [covariance.count])],
        values: mean + covariance)
    }
    return upload
  }

  package func step(_ server: inout ServerState, _ uploads: Combination, _ round: RoundFacts)
    throws(Divergence)
  {
    if round.exchange == 0 {
      base.step(&server, uploads.models, round)
      server.memory[Self.calibrated] = nil  // it belonged to the body of before
    } else if let gaussians = uploads.gaussians {
      let head = calibrate(server.model, gaussians, round.round)
      guard VectorArithmetic.isFinite(head.span) else { throw Divergence(round: round.round) }
      server.memory[Self.calibrated] = head
    }
  }

  /// A classifier re-trained on samples of the Gaussians, [C·d + C].
  private func calibrate(_ model: [Float], _ gaussians: ClassGaussians, _ round: Int) -> [Float] {
    func stream(_ step: Int) -> RandomStream {
      RandomStream(seed: problem.seed, .server, round: round, client: problem.clients, step: step)
    }
    var features: [Float] = []
    var labels: [Int32] = []
    for c in gaussians.counts.indices where gaussians.counts[c] > 0 {
      var normals = stream(c)
      features += gaussians.samples(c, count: samples, shrinkage: shrinkage, from: &normals)
      labels += [Int32](repeating: Int32(c), count: samples)
    }
    let classes = classifier.classes
    var initial = stream(classes)
    var head = LinearHead(
      classes: classes, width: classifier.width,
      values: isFresh ? classifier.fresh(&initial) : classifier.head(of: model),
      optimizer: OptimizerSpec(learningRate: learningRate, momentum: 0.9))
    head.train(
      on: features, labels: labels, epochs: epochs, batch: batch, learningRate: learningRate
    ) { stream(classes + 1 + $0) }
    return head.values
  }

  /// The body with the calibrated classifier, where there is one for it.
  package func genericModel(_ server: ServerState) -> [Float]? {
    var model = server.model
    if let head = server.memory[Self.calibrated] { classifier.put(head, into: &model) }
    return model
  }
}

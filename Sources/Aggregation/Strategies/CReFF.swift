import Base
import Client
import Tensor

/// CReFF: a classifier re-trained on federated features.
///
/// Shang et al., IJCAI 2022, arXiv:2204.13399.
///
/// | paper | here |
/// |---|---|
/// | global model | `server.model` |
/// | re-trained classifier, ĉ below | `server.memory["retrained"]` |
/// | a client's gradients of real features, G_kc | the blocks "gradient-c" |
/// | federated features, u | `server.memory["features"]`, [C·m × d] |
package struct CReFF: Strategy {
  package struct Fields: StrategyFields {
    let featuresPerClass = Hyperparameter(
      "featuresPerClass", "m", in: 1...100_000, default: 100, "federated features per class")
    let featureSteps = Hyperparameter(
      "featureSteps", "I", in: 1...100_000, default: 100, "steps of SGD on the features in a round")
    let featureLearningRate = Hyperparameter(
      "featureLearningRate", "η_u", above: 0, to: 1e6, default: 0.1, "step size on the features")
    let headEpochs = Hyperparameter(
      "headEpochs", "J", in: 1...100_000, default: 300,
      "epochs of the new classifier on the features")
    let headLearningRate = Hyperparameter(
      "headLearningRate", above: 0, to: 1e6, default: 0.01,
      "step size of the new classifier, plain SGD")
    let headBatch = Hyperparameter(
      "headBatch", in: 1...1_000_000, default: 32, "features per step of the new classifier")
    let draws = Hyperparameter(
      "draws", in: 1...100_000, default: 10, "draws of real features that a gradient is the mean of"
    )
    let gradientBatch = Hyperparameter(
      "gradientBatch", in: 1...1_000_000, default: 32,
      "real features per draw, at most as many as the client has of the class")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "creff", title: "CReFF",
    summary: "FedAvg; the server re-trains the classifier on features that match real gradients.",
    source: "Shang et al., IJCAI 2022, arXiv:2204.13399",
    equations: [
      "client: G_kc = mean over draws of ∇_ĉ CE(ĉ; features of class c under w),  own classes c;",
      "        then training as FedAvg",
      "server: w as FedAvg;  G_c = mean of G_kc over the clients that have c",
      "I steps of u_c ← u_c − η_u·∇D(∇_ĉ CE(ĉ; u_c), G_c),  D = Σ_rows (1 − cos)",
      "ĉ ← a new classifier, J epochs of SGD on all u_c;  measured are the body of w and ĉ",
    ],
    messages: [
      "down: model (all tensors), re-trained classifier (C·d + C)",
      "up: model difference (all tensors), one gradient of the classifier (C·d + C) per own class",
    ], memory: "server: ĉ, of the classifier's size; u, C·m × d, starting at N(0, 1)",
    notes: [
      "FedAvg goes on with its own classifier; ĉ is used for gradients and for measuring.",
      "The first ĉ is the initial model's classifier.",
      "G_c is an unweighted mean, as in the authors' code.",
      "A class that no client of the cohort has keeps its features for this round.",
      "A gradient per class tells which classes a client has.",
    ], deviations: ["Real features are taken without augmentation, in evaluation mode."],
    composes: [.loss, .serverOptimizer, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .training(ModelExchange.block),
    .examples("gradient", "gradients of classes on their real features", .gradients),
  ]

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? { ClassifierPlace.objection(info.kind, to: network) }

  /// The mean of models, and the sum of gradients over the clients that have a class.
  package struct Combination: Aggregator {
    package struct Sum {
      package let name: String
      package var values: [Float]
      package var clients: Int
    }

    package var models = WeightedMean()
    private var sums: [Sum] = []

    package init() {}

    package mutating func add(_ upload: WeightedUpload) { add([upload]) }

    package mutating func add(_ uploads: [WeightedUpload]) {
      models.add(
        uploads.map {
          WeightedUpload($0.payload.only(ModelExchange.block), weight: $0.weight, client: $0.client)
        })
      for upload in uploads {
        for block in upload.payload.blocks where block.name != ModelExchange.block {
          guard let place = sums.firstIndex(where: { $0.name == block.name }) else {
            sums.append(Sum(name: block.name, values: block.values, clients: 1))
            continue
          }
          VectorArithmetic.addScaled(&sums[place].values, 1, block.values)
          sums[place].clients += 1
        }
      }
    }

    package mutating func restart() {
      models.restart()
      sums = []
    }

    /// The mean of a block over those who sent it; nil when nobody did.
    package func mean(_ name: String) -> [Float]? {
      guard let sum = sums.first(where: { $0.name == name }) else { return nil }
      return sum.values.map { $0 / Float(sum.clients) }
    }
  }

  private static let retrained = "retrained"
  private static let features = "features"
  private static func gradient(_ c: Int) -> String { "gradient-\(c)" }

  package let base: FedAvg
  package let rows: Int
  let featureSteps: Int
  let featureLearningRate: Float
  let headEpochs: Int
  let headLearningRate: Double
  let headBatch: Int
  package let draws: Int
  let gradientBatch: Int
  package let classifier: ClassifierPlace
  package let problem: LearningProblem

  package init(_ settings: Settings, _ problem: LearningProblem) {
    base = FedAvg(problem)
    rows = settings.featuresPerClass
    featureSteps = settings.featureSteps
    featureLearningRate = Float(settings.featureLearningRate)
    headEpochs = settings.headEpochs
    headLearningRate = settings.headLearningRate
    headBatch = settings.headBatch
    draws = settings.draws
    gradientBatch = settings.gradientBatch
    classifier = ClassifierPlace(required: problem.network)
    self.problem = problem
  }

  /// The initial classifier, and features from N(0, 1).
  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: problem.initial)
    server.memory[Self.retrained] = classifier.head(of: problem.initial)
    var stream = serverStream(round: 0, step: 0)
    let count = classifier.classes * rows * classifier.width
    server.memory[Self.features] = (0..<count).map { _ in Float(stream.normal()) }
    return server
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    var payload = base.download(server, to: client)
    payload.append(
      Self.retrained, classifier.tensors("head"), values: server.memory[Self.retrained, default: []]
    )
    return payload
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(received[ModelExchange.block])
    let gradients = classGradients(device, head: received[Self.retrained])
    var update = try base.train(&device, received: received, memory: &memory)
    for (c, values) in gradients {
      update.upload.append(Self.gradient(c), classifier.tensors("head"), values: values)
    }
    return update
  }

  /// ∇CE of a head on real features of each class that the device has, [C·d + C] each.
  private func classGradients(_ device: Device, head: [Float]) -> [(Int, [Float])] {
    let (classes, width) = (classifier.classes, classifier.width)
    let features = device.features(of: device.examples)
    let head = LinearHead(
      classes: classes, width: width, values: head,
      optimizer: OptimizerSpec(learningRate: headLearningRate))
    var p = [Float](repeating: 0, count: device.examples.count * classes)
    head.logits(features: features, count: device.examples.count, into: &p)
    Distillation.softmax(p, rows: device.examples.count, classes: classes, temperature: 1, into: &p)
    return (0..<classes).compactMap { c in
      let places = device.examples.indices.filter { device.label($0) == c }
      guard !places.isEmpty else { return nil }
      let weights = drawnShares(places.count, device, c)
      var sum = [Double](repeating: 0, count: classifier.count)
      for (place, weight) in zip(places, weights) where weight > 0 {
        for i in 0..<classes {
          let slope = weight * (Double(p[place * classes + i]) - (i == c ? 1 : 0))
          sum[classes * width + i] += slope
          for j in 0..<width { sum[i * width + j] += slope * Double(features[place * width + j]) }
        }
      }
      return (c, sum.map { Float($0) })
    }
  }

  /// What each of n examples counts in the mean over draws of the mean over a draw.
  ///
  /// Draws are without replacement; a draw of all needs no second one.
  func drawnShares(_ count: Int, _ device: Device, _ c: Int) -> [Double] {
    let size = min(gradientBatch, count)
    if size == count { return [Double](repeating: 1 / Double(count), count: count) }
    var stream = RandomStream(
      seed: device.seed, .strategy, round: device.round, client: device.client, step: c)
    var shares = [Double](repeating: 0, count: count)
    for _ in 0..<draws {
      for place in stream.permutation(count).prefix(size) {
        shares[place] += 1 / Double(draws * size)
      }
    }
    return shares
  }

  package func step(_ server: inout ServerState, _ uploads: Combination, _ round: RoundFacts)
    throws(Divergence)
  {
    base.step(&server, uploads.models, round)
    guard var features = server.memory[Self.features], let head = server.memory[Self.retrained]
    else { return }
    server.memory[Self.features] = nil  // one owner: no copy below
    match(&features, head, uploads)
    let next = retrain(on: features, round.round)
    server.memory[Self.features] = features
    server.memory[Self.retrained] = next
    guard VectorArithmetic.isFinite(next.span) else { throw Divergence(round: round.round) }
  }

  /// Moves each class's features towards the real gradient; the distances of classes share nothing.
  private func match(_ features: inout [Float], _ head: [Float], _ uploads: Combination) {
    let (classes, width) = (classifier.classes, classifier.width)
    var matching = GradientMatching(head: head, classes: classes, width: width, rows: rows)
    var slope = [Float](repeating: 0, count: rows * width)
    for c in 0..<classes {
      guard let target = uploads.mean(Self.gradient(c)) else { continue }
      let range = c * rows * width..<(c + 1) * rows * width
      var own = Array(features[range])
      for _ in 0..<featureSteps {
        _ = matching.evaluate(own, label: c, target: target, into: &slope)
        VectorArithmetic.addScaled(&own, -featureLearningRate, slope)
      }
      features.replaceSubrange(range, with: own)
    }
  }

  /// A new classifier trained on all features, [C·d + C].
  private func retrain(on features: [Float], _ round: Int) -> [Float] {
    var stream = serverStream(round: round, step: 0)
    var head = LinearHead(
      classes: classifier.classes, width: classifier.width, values: classifier.fresh(&stream),
      optimizer: OptimizerSpec(learningRate: headLearningRate))
    let labels = (0..<classifier.classes).flatMap { c in [Int32](repeating: Int32(c), count: rows) }
    head.train(
      on: features, labels: labels, epochs: headEpochs, batch: headBatch,
      learningRate: headLearningRate
    ) { serverStream(round: round, step: 1 + $0) }
    return head.values
  }

  private func serverStream(round: Int, step: Int) -> RandomStream {
    RandomStream(seed: problem.seed, .server, round: round, client: problem.clients, step: step)
  }

  /// The body with the re-trained classifier.
  package func genericModel(_ server: ServerState) -> [Float]? {
    var model = server.model
    if let head = server.memory[Self.retrained] { classifier.put(head, into: &model) }
    return model
  }
}

import Base
import Client
import Tensor

/// FedGen: a generator of features, trained at the server on the clients' classifiers, that clients
/// use as a prior while they train.
///
/// Zhu et al., ICML 2021, arXiv:2105.10056, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | θ_k = [θ^f; θ^p] | the model; θ^p is its classifier |
/// | G_w, ε | `Generator`, `server.memory["generator"]` |
/// | p̂(y), c_k | `server.memory["labels"]`, block `label_counts` |
/// | equation 4 | `Generator.train` |
/// | equation 5 | `Rule` |
package struct FedGen: Strategy {
  package struct Fields: StrategyFields {
    let alpha = Hyperparameter(
      "alpha", "α", in: 0...1e6, default: 10, "weight of the cross-entropy on generated features")
    let beta = Hyperparameter(
      "beta", "β", in: 0...1e6, default: 10,
      "weight of the KL term between the model's answers and those to generated features")
    let decay = Hyperparameter(
      "decay", "γ", above: 0, to: 1, default: 0.98, "factor on α and β from round to round")
    let fromRound = Hyperparameter(
      "fromRound", in: 1...1_000_000, default: 1,
      "first round in which clients use the generator, which is random in round 1")
    let generatedBatch = Hyperparameter(
      "generatedBatch", in: 0...65_536, default: 0,
      "generated features per local step; 0: the client's batch")
    let noise = Hyperparameter("noise", in: 1...4096, default: 32, "dimensions of ε")
    let hidden = Hyperparameter(
      "hidden", in: 1...65_536, default: 256,
      "neurons of the generator's hidden layer; public code has 128 to 512")
    let generatorSteps = Hyperparameter(
      "generatorSteps", in: 0...1_000_000, default: 50, "steps of generator training in a round",
      inferred: true)
    let generatorBatch = Hyperparameter(
      "generatorBatch", in: 2...65_536, default: 128, "generated features per such step")
    let generatorLearningRate = Hyperparameter(
      "generatorLearningRate", above: 0, to: 1000, default: 3e-4,
      "step size of its Adam; public code has 1e-4 and 3e-4")
    let generatorWeightDecay = Hyperparameter(
      "generatorWeightDecay", in: 0...1000, default: 0.0, "weight decay of its Adam", inferred: true
    )
    let diversityWeight = Hyperparameter(
      "diversityWeight", "η", in: 0...1e6, default: 1,
      "weight of the diversity of generated features")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedgen", title: "FedGen",
    summary: "FedAvg with a generator of features at the server, which teaches clients what the "
      + "others' classifiers know.",
    source: "Zhu et al., ICML 2021, arXiv:2105.10056, algorithm 1, equations 4 and 5",
    equations: [
      "server: min_G E_{y~p̂,ε}[ CE(softmax(mean_k h_k(G(y, ε))), y) ] + η·diversity(G)",
      "client: CE(h_k(φ_k(x)), y) + α·E_{ŷ~p̂,ε}[ CE(h_k(G(ŷ, ε)), ŷ) ] "
        + "+ β·KL(h_k(G(y, ε)) ‖ h_k(φ_k(x)))",
      "w ← w + Σ_{k∈S} p_k·(w_k − w);   α, β ← γ·α, γ·β in each round",
      "diversity(G) = exp(−mean_{i,j} mean(ε_i − ε_j)²·mean|G_i − G_j|)",
    ],
    messages: [
      "down: model (all tensors), generator (all tensors), label distribution p̂ [C]",
      "up: model difference (all tensors), label counts c_k [C] (int32)",
    ], memory: "server: the generator and p̂",
    notes: [
      "Classifiers are linear, so the clients' mean logits are the logits of their mean; the mean "
        + "has the scenario's weights, which the paper takes alike.",
      "The authors' code weights each client's cross-entropy by its share of the label instead of "
        + "taking the mean of logits (equation 4).",
      "The KL term and the diversity are in the authors' code, whose α and β are 10 and shrink by "
        + "0.98 a round; equation 5 has α = 1, β = 0 and no decay.",
      "The authors' code does without the generator in the first round (fromRound: 2).",
      "Noise is N(0, 1) as in the paper; the authors' code draws it from U(0, 1).",
      "The generator's optimizer starts anew in every round.",
      "Label counts of each client become known to the server.",
    ], composes: [.loss, .serverOptimizer, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .training(ModelExchange.block),
    .examples(countsName, "class counts", .none, wholeNumbers: ["label_counts"]),
  ]

  private static let generatorName = "generator"
  private static let labelsName = "labels"
  private static let countsName = "label_counts"

  package let problem: LearningProblem
  package let exchange: ModelExchange
  package let network: Network
  package let tensors: ParameterSelection
  package let classifier: (weight: Range<Int>, bias: Range<Int>)
  let alpha: Double
  let beta: Double
  let decay: Double
  let fromRound: Int
  let generatedBatch: Int
  package let steps: Int
  package let batch: Int
  let diversityWeight: Double
  package let optimizer: OptimizerSpec

  package static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )] {
    let width = ClassifierPlace(network)?.width ?? 0
    guard width >= 2048 else { return [] }
    return [
      (
        "the generator makes \(width) features at a time, for each local step and for "
          + "\(settings.generatorSteps) steps of its own in a round: that may take "
          + "longer than the clients' training",
        "take a model with fewer inputs of its last layer, or fewer generatorSteps"
      )
    ]
  }

  package init(_ settings: Settings, _ problem: LearningProblem) {
    self.problem = problem
    exchange = ModelExchange(problem)
    network = Generator.network(
      classes: problem.network.classes, noise: settings.noise, hidden: settings.hidden,
      features: problem.network.featureWidth)
    tensors = ParameterSelection(all: network.layout)
    let name = problem.network.classifier
    classifier = (
      problem.layout[name + ".weight"]?.range ?? 0..<0,
      problem.layout[name + ".bias"]?.range ?? 0..<0
    )
    alpha = settings.alpha
    beta = settings.beta
    decay = settings.decay
    fromRound = settings.fromRound
    let generated = settings.generatedBatch
    generatedBatch = generated > 0 ? generated : problem.settings.batch
    steps = settings.generatorSteps
    batch = settings.generatorBatch
    diversityWeight = settings.diversityWeight
    optimizer = OptimizerSpec(
      kind: .adam, learningRate: settings.generatorLearningRate,
      weightDecay: settings.generatorWeightDecay)
  }

  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: problem.initial)
    var stream = RandomStream(seed: problem.seed, .server)
    server.memory[Self.generatorName] = network.layout.initialParameters(
      .pytorch, seed: stream.next())
    let classes = problem.network.classes
    server.memory[Self.labelsName] = [Float](repeating: 1 / Float(classes), count: classes)
    return server
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    var payload = exchange.download(server)
    let generator = server.memory[Self.generatorName, default: []]
    payload.append(Self.generatorName, tensors, gathered: generator)
    let labels = server.memory[Self.labelsName, default: []]
    payload.append(
      Self.labelsName, [NamedShape("label_distribution", [labels.count])], values: labels)
    return payload
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(exchange.model(received, memory))
    var rule = rule(device, received)
    let report = try device.train(&rule)
    var upload = exchange.difference(device, from: received)
    upload.append(
      Self.countsName, [NamedShape("label_counts", [rule.labelCounts.count], .int32)],
      values: rule.labelCounts.map(Float.init))
    return ClientUpdate(upload, report)
  }

  private func rule(_ device: Device, _ received: Payload) -> Rule {
    var factor = device.round >= fromRound ? 1.0 : 0
    for _ in 1..<max(1, device.round) { factor *= decay }
    return Rule(
      loss: device.loss, alpha: alpha * factor, beta: beta * factor,
      generator: Generator(
        network, classes: problem.network.classes, parameters: received[Self.generatorName],
        capacity: max(generatedBatch, min(device.settings.batch, max(1, device.examples.count)))),
      distribution: received[Self.labelsName], generatedBatch: generatedBatch,
      classifier: classifier,
      address: {
        RandomStream(
          seed: device.seed, .strategy, round: device.round, client: device.client, step: $0)
      })
  }

  /// The mean model, and Σ_k c_k.
  package struct Combination: Aggregator {
    package var mean = WeightedMean()
    package var counts: [Double] = []

    package init() {}

    package mutating func add(_ upload: WeightedUpload) { add([upload]) }

    package mutating func add(_ uploads: [WeightedUpload]) {
      mean.add(uploads)
      for upload in uploads {
        let values = upload.payload[FedGen.countsName]
        if counts.isEmpty { counts = [Double](repeating: 0, count: values.count) }
        for c in values.indices { counts[c] += Double(values[c]) }
      }
    }

    package mutating func restart() {
      mean.restart()
      counts = []
    }
  }

  /// θ, p̂ and w, in this order.
  package func step(_ server: inout ServerState, _ uploads: Combination, _ round: RoundFacts)
    throws(Divergence)
  {
    guard let mean = uploads.mean[ModelExchange.block] else { return }
    let teacher = PlainClassifier(
      weight: classifier.weight.map { server.model[$0] + mean[$0] },
      bias: classifier.bias.map { server.model[$0] + mean[$0] })
    exchange.apply(mean, to: &server)
    let total = uploads.counts.reduce(0, +)
    if total > 0 { server.memory[Self.labelsName] = uploads.counts.map { Float($0 / total) } }
    let generator = Generator(
      network, classes: problem.network.classes,
      parameters: server.memory[Self.generatorName, default: []], capacity: batch,
      optimizer: optimizer)
    _ = try generator.train(
      teacher, labels: server.memory[Self.labelsName, default: []], steps: steps, batch: batch,
      diversityWeight: diversityWeight, optimizer, seed: problem.seed, round: round.round,
      client: round.clients)
    server.memory[Self.generatorName] = generator.parameters
  }

}

extension FedGen {
  /// Equation 5 with the terms of the authors' code: generated features train the classifier, and
  /// its answers to them guide the answers to the client's own images of the same label.
  package struct Rule: LocalRule {
    package let loss: SoftmaxCrossEntropy?
    /// α and β of this round.
    let alpha: Double
    let beta: Double
    let generator: Generator
    /// p̂.
    package let distribution: [Float]
    /// Features generated per step.
    let generatedBatch: Int
    /// Where the classifier is in the parameters.
    package let classifier: (weight: Range<Int>, bias: Range<Int>)
    /// The random stream of a step.
    let address: (Int) -> RandomStream

    /// c_k: labels seen, [C].
    private(set) var labelCounts: [Int]
    private var step = 0
    private var stream: RandomStream
    /// α times the gradient of the classifier on generated features; empty when α is 0.
    private var slopes: [Float] = []

    package init(
      loss: SoftmaxCrossEntropy?, alpha: Double, beta: Double, generator: Generator,
      distribution: [Float], generatedBatch: Int,
      classifier: (weight: Range<Int>, bias: Range<Int>), address: @escaping (Int) -> RandomStream
    ) {
      self.loss = loss
      self.alpha = alpha
      self.beta = beta
      self.generator = generator
      self.distribution = distribution
      self.generatedBatch = generatedBatch
      self.classifier = classifier
      self.address = address
      labelCounts = [Int](repeating: 0, count: distribution.count)
      stream = address(0)
    }

    package mutating func addTerms(_ part: BatchPart) -> Double {
      let isFirst = part.examples.lowerBound == 0
      if isFirst { stream = address(step) }
      let labels = (0..<part.count).map { Int(part.workspace.labels[$0]) }
      for label in labels { labelCounts[label] += 1 }
      guard alpha > 0 || beta > 0 else { return 0 }
      let head = PlainClassifier(
        weight: Array(part.workspace.parameters[classifier.weight]),
        bias: Array(part.workspace.parameters[classifier.bias]))
      var sum = 0.0
      if alpha > 0, isFirst { sum += Double(part.batch) * train(head) }
      if beta > 0 { sum += guide(part, labels, head) }
      return sum
    }

    /// α·mean CE(h(G(ŷ, ε)), ŷ), ŷ ~ p̂; keeps its gradient.
    private mutating func train(_ head: PlainClassifier) -> Double {
      let labels = Generator.labels(generatedBatch, from: distribution, &stream)
      let features = generator.features(of: labels, &stream)
      let (loss, gradient) = head.crossEntropy(features, labels)
      slopes = gradient.map { Float(alpha) * $0 }
      return alpha * loss
    }

    /// β·KL(h(G(y, ε)) ‖ h(φ(x))) of the examples; the first is held constant.
    private mutating func guide(_ part: BatchPart, _ labels: [Int], _ head: PlainClassifier)
      -> Double
    {
      let features = generator.features(of: labels, &stream)
      var targets = [Float](repeating: 0, count: part.count * head.classes)
      return features.withUnsafeBufferPointer { features in
        targets.withUnsafeMutableBufferPointer { targets in
          guard let features = features.baseAddress, let targets = targets.baseAddress,
            let logits = part.workspace.logits.baseAddress,
            let gradient = part.workspace.logitsGradient.baseAddress
          else { return 0 }
          head.logits(features, rows: part.count, into: targets)
          Distillation.softmax(
            targets, rows: part.count, classes: head.classes, temperature: 1, into: targets)
          return beta
            * Distillation().evaluate(
              logits: logits, targets: targets, rows: part.count, classes: head.classes,
              weight: Float(beta / Double(part.batch)), addingTo: gradient)
        }
      }
    }

    package mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
      var next = 0
      for range in [classifier.weight, classifier.bias] where !slopes.isEmpty {
        for i in range {
          gradient[i] += slopes[next]
          next += 1
        }
      }
    }

    package mutating func endBatch(learningRate: Double) { step += 1 }
  }
}

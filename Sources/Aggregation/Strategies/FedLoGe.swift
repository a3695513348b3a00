import Base
import Client
import Tensor

/// FedLoGe: a backbone trained through a frozen sparse frame, two heads that learn on its features
/// without touching it, and a realignment of these heads by the lengths of their rows.
///
/// Xiao et al., ICLR 2024, arXiv:2401.08977, with its published code for the constants.
///
/// | paper | here |
/// |---|---|
/// | W, SSE-C | the network's classifier in `server.model`: `frame`, `FrameShelf` |
/// | θ | all other tensors: `exchange.shared` |
/// | ψ, auxiliary global head | `server.memory["auxiliary"]` |
/// | φ_k, private head | `memory["head"]` |
/// | stop-gradient | `StoppedHeads`: no gradient leaves them |
/// | GA-FR, LA-FR | `Realignment.generic`, `Realignment.personal` |
package struct FedLoGe: Strategy {
  package enum FrameBias: String, CaseIterable, Sendable { case zero, `default` }
  package enum FrameTraffic: String, CaseIterable, Sendable { case dense, sparse, seed }
  package enum Generic: String, CaseIterable, Sendable { case realigned, auxiliary, frame }
  package enum Prediction: String, CaseIterable, Sendable {
    case realigned, sumOfPrivate = "sum-of-private", sumOfShared = "sum-of-shared", stageOne =
      "stage-one"
  }
  package enum HeadLoss: String, CaseIterable, Sendable {
    case crossEntropy = "cross-entropy", composed
  }
  package enum PrivateStart: String, CaseIterable, Sendable { case shared, own }

  package struct Fields: StrategyFields {
    let sparsity = Hyperparameter(
      "sparsity", "β", in: 0...0.999, default: 0.6, "share of zeros in W")
    let norm = Hyperparameter("norm", "γ", above: 0, to: 1e3, default: 0.1, "length of W's rows")
    let constructionSteps = Hyperparameter(
      "constructionSteps", in: 0...1_000_000, default: 10_000,
      "Adam steps that make W's angles equal again")
    let frameBias = Hyperparameter(
      "frameBias", "b", default: FrameBias.zero,
      "W's frozen bias: zero, or U(±1/√d) as a new linear layer has")
    let frameTraffic = Hyperparameter(
      "frameTraffic", default: FrameTraffic.dense,
      "how W is sent: C·d + C floats; its non-zeros with a bit mask and the bias; or 8 bytes")
    let scale = Hyperparameter(
      "scale", "s", above: 0, to: 1e6, default: 1.7, "length of the rows of ψ'", inferred: true)
    let generic = Hyperparameter(
      "generic", default: Generic.realigned, "the generic head: ψ', ψ or W")
    let prediction = Hyperparameter(
      "prediction", default: Prediction.realigned,
      "a client's logits: φ'_k, φ_k + φ'_k, φ'_k + ψ, or φ_k + ψ", inferred: true)
    let mask = Hyperparameter(
      "mask", default: false, "a client never predicts classes that it has no training image of")
    let headLoss = Hyperparameter(
      "headLoss", default: HeadLoss.crossEntropy,
      "the loss of ψ and φ_k: plain, or the scenario's loss")
    let privateStart = Hyperparameter(
      "privateStart", default: PrivateStart.shared,
      "φ_k starts as ψ does, or from a draw of its own", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedloge", title: "FedLoGe",
    summary: "A frozen sparse frame trains the body; a shared and a private head are realigned.",
    source: "Xiao et al., ICLR 2024, arXiv:2401.08977, and its published code",
    equations: [
      "once:  W ← SSE-C: a simplex frame with a share β of zeros, rows of length γ, equal angles",
      "client, each batch, h = f_θ(x):  θ by ∇_θ L(W·h, y);  ψ by ∇_ψ CE(ψ·sg(h), y);"
        + "  φ_k by ∇_φ CE(φ_k·sg(h), y)",
      "θ ← θ + Σ p_k·(θ_k − θ);   ψ ← ψ + Σ p_k·(ψ_k − ψ);   W is frozen, φ_k stays at client k",
      "generic (GA-FR):  ψ'_c = s·ψ_c/‖ψ_c‖;   personal (LA-FR):  φ'_kc = ψ_c·‖φ_kc‖;  bias of ψ",
    ],
    messages: [
      "once, down: W and its bias (frameTraffic: dense, sparse or as a seed)",
      "down: model (all tensors but the classifier), auxiliary head ψ",
      "up: model difference (the same tensors), difference of ψ",
    ], memory: "client: φ_k; server: ψ, and W in the model's classifier",
    notes: [
      "loss applies to the frame's logits, which train θ; ψ and φ_k have plain cross-entropy as in "
        + "the paper, or the same loss with headLoss \"composed\".",
      "serverOptimizer applies to θ; ψ takes the weighted mean as it is.",
      "prediction: \"realigned\" is the paper's figure, φ'_k alone; \"sum-of-private\", φ_k + φ'_k,"
        + " is the published code; \"sum-of-shared\", φ'_k + ψ, its description; \"stage-one\", "
        + "φ_k + ψ, is the score before realignment. The figure is taken as the paper's word.",
      "generic: \"auxiliary\" (ψ) and \"frame\" (W) are the scores before realignment.",
      "Every evaluation realigns the heads of that round; training never sees realigned heads.",
      "The frame, and so W, is a function of the run's seed, the sizes and the fields alone.",
    ],
    deviations: [
      "The frame's bias is zero; the published code leaves a random bias there, frozen "
        + "(frameBias \"default\").",
      "GA-FR's length s is that of the published code, 1.7; the paper's figure has 1.",
      "mask uses the classes of the client's training images; the published code looks at the "
        + "labels of the client's test images. It is off unless asked for.",
      "The published code's local fine-tuning of φ'_k, switched off there, is left out.",
    ], composes: [.loss, .serverOptimizer, .postHoc], fields: Fields.all)
  package static let disclosures: [Disclosure] = [
    .training(ModelExchange.block), .training(auxiliary),
  ]

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? {
    guard let place = ClassifierPlace(network), network.layout.trainedCount > place.count else {
      return (
        "fedloge needs layers before the classifier; this network has none",
        "choose mlp, cnn, lenet5 or a resnet"
      )
    }
    return SparseFrame.impossibility(
      width: place.width, classes: place.classes, sparsity: settings.sparsity
    ).map { ($0, FeatureWidth.advice(atLeast: place.classes)) }
  }

  package static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )] {
    var all: [(warning: String, hint: String)] = []
    if settings.mask {
      all.append(
        (
          "personal accuracy is with class masking: clients know which classes they hold",
          "compare it only with methods that know as much"
        ))
    }
    let caution = SparseFrame.caution(
      width: network.featureWidth, classes: network.classes, sparsity: settings.sparsity)
    if let caution { all.append((caution, "lower sparsity, or choose a wider model")) }
    return all
  }

  private static let auxiliary = "auxiliary"
  private static let head = "head"
  private static let frame = "frame"

  package let settings: Settings
  package let seed: UInt64
  package let place: ClassifierPlace
  package let exchange: ModelExchange
  /// θ₀ with the frozen classifier.
  package let initial: [Float]
  /// ψ₀: the classifier that the scenario's network starts with.
  let firstHead: [Float]
  /// The trained ranges of θ.
  let phase: LocalPhase

  package init(_ settings: Settings, _ problem: LearningProblem) {
    let place = ClassifierPlace(required: problem.network)
    self.settings = settings
    self.place = place
    seed = problem.seed
    firstHead = place.head(of: problem.initial)
    var problem = problem
    place.put(Self.frozenHead(settings, place, problem.seed), into: &problem.initial)
    initial = problem.initial
    let classifier = problem.network.classifier
    exchange = ModelExchange(problem) { $0.layer != classifier }
    let body = ParameterSelection(problem.layout) { $0.role.isTrained && $0.layer != classifier }
    phase = LocalPhase(problem.settings.work, ranges: body.ranges)
  }

  /// W with its bias.
  private static func frozenHead(_ settings: Settings, _ place: ClassifierPlace, _ seed: UInt64)
    -> [Float]
  {
    var construction = SparseFrame.Settings()
    construction.sparsity = settings.sparsity
    construction.norm = settings.norm
    construction.steps = settings.constructionSteps
    let frame = FrameShelf.frame(
      classes: place.classes, width: place.width, settings: construction, seed: seed)
    var bias = [Float](repeating: 0, count: place.classes)
    if settings.frameBias == .default {
      var stream = RandomStream(seed: seed, .strategy, step: 0x53534562)  // "SSEb"
      bias = Array(place.fresh(&stream).suffix(place.classes))
    }
    return frame.values + bias
  }

  package var models: ModelKinds { [.generic, .personal] }

  package func start(_ problem: LearningProblem) -> ServerState {
    var server = ServerState(model: initial)
    server.memory[Self.auxiliary] = firstHead
    return server
  }

  // MARK: - Messages

  package func broadcast(_ server: ServerState) -> Payload {
    let head = place.head(of: initial)
    var payload = Payload.empty
    switch settings.frameTraffic {
    case .seed:
      let bytes = (0..<8).map { Float(UInt8(truncatingIfNeeded: seed >> (8 * $0))) }
      payload.append(Self.frame, [NamedShape("frame.seed", [8], .uint8)], values: bytes)
    case .sparse:
      let weight = head.prefix(place.weight.count)
      let kept = weight.filter { $0 != 0 }
      // Eight entries of the weight in one byte, the first in the lowest bit.
      var mask = [Float](repeating: 0, count: (weight.count + 7) / 8)
      for i in weight.indices where weight[i] != 0 { mask[i / 8] += Float(1 << (i % 8)) }
      payload.append(
        Self.frame,
        [
          NamedShape("frame.values", [kept.count]), NamedShape("frame.mask", [mask.count], .uint8),
          NamedShape("frame.bias", [place.classes]),
        ], values: kept + mask + head.suffix(place.classes))
    case .dense: payload.append(Self.frame, place.tensors(Self.frame), values: head)
    }
    return payload
  }

  package func download(_ server: ServerState, to client: Int) -> Payload {
    var payload = exchange.download(server)
    payload.append(
      Self.auxiliary, place.tensors(Self.auxiliary),
      values: server.memory[Self.auxiliary, default: firstHead])
    return payload
  }

  // MARK: - Training

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(exchange.model(received, memory))
    let psi = received[Self.auxiliary]
    func head(_ values: [Float]) -> LinearHead {
      LinearHead(
        classes: place.classes, width: place.width, values: values,
        optimizer: device.settings.optimizer)
    }
    var rule = StoppedHeads(
      loss: device.loss, headLoss: settings.headLoss == .composed ? nil : SoftmaxCrossEntropy(),
      heads: [head(psi), head(privateHead(of: device.client, memory))])
    let report = try device.train(phase, &rule)
    let moved = rule.heads[0].values
    memory[Self.head] = rule.heads[1].values
    var upload = exchange.difference(device, from: received)
    upload.append(
      Self.auxiliary, place.tensors(Self.auxiliary),
      values: VectorArithmetic.difference(moved.span, psi.span))
    return ClientUpdate(upload, report)
  }

  /// φ_k as the client has it.
  private func privateHead(of client: Int, _ memory: ClientMemory) -> [Float] {
    if let head = memory[Self.head] { return head }
    guard settings.privateStart == .own else { return firstHead }
    var stream = RandomStream(seed: seed, .strategy, client: client, step: 0x706869)  // "phi"
    return place.fresh(&stream)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    exchange.apply(uploads[ModelExchange.block], to: &server)
    guard let mean = uploads[Self.auxiliary] else { return }
    var psi = server.memory[Self.auxiliary, default: firstHead]
    VectorArithmetic.addScaled(&psi, 1, mean)
    server.memory[Self.auxiliary] = psi
  }

  // MARK: - Predictions

  package func genericModel(_ server: ServerState) -> [Float]? {
    var model = server.model
    let psi = server.memory[Self.auxiliary, default: firstHead]
    switch settings.generic {
    case .frame: break
    case .auxiliary: place.put(psi, into: &model)
    case .realigned:
      let scale = settings.scale
      place.put(Realignment.generic(psi, classes: place.classes, scale: scale), into: &model)
    }
    return model
  }

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    let psi = server.memory[Self.auxiliary, default: firstHead]
    let phi = privateHead(of: device.client, memory)
    let realigned = Realignment.personal(psi, own: phi, classes: place.classes)
    // Sums of logits that are linear in the same features are the logits of a sum.
    var head: [Float]
    switch settings.prediction {
    case .sumOfPrivate: head = zip(phi, realigned).map { $0 + $1 }
    case .sumOfShared: head = zip(realigned, psi).map { $0 + $1 }
    case .stageOne: head = zip(phi, psi).map { $0 + $1 }
    case .realigned: head = realigned
    }
    if settings.mask { Realignment.mask(&head, absentFrom: device.classCounts) }
    var model = server.model
    place.put(head, into: &model)
    return model
  }
}

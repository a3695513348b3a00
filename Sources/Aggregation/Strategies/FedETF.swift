import Base
import Client
import Tensor

/// FedETF: all clients learn features for one fixed equiangular classifier.
///
/// Li et al., ICCV 2023, arXiv:2303.10058.
///
/// | paper | here |
/// |---|---|
/// | V_ETF, fixed classifier | `etf.weight`, a row per class; the server's never moves |
/// | g, projection layer | `proj` |
/// | β, learnable temperature | `etf.scale` |
/// | balanced feature loss | the scenario's `loss`, balanced softmax by default |
/// | personalisation of V and g | `personalModel` |
package struct FedETF: BasedStrategy {
  package enum FrameTraffic: String, CaseIterable, Sendable { case seed, dense }

  package struct Fields: StrategyFields {
    let projectionWidth = Hyperparameter(
      "projectionWidth", "p", in: 0...65_536, default: 0,
      "width of the projection, at least the number of classes; 0 for just that number")
    let initialScale = Hyperparameter(
      "initialScale", "β₀", above: 0, to: 1e4, default: 1, "β before the first round")
    let frameTraffic = Hyperparameter(
      "frameTraffic", default: FrameTraffic.seed, "how V is sent: as 8 bytes, or as C·p floats")
    let alternations = Hyperparameter(
      "alternations", "a", in: 0...10_000, default: 20,
      "turns of personalisation; 0 measures the generic model at every client")
    let frameEpochs = Hyperparameter(
      "frameEpochs", "e_V", above: 0, to: 1000, default: 3, "epochs on V_k in each turn")
    let frameRate = Hyperparameter(
      "frameRate", "η_V", above: 0, to: 1e3, default: 0.1, "learning rate of V_k")
    let projectionEpochs = Hyperparameter(
      "projectionEpochs", "e_g", above: 0, to: 1000, default: 3, "epochs on proj_k in each turn")
    let projectionRate = Hyperparameter(
      "projectionRate", "η_g", above: 0, to: 1e3, default: 0.05, "learning rate of proj_k")
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedetf", title: "FedETF",
    summary: "Features are normalised and compared with a fixed equiangular frame of the classes.",
    source: "Li et al., ICCV 2023, arXiv:2303.10058, equations 3 to 8",
    equations: [
      "f = proj(φ(x));   z = β·V·f/‖f‖,   V [C × p] a simplex equiangular frame, fixed",
      "client:  φ, proj, β by the gradient of L_balanced(z, y);  averaged as in FedAvg",
      "personal model, from the average:  a times:  e_V epochs on V_k, then e_g epochs on proj_k, "
        + "with CE(z, y), all else frozen",
    ],
    messages: [
      "once, down: V as a seed, or its values (frameTraffic)", "down: model (all tensors but V)",
      "up: model difference (all tensors but V)",
    ], memory: "none; personal models are made for evaluations only",
    notes: [
      "The projection is to p = C numbers unless projectionWidth says otherwise, as in the "
        + "published code; the frame is then C × C.",
      "A projection adds no dimensions: with fewer than C − 1 features the classes cannot all "
        + "reach their directions, and a warning says so.",
      "β is one number of the model, starts at 1 and is averaged with the rest.",
      "The projection has a bias; it starts by PyTorch's rule.",
      "A private group \"head\" keeps β at the client; the projection belongs to the body.",
      "V_k is not brought back to unit rows while it is tuned.",
    ],
    deviations: [
      "Personal models are tuned on features of the client's images without augmentation, "
        + "computed once in evaluation mode: the body is frozen, and passes over it are saved."
    ], composes: [.loss, .serverOptimizer, .groups], defaultLoss: "balanced-softmax",
    fields: Fields.all)

  private static let frame = "etf.weight"
  private static let scale = "etf.scale"
  private static let projection = "proj.weight"

  // MARK: - The network

  package static func adapt(_ settings: Settings, _ base: BaseModel) throws(ModelError)
    -> AdaptedNetwork?
  {
    var spec = base.spec
    let width = settings.projectionWidth
    spec.classifier = .frame(width: width == 0 ? base.classes : width)
    let network = try Network(spec, input: base.input, classes: base.classes)
    let beta = Float(settings.initialScale)
    return AdaptedNetwork(network) { source, initial, seed in
      initialParameters(network, from: source, initial, beta: beta, seed: seed)
    }
  }

  /// The body's parameters as the scenario's network has them, a new projection, V and β.
  private static func initialParameters(
    _ network: Network, from source: Network, _ initial: [Float], beta: Float, seed: UInt64
  ) -> [Float] {
    var vector = network.layout.initialParameters(.pytorch, seed: seed)
    for entry in source.layout.entries where entry.layer != source.classifier {
      guard let place = network.layout[entry.name], place.shape == entry.shape else { continue }
      vector.replaceSubrange(place.range, with: initial[entry.range])
    }
    guard let rows = network.layout[frame], let scale = network.layout[scale] else { return vector }
    var stream = RandomStream(seed: seed, .strategy, step: 0x455446)  // "ETF"
    let values = EquiangularFrame(classes: rows.shape[0], width: rows.shape[1], stream: &stream)
    vector.replaceSubrange(rows.range, with: values.values)
    vector[scale.range.lowerBound] = beta
    return vector
  }

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? {
    guard let rows = network.layout[frame] else { return ("fedetf needs its own classifier", "") }
    return EquiangularFrame.impossibility(width: rows.shape[1], classes: rows.shape[0]).map {
      ($0, "set projectionWidth to \(rows.shape[0]) or more, or leave it out")
    }
  }

  package static func cautions(_ settings: Settings, on network: Network) -> [(
    warning: String, hint: String
  )] {
    let (width, classes) = (network.featureWidth, network.classes)
    guard width < classes - 1 else { return [] }
    return [
      (
        "\(width) features span too little for \(classes) equiangular directions; a projection "
          + "adds none", FeatureWidth.advice(atLeast: classes - 1)
      )
    ]
  }

  // MARK: - Training

  package let base: FedAvg
  package let settings: Settings
  package let seed: UInt64
  /// V, [C × p].
  let frameValues: [Float]
  let phase: LocalPhase
  /// `proj` and `etf` alone, on given features.
  package let tail: Network
  /// Ranges of the tail in the whole model, in the tail's order.
  let tailRanges: [Range<Int>]

  package init(_ settings: Settings, _ problem: LearningProblem) {
    guard let rows = problem.layout[Self.frame] else {
      preconditionFailure("FedETF: a network that `adapt` has not made")
    }
    self.settings = settings
    seed = problem.seed
    base = FedAvg(ModelExchange(problem) { $0.name != Self.frame })
    frameValues = Array(problem.initial[rows.range])
    let moved = ParameterSelection(problem.layout) { $0.role.isTrained && $0.name != Self.frame }
    phase = LocalPhase(problem.settings.work, ranges: moved.ranges)
    var builder = NetworkBuilder(input: FeatureShape(features: problem.network.featureWidth))
    let logits = builder.framed(builder.input, rows.shape[0], width: rows.shape[1])
    tail = builder.build(logits: logits)
    tailRanges = tail.layout.entries.compactMap { problem.layout[$0.name]?.range }
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func broadcast(_ server: ServerState) -> Payload {
    var payload = Payload.empty
    if settings.frameTraffic == .seed {
      let bytes = (0..<8).map { Float(UInt8(truncatingIfNeeded: seed >> (8 * $0))) }
      payload.append("frame", [NamedShape("frame.seed", [8], .uint8)], values: bytes)
    } else {
      let shape = [tail.classes, frameValues.count / tail.classes]
      payload.append("frame", [NamedShape(Self.frame, shape)], values: frameValues)
    }
    return payload
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(base.exchange.model(received, memory))
    var rule = PlainRule(device.loss)
    let report = try device.train(phase, &rule)
    base.exchange.remember(device, &memory)
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  // MARK: - Personal models

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    var model = base.exchange.model(server, memory)
    let turns = settings.alternations
    guard turns > 0, !device.examples.isEmpty else { return model }
    device.workspace.load(model)
    let (workspace, loader) = features(of: device)
    workspace.load(tailRanges.flatMap { model[$0] })
    var rule = PlainRule(SoftmaxCrossEntropy())
    var frame = tuning(device, workspace, loader, rate: settings.frameRate, phase: .evaluation)
    var projection = tuning(
      device, workspace, loader, rate: settings.projectionRate, phase: .projection)
    let frameRanges = ParameterSelection(tail.layout) { $0.name == Self.frame }.ranges
    let projectionRanges = ParameterSelection(tail.layout) { $0.layer == "proj" }.ranges
    for _ in 0..<turns {
      _ = try frame.train(LocalPhase(.epochs(settings.frameEpochs), ranges: frameRanges), &rule)
      _ = try projection.train(
        LocalPhase(.epochs(settings.projectionEpochs), ranges: projectionRanges), &rule)
    }
    let tuned = workspace.currentParameters
    var start = 0
    for range in tailRanges {
      model.replaceSubrange(range, with: tuned[start..<start + range.count])
      start += range.count
    }
    return model
  }

  /// The client's examples as what the projection reads, with memory to train on them.
  private func features(of device: Device) -> (Workspace, BatchLoader) {
    let width = tail.input.channels
    let images = ImageSet(
      shape: tail.input, pixels: .floats(device.features(of: device.examples)),
      labels: device.examples.map { device.loader.images.labels[$0] }, classes: tail.classes)
    let workspace = Workspace(
      tail, capacity: min(device.settings.batch, device.examples.count), training: true,
      moments: Optimizer.momentCount(device.settings.optimizer))
    return (workspace, BatchLoader(images, PixelTransform(channels: width)))
  }

  /// The client at work on features, with a constant learning rate of its own.
  private func tuning(
    _ device: Device, _ workspace: Workspace, _ loader: BatchLoader, rate: Double,
    phase: StreamAddress.Phase
  ) -> Device {
    var local = device.settings
    local.optimizer.learningRate = rate
    local.schedule = LearningRateSchedule()
    local.augmentation = AugmentationPlan()
    return Device(
      client: device.client, round: device.round, rounds: device.rounds, seed: device.seed,
      examples: Array(device.examples.indices), network: tail, workspace: workspace, loader: loader,
      settings: local, phase: phase)
  }
}

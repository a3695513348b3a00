import Base
import Client
import Tensor

/// FedRoD with a linear private head.
///
/// Chen and Chao, ICLR 2022, arXiv:2107.00778, algorithm 1.
///
/// | paper | here |
/// |---|---|
/// | θ, ψ: feature extractor and generic head | `server.model`: FedAvg under the composed loss |
/// | φ_m, personalised head | `memory["head"]` |
/// | ĝ: balanced empirical risk | the scenario's `loss`, balanced softmax by default |
/// | stop-gradient | `StoppedHeads` with `addsNetworkLogits` |
package struct FedRoD: BasedStrategy {
  package enum PrivateStart: String, CaseIterable, Sendable { case shared, zero, own }

  package struct Fields: StrategyFields {
    let privateStart = Hyperparameter(
      "privateStart", default: PrivateStart.shared,
      "P_k starts as G does, at zero, or from a draw of its own", inferred: true)
    package init() {}
  }

  package static let info = MethodInfo(
    kind: "fedrod", title: "FedRoD",
    summary: "A generic head under a class-balanced loss, and a private head for what it lacks.",
    source: "Chen and Chao, ICLR 2022, arXiv:2107.00778, equations 6 to 8",
    equations: [
      "client, each batch, f = f_θ(x):  θ and G by the gradient of L_balanced(G(f), y);"
        + "  P_k by that of CE(sg(G(f)) + P_k(sg(f)), y)",
      "θ, G averaged as in FedAvg;  P_k stays at client k",
      "generic: G(f);   personal: G(f) + P_k(f)",
    ], messages: ["down: model (all tensors)", "up: model difference (all tensors)"],
    memory: "client: P_k",
    notes: [
      "loss is that of the generic head, balanced softmax with the client's own counts unless "
        + "given; the private head always has plain cross-entropy.",
      "With the loss cross-entropy the generic model is FedAvg's, bit for bit.",
      "serverOptimizer, private groups and postHoc change the generic part as they change FedAvg; "
        + "with private groups there is no generic model.",
    ],
    deviations: [
      "The variant that makes P_k by a hyper-network from the client's class counts is left out."
    ], composes: .all, defaultLoss: "balanced-softmax", fields: Fields.all)

  package static func objection(_ settings: Settings, to network: Network) -> (
    problem: String, hint: String
  )? { ClassifierPlace.objection(info.kind, to: network) }

  private static let head = "head"

  package let base: FedAvg
  package let place: ClassifierPlace
  let start: PrivateStart
  /// G₀.
  let firstHead: [Float]
  package let seed: UInt64

  package init(_ settings: Settings, _ problem: LearningProblem) {
    let place = ClassifierPlace(required: problem.network)
    base = FedAvg(problem)
    self.place = place
    start = settings.privateStart
    firstHead = place.head(of: problem.initial)
    seed = problem.seed
  }

  package var models: ModelKinds { base.models.union(.personal) }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(base.exchange.model(received, memory))
    var rule = StoppedHeads(
      loss: device.loss, headLoss: SoftmaxCrossEntropy(),
      heads: [
        LinearHead(
          classes: place.classes, width: place.width,
          values: privateHead(of: device.client, memory), optimizer: device.settings.optimizer)
      ], addsNetworkLogits: true)
    let report = try device.train(&rule)
    base.exchange.remember(device, &memory)
    memory[Self.head] = rule.heads[0].values
    return ClientUpdate(base.exchange.difference(device, from: received), report)
  }

  /// P_k as the client has it.
  private func privateHead(of client: Int, _ memory: ClientMemory) -> [Float] {
    if let head = memory[Self.head] { return head }
    switch start {
    case .zero: return [Float](repeating: 0, count: place.count)
    case .own:
      var stream = RandomStream(seed: seed, .strategy, client: client, step: 0x526F44)  // "RoD"
      return place.fresh(&stream)
    case .shared: return firstHead
    }
  }

  /// G + P_k on one set of features is one linear head.
  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  {
    var model = base.exchange.model(server, memory)
    var head = place.head(of: model)
    VectorArithmetic.addScaled(&head, 1, privateHead(of: device.client, memory))
    place.put(head, into: &model)
    return model
  }
}

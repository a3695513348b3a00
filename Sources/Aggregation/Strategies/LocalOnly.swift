import Client
import Tensor

/// Local training alone: the reference that every personalised method has to beat.
public struct LocalOnly: Strategy {
  public static let card = StrategyCard(
    kind: "local-only", title: "Local only",
    summary: "Each client trains its own model on its own examples and never sends anything.",
    source: "folklore; the reference of every paper on personalisation",
    equations: ["whenever client k is sampled:  w_k ← E epochs of SGD on F_k from w_k"],
    messages: ["none"],
    memory: "client: w_k; all start from the same initial model",
    notes: [
      "A client trains in the rounds whose cohort it is in, with the same batches as under the "
        + "federated methods, so that the budget of local steps is equal client by client."
    ])

  public static let models: ModelKinds = .personal

  private static let own = "model"

  let initial: [Float]

  public init(_ settings: StrategySettings, _ problem: LearningProblem) {
    initial = problem.initial
  }

  public func download(_ server: ServerState, to client: Int) -> Payload { .empty }

  public func train(
    _ device: inout Device, received: Payload, memory: inout ClientMemory
  ) throws(Divergence) -> ClientUpdate {
    device.workspace.load(memory[Self.own, default: initial])
    var rule = PlainRule()
    let report = try device.train(&rule)
    memory[Self.own] = device.workspace.currentParameters
    return ClientUpdate(.empty, report)
  }

  public func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {}

  public func personalModel(
    _ device: inout Device, _ server: ServerState, _ memory: ClientMemory
  ) throws(Divergence) -> [Float]? {
    memory[Self.own, default: initial]
  }
}

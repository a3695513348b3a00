import Client
import Tensor

/// Local training alone: the reference that every personalised method has to beat.
package struct LocalOnly: Strategy {
  package typealias Fields = NoFields

  package static let info = MethodInfo(
    kind: "local-only", title: "Local only",
    summary: "Each client trains its own model on its own examples and never sends anything.",
    source: "folklore; the reference of every paper on personalisation",
    equations: ["whenever client k is sampled:  w_k ← E epochs of SGD on F_k from w_k"],
    messages: ["none"], memory: "client: w_k; all start from the same initial model",
    notes: [
      "A client trains in the rounds whose cohort it is in, with the same batches as under the "
        + "federated methods, so that the budget of local steps is equal client by client."
    ], composes: .loss)
  package static let disclosures: [Disclosure] = []
  package static let sendsUploads = false

  package var models: ModelKinds { .personal }

  private static let own = "model"

  package static let needs: MethodNeeds = .anyModels
  package static let ignores = [IgnoredField("federation.weighting", "nothing is averaged")]

  package let problem: LearningProblem

  package init(_ settings: Settings, _ problem: LearningProblem) { self.problem = problem }

  package func download(_ server: ServerState, to client: Int) -> Payload { .empty }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(memory[Self.own, default: problem.initial(of: device.client)])
    var rule = PlainRule(device.loss)
    let report = try device.train(&rule)
    memory[Self.own] = device.workspace.currentParameters
    return ClientUpdate(.empty, report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {}

  package func personalModel(_ device: inout Device, _ server: ServerState, _ memory: ClientMemory)
    throws(Divergence) -> [Float]?
  { memory[Self.own, default: problem.initial(of: device.client)] }
}

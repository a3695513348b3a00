import Client
import Tensor

/// Centralised training on the union of all clients' examples: what federation costs.
package struct Centralised: Strategy {
  package typealias Fields = NoFields

  package static let info = MethodInfo(
    kind: "centralised", title: "Centralised",
    summary: "SGD on the union of all clients' examples, with as many steps as the cohort takes.",
    source: "folklore; the upper reference of most papers",
    equations: ["in each round:  Σ_{k∈S} τ_k steps of w ← w − η·∇F(w; batch of the union)"],
    messages: ["none: the data are in one place"], memory: "none",
    notes: [
      "The optimizer starts anew in every round, as a client's does.",
      "On a long-tailed union this is no upper bound for the accuracy of rare classes.",
    ], composes: [.loss, .postHoc])
  package static let disclosures: [Disclosure] = []
  package static let sendsUploads = false

  package static let population: Population = .pooled

  private static let block = "centralised"

  let everything: ParameterSelection

  package init(_ settings: Settings, _ problem: LearningProblem) {
    everything = ParameterSelection(all: problem.layout)
  }

  /// Data and model are in one place: nothing travels, and these bytes are not counted.
  package func download(_ server: ServerState, to client: Int) -> Payload {
    Payload(Self.block, everything, of: server.model)
  }

  package func train(_ device: inout Device, received: Payload, memory: inout ClientMemory)
    throws(Divergence) -> ClientUpdate
  {
    device.workspace.load(received[Self.block])
    var rule = PlainRule(device.loss)
    let report = try device.train(&rule)
    return ClientUpdate(
      Payload(Self.block, everything, of: device.workspace.currentParameters), report)
  }

  package func step(_ server: inout ServerState, _ uploads: WeightedMean, _ round: RoundFacts) {
    if let model = uploads[Self.block] { server.model = model }
  }
}

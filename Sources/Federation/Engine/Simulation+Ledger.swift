import Aggregation
import Client
import Records
import Tensor

/// What a round's messages cost and what became of them.
extension Simulation {
  /// What a client did and sent, in the ledger and in its memory.
  ///
  /// `vanished`: it sends nothing, and is what it was.
  package func take(
    _ trained: TrainedClient,
    of client: Int,
    _ vanished: Bool = false,
    in outcome: inout Outcome
  ) {
    count(down: CodedPayload(trained.received, trained.coded?.down), of: client, in: &outcome)
    if vanished { return }
    count(up: CodedPayload(trained.update.upload, trained.coded?.up), of: client, in: &outcome)
    if let coded = trained.coded { outcome.compression?.add(coded) }
    outcome.report.add(trained.update.report)
    if selectsClients {
      outcome.reports[client, default: LocalReport()].add(trained.update.report)
    }
    outcome.flops += trained.flops
    outcome.clientFLOPs.append(trained.flops)
    outcome.trainSeconds += trained.seconds
    note(trained, in: &outcome)
    memories[client] = trained.memory.isEmpty ? nil : trained.memory
  }

  /// What a client remembers of a message that did not arrive, or came too late to be used.
  func forget(_ unheard: [String: [Float]], of client: Int) {
    for (name, values) in unheard { memories[client]?[name] = values }
  }

  /// What privacy has to know of a client's part.
  ///
  /// What a client once told stays told: blocks that the method does not declare are kept.
  func note(_ trained: TrainedClient, in outcome: inout Outcome) {
    guard let privacy = arena.privacy else { return }
    if let statistics = trained.statistics { outcome.privacy.training.add(statistics) }
    if let sent = trained.sent { outcome.privacy.norms.append(sent.norm) }
    guard Method.population == .cohort else { return }
    let blocks = (trained.template ?? trained.update.upload).blocks
    for block in blocks where !privacy.declares(block) { undeclared.insert(block.name) }
  }

  /// What every client is told once: the method's broadcast, and the pooled class counts when the
  /// loss needs them.
  func countBroadcast(in outcome: inout Outcome) {
    guard Method.population == .cohort else { return }
    var down = method.broadcast(server)
    var up = Payload.empty
    if arena.problem.settings.loss.needsPooledCounts {
      let counts = [NamedShape("class_counts", [arena.network.classes], .int32)]
      let zeros = [Float](repeating: 0, count: arena.network.classes)  // only sizes are counted
      up.append("class-counts", counts, values: zeros)
      down.append("class-counts", counts, values: zeros)
    }
    for client in 0..<arena.problem.clients {
      outcome.bytes.setup += outcome.broadcast.add(up, .up, client: client)
      outcome.bytes.setup += outcome.broadcast.add(down, .down, client: client)
    }
  }

  /// Every tensor of a download; data that never leave their place cost nothing.
  package func count(down message: CodedPayload, of client: Int, in outcome: inout Outcome) {
    guard Method.population == .cohort else { return }
    outcome.bytes.down += outcome.messages.add(message, .down, client: client)
  }

  /// Every tensor of an upload.
  package func count(up message: CodedPayload, of client: Int, in outcome: inout Outcome) {
    guard Method.population == .cohort else { return }
    outcome.bytes.up += outcome.messages.add(message, .up, client: client)
  }
}

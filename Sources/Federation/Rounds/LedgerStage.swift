import Aggregation
import Client
import Data
import Records
import Scenario
import Tensor

/// Counts the bytes of a round's messages, tensor by tensor.
final class LedgerStage: MessageStage {
  /// Bytes of the round's uploads and downloads.
  private(set) var bytes = RoundRecord.Bytes(up: 0, down: 0)
  /// What was sent in the round.
  private(set) var messages = MessageLedger()
  /// What was sent before the first round, once.
  private(set) var broadcast = MessageLedger()

  private let run: StageContext
  /// Data that never leave their place cost nothing.
  private var counts: Bool { run.method.population == .cohort }

  init(_ run: StageContext) { self.run = run }

  func beginRound(_ round: Round) {
    bytes = RoundRecord.Bytes(up: 0, down: 0)
    messages = MessageLedger()
    broadcast = MessageLedger()
    if round.number == 1, counts { countBroadcast() }
  }

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    if exchange.number == 0 {
      messages.reserve(clients: exchange.jobs.list.count * run.method.exchanges)
    }
    return nil
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    let message = arrival.message
    count(down: message.received, message.down, of: arrival.job.client)
    if arrival.fate == .dropped { return }
    count(up: message.update.upload, message.up, of: arrival.job.client)
  }

  func describe(_ parts: inout RoundParts) {
    parts.record.bytes.setup = bytes.setup
    parts.record.bytes.up = bytes.up
    parts.record.bytes.down = bytes.down
    parts.messages = messages
    parts.broadcast = broadcast
  }

  /// Every tensor of a download.
  func count(down payload: Payload, _ coded: CodedMessage?, of client: Int) {
    if counts { bytes.down += add(payload, coded, .down, client) }
  }

  /// Every tensor of an upload.
  func count(up payload: Payload, _ coded: CodedMessage?, of client: Int) {
    if counts { bytes.up += add(payload, coded, .up, client) }
  }

  private func add(
    _ payload: Payload, _ coded: CodedMessage?, _ direction: MessageRow.Direction, _ client: Int
  ) -> Int {
    if let coded { return messages.add(coded, direction, client: client) }
    return messages.add(payload, direction, client: client)
  }

  /// What every client is sent once: the method's broadcast, and the pooled class counts when the
  /// loss needs them.
  private func countBroadcast() {
    var down = run.method.broadcast(run.state.server)
    var up = Payload.empty
    if run.context.problem.settings.loss.needsPooledCounts {
      let counts = [NamedShape("class_counts", [run.context.network.classes], .int32)]
      // Only sizes are counted.
      let zeros = [Float](repeating: 0, count: run.context.network.classes)
      up.append("class-counts", counts, values: zeros)
      down.append("class-counts", counts, values: zeros)
    }
    if run.context.scenario.data.features?.standardisation != nil {
      let channels = run.context.train.images.shape.channels
      let sums = [NamedShape("means", [channels]), NamedShape("squares", [channels])]
      let zeros = [Float](repeating: 0, count: 2 * channels)
      up.append("feature-statistics", sums, values: zeros)
      down.append("feature-statistics", sums, values: zeros)
    }
    for client in 0..<run.context.problem.clients {
      bytes.setup += broadcast.add(up, .up, client: client)
      bytes.setup += broadcast.add(down, .down, client: client)
    }
  }
}

import Aggregation
import Base
import Tensor

/// The clock in a checkpoint: the time, and of asynchronous methods who is at work on what.
///
/// Clients at work are trained again after a resume: from what they were sent and what they
/// remember, with the same random numbers, which gives the same bits.
extension Simulation {
  private static var timeName: String { "time" }
  private static var countersName: String { "counters" }
  private static var flightsName: String { "flights" }
  private static var bufferName: String { "buffer" }

  private static var undeclaredPrefix: String { "undeclared/" }

  /// All that the next rounds depend on besides the server's and the clients' state; mostly empty
  /// without a clock.
  var clockState: StateTensors {
    var state = StateTensors()
    for name in undeclared { state[Self.undeclaredPrefix + name] = [1] }
    guard clock != nil else { return state }
    state[Self.timeName] = ExactNumbers.floats([now.bitPattern])
    guard method.schedule != .synchronous else { return state }
    let (version, starts) = (asynchrony.version, asynchrony.starts)
    state[Self.countersName] = ExactNumbers.floats([UInt64(version), UInt64(starts)])
    // Clients of one version mostly got one and the same message.
    var messages: [(version: Int, payload: Payload)] = []
    var rows: [UInt64] = []
    for flight in asynchrony.inOrder {
      let known = messages.firstIndex {
        $0.version == flight.version && $0.payload == flight.received
      }
      if known == nil { messages.append((flight.version, flight.received)) }
      rows += [
        UInt64(flight.client), flight.start.bitPattern, UInt64(flight.version),
        UInt64(flight.round), UInt64(flight.repetition), UInt64(flight.sequence),
        flight.result == nil ? 0 : 1, UInt64(known ?? messages.count - 1),
        UInt64(flight.downBytes),
      ]
    }
    state[Self.flightsName] = ExactNumbers.floats(rows)
    for (index, message) in messages.enumerated() {
      for block in message.payload.blocks {
        state["message/\(index)/\(block.name)"] = block.values
      }
    }
    var uploads: [UInt64] = []
    for (index, upload) in asynchrony.buffer.enumerated() {
      uploads += [UInt64(upload.client), upload.weight.bitPattern]
      for block in upload.payload.blocks { state["upload/\(index)/\(block.name)"] = block.values }
    }
    state[Self.bufferName] = ExactNumbers.floats(uploads)
    return state
  }

  /// Goes back to what `clockState` was.
  ///
  /// Trains who had been trained then, so that the queue is what it was.
  func restoreClock(_ state: StateTensors) {
    undeclared = Set(
      state.names.filter { $0.hasPrefix(Self.undeclaredPrefix) }
        .map { String($0.dropFirst(Self.undeclaredPrefix.count)) }
    )
    func numbers(_ name: String) -> [UInt64] {
      state[name].flatMap(ExactNumbers.numbers) ?? []
    }
    guard let clock, let time = numbers(Self.timeName).first else { return }
    now = Double(bitPattern: time)
    asynchrony = Asynchrony()
    let counters = numbers(Self.countersName)
    guard counters.count == 2 else { return }
    asynchrony.version = Int(clamping: counters[0])
    asynchrony.starts = Int(clamping: counters[1])
    let rows = numbers(Self.flightsName)
    var trained: [Flight] = []
    for start in stride(from: 0, to: rows.count - rows.count % 9, by: 9) {
      let row = rows[start..<start + 9].map { $0 }
      let client = Int(clamping: row[0])
      guard client < arena.problem.clients else { continue }
      // Names and shapes are the method's; only values are in the file.
      let shape = method.download(server, to: client)
      let values = shape.blocks.map { state["message/\(row[7])/\($0.name)"] ?? $0.values }
      let flight = Flight(
        client: client,
        start: Double(bitPattern: row[1]),
        version: Int(clamping: row[2]),
        round: Int(clamping: row[3]),
        repetition: Int(clamping: row[4]),
        sequence: Int(clamping: row[5]),
        received: shape.replacing(values),
        downBytes: Int(clamping: row[8])
      )
      queueFirst(flight, clock)
      if row[6] == 1 { trained.append(flight) }
    }
    let uploads = numbers(Self.bufferName)
    for index in 0..<uploads.count / 2 {
      var payload = Payload.empty
      let prefix = "upload/\(index)/"
      for name in state.names where name.hasPrefix(prefix) {
        let values = state[name, default: []]
        let block = String(name.dropFirst(prefix.count))
        payload.append(block, [NamedShape(block, [values.count])], values: values)
      }
      asynchrony.buffer.append(
        WeightedUpload(
          payload,
          weight: Double(bitPattern: uploads[2 * index + 1]),
          client: Int(clamping: uploads[2 * index])
        )
      )
    }
    // It did not diverge when it was trained first, and cannot now.
    try? train(trained)
  }
}

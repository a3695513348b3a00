import Aggregation
import Base
import Records
import Tensor

/// One client at work, for a server that does not wait for it.
struct Flight: Sendable {
  package let client: Int
  /// When it was sent the model.
  package let start: Double
  /// Steps of the server before that.
  let version: Int
  /// The round in which it started: part of the address of its random numbers.
  package let round: Int
  /// How often it had been started in that round before: likewise.
  let repetition: Int
  /// Its place among all starts.
  let sequence: Int
  /// What it was sent.
  let received: Payload
  /// Bytes of that message.
  let downBytes: Int
  /// What it made of it; nil before it was trained.
  var result: ClientMessage?
}

/// Who is at work, and what the server has not used yet.
struct Asynchrony {
  /// What happens to a client next.
  enum Turn {
    /// At this time, at the latest, it must have been trained for the order to be known.
    case train
    /// Its message is there.
    case arrive
    /// Its message would have been there.
    case lose
    case vanish(PartTiming)
  }

  /// By the number of their start.
  var flights: [Int: Flight] = [:]
  /// What happens when; values are numbers of starts.
  var queue = EventQueue<(flight: Int, turn: Turn)>()
  /// Uploads of the buffer, in the order of arrival.
  var buffer: [WeightedUpload] = []
  /// Steps that the server has made.
  var version = 0
  /// Clients started so far.
  var starts = 0
  /// Clients that are at work.
  var busy: Set<Int> = []
  /// How often the server has looked for clients in this round.
  var fills = 0
  /// How often each client has been started in this round.
  var repetitions: [Int: Int] = [:]

  /// Flights in the order of their start.
  var inOrder: [Flight] { flights.keys.sorted().compactMap { flights[$0] } }

  /// Before the first start of a round.
  mutating func beginRound() {
    fills = 0
    repetitions = [:]
  }
}

// MARK: - Checkpoints

extension Asynchrony {
  private static let countersName = "counters"
  private static let flightsName = "flights"
  private static let bufferName = "buffer"

  /// Who is at work on what, for a checkpoint; what clients at work have computed is not in it, for
  /// it can be computed again.
  var tensors: StateTensors {
    var state = StateTensors()
    state[Self.countersName] = ExactNumbers.floats([UInt64(version), UInt64(starts)])
    // Clients of one version mostly got one and the same message.
    var messages: [(version: Int, payload: Payload)] = []
    var rows: [UInt64] = []
    for flight in inOrder {
      let known = messages.firstIndex {
        $0.version == flight.version && $0.payload == flight.received
      }
      if known == nil { messages.append((flight.version, flight.received)) }
      rows += [
        UInt64(flight.client), flight.start.bitPattern, UInt64(flight.version),
        UInt64(flight.round), UInt64(flight.repetition), UInt64(flight.sequence),
        flight.result == nil ? 0 : 1, UInt64(known ?? messages.count - 1), UInt64(flight.downBytes),
      ]
    }
    state[Self.flightsName] = ExactNumbers.floats(rows)
    for (index, message) in messages.enumerated() {
      for block in message.payload.blocks { state["message/\(index)/\(block.name)"] = block.values }
    }
    var uploads: [UInt64] = []
    for (index, upload) in buffer.enumerated() {
      uploads += [UInt64(upload.client), upload.weight.bitPattern]
      for block in upload.payload.blocks { state["upload/\(index)/\(block.name)"] = block.values }
    }
    state[Self.bufferName] = ExactNumbers.floats(uploads)
    return state
  }

  /// What a checkpoint says of a server that does not wait.
  struct Saved {
    let version: Int
    let starts: Int
    /// All that were at work, in the order of their start; none is trained.
    private(set) var flights: [Flight] = []
    /// Those of them that had been trained.
    private(set) var trained: [Flight] = []
    private(set) var buffer: [WeightedUpload] = []

    /// `shape`: a message as the method sends it to a client; nil for clients that there are none.
    ///
    /// - Returns: nil when the checkpoint says nothing.
    init?(_ state: StateTensors, shape: (Int) -> Payload?) {
      func numbers(_ name: String) -> [UInt64] { state[name].flatMap(ExactNumbers.numbers) ?? [] }
      let counters = numbers(Asynchrony.countersName)
      guard counters.count == 2 else { return nil }
      version = Int(clamping: counters[0])
      starts = Int(clamping: counters[1])
      let rows = numbers(Asynchrony.flightsName)
      for start in stride(from: 0, to: rows.count - rows.count % 9, by: 9) {
        let row = Array(rows[start..<start + 9])
        guard let flight = Self.flight(row, state, shape) else { continue }
        flights.append(flight)
        if row[6] == 1 { trained.append(flight) }
      }
      let uploads = numbers(Asynchrony.bufferName)
      for index in 0..<uploads.count / 2 {
        buffer.append(
          WeightedUpload(
            Self.upload(index, state), weight: Double(bitPattern: uploads[2 * index + 1]),
            client: Int(clamping: uploads[2 * index])))
      }
    }

    private static func flight(_ row: [UInt64], _ state: StateTensors, _ shape: (Int) -> Payload?)
      -> Flight?
    {
      let client = Int(clamping: row[0])
      guard let shape = shape(client) else { return nil }
      let values = shape.blocks.map { state["message/\(row[7])/\($0.name)"] ?? $0.values }
      return Flight(
        client: client, start: Double(bitPattern: row[1]), version: Int(clamping: row[2]),
        round: Int(clamping: row[3]), repetition: Int(clamping: row[4]),
        sequence: Int(clamping: row[5]), received: shape.replacing(values),
        downBytes: Int(clamping: row[8]))
    }

    private static func upload(_ index: Int, _ state: StateTensors) -> Payload {
      var payload = Payload.empty
      let prefix = "upload/\(index)/"
      for name in state.names where name.hasPrefix(prefix) {
        let values = state[name, default: []]
        let block = String(name.dropFirst(prefix.count))
        payload.append(block, [NamedShape(block, [values.count])], values: values)
      }
      return payload
    }
  }
}

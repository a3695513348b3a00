import Aggregation
import Records

/// One client at work, for a server that does not wait for it.
package struct Flight {
  /// The client.
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
  package var result: TrainedClient?
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
    /// It vanishes.
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
  var inOrder: [Flight] {
    flights.keys.sorted().compactMap { flights[$0] }
  }

  /// Before the first start of a round.
  mutating func beginRound() {
    fills = 0
    repetitions = [:]
  }
}

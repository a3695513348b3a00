import Base
import Data

/// A line of `events.jsonl`: something that happened in virtual time.
package struct ClockEvent: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// A client was sent something and starts to work.
    case start
    /// Its message is at the server.
    case arrive
    /// Its message came, or would come, when the round was over.
    case late
    /// It vanished.
    case drop
    /// Its message would have arrived here.
    case lost
    /// The server made its step.
    case step
  }

  package var round: Int
  package var time: Double
  package var kind: Kind
  /// To whom; nil for the server.
  package var client: Int?
  /// Steps of the server between the model that a client got and now; nil in synchronous rounds.
  package var staleness: Int?

  package init(round: Int, time: Double, _ kind: Kind, client: Int? = nil, staleness: Int? = nil) {
    self.round = round
    self.time = time
    self.kind = kind
    self.client = client
    self.staleness = staleness
  }

  /// The line without its newline.
  package var line: String {
    Self.keys.json(self).compact
  }

  package static let keys = Keys<Self>([
    Key("round", .integer, "The round, from 1.") { $0.round },
    Key("time", .number, unit: "s", "Virtual time since the first round began.") { $0.time },
    Key(
      "kind", .text,
      "start: a client was sent something; arrive: its message came; late: it came after the "
        + "round; drop: it vanished; lost: its message would have come; step: the server's step."
    ) { $0.kind.rawValue }, Key("client", .integer, "The client.", absent: "step") { $0.client },
    Key(
      "staleness", .integer,
      "Steps of the server since the model that the client got.", absent: "rounds are synchronous"
    ) { $0.staleness },
  ])
}

/// What the clock saw in a round.
package struct ClockOutcome: Sendable {
  /// Clients whose messages the server took in; twice those that asynchronously came twice.
  package var completed: [Int] = []
  /// Clients that vanished, whose messages came too late, or were lost on the way.
  package var dropped: [Int] = []
  package var late: [Int] = []
  package var lost: [Int] = []
  /// When the round ended.
  package var end = 0.0
  /// What happened, in the order noted.
  package var events: [ClockEvent] = []
  /// Seconds that devices computed, sent and received, and were at work at all.
  package var computing = 0.0
  package var sending = 0.0
  package var receiving = 0.0
  package var working = 0.0

  /// A round that begins at a time.
  package init(start: Double) { end = start }

  package mutating func add(_ timing: PartTiming) {
    computing += timing.compute
    sending += timing.sending
    receiving += timing.receiving
    working += timing.total
  }

  /// The events by time; those of one time in the order noted.
  package var timeline: [ClockEvent] {
    events.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
      \.element)
  }
}

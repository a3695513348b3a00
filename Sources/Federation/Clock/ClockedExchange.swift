import Aggregation
import Data
import Records
import Scenario

/// One exchange of a synchronous round on the clock: who arrives when, and who is taken.
struct ClockedExchange {
  /// A message whose turn has not come yet.
  private struct Waiting {
    let job: Int
    let client: Int
    let arrival: Double
  }

  let clock: VirtualClock
  package let round: Int
  /// When the exchange begins.
  package let start: Double
  /// When the exchange ends at the latest.
  let limit: Double?
  /// Messages that end the exchange when they have arrived.
  let target: Int
  /// Clients whose upload is lost.
  private let losing: Set<Int>
  private var latest: Double
  private var waiting: [Waiting] = []
  /// What is reported of the round.
  private(set) var outcome: ClockOutcome
  /// Messages taken in so far.
  private(set) var taken = 0

  /// An exchange of some clients, none of which has started.
  ///
  /// `target`: arrivals that are awaited, at most as many as there are clients.
  ///
  init(
    _ clock: VirtualClock, round: Int, exchange: Int, clients: [Int], target: Int,
    _ outcome: ClockOutcome
  ) {
    self.clock = clock
    self.round = round
    start = outcome.end
    limit = clock.settings.deadline.map { $0 + outcome.end }
    self.target = target
    losing = Set(clients.filter { clock.loses($0, round: round, number: exchange) })
    latest = outcome.end
    self.outcome = outcome
  }

  /// Whether a client's upload will be lost.
  func loses(_ client: Int) -> Bool { losing.contains(client) }

  /// A client that was known to vanish: it received, and computed a share of what it was to.
  mutating func vanish(_ client: Int, _ timing: PartTiming, share: Double) {
    let partial = timing.cut(after: timing.receive + share * timing.compute)
    leave(client, partial)
  }

  private mutating func leave(_ client: Int, _ timing: PartTiming) {
    outcome.add(timing)
    outcome.dropped.append(client)
    event(start, .start, client)
    event(start + timing.total, .drop, client)
    latest = max(latest, start + timing.total)
  }

  /// A client that has trained; says what becomes of its message.
  mutating func note(_ client: Int, job: Int, _ timing: PartTiming) -> Fate {
    let arrival = start + timing.total
    let departure = clock.departure(of: client, after: start)
    guard arrival <= departure else {
      leave(client, timing.cut(after: departure - start))
      return .dropped
    }
    outcome.add(timing)
    event(start, .start, client)
    if loses(client) {
      event(arrival, .lost, client)
      outcome.lost.append(client)
      latest = max(latest, arrival)
      return .lost
    }
    guard clock.holdsResults else {
      take(client, arrival)
      return .taken
    }
    waiting.append(Waiting(job: job, client: client, arrival: arrival))
    return .held
  }

  private mutating func take(_ client: Int, _ arrival: Double) {
    event(arrival, .arrive, client)
    outcome.completed.append(client)
    taken += 1
    latest = max(latest, arrival)
  }

  /// Decides about the messages held: those of the first arrivals before the deadline, up to the
  /// target, in the order of the jobs, with shares that add up to 1.
  ///
  /// Equal times go by the order of the jobs.
  ///
  /// `held`: the uploads in question, as far as they have not gone another way.
  mutating func settle(_ held: [WeightedUpload]) -> [WeightedUpload] {
    guard !waiting.isEmpty else { return [] }
    let byClient = Dictionary(uniqueKeysWithValues: held.map { ($0.client, $0) })
    let order = waiting.indices.sorted {
      (waiting[$0].arrival, waiting[$0].job) < (waiting[$1].arrival, waiting[$1].job)
    }
    var isTaken = [Bool](repeating: false, count: waiting.count)
    for index in order.prefix(target) where waiting[index].arrival <= limit ?? .infinity {
      isTaken[index] = true
    }
    var total = 0.0
    var uploads: [WeightedUpload] = []
    for (index, one) in waiting.enumerated() {
      if isTaken[index] {
        take(one.client, one.arrival)
        total += byClient[one.client]?.weight ?? 0
        if let upload = byClient[one.client] { uploads.append(upload) }
      } else {
        event(one.arrival, .late, one.client)
        outcome.late.append(one.client)
      }
    }
    let isWhole = uploads.count == waiting.count
    waiting = []
    guard !isWhole else { return uploads }
    return uploads.map { WeightedUpload($0.payload, weight: $0.weight / total, client: $0.client) }
  }

  /// Ends the exchange and returns what is to be reported of the round so far.
  ///
  /// With all that was awaited there, at the last arrival; else at the deadline, or, without one,
  /// when the last that is missing has vanished or was lost.
  ///
  /// `steps`: whether the server makes a step.
  mutating func finish(steps: Bool) -> ClockOutcome {
    let misses = taken < target
    outcome.end = misses ? limit ?? latest : lastArrival
    if steps { event(outcome.end, .step, nil) }
    return outcome
  }

  /// The arrival of the last message that was taken in; the start when none was awaited.
  private var lastArrival: Double {
    outcome.events.reduce(start) { $1.kind == .arrive ? max($0, $1.time) : $0 }
  }

  private mutating func event(_ time: Double, _ kind: ClockEvent.Kind, _ client: Int?) {
    outcome.events.append(ClockEvent(round: round, time: time, kind, client: client))
  }
}

import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// A round on the virtual clock: who is there, how long parts take, who vanishes, whose message is
/// lost or late.
final class ClockStage: MessageStage {
  let clock: VirtualClock
  /// Virtual seconds since the first round began.
  var now = 0.0
  /// What the clock saw in this round.
  var outcome = ClockOutcome(start: 0)

  private var hasRound = false
  private let run: StageContext
  private let ledger: LedgerStage
  /// Whether another stage chooses the cohort, whoever is there.
  private let choosesByLosses: Bool
  private var exchange: ClockedExchange?
  /// Clients of the exchange that are known to vanish, with the share of their work before that.
  private var vanishing: [(job: RoundJobs.Job, share: Double)] = []

  /// The clock of a method: the scenario's; for asynchronous methods one with default devices where
  /// it has none; nil for the pooled site, which has neither devices nor links.
  init?(_ run: StageContext, _ ledger: LedgerStage) {
    if run.method.population == .pooled { return nil }
    if let clock = run.context.clock {
      self.clock = clock
    } else if run.method.schedule == .synchronous {
      return nil
    } else {
      clock = VirtualClock(seed: run.context.seed, clients: run.context.problem.clients)
    }
    choosesByLosses = SelectionStage.isUsed(run)
    self.run = run
    self.ledger = ledger
  }

  private static let timeName = "time"

  var progress: StateTensors {
    get {
      var tensors = StateTensors()
      tensors[Self.timeName] = ExactNumbers.floats([now.bitPattern])
      return tensors
    }
    set {
      let time = newValue[Self.timeName].flatMap(ExactNumbers.numbers)?.first
      if let time { now = Double(bitPattern: time) }
    }
  }

  func beginRound(_ round: Round) {
    outcome = ClockOutcome(start: now)
    hasRound = true
  }

  /// The clients of the round; with a trace and nobody there, the clock first goes on to when
  /// somebody comes.
  func choose(_ round: Round) throws(RoundFailure) {
    guard round.isSynchronous, !choosesByLosses else { return }
    func isThere(_ client: Int) -> Bool { clock.isAvailable(client, at: now, round: round.number) }
    while clock.hasTrace, !(0..<run.context.problem.clients).contains(where: isThere),
      let opening = clock.opening(after: now)
    { now = opening }
    outcome = ClockOutcome(start: now)
    round.cohort = run.context.sampler.cohort(
      round: round.number, overSelection: clock.settings.overSelection, where: isThere)
  }

  // MARK: - A synchronous exchange

  /// What of a round's jobs the exchange does, with shares among those whose uploads will arrive.
  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    guard exchange.round.isSynchronous else { return nil }
    var jobs = exchange.jobs
    var seen = outcome
    // Only those whose last message was taken in go on.
    var before = jobs.list.count
    if exchange.number > 0 {
      let there = Set(seen.completed)
      seen.completed = []
      jobs.keep { there.contains($0.client) }
      jobs.share(among: { _ in true }, outOf: before)
      before = jobs.list.count
    }
    let federation = run.context.scenario.federation
    let wanted =
      clock.settings.overSelection > 1
      ? max(1, Int(clamping: federation.expectedCohort.rounded())) : before
    let clocked = ClockedExchange(
      clock, round: run.state.round, exchange: exchange.number, clients: jobs.list.map(\.client),
      target: min(wanted, before), seen)
    vanishing = []
    for job in jobs.list where exchange.number == 0 {
      guard let share = clock.vanishes(job.client, round: run.state.round) else { continue }
      vanishing.append((job, share))
    }
    if !vanishing.isEmpty {
      let gone = Set(vanishing.map(\.job.client))
      jobs.keep { !gone.contains($0.client) }
    }
    jobs.share(among: { !clocked.loses($0) }, outOf: before)
    exchange.jobs = jobs
    exchange.losing = Set(jobs.list.map(\.client).filter(clocked.loses))
    self.exchange = clocked
    guard clock.settings.stragglers == .partial, let limit = clocked.limit else { return nil }
    return WorkThatFits(clock: clock, seconds: limit - clocked.start)
  }

  /// Clients known to vanish are noted and counted here: nobody trains for them.
  func begin(_ exchange: Exchange) throws(RoundFailure) {
    guard exchange.round.isSynchronous, !vanishing.isEmpty else { return }
    let task = ClientTask(
      context: run.context, method: run.method, server: run.state.server,
      stages: exchange.clientStages)
    for (job, share) in vanishing {
      let client = job.client
      let turn = ClientTurn(
        client: client, round: run.state.round, number: exchange.number, worker: 0)
      let received = try task.deliver(turn, run.state.clients[client] ?? ClientState())
      ledger.count(down: received.payload, received.message, of: client)
      let timing = clock.timing(
        of: client, down: received.byteCount, flops: plannedFLOPs(job, exchange.jobs.settings),
        up: 0)
      self.exchange?.vanish(client, timing, share: share)
    }
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    guard exchange.round.isSynchronous else { return }
    let timing = clock.timing(of: arrival.message, arrival.job.client)
    let fate = self.exchange?.note(arrival.job.client, job: arrival.place, timing)
    arrival.fate = fate ?? .taken
    arrival.seconds = timing.total
  }

  func settle(_ exchange: Exchange) throws(RoundFailure) -> [WeightedUpload] {
    guard var clocked = self.exchange else { return [] }
    let uploads = clocked.settle(exchange.held)
    exchange.arrived = clocked.taken
    exchange.late = clocked.outcome.late
    self.exchange = clocked
    return uploads
  }

  func endExchange(_ exchange: Exchange) {
    guard let done = self.exchange?.finish(steps: exchange.steps) else { return }
    outcome = done
    now = done.end
    self.exchange = nil
  }

  func describe(_ parts: inout RoundParts) {
    guard hasRound else { return }
    parts.record.note(outcome, clock.settings)
    parts.events = outcome.timeline
  }

  // MARK: - Times

  /// Floating-point operations of the scenario's local work on the whole network.
  func plannedFLOPs(_ job: RoundJobs.Job, _ settings: LocalSettings) -> Int {
    let (n, batch) = (job.examples.count, settings.batch)
    guard n > 0 else { return 0 }
    let steps = settings.work.steps(examples: n, batch: batch)
    let perEpoch = (n + batch - 1) / batch
    let last = min(n, (steps % perEpoch).multipliedClamped(by: batch))
    let seen = (steps / perEpoch).multipliedClamped(by: n).addingClamped(last)
    return seen.multipliedClamped(by: run.context.problem.network(of: job.client).trainingFLOPs)
  }
}

extension VirtualClock {
  /// How long a client's part of an exchange takes.
  func timing(of message: ClientMessage, _ client: Int) -> PartTiming {
    timing(of: client, down: message.downBytes, flops: message.flops, up: message.upBytes)
  }
}

/// Where stragglers do partial work, as many steps as fit before the deadline.
///
/// What a method needs per step is known when it has been run: a client that comes too late runs
/// again, from what it remembered, with the share of its steps that fitted.
struct WorkThatFits: ClientStage {
  let clock: VirtualClock
  /// From the start of the exchange to its deadline.
  let seconds: Double

  func shortened(_ message: ClientMessage, _ job: RoundJobs.Job, _ settings: LocalSettings)
    -> LocalSettings?
  {
    let steps = settings.work.steps(examples: job.examples.count, batch: settings.batch)
    guard steps > 1 else { return nil }
    let timing = clock.timing(of: message, job.client)
    let time = seconds - timing.receive - timing.send
    guard timing.compute > time else { return nil }
    let fitting = time > 0 ? Int(clamping: Double(steps) * (time / timing.compute)) : 1
    var shorter = settings
    shorter.work = .steps(max(1, min(steps - 1, fitting)))
    return shorter
  }
}

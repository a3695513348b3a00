import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// Synchronous rounds on the virtual clock.
extension Simulation {
  /// The clock of a method: the scenario's; for asynchronous methods one with default devices where
  /// it has none; nil for the pooled site, which has neither devices nor links.
  static func clock(of method: Method, _ arena: Arena) -> VirtualClock? {
    if Method.population == .pooled { return nil }
    if let clock = arena.clock { return clock }
    if method.schedule == .synchronous { return nil }
    return VirtualClock(seed: arena.seed, clients: arena.problem.clients)
  }

  /// The clients of the round; with a trace and nobody there, the clock first goes on to when
  /// somebody comes.
  func drawCohort() -> [Int] {
    guard let clock else { return arena.sampler.cohort(round: round) }
    func isThere(_ client: Int) -> Bool { clock.isAvailable(client, at: now, round: round) }
    while clock.hasTrace, !(0..<arena.problem.clients).contains(where: isThere),
      let opening = clock.opening(after: now)
    { now = opening }
    return arena.sampler.cohort(
      round: round,
      overSelection: clock.settings.overSelection,
      where: isThere
    )
  }

  /// What of a round's jobs an exchange does, with shares among those whose uploads will arrive,
  /// and the exchange on the clock; the jobs as they are and nil without one.
  ///
  /// Clients known to vanish are noted and counted here: nobody trains for them.
  func beginExchange(
    _ cohort: RoundJobs,
    _ exchange: Int,
    _ prepared: PreparedDownload?,
    _ outcome: inout Outcome
  ) throws(Divergence) -> (RoundJobs, ClockedExchange?) {
    guard let clock, var seen = outcome.clock else { return (cohort, nil) }
    var jobs = cohort
    // Only those whose last message was taken in go on.
    var before = jobs.list.count
    if exchange > 0 {
      let there = Set(seen.completed)
      seen.completed = []
      jobs.keep { there.contains($0.client) }
      jobs.share(among: { _ in true }, outOf: before)
      before = jobs.list.count
    } else {
      seen.end = now
      outcome.clock = seen
    }
    let federation = arena.scenario.federation
    let wanted =
      clock.settings.overSelection > 1
      ? max(1, Int(clamping: federation.expectedCohort.rounded())) : before
    var clocked = ClockedExchange(
      clock,
      round: round,
      exchange: exchange,
      clients: jobs.list.map(\.client),
      target: min(wanted, before),
      seen
    )
    var vanished = Set<Int>()
    for job in jobs.list where exchange == 0 {
      guard let share = clock.vanishes(job.client, round: round) else { continue }
      let received = try receive(
        method.download(server, to: job.client),
        prepared,
        job.client,
        memories[job.client] ?? ClientMemory()
      )
      count(down: received, of: job.client, in: &outcome)
      let timing = clock.timing(
        of: job.client,
        down: received.byteCount,
        flops: plannedFLOPs(job, jobs.settings),
        up: 0
      )
      clocked.vanish(job.client, timing, share: share)
      vanished.insert(job.client)
    }
    if !vanished.isEmpty { jobs.keep { !vanished.contains($0.client) } }
    jobs.share(among: { !clocked.loses($0) }, outOf: before)
    return (jobs, clocked)
  }

  /// How long a client's part of an exchange takes.
  func timing(of trained: TrainedClient, _ client: Int) -> PartTiming {
    let clock = clock ?? VirtualClock(seed: arena.seed, clients: arena.problem.clients)
    return clock.timing(
      of: client,
      down: trained.downBytes,
      flops: trained.flops,
      up: trained.upBytes
    )
  }

  /// Floating-point operations of the scenario's local work on the whole network.
  func plannedFLOPs(_ job: RoundJobs.Job, _ settings: LocalSettings) -> Int {
    let (n, batch) = (job.examples.count, settings.batch)
    guard n > 0 else { return 0 }
    let steps = settings.work.steps(examples: n, batch: batch)
    let perEpoch = (n + batch - 1) / batch
    let last = min(n, (steps % perEpoch).multipliedClamped(by: batch))
    let seen = (steps / perEpoch).multipliedClamped(by: n).addingClamped(last)
    return seen.multipliedClamped(by: arena.problem.network(of: job.client).trainingFLOPs)
  }

  /// One client's training; where stragglers do partial work, with as many steps as fit before the
  /// deadline.
  ///
  /// What a method needs per step is known when it has been run: a client that comes too late runs
  /// again, from what it remembered, with the share of its steps that fitted.
  func trainInTime(
    _ job: RoundJobs.Job,
    _ settings: LocalSettings,
    _ remembered: ClientMemory,
    _ common: ExchangeContext,
    _ exchange: ClockedExchange?,
    worker: Int
  ) -> Result<TrainedClient, Divergence> {
    var result = train(job, settings, remembered, common, worker: worker)
    guard let exchange, exchange.clock.settings.stragglers == .partial,
      let limit = exchange.limit
    else { return result }
    var steps = settings.work.steps(examples: job.examples.count, batch: settings.batch)
    while steps > 1, case .success(let trained) = result {
      let timing = timing(of: trained, job.client)
      let time = limit - exchange.start - timing.receive - timing.send
      guard timing.compute > time else { break }
      let fitting = time > 0 ? Int(clamping: Double(steps) * (time / timing.compute)) : 1
      steps = max(1, min(steps - 1, fitting))
      var shorter = settings
      shorter.work = .steps(steps)
      result = train(job, shorter, remembered, common, worker: worker)
    }
    return result
  }
}

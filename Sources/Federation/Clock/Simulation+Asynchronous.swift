import Aggregation
import Base
import Client
import Data
import Records
import Scenario

/// Rounds of a server that does not wait: clients come and go, as many at a time as a cohort has.
extension Simulation {
  /// Clients at work at a time, and arrivals in a round: the size of a cohort.
  private var concurrency: Int { arena.scenario.federation.uniformCohort }

  /// One round: as many arrivals as a cohort has clients, so that a round is as much local work as
  /// under synchronous methods.
  ///
  /// All that happens at one time happens before clients are started at that time.
  func runAsynchronously(buffer size: Int) throws(Divergence) -> Outcome {
    var outcome = Outcome()
    outcome.clock = ClockOutcome(start: now)
    if round == 1 { countBroadcast(in: &outcome) }
    if let privacy = arena.privacy {
      outcome.privacy.stopped = arena.split.clients.indices.filter {
        !privacy.canTrain($0, memories[$0])
      }
    }
    asynchrony.beginRound()
    var arrivals: [Int] = []
    while arrivals.count < concurrency {
      try trainDue(at: now)
      if (asynchrony.queue.first?.time ?? .infinity) > now { try startClients(&outcome) }
      try trainDue(at: .infinity)
      guard let event = asynchrony.queue.pop() else {
        guard let later = nextChance() else { break }
        now = later
        continue
      }
      now = max(now, event.time)
      guard let flight = asynchrony.flights.removeValue(forKey: event.value.flight) else {
        continue
      }
      asynchrony.busy.remove(flight.client)
      if try land(flight, event.value.turn, buffer: size, &outcome) {
        arrivals.append(flight.client)
      }
    }
    outcome.clock?.end = now
    outcome.sampled = Set(arrivals).sorted()
    extendDigest(with: outcome.sampled)
    return outcome
  }

  // MARK: - Starts

  /// Gives work to idle clients until as many as in a cohort are at work, or nobody is left to ask.
  private func startClients(_ outcome: inout Outcome) throws(Divergence) {
    guard let clock else { return }
    let wanted = concurrency - asynchrony.flights.count
    guard wanted > 0 else { return }
    let attempt = asynchrony.fills
    asynchrony.fills += 1
    let chosen = chooseIdle(wanted, attempt: attempt)
    let prepared = try prepareDownload(to: chosen, attempt)
    for client in chosen {
      let repetition = asynchrony.repetitions[client, default: 0]
      asynchrony.repetitions[client] = repetition + 1
      let received = try receive(
        method.download(server, to: client),
        prepared,
        client,
        memories[client] ?? ClientMemory(),
        number: repetition
      )
      let flight = Flight(
        client: client,
        start: now,
        version: asynchrony.version,
        round: round,
        repetition: repetition,
        sequence: asynchrony.starts,
        received: received.payload,
        downBytes: received.byteCount
      )
      asynchrony.starts += 1
      count(down: received, of: client, in: &outcome)
      outcome.clock?.events.append(ClockEvent(round: round, time: now, .start, client: client))
      queueFirst(flight, clock)
    }
  }

  /// Clients to start, ascending: drawn without replacement from those that are idle, there, have
  /// examples, and have a budget left.
  ///
  /// - Complexity: O(wanted) while most clients can be asked, else O(K).
  private func chooseIdle(_ wanted: Int, attempt: Int) -> [Int] {
    let clients = arena.problem.clients
    var chosen = Set<Int>()
    func canStart(_ client: Int) -> Bool {
      !asynchrony.busy.contains(client) && !chosen.contains(client)
        && !arena.split.clients[client].isEmpty
        && clock?.isAvailable(client, at: now, round: round, attempt: attempt) ?? true
        && arena.privacy?.canTrain(client, memories[client]) ?? true
    }
    var stream = RandomStream(seed: arena.seed, .asynchronousStart, round: round, step: attempt)
    for _ in 0..<wanted {
      var pick = stream.below(clients)
      var tries = 0
      while tries < 32, !canStart(pick) {
        pick = stream.below(clients)
        tries += 1
      }
      if !canStart(pick) {
        let left = (0..<clients).filter(canStart)
        guard !left.isEmpty else { break }
        pick = left[stream.below(left.count)]
      }
      chosen.insert(pick)
    }
    return chosen.sorted()
  }

  /// Puts a flight that was not trained yet into the queue: at its end if that is known, else at a
  /// time that it certainly does not end before.
  func queueFirst(_ flight: Flight, _ clock: VirtualClock) {
    asynchrony.flights[flight.sequence] = flight
    asynchrony.busy.insert(flight.client)
    let job = RoundJobs.Job(
      client: flight.client,
      examples: arena.split.clients[flight.client],
      weight: 1
    )
    let planned = clock.timing(
      of: flight.client,
      down: flight.downBytes,
      flops: plannedFLOPs(job, arena.problem.settings),
      up: 0
    )
    let stays = clock.departure(of: flight.client, after: flight.start) - flight.start
    var (time, turn) = (planned.receive, Asynchrony.Turn.train)
    if let share = clock.vanishes(
      flight.client,
      round: flight.round,
      repetition: flight.repetition
    ) {
      let part = planned.cut(after: min(stays, planned.receive + share * planned.compute))
      (time, turn) = (part.total, .vanish(part))
    } else if arena.privacy == nil {
      // Batches under privacy differ in size; otherwise the work is known but for rounding.
      time += 0.999 * planned.compute
    }
    asynchrony.queue.push(
      (flight.sequence, turn),
      at: flight.start + min(time, stays),
      sequence: flight.sequence
    )
  }

  /// When to look for clients again while nobody is at work; nil when nobody will ever come.
  private func nextChance() -> Double? {
    guard let clock else { return nil }
    if clock.hasTrace { return clock.opening(after: now) }
    if case .rate = clock.settings.availability,
      arena.split.clients.indices.contains(where: {
        !arena.split.clients[$0].isEmpty && arena.privacy?.canTrain($0, memories[$0]) ?? true
      })
    {
      return now + 1  // another coin for each, a second later
    }
    return nil
  }

  // MARK: - Training

  /// Trains all that is at work when the next event up to a time needs it: the later, the more of
  /// it at once.
  private func trainDue(at time: Double) throws(Divergence) {
    while let next = asynchrony.queue.first, next.time <= time, case .train = next.value.turn {
      try train(asynchrony.inOrder.filter { $0.result == nil && !vanishes($0) })
    }
  }

  private func vanishes(_ flight: Flight) -> Bool {
    clock?.vanishes(flight.client, round: flight.round, repetition: flight.repetition) != nil
  }

  /// Trains flights in parallel, and puts what becomes of them into the queue in place of what was
  /// there.
  package func train(_ flights: [Flight]) throws(Divergence) {
    guard let clock else { return }
    let remembered = flights.map { memories[$0.client] ?? ClientMemory() }
    let results = arena.pool.map(flights.count) { worker, index in
      let flight = flights[index]
      let job = RoundJobs.Job(
        client: flight.client,
        examples: arena.split.clients[flight.client],
        weight: 1
      )
      return train(
        job,
        arena.problem.settings,
        remembered[index],
        ExchangeContext(senders: concurrency),
        flight: flight,
        worker: worker
      ).map(\.withOwnValues)
    }
    arena.forgetModels()
    let trained = Set(flights.map(\.sequence))
    var queue = EventQueue<(flight: Int, turn: Asynchrony.Turn)>()
    while let entry = asynchrony.queue.pop() {
      if trained.contains(entry.sequence) { continue }
      queue.push(entry.value, at: entry.time, sequence: entry.sequence)
    }
    for (index, flight) in flights.enumerated() {
      let result = try results[index].get()
      let timing = timing(of: result, flight.client)
      let departure = clock.departure(of: flight.client, after: flight.start)
      var (end, turn) = (flight.start + timing.total, Asynchrony.Turn.arrive)
      if end > departure {
        end = departure
        turn = .vanish(timing.cut(after: departure - flight.start))
      } else if clock.loses(flight.client, round: flight.round, number: flight.repetition) {
        turn = .lose
      }
      asynchrony.flights[flight.sequence]?.result = result
      queue.push((flight.sequence, turn), at: end, sequence: flight.sequence)
    }
    asynchrony.queue = queue
  }

  // MARK: - Ends

  /// What the end of a client's work means; true when its message was taken in.
  private func land(
    _ flight: Flight,
    _ turn: Asynchrony.Turn,
    buffer size: Int,
    _ outcome: inout Outcome
  ) throws(Divergence) -> Bool {
    let client = flight.client
    func event(_ kind: ClockEvent.Kind, staleness: Int? = nil) {
      outcome.clock?.events.append(
        ClockEvent(round: round, time: now, kind, client: client, staleness: staleness)
      )
    }
    if case .vanish(let part) = turn {
      outcome.clock?.add(part)
      outcome.clock?.dropped.append(client)
      event(.drop)
      return false
    }
    guard var trained = flight.result else { return false }
    outcome.clock?.add(timing(of: trained, client))
    trained.received = .empty  // counted when it was sent
    trained.coded?.down = nil
    take(trained, of: client, in: &outcome)
    if case .lose = turn {
      forget(trained.unheard, of: client)
      outcome.clock?.lost.append(client)
      event(.lost)
      return false
    }
    let staleness = asynchrony.version - flight.version
    outcome.clock?.completed.append(client)
    event(.arrive, staleness: staleness)
    asynchrony.buffer.append(
      WeightedUpload(
        trained.update.upload,
        weight: method.arrivalWeight(staleness: staleness) / Double(size),
        client: client
      )
    )
    if asynchrony.buffer.count >= size { try stepAsynchronously(&outcome) }
    return true
  }

  /// The server's step with all that is in the buffer.
  private func stepAsynchronously(_ outcome: inout Outcome) throws(Divergence) {
    var fold = Method.Fold()
    swap(&fold, &self.fold)  // one owner: no copy below
    fold.restart()
    fold.add(asynchrony.buffer)
    let facts = RoundFacts(
      round: round,
      rounds: arena.problem.rounds,
      uploads: asynchrony.buffer.count,
      weight: asynchrony.buffer.reduce(0) { $0 + $1.weight },
      clients: arena.problem.clients,
      makeDevice: { [arena, round] in arena.serverDevice(round: round, exchange: 0) }
    )
    asynchrony.buffer = []
    try method.step(&server, fold, facts)
    swap(&fold, &self.fold)
    asynchrony.version += 1
    outcome.clock?.events.append(ClockEvent(round: round, time: now, .step))
    try requireFinite()
  }
}

extension TrainedClient {
  /// The same with an upload that holds no worker's memory.
  var withOwnValues: TrainedClient {
    var copy = self
    copy.update.upload = update.upload.materialised
    return copy
  }
}

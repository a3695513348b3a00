import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// Rounds of a server that does not wait: clients come and go, as many at a time as a cohort has.
///
/// The exchange is the one of synchronous rounds, client by client: the same stages are prepared,
/// the same task trains, and the same arrival passes through them.
final class AsynchronousRounds: RoundScheduler, MessageStage {
  private let buffer: Int
  private let clock: ClockStage
  var asynchrony = Asynchrony()
  /// What a checkpoint says of clients at work, until they are at work again.
  private var saved = StateTensors()

  /// `buffer`: uploads of a step of the server.
  init(buffer: Int, _ clock: ClockStage) {
    self.buffer = buffer
    self.clock = clock
  }

  var progress: StateTensors {
    get { asynchrony.tensors }
    set { saved = newValue }
  }

  /// Clients at work at a time, and arrivals in a round: the size of a cohort.
  private func concurrency(_ context: RunContext) -> Int {
    context.scenario.federation.uniformCohort
  }

  /// One round: as many arrivals as a cohort has clients, so that a round is as much local work as
  /// under synchronous methods.
  ///
  /// All that happens at one time happens before clients are started at that time.
  func run(_ round: Round, _ simulation: Simulation) throws(RoundFailure) {
    asynchrony.beginRound()
    let exchange = Exchange(round, 0, noJobs(simulation))
    var arrivals: [Int] = []
    while arrivals.count < concurrency(simulation.context) {
      try trainDue(at: clock.now, round, simulation)
      if (asynchrony.queue.first?.time ?? .infinity) > clock.now {
        try startClients(round, simulation)
      }
      try trainDue(at: .infinity, round, simulation)
      guard let event = asynchrony.queue.pop() else {
        guard let later = nextChance(simulation) else { break }
        clock.now = later
        continue
      }
      clock.now = max(clock.now, event.time)
      guard let flight = asynchrony.flights.removeValue(forKey: event.value.flight) else {
        continue
      }
      asynchrony.busy.remove(flight.client)
      if try land(flight, event.value.turn, exchange, simulation) { arrivals.append(flight.client) }
    }
    clock.outcome.end = clock.now
    round.sampled = Set(arrivals).sorted()
    round.trained = round.sampled
  }

  private func noJobs(_ simulation: Simulation) -> RoundJobs {
    RoundJobs(sampled: [], list: [], settings: simulation.context.problem.settings)
  }

  private func job(_ client: Int, _ context: RunContext) -> RoundJobs.Job {
    RoundJobs.Job(client: client, examples: context.split.clients[client], weight: 1)
  }

  private func note(_ kind: ClockEvent.Kind, _ round: Int, _ client: Int?, staleness: Int? = nil) {
    clock.outcome.events.append(
      ClockEvent(round: round, time: clock.now, kind, client: client, staleness: staleness))
  }

  // MARK: - Starts

  /// Gives work to idle clients until as many as in a cohort are at work, or nobody is left to ask.
  private func startClients(_ round: Round, _ simulation: Simulation) throws(RoundFailure) {
    let state = simulation.state
    let wanted = concurrency(simulation.context) - asynchrony.flights.count
    guard wanted > 0 else { return }
    let attempt = asynchrony.fills
    asynchrony.fills += 1
    let chosen = chooseIdle(wanted, attempt: attempt, simulation)
    let exchange = Exchange(round, attempt, noJobs(simulation), addressees: chosen)
    try simulation.prepare(exchange)
    let task = simulation.task(exchange)
    for client in chosen {
      let repetition = asynchrony.repetitions[client, default: 0]
      asynchrony.repetitions[client] = repetition + 1
      let turn = ClientTurn(client: client, round: state.round, number: repetition, worker: 0)
      let received = try task.deliver(turn, state.clients[client] ?? ClientState())
      let flight = Flight(
        client: client, start: clock.now, version: asynchrony.version, round: state.round,
        repetition: repetition, sequence: asynchrony.starts, received: received.payload,
        downBytes: received.byteCount)
      asynchrony.starts += 1
      simulation.ledger.count(down: received.payload, received.message, of: client)
      note(.start, state.round, client)
      queueFirst(flight, simulation)
    }
  }

  /// Whether a client has examples and a budget left.
  private func canTrain(_ client: Int, _ simulation: Simulation) -> Bool {
    !simulation.context.split.clients[client].isEmpty
      && simulation.privacy?.canTrain(client) ?? true
  }

  /// Clients to start, ascending: drawn without replacement from those that are idle, there, have
  /// examples, and have a budget left.
  ///
  /// - Complexity: O(wanted) while most clients can be asked, else O(K).
  private func chooseIdle(_ wanted: Int, attempt: Int, _ simulation: Simulation) -> [Int] {
    let (clients, round) = (simulation.context.problem.clients, simulation.state.round)
    var chosen = Set<Int>()
    func canStart(_ client: Int) -> Bool {
      !asynchrony.busy.contains(client) && !chosen.contains(client)
        && !simulation.context.split.clients[client].isEmpty
        && clock.clock.isAvailable(client, at: clock.now, round: round, attempt: attempt)
        && canTrain(client, simulation)
    }
    var stream = RandomStream(
      seed: simulation.context.seed, .asynchronousStart, round: round, step: attempt)
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
  private func queueFirst(_ flight: Flight, _ simulation: Simulation) {
    let clock = clock.clock
    asynchrony.flights[flight.sequence] = flight
    asynchrony.busy.insert(flight.client)
    let planned = clock.timing(
      of: flight.client, down: flight.downBytes,
      flops: self.clock.plannedFLOPs(
        job(flight.client, simulation.context), simulation.context.problem.settings), up: 0)
    let stays = clock.departure(of: flight.client, after: flight.start) - flight.start
    var (time, turn) = (planned.receive, Asynchrony.Turn.train)
    if let share = vanishes(flight) {
      let part = planned.cut(after: min(stays, planned.receive + share * planned.compute))
      (time, turn) = (part.total, .vanish(part))
    } else if simulation.privacy == nil {
      // Batches under privacy differ in size; otherwise the work is known but for rounding.
      time += 0.999 * planned.compute
    }
    asynchrony.queue.push(
      (flight.sequence, turn), at: flight.start + min(time, stays), sequence: flight.sequence)
  }

  /// When to look for clients again while nobody is at work; nil when nobody will ever come.
  private func nextChance(_ simulation: Simulation) -> Double? {
    if clock.clock.hasTrace { return clock.clock.opening(after: clock.now) }
    if case .rate = clock.clock.settings.availability,
      simulation.context.split.clients.indices.contains(where: { canTrain($0, simulation) })
    {
      return clock.now + 1  // another draw for each, a second later
    }
    return nil
  }

  // MARK: - Training

  /// Trains all that is at work when the next event up to a time needs it: the later, the more of
  /// it at once.
  private func trainDue(at time: Double, _ round: Round, _ simulation: Simulation)
    throws(RoundFailure)
  {
    while let next = asynchrony.queue.first, next.time <= time, case .train = next.value.turn {
      let due = asynchrony.inOrder.filter { $0.result == nil && vanishes($0) == nil }
      try train(due, round, simulation)
    }
  }

  /// The share of its work after which a client vanishes; nil when it does not.
  private func vanishes(_ flight: Flight) -> Double? {
    clock.clock.vanishes(flight.client, round: flight.round, repetition: flight.repetition)
  }

  /// Trains flights in parallel, and puts what becomes of them into the queue in place of what was
  /// there.
  private func train(_ flights: [Flight], _ round: Round, _ simulation: Simulation)
    throws(RoundFailure)
  {
    let results = try results(flights, round, simulation)
    simulation.context.forgetModels()
    let trained = Set(flights.map(\.sequence))
    var queue = EventQueue<(flight: Int, turn: Asynchrony.Turn)>()
    while let entry = asynchrony.queue.pop() {
      if trained.contains(entry.sequence) { continue }
      queue.push(entry.value, at: entry.time, sequence: entry.sequence)
    }
    for (index, flight) in flights.enumerated() {
      var result = try results[index].get()
      result.downBytes = flight.downBytes
      result.down = nil  // counted when it was sent
      let timing = clock.clock.timing(of: result, flight.client)
      let departure = clock.clock.departure(of: flight.client, after: flight.start)
      var (end, turn) = (flight.start + timing.total, Asynchrony.Turn.arrive)
      if end > departure {
        end = departure
        turn = .vanish(timing.cut(after: departure - flight.start))
      } else if clock.clock.loses(flight.client, round: flight.round, number: flight.repetition) {
        turn = .lose
      }
      asynchrony.flights[flight.sequence]?.result = result
      queue.push((flight.sequence, turn), at: end, sequence: flight.sequence)
    }
    asynchrony.queue = queue
  }

  private func results(_ flights: [Flight], _ round: Round, _ simulation: Simulation)
    throws(RoundFailure) -> [Result<ClientMessage, RoundFailure>]
  {
    let (context, state) = (simulation.context, simulation.state)
    let jobs = RoundJobs(
      sampled: [], list: flights.map { job($0.client, context) }, settings: context.problem.settings
    )
    let exchange = Exchange(round, 0, jobs, addressees: [])
    exchange.sendersOfRound = concurrency(context)
    try simulation.prepare(exchange)
    let task = simulation.task(exchange)
    let states = flights.map { state.clients[$0.client] ?? ClientState() }
    return context.pool.map(flights.count) { worker, index -> Result<ClientMessage, RoundFailure> in
      let flight = flights[index]
      let turn = ClientTurn(
        client: flight.client, round: flight.round, number: flight.repetition, worker: worker)
      let delivery = Delivery(flight.received)
      let settings = jobs.settings
      return task.run(jobs.list[index], settings, turn, states[index], delivery: delivery).map(
        \.withOwnValues)
    }
  }

  // MARK: - Ends

  /// What the end of a client's work means; true when its message was taken in.
  private func land(
    _ flight: Flight, _ turn: Asynchrony.Turn, _ exchange: Exchange, _ simulation: Simulation
  ) throws(RoundFailure) -> Bool {
    let (client, round) = (flight.client, simulation.state.round)
    if case .vanish(let part) = turn {
      clock.outcome.add(part)
      clock.outcome.dropped.append(client)
      note(.drop, round, client)
      return false
    }
    guard var message = flight.result else { return false }
    clock.outcome.add(clock.clock.timing(of: message, client))
    message.received = .empty  // counted when it was sent
    let staleness = asynchrony.version - flight.version
    let weight = simulation.method.arrivalWeight(staleness: staleness) / Double(buffer)
    let job = RoundJobs.Job(
      client: client, examples: simulation.context.split.clients[client], weight: weight)
    var arrival = Arrival(job, place: 0, message)
    if case .lose = turn { arrival.fate = .lost }
    let upload = simulation.take(arrival, exchange)
    guard let upload else {
      clock.outcome.lost.append(client)
      note(.lost, round, client)
      return false
    }
    clock.outcome.completed.append(client)
    note(.arrive, round, client, staleness: staleness)
    asynchrony.buffer.append(upload)
    guard asynchrony.buffer.count >= buffer else { return true }
    let uploads = asynchrony.buffer
    asynchrony.buffer = []
    try simulation.step(exchange, uploads)
    asynchrony.version += 1
    note(.step, round, nil)
    return true
  }

  // MARK: - Checkpoints

  /// Trains who had been trained when the checkpoint was written, so that the queue is what it was:
  /// from what they were sent and what they remember, with the same random numbers.
  func resume(_ simulation: Simulation) {
    let known = Asynchrony.Saved(saved) { client in
      guard client < simulation.context.problem.clients else { return nil }
      // Names and shapes are the method's; only values are in the file.
      return simulation.method.download(simulation.state.server, to: client)
    }
    saved = StateTensors()
    asynchrony = Asynchrony()
    guard let known else { return }
    asynchrony.version = known.version
    asynchrony.starts = known.starts
    for flight in known.flights { queueFirst(flight, simulation) }
    asynchrony.buffer = known.buffer
    let round = Round(
      simulation.state.round, isSynchronous: false, weighting: simulation.method.uploadWeighting
    ) { [] }
    // It did not diverge when it was trained first, and cannot now.
    try? train(known.trained, round, simulation)
  }
}

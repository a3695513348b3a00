import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// One strategy under one seed, round by round.
///
/// A round is: stages choose the cohort → for each exchange of the method, clients are sent
/// something, train in parallel, and answer → their uploads are taken in, in the order of the
/// jobs → the server makes its step. What is done to messages on the way is in `stages`; who waits
/// for whom is in `rounds`.
package final class Simulation {
  package let context: RunContext
  package let method: any Strategy
  let state: RunState
  /// What happens to messages, in the order in which an upload passes through it.
  let stages: [any MessageStage]
  /// The bytes of all messages.
  let ledger: LedgerStage
  /// Devices and links in virtual time; nil for no clock.
  let clock: ClockStage?
  /// What privacy costs; nil without it.
  let privacy: (any PrivacyStage)?
  /// The average that is measured in place of the generic model; nil for none.
  let average: ModelAverage?
  private let aggregation: any UploadAggregation
  private let rounds: any RoundScheduler

  /// Before the first round.
  package convenience init(_ method: any Strategy, _ context: RunContext) {
    self.init(method, context, adding: [])
  }

  /// The same with more stages, between the uploads that the engine's own stages make and the
  /// server.
  init(_ method: any Strategy, _ context: RunContext, adding more: [any MessageStage]) {
    self.context = context
    self.method = method
    state = RunState(method.start(context.problem))
    let list = StageList(StageContext(method: method, context: context, state: state), adding: more)
    stages = list.all
    ledger = list.ledger
    clock = list.clock
    privacy = list.privacy
    average = list.average
    aggregation = method.makeAggregation()
    rounds = list.rounds
    state.extendDigest(stages, with: [])
  }

  package var round: Int { state.round }
  /// Whether a clock runs.
  package var hasClock: Bool { clock != nil }
  /// The hash chain over all states so far.
  package var digest: UInt64 { state.digest }
  /// Steps of a server that does not wait; nil for one that does.
  var asynchronousSteps: Int? { (rounds as? AsynchronousRounds)?.asynchrony.version }
  /// The server with the method's memory.
  package var server: ServerState { state.server }

  // MARK: - A round

  /// One round: cohort → as many exchanges as the method makes.
  package func runRound() throws(RoundFailure) -> Round {
    state.round += 1
    state.server.round = state.round
    let number = state.round
    let round = Round(
      number, isSynchronous: method.schedule == .synchronous, weighting: method.uploadWeighting
    ) { [sampler = context.sampler] in sampler.cohort(round: number) }
    for stage in stages.reversed() { stage.beginRound(round) }
    for stage in stages.reversed() { try stage.choose(round) }
    try rounds.run(round, self)
    try requireFinite()
    for stage in stages.reversed() { try stage.endRound(round) }
    state.extendDigest(stages, with: round.trained)
    return round
  }

  /// One exchange: download → train in parallel → take in, in order → server step.
  func run(_ exchange: Exchange) throws(RoundFailure) {
    try prepare(exchange)
    for stage in stages.reversed() { try stage.begin(exchange) }
    aggregation.restart()
    try trainAndTake(exchange)
    context.forgetModels()  // the server is about to move the model, and would copy it
    for stage in stages.reversed() { aggregation.add(try stage.settle(exchange)) }
    if exchange.steps { try step(exchange, uploads: max(1, exchange.arrived)) }
    for stage in stages.reversed() { stage.endExchange(exchange) }
  }

  /// Asks all stages what they do on the clients of an exchange.
  func prepare(_ exchange: Exchange) throws(RoundFailure) {
    var clientStages: [any ClientStage] = []
    for stage in stages.reversed() {
      if let half = try stage.prepare(exchange) { clientStages.append(half) }
    }
    exchange.clientStages = clientStages.reversed()
  }

  /// What the clients of an exchange do.
  func task(_ exchange: Exchange) -> ClientTask {
    ClientTask(
      context: context, method: method, server: state.server, stages: exchange.clientStages)
  }

  /// Trains all jobs in parallel and takes their uploads in as they come, in the order of the jobs.
  private func trainAndTake(_ exchange: Exchange) throws(RoundFailure) {
    let jobs = exchange.jobs
    // Copied before the workers start: they read, and the fold below writes, the clients' states.
    let states = jobs.list.map { state.clients[$0.client] ?? ClientState() }
    let (task, round, number) = (task(exchange), state.round, exchange.number)
    var failure: RoundFailure?
    context.pool.run(jobs.list.count) { worker, place in
      let job = jobs.list[place]
      let turn = ClientTurn(client: job.client, round: round, number: number, worker: worker)
      return task.run(job, jobs.settings, turn, states[place])
    } foldBatch: { first, results in
      var uploads: [WeightedUpload] = []
      uploads.reserveCapacity(results.count)
      for (offset, result) in results.enumerated() where failure == nil {
        switch result {
        case .failure(let found): failure = found
        case .success(let message):
          let job = jobs.list[first + offset]
          if let upload = take(Arrival(job, place: first + offset, message), exchange) {
            uploads.append(upload)
          }
        }
      }
      aggregation.add(uploads)
    }
    if let failure { throw failure }
  }

  /// What the server does with one client's message; returns the upload if the method gets it now.
  func take(_ arrival: Arrival, _ exchange: Exchange) -> WeightedUpload? {
    var arrival = arrival
    for stage in stages.reversed() { stage.arrive(&arrival, exchange) }
    if arrival.fate == .dropped { return nil }
    exchange.round.add(arrival.message)
    state.commit(arrival.message.state, of: arrival.job.client)
    if arrival.fate == .lost { return nil }
    if arrival.fate == .taken { exchange.arrived += 1 }
    if arrival.isConsumed { return nil }
    guard arrival.fate == .held else { return arrival.upload }
    exchange.held.append(arrival.upload.materialised)
    return nil
  }

  /// The server's step with what the aggregation holds.
  private func step(_ exchange: Exchange, uploads: Int, weight: Double = 1) throws(RoundFailure) {
    for stage in stages.reversed() { stage.willStep(exchange) }
    let (round, number) = (state.round, state.server.exchange)
    let facts = RoundFacts(
      round: round, exchange: number, rounds: context.problem.rounds, uploads: uploads,
      weight: weight, clients: context.problem.clients,
      makeDevice: { [context] in context.serverDevice(round: round, exchange: number) })
    try aggregation.step(&state.server, facts)
    context.forgetModels()
    for stage in stages.reversed() { stage.didStep(exchange) }
  }

  /// The server's step with uploads that have come one by one.
  func step(_ exchange: Exchange, _ buffer: [WeightedUpload]) throws(RoundFailure) {
    aggregation.restart()
    aggregation.add(buffer)
    let weight = buffer.reduce(0) { $0 + $1.weight }
    try step(exchange, uploads: buffer.count, weight: weight)
    try requireFinite()
  }

  /// A model with an infinite weight ends the run.
  private func requireFinite() throws(RoundFailure) {
    let model = state.server.model
    if let tensor = context.problem.layout.firstNonFinite(model.span) {
      throw .diverged(Divergence(round: state.round, trace: Divergence.Trace(.server(tensor))))
    }
  }

  // MARK: - Between rounds

  /// Passes over rounds, as a dry run does that cannot go through all of them: they have happened
  /// to nobody.
  package func skip(_ rounds: Int) { state.round += rounds }

  /// Clients that remember something, and the numbers that all of them remember.
  package var remembered: (clients: Int, numbers: Int) {
    (state.clients.count, state.clients.values.reduce(0) { $0 + $1.merged.count })
  }

  /// ε of each client, or that of the sums, at the end of a run that goes as planned, ascending;
  /// empty without privacy or a guarantee.
  package func plannedEpsilons() -> [Double] { privacy?.plannedEpsilons() ?? [] }

  /// What the last round leaves, beside the measures of its models.
  func describe(_ record: RoundRecord, isEvaluated: Bool) -> RoundParts {
    var parts = RoundParts(record: record, isEvaluated: isEvaluated)
    for stage in stages { stage.describe(&parts) }
    return parts
  }

  /// All that the next rounds depend on.
  package var checkpoint: Checkpoint { state.checkpoint(stages) }

  /// Continues from a checkpoint as if it had never stopped.
  package func restore(_ checkpoint: Checkpoint) {
    state.restore(checkpoint, stages)
    rounds.resume(self)
  }
}

/// Who waits for whom.
protocol RoundScheduler: AnyObject {
  /// Runs the exchanges of a round.
  func run(_ round: Round, _ simulation: Simulation) throws(RoundFailure)
  /// Goes on from what a checkpoint has put into the stages.
  func resume(_ simulation: Simulation)
}

/// The server waits for its cohort.
final class SynchronousRounds: RoundScheduler {
  func run(_ round: Round, _ simulation: Simulation) throws(RoundFailure) {
    let context = simulation.context
    var jobs = RoundJobs(round.cohort, context, simulation.method.population, round.weighting)
    if let most = context.mostJobs { jobs.cut(to: most) }
    round.sampled = jobs.sampled
    round.trained = jobs.list.map(\.client)
    for number in 0..<simulation.method.exchanges {
      simulation.state.server.exchange = number
      try simulation.run(Exchange(round, number, jobs))
    }
    simulation.state.server.exchange = 0
  }

  func resume(_ simulation: Simulation) {}
}

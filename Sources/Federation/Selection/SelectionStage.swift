import Aggregation
import Base
import Client
import Codecs
import Data
import Scenario
import Tensor

/// Cohorts that depend on clients' losses.
///
/// What clients report travels as ``ReportFrame``s: it is encoded, counted, decoded, and what was
/// decoded decides.
final class SelectionStage: MessageStage {
  private let run: StageContext
  private let ledger: LedgerStage
  private let memory: SelectionMemory
  private var tensors = StateTensors()
  /// What each client of the round did.
  private var reports: [Int: LocalReport] = [:]
  /// Seconds that each took on the federation's clock; empty without one.
  private var seconds: [Int: Double] = [:]

  /// nil when cohorts do not depend on losses; a pooled site has no clients to choose from.
  init?(_ run: StageContext, _ ledger: LedgerStage) {
    guard Self.isUsed(run) else { return nil }
    self.run = run
    self.ledger = ledger
    memory = SelectionMemory(clients: run.context.scenario.federation.clients)
  }

  /// Whether the cohorts of a run depend on losses.
  static func isUsed(_ run: StageContext) -> Bool {
    run.context.scenario.federation.sampling.readsLosses && run.method.population == .cohort
      && run.context.sampler.given == nil
  }

  var sectionName: String? { "selection" }
  var section: StateTensors {
    get { tensors }
    set { tensors = newValue }
  }

  func beginRound(_ round: Round) {
    reports = [:]
    seconds = [:]
  }

  /// The clients of this round, ascending.
  func choose(_ round: Round) throws(RoundFailure) {
    let federation = run.context.scenario.federation
    let clients = run.context.split.clients.indices.filter {
      !run.context.split.clients[$0].isEmpty
    }
    switch federation.sampling {
    case .uniform, .poisson, .separated, .cyclicPoisson: break
    case .powerOfChoice(let settings):
      var stream = RandomStream(seed: run.context.seed, .candidates, round: round.number)
      let candidates = ClientDraws.weighted(
        clients, weights: clients.map { Double(run.context.split.clients[$0].count) },
        count: settings.candidates, &stream)
      let values: [Double]
      switch settings.loss {
      case .exact: values = try exactLosses(of: candidates)
      case .last:
        let last = memory.lastLosses(tensors)
        values = candidates.map { last[$0] }
      }
      let chosen = ClientDraws.largest(candidates, values: values, count: federation.uniformCohort)
      if settings.loss == .exact { countModels(of: candidates, except: chosen) }
      round.cohort = chosen
    case .oort(let settings):
      let rule = OortRule(settings)
      round.cohort = rule.cohort(
        size: federation.uniformCohort, of: clients, known: memory.known(tensors),
        round: round.number, preferred: memory.preferred(tensors, rule), seed: run.context.seed)
    }
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    let client = arrival.job.client
    if let time = arrival.seconds { seconds[client, default: 0] += time }
    if arrival.fate == .dropped { return }
    reports[client, default: LocalReport()].add(arrival.message.update.report)
  }

  func endRound(_ round: Round) throws(RoundFailure) {
    let reports = try reports(in: round)
    guard !reports.isEmpty else { return }
    memory.keep(reports, round: round.number, in: &tensors)
    guard case .oort(let settings) = run.context.scenario.federation.sampling else { return }
    let utility = reports.reduce(0) { $0 + $1.loss }
    memory.pace(utility, OortRule(settings), in: &tensors)
  }

  /// What the clients of this round reported of their training.
  ///
  /// Clients whose part in the method makes no training loss have nothing to report.
  private func reports(in round: Round) throws(RoundFailure) -> [SelectionMemory.Report] {
    var received: [SelectionMemory.Report] = []
    for client in round.sampled {
      guard let done = reports[client], done.exampleWeight > 0 else { continue }
      let examples = run.context.split.clients[client].count
      let seconds = seconds[client]
      switch run.context.scenario.federation.sampling {
      case .uniform, .poisson, .separated, .cyclicPoisson: continue
      case .powerOfChoice(let settings) where settings.loss == .exact: continue
      case .powerOfChoice:
        let loss = try receive(done.lossSum / done.exampleWeight, from: client, examples)
        received.append(.init(client: client, loss: loss, seconds: seconds))
      case .oort:
        let root = (done.squareSum / done.exampleWeight).squareRoot()
        let loss = try Double(examples) * receive(root, from: client, examples)
        received.append(.init(client: client, loss: loss, seconds: seconds))
      }
    }
    return received
  }

  /// F_k of the model that a client would be sent, on all of its own examples: mean cross-entropy,
  /// without augmentation and dropout.
  private func exactLosses(of candidates: [Int]) throws(RoundFailure) -> [Double] {
    let measure = LossOnClient(
      context: run.context, method: run.method, server: run.state.server,
      clients: Dictionary(
        uniqueKeysWithValues: candidates.map {
          ($0, run.state.clients[$0]?.method ?? ClientMemory())
        }))
    let measured = run.context.pool.map(candidates.count) { worker, place in
      measure.result(of: candidates[place], worker: worker)
    }
    run.context.forgetModels()
    var losses: [Double] = []
    for (client, result) in zip(candidates, measured) {
      let examples = run.context.split.clients[client].count
      losses.append(try receive(try result.get(), from: client, examples))
    }
    return losses
  }

  /// The report of a client: encoded, counted as sent up, and decoded.
  private func receive(_ loss: Double, from client: Int, _ examples: Int) throws(RoundFailure)
    -> Double
  {
    do throws(CodecError) {
      let frame = try ReportFrame(samples: examples, loss: Float(loss), round: run.state.round)
        .encoded()
      var payload = Payload.empty
      let shape = NamedShape("frame", [frame.count], .uint8)
      payload.append("report", [shape], values: frame.map(Float.init))
      ledger.count(up: payload, nil, of: client)
      return Double(try ReportFrame(decoding: frame).loss)
    } catch {
      let error = FrameError(error, block: "report", values: examples, codecs: "report")
      throw .frame(
        FrameFailure(error: error, way: .up, round: run.state.round, exchange: 0, client: client))
    }
  }

  /// Candidates that were not chosen got the model, too; those that were get it once, as a part of
  /// their training.
  private func countModels(of candidates: [Int], except chosen: [Int]) {
    let members = Set(chosen)
    for client in candidates where !members.contains(client) {
      ledger.count(down: run.method.download(run.state.server, to: client), nil, of: client)
    }
  }
}

/// Measures the model that a client would be sent on the client's own examples.
private struct LossOnClient: Sendable {
  let context: RunContext
  let method: any Strategy
  let server: ServerState
  let clients: [Int: ClientMemory]

  func result(of client: Int, worker: Int) -> Result<Double, RoundFailure> {
    do throws(RoundFailure) { return .success(try loss(of: client, worker: worker)) } catch {
      return .failure(error)
    }
  }

  private func loss(of client: Int, worker: Int) throws(RoundFailure) -> Double {
    let examples = context.split.clients[client]
    var model = method.genericModel(server)
    if model == nil {
      // A method without a model for all: the client's own.
      var device = context.device(
        client: client, round: server.round, examples: examples, worker: worker, phase: .selection)
      model = try RoundFailure.diverging { () throws(Divergence) in
        try method.personalModel(&device, server, clients[client] ?? ClientMemory())
      }
    }
    let space = context.spaces(of: client)[worker]
    // Who has no model yet starts from the initial one.
    space.load(model ?? context.problem.initial(of: client))
    let network = context.problem.network(of: client)
    let measurement = network.measure(space, context.train, examples)
    return measurement.lossByClass.reduce(0, +) / Double(max(1, examples.count))
  }
}

import Aggregation
import Base
import Client
import Codecs
import Data
import Records
import Scenario
import Tensor

/// Cohorts that depend on clients' losses.
///
/// What clients report travels as ``ReportFrame``s: it is encoded, counted, decoded, and what was
/// decoded decides.
extension Simulation {
  /// Whether this run's cohorts are chosen by losses: a pooled site has no clients to choose from.
  var selectsClients: Bool {
    arena.scenario.federation.sampling.readsLosses && Method.population == .cohort
      && arena.sampler.given == nil
  }

  /// The clients of this round, ascending.
  package func cohort(_ outcome: inout Outcome) throws(Divergence) -> [Int] {
    guard selectsClients else { return arena.sampler.cohort(round: round) }
    let federation = arena.scenario.federation
    let clients = arena.split.clients.indices.filter { !arena.split.clients[$0].isEmpty }
    let memory = SelectionMemory(clients: federation.clients)
    switch federation.sampling {
    case .uniform, .poisson: return arena.sampler.cohort(round: round)
    case .powerOfChoice(let settings):
      var stream = RandomStream(seed: arena.seed, .candidates, round: round)
      let candidates = ClientDraws.weighted(
        clients,
        weights: clients.map { Double(arena.split.clients[$0].count) },
        count: settings.candidates,
        &stream
      )
      let values: [Double]
      switch settings.loss {
      case .exact: values = try exactLosses(of: candidates, &outcome)
      case .last:
        let last = memory.lastLosses(server.memory)
        values = candidates.map { last[$0] }
      }
      let chosen = ClientDraws.largest(
        candidates,
        values: values,
        count: federation.uniformCohort
      )
      if settings.loss == .exact { countModels(of: candidates, except: chosen, &outcome) }
      return chosen
    case .oort(let settings):
      let rule = OortRule(settings)
      return rule.cohort(
        size: federation.uniformCohort,
        of: clients,
        known: memory.known(server.memory),
        round: round,
        preferred: memory.preferred(server.memory, rule),
        seed: arena.seed
      )
    }
  }

  /// What the clients of this round told of their training.
  ///
  /// Clients whose part in the method makes no training loss have nothing to report.
  func reports(_ outcome: inout Outcome) -> [SelectionMemory.Report] {
    var reports: [SelectionMemory.Report] = []
    for client in outcome.sampled {
      guard let done = outcome.reports[client], done.exampleWeight > 0 else {
        continue
      }
      let examples = arena.split.clients[client].count
      let seconds = outcome.seconds[client]
      switch arena.scenario.federation.sampling {
      case .uniform, .poisson: continue
      case .powerOfChoice(let settings) where settings.loss == .exact: continue
      case .powerOfChoice:
        let loss = receive(done.lossSum / done.exampleWeight, from: client, examples, &outcome)
        reports.append(.init(client: client, loss: loss, seconds: seconds))
      case .oort:
        let root = (done.squareSum / done.exampleWeight).squareRoot()
        let told = receive(root, from: client, examples, &outcome)
        reports.append(.init(client: client, loss: Double(examples) * told, seconds: seconds))
      }
    }
    return reports
  }

  /// Keeps what was told.
  func keep(_ reports: [SelectionMemory.Report], in memory: inout StateTensors) {
    guard !reports.isEmpty else { return }
    let selection = SelectionMemory(clients: arena.scenario.federation.clients)
    selection.keep(reports, round: round, in: &memory)
    guard case .oort(let settings) = arena.scenario.federation.sampling else { return }
    let utility = reports.reduce(0) { $0 + $1.loss }
    selection.pace(utility, OortRule(settings), in: &memory)
  }

  /// F_k of the model that a client would be sent, on all of its own examples: mean cross-entropy,
  /// without augmentation and dropout.
  private func exactLosses(
    of candidates: [Int],
    _ outcome: inout Outcome
  ) throws(Divergence) -> [Double] {
    let measured = arena.pool.map(candidates.count) { worker, place -> Result<Double, Divergence> in
      do throws(Divergence) {
        return .success(try localLoss(of: candidates[place], worker: worker))
      } catch {
        return .failure(error)
      }
    }
    arena.forgetModels()
    var losses: [Double] = []
    for (client, result) in zip(candidates, measured) {
      let examples = arena.split.clients[client].count
      losses.append(receive(try result.get(), from: client, examples, &outcome))
    }
    return losses
  }

  private func localLoss(of client: Int, worker: Int) throws(Divergence) -> Double {
    let examples = arena.split.clients[client]
    var model = method.genericModel(server)
    if model == nil {
      // A method without a model for all: the client's own.
      var device = arena.device(
        client: client,
        round: round,
        examples: examples,
        worker: worker,
        firstStep: Counters.selection
      )
      model = try method.personalModel(&device, server, memories[client] ?? ClientMemory())
    }
    let space = arena.spaces(of: client)[worker]
    // Who has no model yet starts from the initial one.
    space.load(model ?? arena.problem.initial(of: client))
    let network = arena.problem.network(of: client)
    let measurement = network.measure(space, arena.train, examples)
    return measurement.lossByClass.reduce(0, +) / Double(max(1, examples.count))
  }

  /// The report of a client: encoded, counted as sent up, and decoded.
  private func receive(
    _ loss: Double,
    from client: Int,
    _ examples: Int,
    _ outcome: inout Outcome
  ) -> Double {
    do throws(CodecError) {
      let frame = try ReportFrame(samples: examples, loss: Float(loss), round: round).encoded()
      var payload = Payload.empty
      let shape = NamedShape("frame", [frame.count], .uint8)
      payload.append("report", [shape], values: frame.map(Float.init))
      outcome.bytes.up += outcome.messages.add(payload, .up, client: client)
      return Double(try ReportFrame(decoding: frame).loss)
    } catch {
      preconditionFailure("a report of \(examples) examples in round \(round): \(error)")
    }
  }

  /// Candidates that were not chosen got the model, too; those that were get it once, as a part of
  /// their training.
  private func countModels(of candidates: [Int], except chosen: [Int], _ outcome: inout Outcome) {
    let members = Set(chosen)
    for client in candidates where !members.contains(client) {
      let download = method.download(server, to: client)
      outcome.bytes.down += outcome.messages.add(download, .down, client: client)
    }
  }
}

import Aggregation
import Client
import Tensor

/// One strategy under one seed, round by round.
final class Simulation<Method: Strategy> {
  let arena: Arena
  let method: Method
  /// Rounds done.
  private(set) var round = 0
  /// What the server carries.
  private(set) var server: ServerState
  /// What each client that ever took part carries.
  private(set) var memories: [Int: ClientMemory] = [:]
  /// The hash chain over all states so far.
  private(set) var digest: UInt64 = 0
  /// Between rounds, the memory of the sums.
  private var fold = Method.Fold()

  /// What a round did, besides moving the state.
  struct Outcome {
    /// Clients drawn, ascending.
    var sampled: [Int] = []
    /// What all clients did together.
    var report = LocalReport()
    /// Bytes of all uploads and downloads.
    var bytes = RoundRecord.Bytes(up: 0, down: 0)
    /// What was sent.
    var messages = MessageLedger()
    /// What was sent before the first round, once.
    var broadcast = MessageLedger()
  }

  /// Before the first round.
  init(_ method: Method, _ arena: Arena) {
    self.arena = arena
    self.method = method
    server = method.start(arena.problem)
    extendDigest(with: [])
  }

  /// One round: cohort → as many exchanges as the method makes.
  func runRound() throws(Divergence) -> Outcome {
    round += 1
    server.round = round
    let cohort = arena.sampler.cohort(round: round)
    let jobs = RoundJobs(cohort, arena, Method.population, method.uploadWeighting)
    var outcome = Outcome(sampled: jobs.sampled)
    outcome.messages.reserve(clients: jobs.list.count * method.exchanges)
    if round == 1 { countBroadcast(in: &outcome) }
    for exchange in 0..<method.exchanges {
      server.exchange = exchange
      try run(jobs, exchange, &outcome)
    }
    server.exchange = 0
    guard VectorArithmetic.isFinite(server.model.span) else {
      throw Divergence(round: round)
    }
    extendDigest(with: jobs.list.map(\.client))
    return outcome
  }

  /// One exchange: download → train in parallel → fold in order → server step.
  private func run(
    _ jobs: RoundJobs,
    _ exchange: Int,
    _ outcome: inout Outcome
  ) throws(Divergence) {
    var failure: Divergence?
    var fold = Method.Fold()
    swap(&fold, &self.fold)  // one owner: no copy below
    fold.restart()
    // Taken before the workers start: they read, and the fold below writes, `memories`.
    let remembered = jobs.list.map { memories[$0.client] ?? ClientMemory() }

    arena.pool.run(jobs.list.count) { worker, index in
      train(jobs.list[index], jobs.settings, remembered[index], worker: worker)
    } foldBatch: { first, results in
      var uploads: [WeightedUpload] = []
      uploads.reserveCapacity(results.count)
      for offset in results.indices where failure == nil {
        switch results[offset] {
        case .failure(let divergence): failure = divergence
        case .success(let trained):
          let job = jobs.list[first + offset]
          count(trained.received, trained.update.upload, of: job.client, in: &outcome)
          uploads.append(
            WeightedUpload(trained.update.upload, weight: job.weight, client: job.client)
          )
          outcome.report.add(trained.update.report)
          memories[job.client] = trained.memory.isEmpty ? nil : trained.memory
        }
      }
      fold.add(uploads)
    }
    if let failure { throw failure }
    arena.forgetModels()  // the server is about to move the model, and would copy it
    if !jobs.list.isEmpty {
      let facts = RoundFacts(
        round: round,
        exchange: exchange,
        rounds: arena.problem.rounds,
        uploads: jobs.list.count,
        clients: arena.problem.clients,
        makeDevice: { [arena, round] in arena.serverDevice(round: round, exchange: exchange) }
      )
      try method.step(&server, fold, facts)
      arena.forgetModels()
    }
    swap(&fold, &self.fold)
  }

  /// All that the next rounds depend on.
  var checkpoint: Checkpoint {
    Checkpoint(round: round, digest: digest, server: server, memories: memories)
  }

  /// Continues from a checkpoint as if it had never stopped.
  func restore(_ checkpoint: Checkpoint) {
    round = checkpoint.round
    digest = checkpoint.digest
    server = checkpoint.server
    server.round = round
    memories = checkpoint.memories
  }

  /// Download, local training, upload of one client; runs on a worker.
  private func train(
    _ job: RoundJobs.Job,
    _ settings: LocalSettings,
    _ remembered: ClientMemory,
    worker: Int
  ) -> Result<TrainedClient, Divergence> {
    let received = method.download(server, to: job.client)
    var device = arena.device(
      client: job.client,
      round: round,
      examples: job.examples,
      worker: worker,
      settings: settings,
      firstStep: Counters.exchange(server.exchange)
    )
    var memory = remembered
    do throws(Divergence) {
      let update = try method.train(&device, received: received, memory: &memory)
      return .success(TrainedClient(received: received, update: update, memory: memory))
    } catch {
      return .failure(error)
    }
  }

  // MARK: - Ledger

  /// What every client is told once: the method's broadcast, and the pooled class counts when the
  /// loss needs them.
  private func countBroadcast(in outcome: inout Outcome) {
    guard Method.population == .cohort else { return }
    var down = method.broadcast(server)
    var up = Payload.empty
    if arena.problem.settings.loss.needsPooledCounts {
      let counts = [NamedShape("class_counts", [arena.network.classes], .int32)]
      let zeros = [Float](repeating: 0, count: arena.network.classes)  // only sizes are counted
      up.append("class-counts", counts, values: zeros)
      down.append("class-counts", counts, values: zeros)
    }
    for client in 0..<arena.problem.clients {
      outcome.bytes.setup += outcome.broadcast.add(up, .up, client: client)
      outcome.bytes.setup += outcome.broadcast.add(down, .down, client: client)
    }
  }

  /// Every tensor of both messages; data that never leave their place cost nothing.
  private func count(
    _ download: Payload,
    _ upload: Payload,
    of client: Int,
    in outcome: inout Outcome
  ) {
    guard Method.population == .cohort else { return }
    outcome.bytes.down += outcome.messages.add(download, .down, client: client)
    outcome.bytes.up += outcome.messages.add(upload, .up, client: client)
  }

  /// digest ← hash(digest, server state, memories of this round's clients).
  private func extendDigest(with clients: [Int]) {
    var hash = XXHash64(seed: digest)
    hash.update([Int64(round)])
    hash.update(server.model)
    hash.update(server.memory)
    for client in clients {
      guard let memory = memories[client] else { continue }
      hash.update([Int64(client)])
      hash.update(memory)
    }
    digest = hash.finish()
  }
}

extension XXHash64 {
  /// Adds all tensors in the order of their names.
  mutating func update(_ state: StateTensors) {
    for name in state.names {
      update(name)
      update(state[name, default: []])
    }
  }
}

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

  /// What a round did, besides moving the state.
  struct Outcome {
    /// Clients drawn, ascending.
    var sampled: [Int] = []
    /// What all clients did together.
    var report = LocalReport()
    /// Bytes of all uploads and downloads.
    var bytes = RoundRecord.Bytes(up: 0, down: 0)
    /// One row per message and tensor.
    var messages: [MessageRow] = []
  }

  /// Before the first round.
  init(_ method: Method, _ arena: Arena) {
    self.arena = arena
    self.method = method
    server = method.start(arena.problem)
    extendDigest(with: [])
  }

  /// One round: cohort → download → train in parallel → fold in order → server step.
  func runRound() throws(Divergence) -> Outcome {
    round += 1
    let jobs = jobs(of: arena.sampler.cohort(round: round))
    var outcome = Outcome(sampled: jobs.sampled)
    var fold = Method.Fold()
    var failure: Divergence?
    // Taken before the workers start: they read, and the fold below writes, `memories`.
    let remembered = jobs.list.map { memories[$0.client] ?? ClientMemory() }

    arena.pool.run(jobs.list.count) { worker, index in
      train(jobs.list[index], remembered[index], worker: worker)
    } fold: { index, result in
      let client = jobs.list[index].client
      switch result {
      case .failure(let divergence):
        if failure == nil { failure = divergence }
      case .success(let trained):
        guard failure == nil else { return }
        count(trained.received, trained.update.upload, of: client, in: &outcome)
        fold.add(trained.update.upload, weight: jobs.list[index].weight, client: client)
        outcome.report.add(trained.update.report)
        if !trained.memory.isEmpty { memories[client] = trained.memory }
      }
    }
    if let failure { throw failure }
    if !jobs.list.isEmpty {
      method.step(
        &server,
        fold,
        RoundFacts(round: round, uploads: jobs.list.count, clients: arena.problem.clients)
      )
    }
    guard VectorArithmetic.isFinite(server.model.span) else {
      throw Divergence(round: round)
    }
    extendDigest(with: jobs.list.map(\.client))
    return outcome
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
    memories = checkpoint.memories
  }

  // MARK: - Jobs

  /// One client's training in a round.
  private struct Job {
    let client: Int
    let examples: [Int]
    let settings: LocalSettings
    let weight: Double
  }

  /// The training of a round, the largest client first so that no worker idles at the end; clients
  /// without examples are drawn but have nothing to do.
  private func jobs(of cohort: [Int]) -> (sampled: [Int], list: [Job]) {
    let settings = arena.problem.settings
    let clients = arena.split.clients
    let active = cohort.filter { !clients[$0].isEmpty }
    if Method.population == .pooled {
      let steps = active.map {
        settings.work.steps(examples: clients[$0].count, batch: settings.batch)
      }.reduce(0, +)
      var pooled = settings
      pooled.work = .steps(steps)
      let union = clients.count == 1 ? clients[0] : clients.flatMap { $0 }
      let job = Job(client: 0, examples: union, settings: pooled, weight: 1)
      return (cohort, steps == 0 ? [] : [job])
    }
    let byExamples =
      Method.weighting == .scenario && arena.scenario.federation.weighting == .samples
    let weights = active.map { byExamples ? Double(clients[$0].count) : 1 }
    let total = weights.reduce(0, +)
    let list = zip(active, weights).map { client, weight in
      Job(client: client, examples: clients[client], settings: settings, weight: weight / total)
    }
    return (cohort, list.sorted { ($1.examples.count, $0.client) < ($0.examples.count, $1.client) })
  }

  /// What a worker hands over.
  private struct Trained {
    let received: Payload
    let update: ClientUpdate
    let memory: ClientMemory
  }

  /// Download, local training, upload of one client; runs on a worker.
  private func train(
    _ job: Job,
    _ remembered: ClientMemory,
    worker: Int
  ) -> Result<Trained, Divergence> {
    let received = method.download(server, to: job.client)
    var device = arena.device(
      client: job.client,
      round: round,
      examples: job.examples,
      worker: worker,
      settings: job.settings
    )
    var memory = remembered
    do throws(Divergence) {
      let update = try method.train(&device, received: received, memory: &memory)
      return .success(Trained(received: received, update: update, memory: memory))
    } catch {
      return .failure(error)
    }
  }

  // MARK: - Ledger

  /// Every tensor of both messages; data that never leave their place cost nothing.
  private func count(
    _ download: Payload,
    _ upload: Payload,
    of client: Int,
    in outcome: inout Outcome
  ) {
    guard Method.population == .cohort else { return }
    outcome.bytes.down += download.byteCount
    outcome.bytes.up += upload.byteCount
    for (payload, direction) in [(download, MessageRow.Direction.down), (upload, .up)] {
      for block in payload.blocks {
        for tensor in block.tensors {
          outcome.messages.append(
            MessageRow(
              round: round,
              client: client,
              direction: direction,
              tensor: block.name + "/" + tensor.name,
              dtype: "f32",
              shape: tensor.shape,
              denseBytes: 4 * tensor.count,
              codedBytes: 4 * tensor.count
            )
          )
        }
      }
    }
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

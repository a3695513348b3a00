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
  var server: ServerState
  /// What each client that ever took part carries.
  var memories: [Int: ClientMemory] = [:]
  /// The hash chain over all states so far.
  private(set) var digest: UInt64 = 0
  /// Between rounds, the memory of the sums.
  private var fold = Method.Fold()
  /// What an upload looks like, for cohorts of nobody.
  private var template: Payload?

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
    /// What privacy did.
    var privacy = PrivacyOutcome()
    /// What encoding did; nil where nothing is encoded.
    var compression: CompressionOutcome?
    /// What each client did, where cohorts are chosen by losses.
    var reports: [Int: LocalReport] = [:]
    /// Seconds that each client took on the federation's clock; empty without one.
    var seconds: [Int: Double] = [:]
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
    var outcome = Outcome()
    if arena.compression != nil { outcome.compression = CompressionOutcome() }
    let cohort = try cohort(&outcome)
    if let privacy = arena.privacy, Method.population == .cohort {
      outcome.privacy.stopped = cohort.filter { !privacy.canTrain($0, memories[$0]) }
    }
    let stopped = Set(outcome.privacy.stopped)
    let jobs = RoundJobs(
      stopped.isEmpty ? cohort : cohort.filter { !stopped.contains($0) },
      arena,
      Method.population,
      arena.privacy?.settings.clientLevel == nil ? method.uploadWeighting : .uniform
    )
    outcome.sampled = jobs.sampled
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
    if selectsClients { keep(reports(&outcome), in: &server.memory) }
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
    let release = clientRelease(senders: jobs.list.count)
    var aggregate = PrivateAggregate()
    let clip = privateClip
    if release != nil { outcome.privacy.clip = clip }
    var memory = server.memory
    let prepared = try prepareDownload(jobs, &memory)
    server.memory = memory
    var changes = WeightedMean()
    let sendsChanges = arena.compression?.sendsChanges ?? false
    let shared = sharedFactors(jobs)
    var sample: Payload?

    arena.pool.run(jobs.list.count) { worker, index in
      train(
        jobs.list[index],
        jobs,
        remembered[index],
        release,
        prepared,
        shared,
        worker: worker
      )
    } foldBatch: { first, results in
      var uploads: [WeightedUpload] = []
      uploads.reserveCapacity(results.count)
      for offset in results.indices where failure == nil {
        switch results[offset] {
        case .failure(let divergence): failure = divergence
        case .success(let trained):
          let job = jobs.list[first + offset]
          count(trained, of: job.client, in: &outcome)
          note(trained, in: &outcome)
          if sample == nil { sample = trained.template ?? trained.update.upload }
          if aggregatesPrivately, let sent = trained.sent {
            aggregate.add(sent, clip: clip)
          } else if sendsChanges {
            let share = arena.compression?.shares[job.client] ?? 0
            changes.add(WeightedUpload(trained.update.upload, weight: share, client: job.client))
          } else if shared != nil {
            changes.add(
              WeightedUpload(trained.update.upload, weight: job.weight, client: job.client)
            )
          } else {
            uploads.append(
              WeightedUpload(trained.update.upload, weight: job.weight, client: job.client)
            )
          }
          outcome.report.add(trained.update.report)
          if selectsClients {
            outcome.reports[job.client, default: LocalReport()].add(trained.update.report)
          }
          memories[job.client] = trained.memory.isEmpty ? nil : trained.memory
        }
      }
      fold.add(uploads)
    }
    if let failure { throw failure }
    arena.forgetModels()  // the server is about to move the model, and would copy it
    if aggregatesPrivately {
      let mean = privateMean(&aggregate, jobs, &outcome)
      fold.add(WeightedUpload(mean, weight: 1, client: arena.problem.clients))
    }
    var mean: Payload?
    if sendsChanges, let sample { mean = estimate(changes, like: sample) }
    if let shared, let sample { mean = secondFactors(changes, shared, jobs, like: sample) }
    if let mean { fold.add(WeightedUpload(mean, weight: 1, client: arena.problem.clients)) }
    if !jobs.list.isEmpty || aggregatesPrivately {
      let before = strengthsAreDue ? server.model : []
      let facts = RoundFacts(
        round: round,
        exchange: exchange,
        rounds: arena.problem.rounds,
        uploads: max(1, jobs.list.count),
        clients: arena.problem.clients,
        makeDevice: { [arena, round] in arena.serverDevice(round: round, exchange: exchange) }
      )
      try method.step(&server, fold, facts)
      if arena.privacy?.settings.clientLevel != nil { clampVariances(&server.model) }
      arena.forgetModels()
      if !before.isEmpty, let block = sample?.blocks.first {
        chooseStrengths(block.tensors, of: block.name, before: before)
      }
    }
    swap(&fold, &self.fold)
  }

  /// Whether this round ends with a new choice of how strongly each tensor is encoded.
  private var strengthsAreDue: Bool {
    guard let layerwise = arena.compression?.settings.uplink?.layerwise else { return false }
    return round % layerwise.every == 0
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
    _ jobs: RoundJobs,
    _ remembered: ClientMemory,
    _ release: ClientRelease?,
    _ prepared: PreparedDownload?,
    _ shared: SharedFactorsRound?,
    worker: Int
  ) -> Result<TrainedClient, Divergence> {
    let privacy = arena.privacy?.training(
      of: job.client,
      remembered,
      worker: worker,
      exchange: server.exchange
    )
    var device = arena.device(
      client: job.client,
      round: round,
      examples: job.examples,
      worker: worker,
      settings: jobs.settings,
      firstStep: Counters.exchange(server.exchange),
      privacy: privacy
    )
    var memory = remembered
    var coded = TrainedClient.Coded()
    do throws(Divergence) {
      let received = try receive(
        method.download(server, to: job.client),
        prepared,
        job.client,
        remembered,
        &coded
      )
      var update = try method.train(&device, received: received, memory: &memory)
      if let privacy { arena.privacy?.remember(privacy, &memory) }
      var sent: ClientRelease.Sent?
      // Where the server adds the noise, its clip is the last that looks at data; else noise comes
      // first and encoding is free.
      let encodesFirst = release?.mechanism.placement == .server
      var template: Payload?
      func encoded(_ upload: Payload) throws(Divergence) -> Payload {
        if let shared {
          template = upload.materialised
          return try firstFactors(upload, shared, &memory, &coded)
        }
        return try encode(
          upload,
          device,
          jobs.list.count,
          steps: update.report.steps,
          &memory,
          &coded
        )
      }
      if encodesFirst { update.upload = try encoded(update.upload) }
      if let release, !update.upload.blocks.isEmpty {
        let result = release.release(update.upload, &memory) { clientNoise(job.client, $0) }
        update.upload = result.upload
        sent = result
      }
      if !encodesFirst {
        update.upload = try encoded(update.upload)
        sent?.upload = update.upload
      }
      return .success(
        TrainedClient(
          received: received,
          update: update,
          memory: memory,
          sent: sent,
          statistics: privacy?.statistics,
          coded: arena.compression == nil ? nil : coded,
          template: template
        )
      )
    } catch {
      return .failure(error)
    }
  }

  /// The noisy mean of what was summed up, also of nothing.
  private func privateMean(
    _ aggregate: inout PrivateAggregate,
    _ jobs: RoundJobs,
    _ outcome: inout Outcome
  ) -> Payload {
    if aggregate.template == nil {
      if template == nil { template = sampleUpload(jobs.settings) }
      if let template { aggregate.shape(template) }
    }
    template = aggregate.template
    var memory = server.memory
    defer { server.memory = memory }
    return releaseMean(aggregate, &memory, &outcome)
  }

  /// What an upload looks like, from a training whose result nobody sees: an empty cohort gets its
  /// noise like any other.
  private func sampleUpload(_ settings: LocalSettings) -> Payload? {
    guard let client = arena.split.clients.firstIndex(where: { !$0.isEmpty }) else { return nil }
    let job = RoundJobs.Job(client: client, examples: arena.split.clients[client], weight: 1)
    let alone = RoundJobs(sampled: [client], list: [job], settings: settings)
    let result = train(job, alone, memories[client] ?? ClientMemory(), nil, nil, nil, worker: 0)
    guard case .success(let trained) = result else { return nil }
    return trained.update.upload.materialised
  }

  // MARK: - Ledger

  /// What privacy has to know of a client's part.
  private func note(_ trained: TrainedClient, in outcome: inout Outcome) {
    guard let privacy = arena.privacy else { return }
    if let statistics = trained.statistics { outcome.privacy.training.add(statistics) }
    if let sent = trained.sent { outcome.privacy.norms.append(sent.norm) }
    guard privacy.settings.exampleLevel != nil, Method.population == .cohort else { return }
    for block in trained.update.upload.blocks where !privacy.declared.contains(block.name) {
      outcome.privacy.undeclared.insert(block.name)
    }
  }

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
  private func count(_ trained: TrainedClient, of client: Int, in outcome: inout Outcome) {
    guard Method.population == .cohort else { return }
    if let coded = trained.coded, let down = coded.down, let up = coded.up {
      outcome.bytes.down += outcome.messages.add(down, .down, client: client)
      outcome.bytes.up += outcome.messages.add(up, .up, client: client)
      outcome.compression?.add(coded)
    } else {
      outcome.bytes.down += outcome.messages.add(trained.received, .down, client: client)
      outcome.bytes.up += outcome.messages.add(trained.update.upload, .up, client: client)
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

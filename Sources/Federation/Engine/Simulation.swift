import Aggregation
import Base
import Client
import Records
import Scenario
import Tensor

/// One strategy under one seed, round by round.
package final class Simulation<Method: Strategy> {
  package let arena: Arena
  package let method: Method
  /// Devices and links in virtual time; nil for no clock.
  let clock: VirtualClock?
  /// Virtual seconds since the first round began.
  package var now = 0.0
  /// Who is at work, for methods that wait for nobody.
  var asynchrony = Asynchrony()
  /// Rounds done.
  package private(set) var round = 0
  /// What the server carries.
  package var server: ServerState
  /// What each client that ever took part carries.
  package var memories: [Int: ClientMemory] = [:]
  /// The hash chain over all states so far.
  package private(set) var digest: UInt64 = 0
  /// Between rounds, the memory of the sums.
  var fold = Method.Fold()
  /// What an upload looks like, for cohorts of nobody.
  var template: Payload?
  /// Blocks that left clients so far and that the method does not declare.
  var undeclared: Set<String> = []

  /// What a round did, besides moving the state.
  package struct Outcome {
    /// Clients drawn, ascending.
    var sampled: [Int] = []
    /// What all clients did together.
    var report = LocalReport()
    /// Bytes of all uploads and downloads.
    package var bytes = RoundRecord.Bytes(up: 0, down: 0)
    /// What was sent.
    var messages = MessageLedger()
    /// What was sent before the first round, once.
    var broadcast = MessageLedger()
    /// What privacy did.
    package var privacy = PrivacyOutcome()
    /// Floating-point operations of all clients' passes through networks.
    package var flops = 0
    /// Those of each client's part, in the order of the fold.
    package var clientFLOPs: [Int] = []
    /// Seconds that all workers spent on clients' parts.
    package var trainSeconds = 0.0
    /// What the clock saw; nil without one.
    var clock: ClockOutcome?
    /// What encoding did; nil where nothing is encoded.
    package var compression: CompressionOutcome?
    /// What each client did, where cohorts are chosen by losses.
    var reports: [Int: LocalReport] = [:]
    /// Seconds that each client took on the federation's clock; empty without one.
    package var seconds: [Int: Double] = [:]
  }

  /// Before the first round.
  package init(_ method: Method, _ arena: Arena) {
    self.arena = arena
    self.method = method
    clock = Self.clock(of: method, arena)
    server = method.start(arena.problem)
    extendDigest(with: [])
  }

  /// One round: cohort → as many exchanges as the method makes.
  package func runRound() throws(Divergence) -> Outcome {
    round += 1
    server.round = round
    if case .buffered(let size) = method.schedule { return try runAsynchronously(buffer: size) }
    var outcome = Outcome()
    if arena.compression != nil { outcome.compression = CompressionOutcome() }
    let cohort = try selectsClients ? cohort(&outcome) : drawCohort()
    outcome.clock = clock.map { _ in ClockOutcome(start: now) }
    outcome.privacy.stopped = stopped(cohort)
    let stopped = Set(outcome.privacy.stopped)
    var jobs = RoundJobs(
      stopped.isEmpty ? cohort : cohort.filter { !stopped.contains($0) },
      arena,
      Method.population,
      arena.privacy?.settings.clientLevel == nil ? method.uploadWeighting : .uniform
    )
    if let most = arena.mostJobs { jobs.cut(to: most) }
    outcome.sampled = jobs.sampled
    outcome.messages.reserve(clients: jobs.list.count * method.exchanges)
    if round == 1 { countBroadcast(in: &outcome) }
    for exchange in 0..<method.exchanges {
      server.exchange = exchange
      try run(jobs, exchange, &outcome)
    }
    server.exchange = 0
    try requireFinite()
    if selectsClients { keep(reports(&outcome), in: &server.memory) }
    extendDigest(with: jobs.list.map(\.client))
    return outcome
  }

  /// A model with an infinite weight ends the run.
  func requireFinite() throws(Divergence) {
    if let tensor = arena.problem.layout.firstNonFinite(server.model.span) {
      throw Divergence(round: round, trace: Divergence.Trace(.server(tensor)))
    }
  }

  /// One exchange: download → train in parallel → fold in order → server step.
  private func run(
    _ cohort: RoundJobs,
    _ exchange: Int,
    _ outcome: inout Outcome
  ) throws(Divergence) {
    let prepared = try prepareDownload(to: cohort.list.map(\.client))
    let (jobs, started) = try beginExchange(cohort, exchange, prepared, &outcome)
    var clocked = started
    var failure: Divergence?
    var fold = Method.Fold()
    swap(&fold, &self.fold)  // one owner: no copy below
    fold.restart()
    // Taken before the workers start: they read, and the fold below writes, `memories`.
    let remembered = jobs.list.map { memories[$0.client] ?? ClientMemory() }
    let common = ExchangeContext(
      senders: jobs.list.count,
      release: clientRelease(senders: jobs.list.count),
      download: prepared,
      factors: sharedFactors(jobs)
    )
    var aggregate = PrivateAggregate()
    let clip = privateClip
    if common.release != nil { outcome.privacy.clip = clip }
    var changes = WeightedMean()
    var sample: Payload?
    var unheard: [Int: [String: [Float]]] = [:]

    arena.pool.run(jobs.list.count) { worker, index in
      trainInTime(
        jobs.list[index],
        jobs.settings,
        remembered[index],
        common,
        started,
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
          var fate: ClockedExchange.Fate?
          if clocked != nil {
            let timing = timing(of: trained, job.client)
            fate = clocked?.note(job.client, job: first + offset, timing)
            outcome.seconds[job.client, default: 0] += timing.total
          }
          take(trained, of: job.client, fate == .dropped, in: &outcome)
          if fate == .dropped { continue }
          if fate == .lost {
            forget(trained.unheard, of: job.client)
            continue
          }
          // Only where somebody asks: an upload that is kept keeps the model that it came from.
          if sample == nil, isSummedFirst || strengthsAreDue {
            sample = trained.template ?? trained.update.upload
          }
          if aggregatesPrivately, let sent = trained.sent {
            aggregate.add(sent, clip: clip)
            continue
          }
          let upload = WeightedUpload(
            trained.update.upload,
            weight: sumShare(of: job),
            client: job.client
          )
          if isSummedFirst {
            changes.add(upload)
          } else if fate == .held {
            unheard[job.client] = trained.unheard
            clocked?.hold(upload)
          } else {
            uploads.append(upload)
          }
        }
      }
      fold.add(uploads)
    }
    if let failure { throw failure }
    if let held = clocked?.settle(), !held.isEmpty { fold.add(held) }
    for client in clocked?.outcome.late ?? [] { forget(unheard[client] ?? [:], of: client) }
    let arrived = clocked?.taken ?? jobs.list.count
    arena.forgetModels()  // the server is about to move the model, and would copy it
    if aggregatesPrivately {
      let mean = try privateMean(&aggregate, senders: common.senders, jobs, &outcome)
      fold.add(WeightedUpload(mean, weight: 1, client: arena.problem.clients))
    }
    var heard = jobs
    heard.keep { !(clocked?.loses($0.client) ?? false) }
    if let sample, let mean = meanOfSums(changes, common.factors, heard, like: sample) {
      fold.add(WeightedUpload(mean, weight: 1, client: arena.problem.clients))
    }
    if arrived > 0 || aggregatesPrivately {
      let before = strengthsAreDue ? server.model : []
      let facts = RoundFacts(
        round: round,
        exchange: exchange,
        rounds: arena.problem.rounds,
        uploads: max(1, arrived),
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
    if let done = clocked?.finish(steps: arrived > 0 || aggregatesPrivately) {
      outcome.clock = done
      now = done.end
    }
  }

  /// All that the next rounds depend on.
  package var checkpoint: Checkpoint {
    Checkpoint(
      round: round,
      digest: digest,
      server: server,
      memories: memories,
      clock: clockState
    )
  }

  /// Continues from a checkpoint as if it had never stopped.
  package func restore(_ checkpoint: Checkpoint) {
    round = checkpoint.round
    digest = checkpoint.digest
    server = checkpoint.server
    server.round = round
    memories = checkpoint.memories
    restoreClock(checkpoint.clock)
  }

  /// Download, local training, upload of one client; runs on a worker.
  ///
  /// `flight`: what an asynchronous client was sent, and when; nil in a synchronous exchange.
  package func train(
    _ job: RoundJobs.Job,
    _ settings: LocalSettings,
    _ remembered: ClientMemory,
    _ common: ExchangeContext,
    flight: Flight? = nil,
    worker: Int
  ) -> Result<TrainedClient, Divergence> {
    let number = flight?.repetition ?? server.exchange
    let spaces = arena.spaces(of: job.client)
    let before = spaces.flops(worker)
    let start = SystemClock.steady()
    let privacy = arena.privacy?.training(
      of: job.client,
      remembered,
      worker: worker,
      exchange: number
    )
    var device = arena.device(
      client: job.client,
      round: flight?.round ?? round,
      examples: job.examples,
      worker: worker,
      settings: settings,
      firstStep: Counters.exchange(number),
      privacy: privacy
    )
    do throws(Divergence) {
      var received = CodedPayload(flight?.received ?? method.download(server, to: job.client))
      if flight == nil {
        received = try receive(received.payload, common.download, job.client, remembered)
      }
      var memory = remembered
      let update = try method.train(&device, received: received.payload, memory: &memory)
      if let privacy { arena.privacy?.remember(privacy, &memory) }
      // Clipping at the client takes such an upload for nothing.
      if arena.checksUploads, common.release == nil,
        let tensor = update.upload.blocks.lazy.compactMap(\.firstNonFinite).first
      {
        throw device.divergence(upload: tensor)
      }
      var trained = TrainedClient(
        received: received.payload,
        downBytes: flight?.downBytes ?? received.byteCount,
        update: update,
        memory: memory,
        statistics: privacy?.statistics,
        flops: spaces.flops(worker) - before
      )
      if arena.compression != nil {
        trained.coded = TrainedClient.Coded(down: received.message, seconds: received.seconds)
      }
      try pack(&trained, device, number, common)
      trained.seconds = SystemClock.steady() - start
      return .success(trained)
    } catch {
      return .failure(error)
    }
  }

  /// From an update to what leaves: clip, noise and encoding, in the order that protects.
  ///
  /// Where the server adds the noise, its clip is the last that looks at data; else noise comes
  /// first and encoding is free.
  private func pack(
    _ trained: inout TrainedClient,
    _ device: Device,
    _ number: Int,
    _ common: ExchangeContext
  ) throws(Divergence) {
    let encodesFirst = common.release?.mechanism.placement == .server
    if encodesFirst { try encode(&trained, device, number, common) }
    if let release = common.release, !trained.update.upload.blocks.isEmpty {
      let sent = release.release(trained.update.upload, &trained.memory) {
        clientNoise(device.client, $0)
      }
      trained.update.upload = sent.upload
      trained.sent = sent
    }
    if !encodesFirst {
      try encode(&trained, device, number, common)
      trained.sent?.upload = trained.update.upload
    }
  }

  /// digest ← hash(digest, server state, memories of this round's clients).
  func extendDigest(with clients: [Int]) {
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

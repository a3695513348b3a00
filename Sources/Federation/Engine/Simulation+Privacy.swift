import Aggregation
import Client
import Tensor

/// Client-level privacy in a round: what clients do to their messages, and what the server does to
/// the sum.
extension Simulation {
  /// S of this round.
  var privateClip: Double {
    server.memory[RunPrivacy.clipName].map { Double($0[0]) }
      ?? arena.privacy?.settings.clip ?? .infinity
  }

  /// What a client does to its upload before it leaves; nil without client-level privacy.
  ///
  /// `senders`: clients that send in this exchange.
  func clientRelease(senders: Int) -> ClientRelease? {
    guard let privacy = arena.privacy, let mechanism = privacy.settings.clientLevel else {
      return nil
    }
    let clip = privateClip
    let whole = privacy.plan.updateMultiplier * clip
    let deviation: Double =
      switch mechanism.placement {
      case .server: 0
      case .local: whole
      case .distributed: whole / Double(max(1, senders)).squareRoot()
      }
    return ClientRelease(
      settings: privacy.settings,
      mechanism: mechanism,
      clip: clip,
      deviation: deviation
    )
  }

  /// The noise that a client adds to a block of its upload.
  func clientNoise(_ client: Int, _ block: Int) -> RandomStream {
    RandomStream(
      seed: arena.seed,
      .dpNoise,
      round: round,
      client: client,
      step: 1 << 60 + server.exchange << 20 + block
    )
  }

  /// Whether uploads are summed up and noised as one, instead of reaching the method one by one.
  var aggregatesPrivately: Bool {
    guard let mechanism = arena.privacy?.settings.clientLevel else { return false }
    return mechanism.placement != .local
  }

  /// The noisy mean of a cohort; moves the hidden error and the adaptive clip.
  func releaseMean(
    _ aggregate: PrivateAggregate,
    _ memory: inout StateTensors,
    _ outcome: inout Outcome
  ) -> Payload {
    guard let privacy = arena.privacy, let mechanism = privacy.settings.clientLevel else {
      return .empty
    }
    let clip = privateClip
    let multiplier = privacy.plan.updateMultiplier
    let blocks = aggregate.template?.blocks.map(\.name) ?? []
    var errors = blocks.compactMap { memory[ClientRelease.errorName($0)] }
    if errors.count != blocks.count { errors = [] }
    var ratio: Double?
    if case .serverErrorFeedback(let value, _) = mechanism.kind { ratio = value }
    let deviation = mechanism.placement == .server ? multiplier * clip : 0
    let released = aggregate.release(
      clip: clip,
      deviation: deviation,
      size: privacy.cohortSize,
      noise: mechanism.noise,
      ratio: ratio,
      errors: &errors
    ) { clientNoise(arena.problem.clients, $0) }
    for (name, error) in zip(blocks, errors) { memory[ClientRelease.errorName(name)] = error }
    outcome.privacy.signal += released.signal
    outcome.privacy.noise += multiplier * clip * Double(released.coordinates).squareRoot()
    if let adaptive = mechanism.adaptive {
      let stream = clientNoise(arena.problem.clients, blocks.count)
      let next = aggregate.adapted(
        clip: clip,
        adaptive,
        size: privacy.cohortSize,
        countDeviation: PrivateAggregate.countDeviation(cohort: privacy.cohortSize),
        noise: privacy.plan.multiplier > 0 ? GaussianNoise(stream).value(0) : 0
      )
      memory[RunPrivacy.clipName] = [Float(next)]
    }
    return released.payload
  }

  /// Noise can make a running variance negative, which no variance is.
  func clampVariances(_ model: inout [Float]) {
    for entry in arena.problem.layout.entries where entry.role == .runningVariance {
      for i in entry.range { model[i] = max(0, model[i]) }
    }
  }

  /// The noisy mean of what was summed up, also of nothing.
  func privateMean(
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
    let memory = memories[client] ?? ClientMemory()
    let result = train(job, settings, memory, ExchangeContext(senders: 1), worker: 0)
    guard case .success(let trained) = result else { return nil }
    return trained.update.upload.materialised
  }
}

import Accounting
import Aggregation
import Base
import Client
import Data
import Scenario
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
    senders: Int,
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
    // Whoever is missing took a share of the noise along, and a cohort of nobody had none at all:
    // the sum has all of it, whoever sends.
    var missing = 1.0
    if mechanism.placement == .distributed, senders > 0 {
      missing = max(0, 1 - Double(aggregate.count) / Double(senders))
    }
    let deviation = missing == 1 ? multiplier * clip : multiplier * clip * missing.squareRoot()
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
        countDeviation: CountNoise.deviation(cohort: privacy.cohortSize),
        noise: privacy.plan.multiplier > 0 ? GaussianNoise(stream).value(0) : 0
      )
      memory[RunPrivacy.clipName] = [Float(next)]
    }
    return released.payload
  }

  /// Clients of a cohort whose budget does not pay for this round.
  func stopped(_ cohort: [Int]) -> [Int] {
    guard let privacy = arena.privacy else { return [] }
    // One site has one budget, whoever's examples it trains on.
    if Method.population == .pooled { return privacy.canTrain(0, memories[0]) ? [] : cohort }
    guard privacy.settings.clientLevel?.placement == .local, privacy.plan.limit != nil else {
      return cohort.filter { !privacy.canTrain($0, memories[$0]) }
    }
    let rounds = privacy.epsilons.participations(upTo: round - 1, arena.sampler)
    return cohort.filter {
      !privacy.canSend(method.exchanges, after: rounds[$0, default: 0])
    }
  }

  /// Noise can make a running variance negative, which no variance is.
  func clampVariances(_ model: inout [Float]) {
    for entry in arena.problem.layout.entries where entry.role == .runningVariance {
      for i in entry.range { model[i] = max(0, model[i]) }
    }
  }

  /// The noisy mean of what was summed up, also of nothing.
  ///
  /// `senders`: clients that added noise to be a share of the whole.
  func privateMean(
    _ aggregate: inout PrivateAggregate,
    senders: Int,
    _ jobs: RoundJobs,
    _ outcome: inout Outcome
  ) throws(Divergence) -> Payload {
    if aggregate.template == nil {
      if template == nil { template = try sampleUpload(jobs.settings) }
      if let template { aggregate.shape(template) }
    }
    template = aggregate.template
    var memory = server.memory
    defer { server.memory = memory }
    return releaseMean(aggregate, senders: senders, &memory, &outcome)
  }

  /// What an upload looks like, from a training whose result nobody sees: an empty cohort gets its
  /// noise like any other.
  private func sampleUpload(_ settings: LocalSettings) throws(Divergence) -> Payload? {
    guard let client = arena.split.clients.firstIndex(where: { !$0.isEmpty }) else { return nil }
    let job = RoundJobs.Job(client: client, examples: arena.split.clients[client], weight: 1)
    let memory = memories[client] ?? ClientMemory()
    let trained = try train(job, settings, memory, ExchangeContext(senders: 1), worker: 0).get()
    return trained.update.upload.materialised
  }
}

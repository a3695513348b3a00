import Accounting
import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// Client-level privacy: clients clip their messages, and add noise or a share of it; where the sum
/// is noised as one, the method gets one noisy mean in place of uploads.
final class ClientPrivacyStage: PrivacyStage {
  private let privacy: RunPrivacy
  private let mechanism: PrivacySettings.ClientMechanism
  private let run: StageContext
  private(set) var stopped: [Int] = []
  var leaks = LeakWatch()

  /// The clip, the hidden error, and how noisy means are made.
  private var release: CohortRelease
  /// What an upload looks like, for cohorts of nobody.
  private var template: Payload?
  private var aggregate = PrivateAggregate()

  /// Norms of the round's messages before the clip.
  private var norms: [Double] = []
  /// The clip of the round; nil before an exchange.
  private var clipOfRound: Double?
  /// ‖noise‖ expected, and ‖sum‖, of what the server released in the round.
  private var noise = 0.0
  private var signal = 0.0

  init(_ privacy: RunPrivacy, _ mechanism: PrivacySettings.ClientMechanism, _ run: StageContext) {
    self.privacy = privacy
    self.mechanism = mechanism
    self.run = run
    release = CohortRelease(
      privacy.settings, mechanism, multiplier: privacy.plan.updateMultiplier,
      size: privacy.cohortSize)
  }

  var sectionName: String? { RunPrivacy.section }
  var section: StateTensors {
    get {
      var tensors = StateTensors()
      if let clip = release.adaptedClip { tensors[RunPrivacy.clipName] = [clip] }
      for (block, error) in release.errors { tensors[ClientRelease.errorName(block)] = error }
      return tensors
    }
    set {
      release.adaptedClip = newValue[RunPrivacy.clipName]?.first
      release.errors = [:]
      for name in newValue.names where name.hasPrefix(RunPrivacy.errorPrefix) {
        release.errors[String(name.dropFirst(RunPrivacy.errorPrefix.count))] = newValue[name]
      }
    }
  }

  /// Whether uploads are summed up and noised as one, instead of reaching the method one by one.
  private var aggregates: Bool { mechanism.placement != .local }

  func canTrain(_ client: Int) -> Bool { true }

  func beginRound(_ round: Round) {
    norms = []
    clipOfRound = nil
    noise = 0
    signal = 0
    stopped = []
    round.weighting = .uniform
    release.scheduledClip = privacy.settings.clip(
      round: round.number, of: run.context.problem.rounds)
  }

  /// Clients that add their own noise and whose budget does not pay for this round are left out.
  func choose(_ round: Round) throws(RoundFailure) {
    guard round.isSynchronous, mechanism.placement == .local, privacy.plan.limit != nil,
      run.method.population == .cohort
    else { return }
    let rounds = privacy.epsilons.participations(upTo: round.number - 1, run.context.sampler)
    stopped = round.cohort.filter {
      !privacy.canSend(run.method.exchanges, after: rounds[$0, default: 0])
    }
    guard !stopped.isEmpty else { return }
    let left = Set(stopped)
    round.cohort = round.cohort.filter { !left.contains($0) }
  }

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    guard exchange.round.isSynchronous else { return nil }
    aggregate = PrivateAggregate()
    exchange.alwaysSteps = aggregates
    clipOfRound = release.clip
    return ClippedMessage(
      release: release.message(senders: exchange.senders),
      streams: NoiseStreams(
        seed: run.context.seed, round: run.state.round, exchange: run.state.server.exchange))
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    if arrival.fate == .dropped { return }
    let sent = arrival.message.notes[ClientRelease.Sent.self]
    if let sent { norms.append(sent.norm) }
    if run.method.population == .cohort { leaks.note(arrival.message.shape, privacy) }
    guard aggregates, arrival.fate != .lost, var sent else { return }
    sent.upload = arrival.message.update.upload
    aggregate.add(sent, clip: release.clip)
    arrival.isConsumed = true
  }

  /// The noisy mean of what was summed up, also of nothing.
  func settle(_ exchange: Exchange) throws(RoundFailure) -> [WeightedUpload] {
    guard aggregates, exchange.round.isSynchronous else { return [] }
    if aggregate.template == nil {
      if template == nil { template = try sampleUpload(exchange.jobs.settings) }
      if let template { aggregate.shape(template) }
    }
    template = aggregate.template
    let mean = releaseMean(senders: exchange.senders)
    return [WeightedUpload(mean, weight: 1, client: run.context.problem.clients)]
  }

  /// Noise can make a running variance negative, which no variance is.
  func didStep(_ exchange: Exchange) {
    guard exchange.round.isSynchronous else { return }
    for entry in run.context.problem.layout.entries where entry.role == .runningVariance {
      for i in entry.range { run.state.server.model[i] = max(0, run.state.server.model[i]) }
    }
  }

  /// The noisy mean of a cohort.
  ///
  /// `senders`: clients that added noise to be a share of the whole.
  private func releaseMean(senders: Int) -> Payload {
    let streams = NoiseStreams(
      seed: run.context.seed, round: run.state.round, exchange: run.state.server.exchange)
    let server = run.context.problem.clients
    let past = correlatedRelease
    let released = release.mean(
      of: aggregate, senders: senders,
      correlated: past.map { past in
        { [round = run.state.round, pool = run.context.pool] block, count, deviation in
          past.noise(round: round, block: block, count: count, deviation: deviation, pool)
        }
      }
    ) { streams.noise(of: server, block: $0) }
    signal += released.signal
    noise += released.noise * (past?.strategy.roundDeviation(run.state.round - 1) ?? 1)
    return released.payload
  }

  /// Noise that goes on from the rounds before; nil where each round has its own.
  private var correlatedRelease: CorrelatedRelease? {
    guard let correlated = privacy.plan.clients?.correlated else { return nil }
    let (seed, server) = (run.context.seed, run.context.problem.clients)
    let exchange = run.state.server.exchange
    return CorrelatedRelease(strategy: correlated.strategy) { round, block in
      NoiseStreams(seed: seed, round: round, exchange: exchange).noise(of: server, block: block)
    }
  }

  /// What an upload looks like, from a training whose result nobody sees: an empty cohort gets its
  /// noise like any other.
  private func sampleUpload(_ settings: LocalSettings) throws(RoundFailure) -> Payload? {
    guard let client = run.context.split.clients.firstIndex(where: { !$0.isEmpty }) else {
      return nil
    }
    let job = RoundJobs.Job(client: client, examples: run.context.split.clients[client], weight: 1)
    let task = ClientTask(
      context: run.context, method: run.method, server: run.state.server, stages: [])
    let turn = ClientTurn(
      client: client, round: run.state.round, number: run.state.server.exchange, worker: 0)
    let memory = run.state.clients[client] ?? ClientState()
    return try task.run(job, settings, turn, memory).get().update.upload.materialised
  }
}

// MARK: - What it cost

extension ClientPrivacyStage {
  func trace(exact: Bool) -> (record: RoundRecord.Privacy, line: JSON) {
    var audit = privacy.audit
    audit.add(undeclared: leaks.undeclared.sorted())
    let accounting = accounting
    let senders = releases(upTo: run.state.round)
    let epsilons = epsilons(senders.map(\.count))
    let most = senders.map(\.count).max() ?? 0
    let isWhole = audit.leaks.isEmpty
    let record = record(epsilons, isWhole: isWhole)
    var line = PrivacyLine(
      record, round: run.state.round, unit: "client", label: accounting.label, audit)
    line.noiseMultiplier = privacy.plan.multiplier
    line.releases = accounting.parts(of: most)
    line.rdp = isWhole ? epsilons.map(\.rdp).max() ?? 0 : .infinity
    guard mechanism.placement == .local else { return (record, line.json) }
    line.clients = zip(senders, epsilons).map { sender, epsilon in
      PrivacyLine.Client(
        client: sender.client, releases: sender.count, rdp: isWhole ? epsilon.rdp : .infinity,
        pld: isWhole ? epsilon.pld : .infinity)
    }
    return (record, line.json)
  }

  private func record(_ epsilons: [Epsilon], isWhole: Bool) -> RoundRecord.Privacy {
    let (largest, median) = EpsilonTable.summary(epsilons.map(\.pld))
    let clip = clipOfRound ?? privacy.settings.clip
    let finite = norms.filter(\.isFinite)
    return RoundRecord.Privacy(
      epsilonMax: isWhole ? largest : .infinity, epsilonMedian: isWhole ? median : .infinity,
      delta: privacy.settings.delta, accountant: "pld", hasGuarantee: isWhole && largest.isFinite,
      clipped: finite.isEmpty ? nil : Double(finite.count { $0 > clip }) / Double(finite.count),
      norm: finite.isEmpty ? nil : finite.reduce(0, +) / Double(finite.count),
      noiseToSignal: signal > 0 ? noise / signal : nil, clip: clip, error: nil, stopped: stopped)
  }

  private var accounting: ClientAccounting {
    privacy.plan.clients
      ?? ClientAccounting(
        privacy.settings, mechanism, privacy.plan.cohorts, exchanges: run.method.exchanges)
  }

  private func epsilons(_ releases: [Int]) -> [Epsilon] {
    let accounting = accounting
    let multiplier = privacy.plan.multiplier
    let ledgers = releases.map { EpsilonTable.Ledger(releases: $0) }
    return privacy.epsilons.epsilons(ledgers, exact: true, run.context.pool) {
      accounting.epsilon(multiplier, releases: $0.releases)
    }
  }

  /// Noisy messages so far: of each client that adds its own noise and was drawn, ascending; else
  /// the sums, in one row for all.
  ///
  /// Clients that dropped out count as if they had sent.
  private func releases(upTo round: Int) -> [(client: Int, count: Int)] {
    guard run.method.sendsUploads else { return [] }
    let exchanges = run.method.exchanges
    guard mechanism.placement == .local else { return [(0, round * exchanges)] }
    let rounds = privacy.epsilons.participations(upTo: round, run.context.sampler)
    return rounds.keys.sorted().compactMap { client in
      guard !run.context.split.clients[client].isEmpty else { return nil }
      return (client, privacy.releases(exchanges, of: rounds[client, default: 0]))
    }
  }

  func plannedEpsilons() -> [Double] {
    guard privacy.audit.leaks.isEmpty, leaks.undeclared.isEmpty else { return [] }
    let senders = releases(upTo: run.context.scenario.federation.rounds)
    let values = epsilons(senders.map(\.count)).map(\.pld)
    return values.allSatisfy(\.isFinite) ? values.sorted() : []
  }
}

/// Where the noise on messages and sums comes from.
struct NoiseStreams: Sendable {
  let seed: UInt64
  let round: Int
  let exchange: Int

  /// The noise that a client, or the server under the number K, adds to a block.
  func noise(of client: Int, block: Int) -> RandomStream {
    RandomStream(
      StreamAddress(
        seed: seed, .dpNoise, round: round, client: client,
        phase: .clientNoise(exchange: exchange, block: block)))
  }
}

/// The clip of a client's message, and the noise that the client adds itself.
struct ClippedMessage: ClientStage {
  let release: ClientRelease
  let streams: NoiseStreams

  /// A message that is not a number becomes zero: to refuse it would tell.
  var clearsNonFinite: Bool { true }

  func leave(_ message: inout ClientMessage, _ device: Device, _ turn: ClientTurn)
    throws(RoundFailure)
  {
    guard !message.update.upload.blocks.isEmpty else { return }
    let sent = release.release(message.update.upload, &message.state[RunPrivacy.section]) {
      streams.noise(of: turn.client, block: $0)
    }
    message.update.upload = sent.upload
    message.notes[ClientRelease.Sent.self] = sent
  }
}

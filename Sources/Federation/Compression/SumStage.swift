import Aggregation
import Client
import Tensor

/// Sums up what clients send before the method sees it, and hands the method one mean: estimates of
/// updates (EF21), or the factors of PowerSGD over a cohort, whose two sums take the place of one.
final class SumStage: MessageStage {
  private let compression: RunCompression
  private let memory: CompressionMemory
  private let run: StageContext
  private var sums = WeightedMean()
  /// What an update looks like.
  private var sample: Payload?

  init(_ compression: RunCompression, _ memory: CompressionMemory, _ run: StageContext) {
    self.compression = compression
    self.memory = memory
    self.run = run
  }

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    sums = WeightedMean()
    sample = nil
    exchange.notes[SharedFactorsRound.self] = try sharedFactors(exchange.jobs)
    return nil
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    if arrival.fate == .dropped || arrival.fate == .lost { return }
    if sample == nil { sample = arrival.message.shape }
    // Estimates count whether their clients are there or not.
    let client = arrival.job.client
    let weight = compression.sendsChanges ? compression.shares[client] : arrival.job.weight
    sums.add(WeightedUpload(arrival.message.update.upload, weight: weight, client: client))
    arrival.isConsumed = true
  }

  func settle(_ exchange: Exchange) throws(RoundFailure) -> [WeightedUpload] {
    guard let sample else { return [] }
    let mean: Payload?
    if let factors = exchange.notes[SharedFactorsRound.self] {
      mean = secondFactors(factors, exchange, like: sample)
    } else {
      mean = estimate(like: sample)
    }
    return mean.map { [WeightedUpload($0, weight: 1, client: run.context.problem.clients)] } ?? []
  }

  // MARK: - EF21

  /// h ← h + Σ π_k·ĉ_k: the mean of all clients' estimates as one upload; absent ones count, too.
  ///
  /// - Source: EF21's server step with partial participation (Fatkhullin et al.,
  ///   arXiv:2110.03294).
  private func estimate(like template: Payload) -> Payload {
    var means: [[Float]] = []
    for block in template.blocks {
      let name = RunCompression.mean(block.name)
      var mean = memory.tensors[name] ?? [Float](repeating: 0, count: block.count)
      if let change = sums[block.name] { VectorArithmetic.addScaled(&mean, 1, change) }
      memory.tensors[name] = mean
      means.append(mean)
    }
    return template.replacing(means)
  }

  // MARK: - PowerSGD over a cohort

  /// What the clients of an exchange agree on; nil without such an uplink.
  ///
  /// The plan is that of the method's download: what goes down as a model comes back as its
  /// difference.
  private func sharedFactors(_ jobs: RoundJobs) throws(RoundFailure) -> SharedFactorsRound? {
    guard case .factors(let isOwn) = compression.memory, let planner = compression.uplink?.planner,
      let first = jobs.list.first,
      let block = run.method.download(run.state.server, to: first.client).blocks.first
    else { return nil }
    let round = run.state.round
    let plan = try RoundFailure.coding(
      .up, round: round, exchange: run.state.server.exchange, client: nil
    ) { () throws(FrameError) in try planner.plan(of: block, round: round) }
    let factors = SharedFactors(plan)
    var right = memory.tensors[SharedFactorsRound.factors] ?? []
    if right.count != factors.rightCount {
      let streams = CodecStreams(seed: run.context.seed, server: run.context.problem.clients)
      var stream = streams.upload(
        nil, round: run.state.round, number: run.state.server.exchange, block: 1 << 18)
      right = factors.firstFactors(&stream)
    }
    return SharedFactorsRound(factors: factors, right: right, keepsOwnError: isOwn)
  }

  /// The second sum and what both tell of the mean update, as one upload; moves all errors.
  private func secondFactors(
    _ shared: SharedFactorsRound, _ exchange: Exchange, like template: Payload
  ) -> Payload? {
    guard let sum = sums["left"], let block = template.blocks.first else { return nil }
    let jobs = exchange.jobs.list.filter { !exchange.losing.contains($0.client) }
    let name = UploadCompressor.name("error", block.name)
    let section = CompressionMemory.section
    let (factors, left) = (shared.factors, shared.factors.orthonormal(sum))
    // Copied before the workers start: they read, and the folds below write, the clients' states.
    let meant = jobs.map { run.state.clients[$0.client]?[section][name] ?? [] }
    var rights: [[Float]] = []
    var second = WeightedMean()
    run.context.pool.run(jobs.count) { _, index in
      factors.right(of: meant[index], left: left)
    } fold: { index, right in
      var payload = Payload.empty
      payload.append("right", [NamedShape("right", [right.count])], values: right)
      second.add(WeightedUpload(payload, weight: jobs[index].weight, client: jobs[index].client))
      rights.append(shared.keepsOwnError ? right : [])
    }
    let right = second["right"] ?? []
    memory.tensors[SharedFactorsRound.factors] = right
    let ofClients = shared.keepsOwnError ? rights : rights.map { _ in right }
    run.context.pool.run(jobs.count) { _, index -> [Float] in
      factors.error(of: meant[index], left: left, right: ofClients[index])
    } fold: { index, error in
      run.state.clients[jobs[index].client]?[section][name] = error
    }
    return template.replacing([factors.product(left: left, right: right)])
  }
}

/// What the clients of an exchange agree on before they send factors.
struct SharedFactorsRound: Sendable {
  let factors: SharedFactors
  /// Q of the round before.
  let right: [Float]
  /// Whether an error is what the client's own factors lost, instead of the mean's.
  let keepsOwnError: Bool

  /// The name of Q at the server.
  static let factors = UploadCompressor.prefix + "shared"

  /// Replaces a client's upload by its first message, P_k; its memory holds M_k until the sums are
  /// known.
  func send(
    _ message: inout ClientMessage, _ memory: inout StateTensors, _ sent: inout CodecOnClient.Sent,
    round: Int
  ) throws(RoundFailure) {
    let upload = message.update.upload
    guard let block = upload.blocks.first else { return }
    let name = UploadCompressor.name("error", block.name)
    var m = block.values
    if let error = memory[name], error.count == m.count { VectorArithmetic.addScaled(&m, 1, error) }
    guard VectorArithmetic.isFinite(m.span) else { throw .diverged(Divergence(round: round)) }
    let left = factors.left(of: m, factors: right)
    memory[name] = m
    var coded = CodedMessage()
    coded.add(block.name + "/left", floats: left.count, dense: block.byteCount)
    coded.add(block.name + "/right", floats: factors.rightCount, dense: 0)
    message.up = coded
    sent.quality.values = m.count
    sent.quality.kept = left.count + factors.rightCount
    message.down?.add(block.name + "/left", floats: left.count, dense: 0)
    if !keepsOwnError {
      message.down?.add(block.name + "/right", floats: factors.rightCount, dense: 0)
    }
    message.downBytes = message.down?.byteCount ?? message.downBytes
    message.template = upload.materialised
    var payload = Payload.empty
    payload.append("left", [NamedShape("left", [left.count])], values: left)
    message.update.upload = payload
  }
}

import Aggregation
import Client
import Tensor

/// PowerSGD over a cohort: two sums of factors in place of one of updates.
extension Simulation {
  /// What the clients of an exchange agree on; nil without such an uplink.
  ///
  /// The plan is that of the method's download: what goes down as a model comes back as its
  /// difference.
  func sharedFactors(_ jobs: RoundJobs) -> SharedFactorsRound? {
    guard let compression = arena.compression, case .factors(let isOwn) = compression.memory,
      let planner = compression.uplink?.planner, let first = jobs.list.first,
      let block = method.download(server, to: first.client).blocks.first,
      let plan = try? planner.plan(block.tensors, round: round)
    else { return nil }
    let factors = SharedFactors(plan)
    var right = server.memory[SharedFactorsRound.factors] ?? []
    if right.count != factors.rightCount {
      var stream = codecStream(arena.problem.clients, isUpload: true, 1 << 18)
      right = factors.firstFactors(&stream)
    }
    return SharedFactorsRound(factors: factors, right: right, keepsOwnError: isOwn)
  }

  /// Replaces a client's upload by its first message, P_k; its memory holds M_k until the sums are
  /// known.
  func sendFactors(
    _ trained: inout TrainedClient,
    _ shared: SharedFactorsRound
  ) throws(Divergence) {
    let upload = trained.update.upload
    guard let block = upload.blocks.first else { return }
    let name = UploadCompressor.name("error", block.name)
    var m = block.values
    if let error = trained.memory[name], error.count == m.count {
      VectorArithmetic.addScaled(&m, 1, error)
    }
    guard VectorArithmetic.isFinite(m.span) else { throw Divergence(round: round) }
    let left = shared.factors.left(of: m, factors: shared.right)
    let rightCount = shared.factors.rightCount
    trained.memory[name] = m
    var message = CodedMessage()
    message.add(block.name + "/left", floats: left.count, dense: block.byteCount)
    message.add(block.name + "/right", floats: rightCount, dense: 0)
    trained.coded?.up = message
    trained.coded?.quality.values = m.count
    trained.coded?.quality.kept = left.count + rightCount
    trained.coded?.down?.add(block.name + "/left", floats: left.count, dense: 0)
    if !shared.keepsOwnError {
      trained.coded?.down?.add(block.name + "/right", floats: rightCount, dense: 0)
    }
    trained.downBytes = trained.coded?.down?.byteCount ?? trained.downBytes
    trained.template = upload.materialised
    var payload = Payload.empty
    payload.append("left", [NamedShape("left", [left.count])], values: left)
    trained.update.upload = payload
  }

  /// The second sum and what both tell of the mean update, as one upload; moves all errors.
  func secondFactors(
    _ sums: WeightedMean,
    _ shared: SharedFactorsRound,
    _ jobs: RoundJobs,
    like template: Payload
  ) -> Payload? {
    guard let sum = sums["left"], let block = template.blocks.first else { return nil }
    let name = UploadCompressor.name("error", block.name)
    let left = shared.factors.orthonormal(sum)
    // Taken before the workers start: they read, and the folds below write, `memories`.
    let meant = jobs.list.map { memories[$0.client]?[name] ?? [] }
    var rights: [[Float]] = []
    var second = WeightedMean()
    arena.pool.run(jobs.list.count) { _, index in
      shared.factors.right(of: meant[index], left: left)
    } fold: { index, right in
      var payload = Payload.empty
      payload.append("right", [NamedShape("right", [right.count])], values: right)
      let job = jobs.list[index]
      second.add(WeightedUpload(payload, weight: job.weight, client: job.client))
      rights.append(shared.keepsOwnError ? right : [])
    }
    let right = second["right"] ?? []
    server.memory[SharedFactorsRound.factors] = right
    let mean = shared.factors.product(left: left, right: right)
    arena.pool.run(jobs.list.count) { _, index -> [Float] in
      shared.factors.error(
        of: meant[index],
        left: left,
        right: shared.keepsOwnError ? rights[index] : right
      )
    } fold: { index, error in
      memories[jobs.list[index].client]?[name] = error
    }
    return template.replacing([mean])
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
}

import Aggregation
import Base
import Client
import Codecs
import Tensor

/// Encoding in a round: what clients receive and send is what buffers hold.
extension Simulation {
  /// Where the random choices of a message's blocks come from.
  ///
  /// `number`: the exchange of the round, or how often the client started in it before.
  func codecStream(
    _ client: Int,
    round: Int? = nil,
    number: Int? = nil,
    isUpload: Bool,
    _ block: Int
  ) -> RandomStream {
    RandomStream(
      seed: arena.seed,
      .compression,
      round: round ?? self.round,
      client: client,
      step: (isUpload ? 1 << 40 : 0) + (number ?? server.exchange) << 20 + block
    )
  }

  /// What all clients of an exchange are sent, encoded once; nil for plain numbers.
  ///
  /// `number`: how often the server has sent something in this round before; nil for its exchange.
  func prepareDownload(
    to clients: [Int],
    _ number: Int? = nil
  ) throws(Divergence) -> PreparedDownload? {
    guard let compressor = arena.compression?.downlink, let first = clients.first else {
      return nil
    }
    var common = method.download(server, to: first)
    if compressor.planner.settings.memory == .shadow, common.blocks.isEmpty {
      // A method may send some clients nothing; what the others share is the same for all.
      let others = clients.lazy.map { [method, server] in method.download(server, to: $0) }
      common = others.first { !$0.blocks.isEmpty } ?? common
    }
    do throws(CodecError) {
      var memory = server.memory
      defer { server.memory = memory }
      return try compressor.prepare(
        common,
        &memory,
        round: round,
        exchange: server.exchange
      ) { codecStream(arena.problem.clients, number: number, isUpload: false, $0) }
    } catch {
      throw Divergence(round: round)
    }
  }

  /// A client's download as it decodes it.
  ///
  /// `number`: as in `codecStream`.
  func receive(
    _ payload: Payload,
    _ prepared: PreparedDownload?,
    _ client: Int,
    _ memory: ClientMemory,
    number: Int? = nil
  ) throws(Divergence) -> CodedPayload {
    guard let compression = arena.compression else { return CodedPayload(payload) }
    let start = SystemClock.steady()
    var received = payload
    var message = CodedMessage()
    let lastRound = memory[UploadCompressor.lastRound].map { Int(clamping: $0[0]) } ?? 0
    if let prepared {
      do throws(CodecError) {
        let result = try prepared.receive(payload, lastRound: lastRound) {
          codecStream(client, number: number, isUpload: false, $0)
        }
        (received, message) = (result.payload, result.message)
      } catch {
        throw Divergence(round: round, client: client)
      }
    } else {
      for block in payload.blocks { message.addPlain(block) }
    }
    if compression.settings.uplink?.layerwise != nil, server.exchange == 0,
      let solved = server.memory[RunCompression.solvedIn], lastRound <= Int(clamping: solved[0])
    {
      for name in server.memory.names where name.hasPrefix(RunCompression.choice("")) {
        message.add("compression/choice", bytes: server.memory[name]?.count ?? 0)
      }
    }
    return CodedPayload(received, message, seconds: SystemClock.steady() - start)
  }

  /// Replaces a client's upload by what the server decodes of it.
  func encode(
    _ trained: inout TrainedClient,
    _ device: Device,
    _ number: Int,
    _ common: ExchangeContext
  ) throws(Divergence) {
    guard let compression = arena.compression else { return }
    let start = SystemClock.steady()
    defer {
      trained.coded?.seconds += SystemClock.steady() - start
      if compression.remembersRounds {
        trained.memory[UploadCompressor.lastRound] = [Float(device.round)]
      }
    }
    if let shared = common.factors { return try sendFactors(&trained, shared) }
    let upload = trained.update.upload
    guard let compressor = compression.uplink else {
      var message = CodedMessage()
      for block in upload.blocks { message.addPlain(block) }
      trained.coded?.up = message
      return
    }
    var choices: [String: [Int]] = [:]
    for block in upload.blocks {
      choices[block.name] = server.memory[RunCompression.choice(block.name)]?.map {
        Int(clamping: $0)
      }
    }
    let facts = UploadCompressor.Facts(
      round: device.round,
      exchange: server.exchange,
      learningRate: device.learningRate,
      steps: trained.update.report.steps,
      senders: common.senders,
      choices: choices
    )
    do throws(CodecError) {
      let sent = try compressor.compress(upload, &trained.memory, facts) {
        codecStream(device.client, round: device.round, number: number, isUpload: true, $0)
      }
      trained.coded?.up = sent.message
      trained.coded?.quality = sent.quality
      trained.coded?.unheard = sent.unheard
      trained.update.upload = sent.payload
    } catch {
      throw Divergence(
        round: device.round,
        client: device.client,
        step: trained.update.report.steps
      )
    }
  }

  // MARK: - Sums that come before the fold

  /// Whether uploads are summed up before the method's fold, which then gets one mean.
  var isSummedFirst: Bool {
    arena.compression?.settings.uplink?.sumsFirst ?? false
  }

  /// A client's share in its sum: estimates count whether their clients are there or not.
  func sumShare(of job: RoundJobs.Job) -> Double {
    guard let compression = arena.compression, compression.sendsChanges else { return job.weight }
    return compression.shares[job.client]
  }

  /// The mean that such sums give; nil without them.
  func meanOfSums(
    _ sums: WeightedMean,
    _ factors: SharedFactorsRound?,
    _ jobs: RoundJobs,
    like template: Payload
  ) -> Payload? {
    if let factors { return secondFactors(sums, factors, jobs, like: template) }
    return isSummedFirst ? estimate(sums, like: template) : nil
  }

  /// h ← h + Σ π_k·ĉ_k: the mean of all clients' estimates as one upload; absent ones count, too.
  ///
  /// - Source: EF21's server step with partial participation (Fatkhullin et al.,
  ///   arXiv:2110.03294).
  func estimate(_ changes: WeightedMean, like template: Payload) -> Payload {
    var means: [[Float]] = []
    for block in template.blocks {
      let name = RunCompression.mean(block.name)
      var mean = server.memory[name] ?? [Float](repeating: 0, count: block.count)
      if let change = changes[block.name] { VectorArithmetic.addScaled(&mean, 1, change) }
      server.memory[name] = mean
      means.append(mean)
    }
    return template.replacing(means)
  }

  /// Whether this round ends with a new choice of how strongly each tensor is encoded.
  var strengthsAreDue: Bool {
    guard let layerwise = arena.compression?.settings.uplink?.layerwise else { return false }
    return round % layerwise.every == 0
  }

  /// Chooses how strongly each tensor of a block is encoded from now on, by what the server's model
  /// moved in this round: nothing but released aggregates.
  func chooseStrengths(_ tensors: [NamedShape], of block: String, before: [Float]) {
    guard let planner = arena.compression?.uplink?.planner,
      let layerwise = planner.settings.layerwise
    else { return }
    var stream = codecStream(arena.problem.clients, isUpload: true, 1 << 19)
    var layers: [[LayerwiseChoice.Option]] = []
    for tensor in tensors {
      guard let entry = arena.problem.layout.entries.first(where: { $0.name == tensor.name })
      else { return }
      let change = entry.range.map { server.model[$0] - before[$0] }
      layers.append(
        LayerwiseChoice.options(
          change,
          shape: BlockPlanner.matrix(tensor.shape),
          specs: planner.options(of: tensor),
          measure: layerwise.measure,
          stream: &stream
        )
      )
    }
    let defaults = layers.map { _ in planner.settings.standard }
    guard
      let solved = try? LayerwiseChoice.solve(
        layers,
        defaults: defaults,
        slack: layerwise.slack
      )
    else { return }
    server.memory[RunCompression.choice(block)] = solved.choice.map { Float($0) }
    server.memory[RunCompression.solvedIn] = [Float(round)]
  }
}

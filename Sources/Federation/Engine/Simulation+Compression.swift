import Aggregation
import Client
import Tensor

/// Encoding in a round: what clients receive and send is what buffers hold.
extension Simulation {
  /// Where the random choices of a message's blocks come from.
  func codecStream(_ client: Int, isUpload: Bool, _ block: Int) -> RandomStream {
    RandomStream(
      seed: arena.seed,
      .compression,
      round: round,
      client: client,
      step: (isUpload ? 1 << 40 : 0) + server.exchange << 20 + block
    )
  }

  /// What all clients of an exchange are sent, encoded once; nil for plain numbers.
  func prepareDownload(
    _ jobs: RoundJobs,
    _ memory: inout StateTensors
  ) throws(Divergence) -> PreparedDownload? {
    guard let compressor = arena.compression?.downlink, let first = jobs.list.first else {
      return nil
    }
    do throws(CodecError) {
      return try compressor.prepare(
        method.download(server, to: first.client),
        &memory,
        round: round,
        exchange: server.exchange
      ) { codecStream(arena.problem.clients, isUpload: false, $0) }
    } catch {
      throw Divergence(round: round)
    }
  }

  /// A client's download as it decodes it.
  func receive(
    _ payload: Payload,
    _ prepared: PreparedDownload?,
    _ client: Int,
    _ memory: ClientMemory,
    _ coded: inout TrainedClient.Coded
  ) throws(Divergence) -> Payload {
    guard let compression = arena.compression else { return payload }
    let start = Terminal.now()
    defer { coded.seconds += Terminal.now() - start }
    var received = payload
    var message = CodedMessage()
    let lastRound = memory[RunCompression.lastRound].map { Int($0[0]) } ?? 0
    if let prepared {
      do throws(CodecError) {
        let result = try prepared.receive(payload, lastRound: lastRound) {
          codecStream(client, isUpload: false, $0)
        }
        (received, message) = (result.payload, result.message)
      } catch {
        throw Divergence(round: round, client: client)
      }
    } else {
      for block in payload.blocks { message.addPlain(block) }
    }
    if compression.settings.uplink?.layerwise != nil, server.exchange == 0,
      let solved = server.memory[RunCompression.solvedIn], lastRound <= Int(solved[0])
    {
      for name in server.memory.names where name.hasPrefix(RunCompression.choice("")) {
        message.add("compression/choice", bytes: server.memory[name]?.count ?? 0)
      }
    }
    coded.down = message
    return received
  }

  /// A client's upload as the server decodes it.
  ///
  /// `senders`: clients that send in this exchange; `steps`: local steps taken.
  func encode(
    _ upload: Payload,
    _ device: Device,
    _ senders: Int,
    steps: Int,
    _ memory: inout ClientMemory,
    _ coded: inout TrainedClient.Coded
  ) throws(Divergence) -> Payload {
    guard let compression = arena.compression else { return upload }
    let start = Terminal.now()
    defer {
      coded.seconds += Terminal.now() - start
      if compression.remembersRounds { memory[RunCompression.lastRound] = [Float(round)] }
    }
    guard let compressor = compression.uplink else {
      var message = CodedMessage()
      for block in upload.blocks { message.addPlain(block) }
      coded.up = message
      return upload
    }
    var choices: [String: [Int]] = [:]
    for block in upload.blocks {
      choices[block.name] = server.memory[RunCompression.choice(block.name)]?.map { Int($0) }
    }
    let facts = UploadCompressor.Facts(
      round: round,
      exchange: server.exchange,
      learningRate: device.learningRate,
      steps: steps,
      senders: senders,
      choices: choices
    )
    do throws(CodecError) {
      let sent = try compressor.compress(upload, &memory, facts) {
        codecStream(device.client, isUpload: true, $0)
      }
      coded.up = sent.message
      coded.quality = sent.quality
      coded.unheard = sent.unheard
      return sent.payload
    } catch {
      throw Divergence(round: round, client: device.client, step: steps)
    }
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

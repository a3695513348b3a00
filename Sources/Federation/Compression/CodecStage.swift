import Aggregation
import Base
import Client
import Codecs
import Records
import Tensor

/// What the server remembers of encoded messages: strengths, shadows, means of estimates, factors.
///
/// One section for the three stages that encode, choose strengths, and sum up.
final class CompressionMemory {
  var tensors = StateTensors()
  static let section = "compression"

  /// Which codec of its options each tensor of a block has; nil for the standard everywhere.
  func choices(_ block: String) -> [Int]? {
    tensors[RunCompression.choice(block)]?.map { Int(clamping: $0) }
  }

  /// Keeps which codec each tensor of a block has from now on.
  func choose(_ choices: [Int], of block: String, round: Int) {
    tensors[RunCompression.choice(block)] = choices.map { Float($0) }
    tensors[RunCompression.solvedIn] = [Float(round)]
  }

  /// When strengths were chosen last, and the numbers that tell them.
  var solution: (round: Int, counts: [Int])? {
    guard let solved = tensors[RunCompression.solvedIn] else { return nil }
    let names = tensors.names.filter { $0.hasPrefix(RunCompression.choice("")) }
    return (Int(clamping: solved[0]), names.map { tensors[$0]?.count ?? 0 })
  }
}

/// Encoding in a round: what clients receive and send is what buffers hold.
final class CodecStage: MessageStage {
  private let compression: RunCompression
  private let memory: CompressionMemory
  private let run: StageContext
  private var outcome = CompressionOutcome()
  /// Whether a round was run whose record says what encoding did.
  private var isReported = false
  /// What clients of this exchange remember in place of an upload that comes too late.
  private var undelivered: [Int: [String: [Float]]] = [:]

  init(_ compression: RunCompression, _ memory: CompressionMemory, _ run: StageContext) {
    self.compression = compression
    self.memory = memory
    self.run = run
  }

  var sectionName: String? { CompressionMemory.section }
  var section: StateTensors {
    get { memory.tensors }
    set { memory.tensors = newValue }
  }

  func beginRound(_ round: Round) {
    outcome = CompressionOutcome()
    isReported = round.isSynchronous
  }

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    undelivered = [:]
    var choices: [String: [Int]] = [:]
    let prefix = RunCompression.choice("")
    for name in memory.tensors.names where name.hasPrefix(prefix) {
      let block = String(name.dropFirst(prefix.count))
      choices[block] = memory.choices(block)
    }
    let tellsStrengths =
      compression.settings.uplink?.layerwise != nil && run.state.server.exchange == 0
    return CodecOnClient(
      compression: compression,
      streams: CodecStreams(seed: run.context.seed, server: run.context.problem.clients),
      download: try prepareDownload(exchange), factors: exchange.notes[SharedFactorsRound.self],
      choices: choices, solution: tellsStrengths ? memory.solution : nil,
      exchange: run.state.server.exchange, senders: exchange.senders)
  }

  /// What all clients of an exchange are sent, encoded once; nil for plain numbers.
  private func prepareDownload(_ exchange: Exchange) throws(RoundFailure) -> PreparedDownload? {
    guard let compressor = compression.downlink, let first = exchange.addressees.first else {
      return nil
    }
    let (method, server) = (run.method, run.state.server)
    var common = method.download(server, to: first)
    if compressor.planner.settings.memory == .shadow, common.blocks.isEmpty {
      // A method may send some clients nothing; what the others share is the same for all.
      let others = exchange.addressees.lazy.map { method.download(server, to: $0) }
      common = others.first { !$0.blocks.isEmpty } ?? common
    }
    let streams = CodecStreams(seed: run.context.seed, server: run.context.problem.clients)
    let round = run.state.round
    return try RoundFailure.coding(.down, round: round, exchange: server.exchange, client: nil) {
      () throws(FrameError) in
      try compressor.prepare(common, &memory.tensors, round: round, exchange: server.exchange) {
        streams.download(nil, round: round, number: exchange.number, block: $0)
      }
    }
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    if arrival.fate == .dropped { return }
    outcome.add(arrival.message)
    guard let sent = arrival.message.notes[CodecOnClient.Sent.self] else { return }
    switch arrival.fate {
    case .lost:
      for (name, values) in sent.undelivered {
        arrival.message.state[CompressionMemory.section][name] = values
      }
    case .held: undelivered[arrival.job.client] = sent.undelivered
    case .taken, .dropped: break
    }
  }

  func settle(_ exchange: Exchange) throws(RoundFailure) -> [WeightedUpload] {
    for client in exchange.late where run.state.clients[client] != nil {
      for (name, values) in undelivered[client] ?? [:] {
        run.state.clients[client]?[CompressionMemory.section][name] = values
      }
    }
    undelivered = [:]
    return []
  }

  func describe(_ parts: inout RoundParts) {
    guard isReported else { return }
    parts.record.compression = RoundRecord.Compression(outcome)
    parts.record.bytes.dense = outcome.dense
    parts.record.bytes.entropy = RoundRecord.Bytes.Link(
      up: Int(clamping: outcome.entropy.up.rounded(.up)),
      down: Int(clamping: outcome.entropy.down.rounded(.up)))
  }
}

/// Where the random choices of codecs come from.
struct CodecStreams: Sendable {
  let seed: UInt64
  /// The number that the server has among clients.
  let server: Int

  /// Those for a block of an upload; client nil for what the server chooses for all.
  func upload(_ client: Int?, round: Int, number: Int, block: Int) -> RandomStream {
    stream(client, round, .upload(number, block: block))
  }

  /// Those for a block of a download.
  func download(_ client: Int?, round: Int, number: Int, block: Int) -> RandomStream {
    stream(client, round, .download(number, block: block))
  }

  private func stream(_ client: Int?, _ round: Int, _ phase: StreamAddress.Phase) -> RandomStream {
    RandomStream(
      StreamAddress(seed: seed, .compression, round: round, client: client ?? server, phase: phase))
  }
}

/// Decodes what a client receives and encodes what it sends.
struct CodecOnClient: ClientStage {
  /// How near an upload is to what was meant, and what the client remembers if it does not arrive.
  struct Sent: Sendable {
    var quality = CompressionQuality()
    var undelivered: [String: [Float]] = [:]
  }

  let compression: RunCompression
  let streams: CodecStreams
  /// What all are sent, encoded; nil for plain numbers.
  let download: PreparedDownload?
  /// What those know that send factors; nil for updates.
  let factors: SharedFactorsRound?
  /// Strengths of tensors, by block, where the server has chosen some.
  let choices: [String: [Int]]
  /// The last choice of strengths, which is sent to clients that do not know it.
  let solution: (round: Int, counts: [Int])?
  let exchange: Int
  let senders: Int

  func receive(_ delivery: inout Delivery, _ turn: ClientTurn, _ state: ClientState)
    throws(RoundFailure)
  {
    let start = SystemClock.steady()
    var message = CodedMessage()
    let known = state[CompressionMemory.section]
    let lastRound = known[UploadCompressor.lastRound].map { Int(clamping: $0[0]) } ?? 0
    if let download {
      let payload = delivery.payload
      let result = try RoundFailure.coding(
        .down, round: turn.round, exchange: exchange, client: turn.client
      ) { () throws(FrameError) in
        try download.receive(payload, lastRound: lastRound) {
          streams.download(turn.client, round: turn.round, number: turn.number, block: $0)
        }
      }
      (delivery.payload, message) = (result.payload, result.message)
    } else {
      for block in delivery.payload.blocks { message.addPlain(block) }
    }
    if let solution, lastRound <= solution.round {
      for count in solution.counts { message.add("compression/choice", bytes: count) }
    }
    delivery.message = message
    delivery.seconds += SystemClock.steady() - start
  }

  func leave(_ message: inout ClientMessage, _ device: Device, _ turn: ClientTurn)
    throws(RoundFailure)
  {
    let start = SystemClock.steady()
    var memory = message.state[CompressionMemory.section]
    var sent = Sent()
    if let factors {
      try factors.send(&message, &memory, &sent, round: turn.round)
    } else if let compressor = compression.uplink {
      try encode(&message, compressor, device, turn, &memory, &sent)
    } else {
      var plain = CodedMessage()
      for block in message.update.upload.blocks { plain.addPlain(block) }
      message.up = plain
    }
    if compression.remembersRounds { memory[UploadCompressor.lastRound] = [Float(turn.round)] }
    message.state[CompressionMemory.section] = memory
    message.notes[Sent.self] = sent
    message.codingSeconds += SystemClock.steady() - start
  }

  /// Replaces a client's upload by what the server decodes of it.
  private func encode(
    _ message: inout ClientMessage, _ compressor: UploadCompressor, _ device: Device,
    _ turn: ClientTurn, _ memory: inout StateTensors, _ sent: inout Sent
  ) throws(RoundFailure) {
    let upload = message.update.upload
    let steps = message.update.report.steps
    let facts = UploadCompressor.Facts(
      round: turn.round, exchange: exchange, learningRate: device.learningRate, steps: steps,
      senders: senders, choices: choices)
    let coded = try RoundFailure.coding(
      .up, round: turn.round, exchange: exchange, client: turn.client, step: steps
    ) { () throws(FrameError) in
      try compressor.compress(upload, &memory, facts) {
        streams.upload(turn.client, round: turn.round, number: turn.number, block: $0)
      }
    }
    message.up = coded.message
    message.update.upload = coded.payload
    sent = Sent(quality: coded.quality, undelivered: coded.undelivered)
  }
}

extension CompressionOutcome {
  mutating func add(_ message: ClientMessage) {
    if let up = message.up {
      dense.up += up.denseByteCount
      entropy.up += up.entropy
    }
    if let down = message.down {
      dense.down += down.denseByteCount
      entropy.down += down.entropy
    }
    if let sent = message.notes[CodecOnClient.Sent.self] { quality.add(sent.quality) }
    seconds += message.codingSeconds
  }
}

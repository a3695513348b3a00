import Base
import Codecs
import Tensor

/// The server's side of its downloads: what all clients are sent is encoded once per exchange.
///
/// With a shadow, the server moves a model w̃ that every client shares by what it sends,
///
///     c = C(w − w̃),   w̃ ← w̃ + ĉ,
///
/// and clients train from w̃. A client that missed frames needs them first, or w̃ itself where that
/// is shorter; one that never had w̃ needs it whole.
///
/// - Source: Gruntkowska, Tyurin and Richtárik, ICML 2023, arXiv:2209.15218 (EF21-P).
public struct DownloadCompressor: Sendable {
  /// Decides codecs.
  public let planner: BlockPlanner

  /// The compressor of a link.
  public init(_ planner: BlockPlanner) { self.planner = planner }

  private static func name(_ what: String, _ block: String) -> String {
    UploadCompressor.name(what, block)
  }

  /// Encodes what a first client is to get; moves the shadow.
  ///
  /// `stream`: where the random choices of the i-th block come from.
  ///
  /// - Throws: as `UploadCompressor.compress`.
  public func prepare(
    _ common: Payload, _ memory: inout StateTensors, round: Int, exchange: Int,
    stream: (Int) -> RandomStream
  ) throws(FrameError) -> PreparedDownload {
    var blocks: [PreparedDownload.Block?] = []
    for (index, block) in common.blocks.enumerated() {
      guard let part = planner.part(of: block) else {
        blocks.append(nil)
        continue
      }
      let coder = BlockCoder(
        plan: try planner.plan(of: part.block, round: round), block: part.block,
        stream: stream(index), exchange: exchange)
      if planner.settings.memory == .shadow {
        blocks.append(try shadow(coder, round, &memory))
      } else {
        let message = try coder.code(part.block.values, &memory)
        blocks.append(
          PreparedDownload.Block(
            source: part.block, decoded: message.decoded, plan: coder.plan, parts: message.parts))
      }
    }
    return PreparedDownload(planner: planner, common: common, blocks: blocks, round: round)
  }

  /// The shadow after this round's frame, and the bytes of all frames so far.
  private func shadow(_ coder: BlockCoder, _ round: Int, _ memory: inout StateTensors)
    throws(FrameError) -> PreparedDownload.Block
  {
    let block = coder.block
    let names = (shadow: Self.name("shadow", block.name), frames: Self.name("frames", block.name))
    let known = memory[names.shadow].flatMap { $0.count == block.count ? $0 : nil }
    guard var shadow = known else {
      // From the first round on: everybody is sent the model itself.
      memory[names.shadow] = block.values
      memory[names.frames] = Frame(round: round, bytes: block.byteCount).numbers
      return PreparedDownload.Block(
        source: block, decoded: block.values, plan: coder.plan, parts: [], frames: [])
    }
    let change = VectorArithmetic.difference(block.values.span, shadow.span)
    let message = try coder.code(change, &memory)
    VectorArithmetic.addScaled(&shadow, 1, message.decoded)
    memory[names.shadow] = shadow
    let bytes = message.parts.reduce(coder.plan.overhead) { $0 + $1.bytes }
    memory[names.frames, default: []] += Frame(round: round, bytes: bytes).numbers
    return PreparedDownload.Block(
      source: block, decoded: shadow, plan: coder.plan, parts: message.parts,
      frames: Frame.all(memory[names.frames] ?? []))
  }
}

/// The bytes that a round's frame of a shadow had, as numbers of a checkpoint.
struct Frame: Sendable {
  let round: Int
  let bytes: Int

  /// Three floats that hold both exactly: rounds below 2²⁴, bytes below 2⁴⁴.
  var numbers: [Float] { [Float(round), Float(bytes >> 20), Float(bytes & 0xFFFFF)] }

  /// The frames of a list.
  static func all(_ numbers: [Float]) -> [Frame] {
    stride(from: 0, to: numbers.count - 2, by: 3).map {
      Frame(
        round: Int(clamping: numbers[$0]),
        bytes: Int(clamping: numbers[$0 + 1]) << 20 + Int(clamping: numbers[$0 + 2]))
    }
  }
}

/// What the server sends in an exchange, encoded.
public struct PreparedDownload: Sendable {
  package let planner: BlockPlanner
  package let common: Payload
  package let blocks: [Block?]
  package let round: Int

  package struct Block: Sendable {
    package let source: PayloadBlock
    let decoded: [Float]
    package let plan: CodecPlan
    package let parts: [CodecPlan.Part]
    /// With a shadow, its frames since it began; nil without one.
    var frames: [Frame]?
  }

  /// One client's download.
  public struct Received: Sendable {
    /// What it decodes.
    public var payload: Payload
    /// What it was sent.
    public var message = CodedMessage()
  }

  /// What a client gets; blocks that are its own are encoded for it alone.
  ///
  /// `payload`: what it is to get; `lastRound`: when it last took part, 0 for never.
  ///
  /// - Throws: as `UploadCompressor.compress`.
  /// - Complexity: O(values), to see that they are the common ones.
  public func receive(_ payload: Payload, lastRound: Int, stream: (Int) -> RandomStream)
    throws(FrameError) -> Received
  {
    var received = Received(payload: payload)
    var values: [[Float]] = []
    for (index, block) in payload.blocks.enumerated() {
      guard let part = planner.part(of: block) else {
        received.message.addPlain(block)
        values.append(block.values)
        continue
      }
      let known = common.blocks.indices.contains(index) ? blocks[index] : nil
      if let known, known.source == part.block {
        add(known, lastRound, to: &received.message)
        values.append(part.values(known.decoded))
      } else if planner.settings.memory == .shadow {
        received.message.addPlain(block)
        values.append(block.values)
        continue
      } else {
        let coder = BlockCoder(
          plan: try planner.plan(of: part.block, round: round), block: part.block,
          stream: stream(index), exchange: 0)
        var memory = StateTensors()
        let message = try coder.code(part.block.values, &memory)
        received.message.add(part.block, coder.plan, message.parts)
        values.append(part.values(message.decoded))
      }
      received.message.addPlain(part.plain, of: block.name)
    }
    received.payload = payload.replacing(values)
    return received
  }

  /// The frames that a client lacks, or the whole model where that is shorter.
  private func add(_ block: Block, _ lastRound: Int, to message: inout CodedMessage) {
    guard let frames = block.frames else {
      return message.add(block.source, block.plan, block.parts)
    }
    let missed = frames.filter { $0.round > lastRound && $0.round < round }
    let bytes = frames.filter { $0.round > lastRound }.reduce(0) { $0 + $1.bytes }
    guard lastRound > 0, !block.parts.isEmpty, bytes < block.source.byteCount else {
      return message.addPlain(block.source)
    }
    message.add(block.source, block.plan, block.parts)
    if !missed.isEmpty {
      message.add(block.source.name + "/missed", bytes: missed.reduce(0) { $0 + $1.bytes })
    }
  }
}

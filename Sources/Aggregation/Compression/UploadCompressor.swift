import Base
import Codecs
import Tensor

/// A client's side of its uploads: from values to the buffers that are sent, and what it remembers
/// of what they lost.
///
/// The upload that the server folds is what it decodes from those buffers. A client's memory moves
/// as if the message arrived; `undelivered` is what it remembers when it did not.
public struct UploadCompressor: Sendable {
  /// Decides codecs.
  public let planner: BlockPlanner
  private var settings: LinkCompression { planner.settings }

  /// The compressor of a link.
  public init(_ planner: BlockPlanner) { self.planner = planner }

  /// What an encoding may depend on besides the values.
  public struct Facts: Sendable {
    /// The round, from 1.
    public var round: Int
    /// The exchange within it, from 0.
    public var exchange: Int
    /// η of the round.
    public var learningRate: Double
    /// Local steps τ ≥ 0.
    public var steps: Int
    /// Clients that send in this round, N.
    public var senders: Int
    /// Which of `settings.options` each tensor of a block has; empty for the same everywhere.
    public var choices: [String: [Int]]

    /// Facts of a round.
    public init(
      round: Int, exchange: Int = 0, learningRate: Double = 1, steps: Int = 1, senders: Int = 1,
      choices: [String: [Int]] = [:]
    ) {
      self.round = round
      self.exchange = exchange
      self.learningRate = learningRate
      self.steps = steps
      self.senders = senders
      self.choices = choices
    }
  }

  /// What came out.
  public struct Sent: Sendable {
    /// What the server decodes.
    public var payload: Payload
    /// What the buffers were made of.
    public var message = CodedMessage()
    /// How near the two are.
    public var quality = CompressionQuality()
    /// What the client's memory holds in place when the message does not arrive.
    public var undelivered: [String: [Float]] = [:]
  }

  /// Names of what is remembered begin with this.
  public static let prefix = "compression."

  /// The name of a block's memory.
  public static func name(_ what: String, _ block: String, exchange: Int = 0) -> String {
    exchange == 0 ? "\(prefix)\(what)/\(block)" : "\(prefix)\(what)/\(exchange)/\(block)"
  }

  /// When the client last took part, in its memory.
  public static let lastRound = prefix + "round"
  /// η·τ then.
  static let lastRate = prefix + "rate"

  /// Encodes an upload.
  ///
  /// `stream`: where the random choices of the i-th block come from.
  ///
  /// - Throws: with ``CodecError/nonFinite`` when training has left the numbers,
  ///   ``CodecError/parameter(_:)`` for codecs that do not fit a block.
  /// - Complexity: that of the codecs; O(values) besides.
  public func compress(
    _ upload: Payload, _ memory: inout ClientMemory, _ facts: Facts, stream: (Int) -> RandomStream
  ) throws(FrameError) -> Sent {
    var sent = Sent(payload: upload)
    var values: [[Float]] = []
    let absent = memory[Self.lastRound].map { max(0, facts.round - Int(clamping: $0[0]) - 1) } ?? 0
    let rate = Float(isDeep ? facts.learningRate * Double(facts.steps) : facts.learningRate)
    let before = memory[Self.lastRate]?[0] ?? rate
    var carry = GradientAccumulator.fading(settings.fading, rounds: absent)
    if usesGradientUnits, before > 0, rate > 0 { carry *= rate / before }
    for (index, block) in upload.blocks.enumerated() {
      guard let part = planner.part(of: block) else {
        sent.message.addPlain(block)
        values.append(block.values)
        continue
      }
      let plan = try planner.plan(
        of: part.block, round: facts.round, choice: facts.choices[block.name] ?? [])
      let coder = BlockCoder(
        plan: plan, block: part.block, stream: stream(index), exchange: facts.exchange)
      values.append(part.values(try encode(coder, facts, carry, rate, &memory, &sent)))
      sent.message.addPlain(part.plain, of: block.name)
    }
    sent.payload = upload.replacing(values)
    if settings.memory != .none {
      memory[Self.lastRound] = [Float(facts.round)]
      if usesGradientUnits { memory[Self.lastRate] = [rate] }
    }
    return sent
  }

  private var isDeep: Bool { if case .deepGradient = settings.memory { true } else { false } }

  private var usesGradientUnits: Bool { isDeep || settings.memory == .errorFeedback(.gradient) }

  /// One block by the link's memory: what the server decodes of it.
  private func encode(
    _ coder: BlockCoder, _ facts: Facts, _ carry: Float, _ rate: Float,
    _ memory: inout ClientMemory, _ sent: inout Sent
  ) throws(FrameError) -> [Float] {
    func name(_ what: String) -> String {
      Self.name(what, coder.block.name, exchange: coder.exchange)
    }
    func known(_ what: String) -> [Float]? {
      memory[name(what)].flatMap { $0.count == coder.block.count ? $0 : nil }
    }
    let update = coder.block.values
    switch settings.memory {
    case .none, .shadow, .factors: return try coder.send(update, &memory, &sent).decoded
    case .errorFeedback:
      var errors = ErrorMemory(error: known("error") ?? [])
      let p = errors.corrected(update, scale: carry)
      let message = try coder.send(p, &memory, &sent)
      errors.keep(corrected: p, decoded: message.decoded)
      sent.quality.error += Self.squares(errors.error)
      sent.undelivered[name("error")] = p
      memory[name("error")] = errors.error
      return message.decoded
    case .estimates(let eta):
      var estimates = EstimateMemory(
        estimate: known("estimate") ?? [], velocity: eta < 1 ? known("velocity") ?? [] : [])
      let g = eta < 1 ? estimates.smoothed(update, eta: eta) : update
      let change = estimates.change(g)
      let message = try coder.send(change, &memory, &sent)
      if eta < 1 { memory[name("velocity")] = estimates.velocity }
      sent.undelivered[name("estimate")] = estimates.estimate
      estimates.absorb(message.decoded)
      sent.quality.error += Self.squares(zip(g, estimates.estimate).map { $0 - $1 })
      memory[name("estimate")] = estimates.estimate
      return message.decoded
    case .deepGradient(let deep):
      var rule = deep.rule
      rule.clients = facts.senders
      rule.clip = rule.clip.map { $0 * Double(rate) }
      var buffers = GradientAccumulator(count: coder.block.count)
      if let momentum = known("momentum"), let waiting = known("waiting") {
        buffers = try coder.block.coding(coder.plan.groups.map(\.codec)) { () throws(CodecError) in
          try GradientAccumulator(momentum: momentum, waiting: waiting)
        }
        buffers.scale(by: carry)
      }
      buffers.add(update, rule)
      let message = try coder.send(buffers.waiting, &memory, &sent)
      sent.undelivered[name("momentum")] = buffers.momentum
      sent.undelivered[name("waiting")] = buffers.waiting
      for (group, part) in zip(coder.plan.groups, message.parts) {
        if let positions = part.positions {
          buffers.acknowledge(Self.places(positions, in: group), rule)
        } else {
          for range in group.ranges { buffers.acknowledge(all: range) }
        }
      }
      sent.quality.error += Self.squares(buffers.waiting)
      memory[name("momentum")] = buffers.momentum
      memory[name("waiting")] = buffers.waiting
      return message.decoded
    }
  }

  /// Positions within a group as positions in the block.
  package static func places(_ positions: [UInt32], in group: CodecPlan.Group) -> [UInt32] {
    if group.ranges.count == 1 {
      let start = UInt32(group.ranges[0].lowerBound)
      return start == 0 ? positions : positions.map { $0 + start }
    }
    var places: [UInt32] = []
    places.reserveCapacity(positions.count)
    var range = 0
    var first = 0  // the group's position at which the range begins
    for position in positions {
      while Int(position) >= first + group.ranges[range].count {
        first += group.ranges[range].count
        range += 1
      }
      places.append(UInt32(group.ranges[range].lowerBound + Int(position) - first))
    }
    return places
  }

  package static func squares(_ x: [Float]) -> Double { VectorArithmetic.dot(x.span, x.span) }
}

/// One block on its way through a plan's codecs.
struct BlockCoder {
  let plan: CodecPlan
  let block: PayloadBlock
  let stream: RandomStream
  let exchange: Int

  struct Message {
    let decoded: [Float]
    let parts: [CodecPlan.Part]
  }

  /// Encodes, decodes, and notes both; `memory` holds the codecs' own.
  func send(_ values: [Float], _ memory: inout StateTensors, _ sent: inout UploadCompressor.Sent)
    throws(FrameError) -> Message
  {
    let message = try code(values, &memory)
    sent.message.add(block, plan, message.parts)
    sent.quality.values += values.count
    for (group, part) in zip(plan.groups, message.parts) {
      sent.quality.kept += part.positions?.count ?? group.count
    }
    let decoded = message.decoded
    sent.quality.meant += UploadCompressor.squares(values)
    sent.quality.decoded += UploadCompressor.squares(decoded)
    sent.quality.product += VectorArithmetic.dot(values.span, decoded.span)
    return message
  }

  /// The buffer's parts and what a receiver decodes from it.
  func code(_ values: [Float], _ memory: inout StateTensors) throws(FrameError) -> Message {
    try block.coding(plan.groups.map(\.codec)) { () throws(CodecError) in
      let name = UploadCompressor.name("factors", block.name, exchange: exchange)
      var codecs = plan.memory(memory[name] ?? [])
      var stream = stream
      let frame = try plan.encode(values, stream: &stream, memory: &codecs)
      let factors = plan.flattened(codecs)
      memory[name] = factors.isEmpty ? nil : factors
      return Message(decoded: try plan.decode(frame), parts: try plan.parts(of: frame))
    }
  }
}

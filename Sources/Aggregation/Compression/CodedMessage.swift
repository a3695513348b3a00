import Codecs
import Tensor

/// What one message was made of on the wire, for the ledger.
public struct CodedMessage: Sendable, Equatable {
  /// Its parts, in the order sent.
  public var parts: [Part] = []

  /// Some bytes of a message.
  public struct Part: Sendable, Equatable {
    /// What they are, such as "model/fc.weight"; "model/*" for several tensors encoded as one,
    /// "model/frame" for a frame's head and checksum.
    public var name: String
    /// How the numbers travel plainly.
    public var element: NamedShape.Element
    /// The shape; empty for what is no tensor.
    public var shape: [Int]
    /// Bytes as plain numbers.
    public var dense: Int
    /// Bytes of the buffer that the receiver decodes.
    public var coded: Int
    /// The fewest bytes that they could have; nil for plain numbers.
    public var entropy: Double?
  }

  /// Nothing sent.
  public init() {}

  /// Bytes of the buffers.
  public var byteCount: Int { parts.reduce(0) { $0 + $1.coded } }
  /// Bytes as plain numbers.
  public var denseByteCount: Int { parts.reduce(0) { $0 + $1.dense } }
  /// The fewest bytes; plain numbers count as they are.
  public var entropy: Double { parts.reduce(0) { $0 + ($1.entropy ?? Double($1.coded)) } }

  /// Adds a block as plain numbers.
  public mutating func addPlain(_ block: PayloadBlock) { addPlain(block.tensors, of: block.name) }

  package mutating func addPlain(_ tensors: [NamedShape], of block: String) {
    for tensor in tensors {
      parts.append(
        Part(
          name: block + "/" + tensor.name, element: tensor.element, shape: tensor.shape,
          dense: tensor.byteCount, coded: tensor.byteCount, entropy: nil))
    }
  }

  /// Adds bytes that are no tensor of a block.
  public mutating func add(_ name: String, bytes: Int) {
    parts.append(
      Part(name: name, element: .uint8, shape: [bytes], dense: 0, coded: bytes, entropy: nil))
  }

  /// Adds plain floats that are no tensor of a block; `dense`: bytes of what they stand for.
  public mutating func add(_ name: String, floats: Int, dense: Int) {
    parts.append(
      Part(
        name: name, element: .float32, shape: [floats], dense: dense, coded: 4 * floats,
        entropy: nil))
  }

  /// Adds the frame of a block.
  package mutating func add(_ block: PayloadBlock, _ plan: CodecPlan, _ coded: [CodecPlan.Part]) {
    parts.append(
      Part(
        name: block.name + "/frame", element: .uint8, shape: [], dense: 0, coded: plan.overhead,
        entropy: Double(plan.overhead)))
    var tensors = block.tensors[...]
    for (group, part) in zip(plan.groups, coded) {
      // Groups of a plan per tensor come in the order of the tensors.
      let isSingle = plan.groups.count == block.tensors.count
      let tensor = isSingle ? tensors.popFirst() : nil
      parts.append(
        Part(
          name: block.name + "/" + (tensor?.name ?? "*"), element: .float32,
          shape: tensor?.shape ?? [group.count], dense: 4 * group.count, coded: part.bytes,
          entropy: part.entropy))
    }
  }
}

/// How near what the receiver decodes is to what was meant.
public struct CompressionQuality: Sendable, Equatable {
  /// Values meant.
  public var values = 0
  /// Values that the message tells.
  public var kept = 0
  /// Σ x² of what was meant.
  public var meant = 0.0
  /// Σ x̂² of what is decoded.
  public var decoded = 0.0
  /// Σ x·x̂.
  public var product = 0.0
  /// Σ e² of what is remembered as lost.
  public var error = 0.0

  /// Nothing sent.
  public init() {}

  /// Adds another message.
  public mutating func add(_ other: CompressionQuality) {
    values += other.values
    kept += other.kept
    meant += other.meant
    decoded += other.decoded
    product += other.product
    error += other.error
  }

  /// cos(x̂, x); nil for zeros.
  public var cosine: Double? {
    let norms = (meant * decoded).squareRoot()
    return norms > 0 ? product / norms : nil
  }
  /// ‖e‖ / ‖x‖; nil for zeros.
  public var errorRatio: Double? { meant > 0 ? (error / meant).squareRoot() : nil }
}

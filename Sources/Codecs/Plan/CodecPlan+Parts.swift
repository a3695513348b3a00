/// What a frame is made of.
extension CodecPlan {
  /// One group of a frame.
  public struct Part: Sendable, Equatable {
    /// Its bytes: codec, flags, d and body.
    public let bytes: Int
    /// The fewest bytes that what it says could have (``EntropyBound``).
    public let entropy: Double
    /// Ascending positions within the group whose values were sent; nil for all.
    public let positions: [UInt32]?
  }

  /// Bytes of a frame besides its groups: head and checksum.
  public var overhead: Int { 2 + ByteWriter.varintSize(groups.count) + 4 }

  /// The groups of a frame, in the plan's order.
  ///
  /// - Throws: ``CodecError`` for anything that is not a frame of this plan.
  /// - Complexity: O(count).
  public func parts(of frame: [UInt8]) throws(CodecError) -> [Part] {
    var parts: [Part] = []
    var failure: CodecError?
    frame.withUnsafeBytes { bytes in
      do throws(CodecError) {
        var reader = ByteReader(try checked(bytes))
        for group in groups { parts.append(try Self.part(of: group, from: &reader)) }
        try reader.finish()
      } catch { failure = error }
    }
    if let failure { throw failure }
    return parts
  }

  private static func part(of group: Group, from reader: inout ByteReader) throws(CodecError)
    -> Part
  {
    let start = reader.position
    var ahead = reader
    let (kind, flags) = try TensorDecoder.head(count: group.count, from: &ahead)
    let entropy = try EntropyBound.tensor(count: group.count, from: &reader)
    var positions: [UInt32]?
    if kind == .sparse {
      let content = try SparseCodec.content(flags, of: group.count, from: &ahead)
      let length = content.length
      positions =
        length == 1
        ? content.positions
        : content.positions.flatMap { block in
          let start = Int(block) * length
          return (start..<min(group.count, start + length)).map { UInt32($0) }
        }
    }
    return Part(bytes: reader.position - start, entropy: entropy, positions: positions)
  }

  /// The entropy bound of a frame's bytes: its own head and checksum, and the bound of each group.
  ///
  /// An adaptive code may fall below it for a part whose frequencies change along the vector.
  ///
  /// - Throws: ``CodecError`` for anything that is not a frame of this plan.
  /// - Complexity: O(count).
  public func entropyBound(of frame: [UInt8]) throws(CodecError) -> Double {
    try parts(of: frame).reduce(Double(overhead)) { $0 + $1.entropy }
  }

  /// The memory of this plan's codecs as one vector, for a checkpoint.
  public func flattened(_ memory: CodecMemory) -> [Float] { memory.factors.flatMap { $0 } }

  /// A memory from one vector; an empty one where it is not of this plan.
  public func memory(_ flat: [Float]) -> CodecMemory {
    let counts = groups.map { group in
      if case .lowRank(let lowRank) = group.codec {
        lowRank.factorCount(shape: group.shape)
      } else {
        0
      }
    }
    guard counts.reduce(0, +) == flat.count else { return CodecMemory() }
    var next = 0
    return CodecMemory(
      factors: counts.map { count in
        defer { next += count }
        return Array(flat[next..<next + count])
      })
  }
}

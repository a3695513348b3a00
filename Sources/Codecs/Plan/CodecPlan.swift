import Base

/// How a flat vector of many tensors travels: groups of them, each with its codec, in one frame.
///
/// Frame: magic 0xFC, version 1, varint of tensors, the tensors (one per group), CRC-32 of all
/// before it. Names and shapes are not sent: both sides have the plan. 2 + |varint n| + 4 bytes of
/// its own.
public struct CodecPlan: Sendable, Equatable {
  /// Values that are encoded as one tensor.
  public struct Group: Sendable, Equatable {
    /// Where they lie in the vector, in the order encoded.
    public let ranges: [Range<Int>]
    /// Their shape, for codecs that see matrices.
    public let shape: [Int]
    /// How they travel.
    public let codec: CodecSpec

    /// A group; the plan checks it.
    public init(ranges: [Range<Int>], shape: [Int], codec: CodecSpec) {
      self.ranges = ranges
      self.shape = shape
      self.codec = codec
    }

    /// Number of values.
    public var count: Int { ranges.reduce(0) { $0 + $1.count } }
  }

  /// How a codec is spread over tensors.
  public enum Grouping: Sendable, Equatable {
    /// Each on its own: own scales, own k.
    case eachTensor
    /// All as one: one k for the whole, one head.
    case together
  }

  /// Values of the whole vector.
  public let count: Int
  /// The groups, in the order sent.
  public let groups: [Group]

  package static let magic: UInt8 = 0xFC
  package static let version: UInt8 = 1

  /// A plan of groups that cover 0 ..< count once.
  ///
  /// - Throws: ``CodecError/parameter(_:)`` for a codec that does not fit its group, and for
  ///   groups that leave gaps or overlap; ``CodecError/size(expected:found:)`` for a wrong shape.
  public init(count: Int, groups: [Group]) throws(CodecError) {
    var next = 0
    let ranges = groups.flatMap(\.ranges)
    guard ranges.allSatisfy({ $0.lowerBound >= 0 && $0.upperBound <= count }) else {
      throw .parameter("ranges beyond \(count)")
    }
    let full = ranges.filter { !$0.isEmpty }
    for range in full.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard range.lowerBound == next else { throw .parameter("groups at \(next)") }
      next = range.upperBound
    }
    guard next == count else { throw .size(expected: count, found: next) }
    for group in groups {
      try DenseCodec.checkShape(group.shape, count: group.count)
      try group.codec.codec.check(shape: group.shape)
    }
    self.count = count
    self.groups = groups
  }

  /// A plan for tensors one after the other in the vector, each with its own codec.
  public init(shapes: [[Int]], codecs: [CodecSpec]) throws(CodecError) {
    guard shapes.count == codecs.count else {
      throw .size(expected: shapes.count, found: codecs.count)
    }
    let ranges = try Self.ranges(shapes)
    try self.init(
      count: ranges.last?.upperBound ?? 0,
      groups: shapes.indices.map {
        Group(ranges: [ranges[$0]], shape: shapes[$0], codec: codecs[$0])
      })
  }

  /// A plan with one codec, and dense floats for tensors that are not worth it.
  ///
  /// - Parameters:
  ///   - shapes: of tensors one after the other in the vector.
  ///   - codec: for all that do not stay dense.
  ///   - grouping: whether these are one tensor in the frame; those that stay dense are one then.
  ///   - denseBelow: tensors with fewer values stay dense.
  ///   - denseVectors: whether tensors of less than two dimensions (biases, norms) do.
  /// - Throws: as the plan of groups.
  public init(
    shapes: [[Int]], codec: CodecSpec, grouping: Grouping = .eachTensor, denseBelow: Int = 0,
    denseVectors: Bool = false
  ) throws(CodecError) {
    let ranges = try Self.ranges(shapes)
    let isDense = shapes.indices.map { index in
      let shape = shapes[index]
      if ranges[index].count < denseBelow || (denseVectors && shape.count < 2) { return true }
      if case .lowRank(let lowRank) = codec { return !lowRank.pays(shape: shape) }
      return false
    }
    var groups: [Group] = []
    switch grouping {
    case .eachTensor:
      groups = shapes.indices.map {
        let codec = isDense[$0] ? .dense(.float32) : codec
        return Group(ranges: [ranges[$0]], shape: shapes[$0], codec: codec)
      }
    case .together:
      for dense in [false, true] {
        let members = shapes.indices.filter { isDense[$0] == dense }.map { ranges[$0] }
        guard !members.isEmpty else { continue }
        let size = members.reduce(0) { $0 + $1.count }
        groups.append(
          Group(
            ranges: Self.joined(members), shape: [size], codec: dense ? .dense(.float32) : codec))
      }
    }
    try self.init(count: ranges.last?.upperBound ?? 0, groups: groups)
  }

  private static func ranges(_ shapes: [[Int]]) throws(CodecError) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var next = 0
    for shape in shapes {
      var size = 1
      for side in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: side)
        guard side >= 0, !overflow else { throw .parameter("shape \(shape)") }
        size = product
      }
      let (end, overflow) = next.addingReportingOverflow(size)
      guard !overflow else { throw .parameter("shape \(shape)") }
      ranges.append(next..<end)
      next = end
    }
    return ranges
  }

  /// Neighbours as one range.
  private static func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var joined: [Range<Int>] = []
    for range in ranges {
      if let last = joined.last, last.upperBound == range.lowerBound {
        joined[joined.count - 1] = last.lowerBound..<range.upperBound
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// Bytes of a frame.
  public var size: CodecSize {
    var size = CodecSize.exactly(2 + ByteWriter.varintSize(groups.count) + 4)
    for group in groups { size = size + group.codec.codec.size(shape: group.shape) }
    return size
  }

  /// Bytes of the same vector as plain 32-bit floats, what ratios are relative to.
  public var denseByteCount: Int { 4 * count }
}

/// What a plan's codecs remember between frames, by group; empty at first.
public struct CodecMemory: Sendable, Equatable {
  /// Right factors of low-rank groups, empty for others.
  public var factors: [[Float]]

  /// A memory; the factors of an earlier one may be given.
  public init(factors: [[Float]] = []) { self.factors = factors }
}

extension CodecPlan {
  /// The frame of a vector.
  ///
  /// - Parameters:
  ///   - vector: [count].
  ///   - stream: where random choices come from, group after group.
  ///   - memory: what codecs remember; a memory of another plan is begun anew; a throw
  ///     changes nothing.
  /// - Returns: the frame, as long as `size` says.
  /// - Throws: ``CodecError/nonFinite``, ``CodecError/size(expected:found:)``.
  /// - Complexity: O(count) for all codecs but low rank.
  public func encode(_ vector: [Float], stream: inout RandomStream, memory: inout CodecMemory)
    throws(CodecError) -> [UInt8]
  {
    guard vector.count == count else { throw .size(expected: count, found: vector.count) }
    let size = size
    // A bound may be far away from what comes; exact sizes are worth the room at once.
    var writer = ByteWriter(capacity: size.isExact ? size.bytes : 0)
    writer.byte(Self.magic)
    writer.byte(Self.version)
    writer.varint(groups.count)
    var factors = [[Float]](repeating: [], count: groups.count)
    for (index, group) in groups.enumerated() {
      let known = memory.factors.count == groups.count ? memory.factors[index] : []
      var context = CodecContext(stream: stream, factors: known)
      let values = gathered(group, of: vector)
      let codec = group.codec.codec
      try codec.append(values, shape: group.shape, to: &writer, context: &context)
      stream = context.stream
      factors[index] = context.factors
    }
    memory.factors = factors
    writer.number(writer.bytes.withUnsafeBytes { CRC32.of($0) })
    return writer.bytes
  }

  /// The frame of a vector with codecs that remember nothing.
  public func encode(_ vector: [Float], stream: inout RandomStream) throws(CodecError) -> [UInt8] {
    var memory = CodecMemory()
    return try encode(vector, stream: &stream, memory: &memory)
  }

  private func gathered(_ group: Group, of vector: [Float]) -> [Float] {
    if group.ranges.count == 1, group.count == count { return vector }
    var values: [Float] = []
    values.reserveCapacity(group.count)
    for range in group.ranges { values += vector[range] }
    return values
  }

  /// The vector of a frame.
  ///
  /// The bytes may come from anywhere: sums, counts, positions, scales and lengths are checked, no
  /// memory is taken before they are, and at most a few times what the plan's vector needs.
  ///
  /// - Throws: ``CodecError`` for anything that is not a frame of this plan's sizes.
  /// - Complexity: O(count + bytes) for all codecs but low rank.
  public func decode(_ frame: [UInt8]) throws(CodecError) -> [Float] {
    var failure: CodecError?
    let vector = [Float](unsafeUninitializedCapacity: count) { vector, initialised in
      frame.withUnsafeBytes { bytes in
        do throws(CodecError) {
          var reader = ByteReader(try checked(bytes))
          for group in groups { try decode(group, from: &reader, into: vector) }
          try reader.finish()
          initialised = count
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
    return vector
  }

  /// The tensors between head and checksum.
  func checked(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> UnsafeRawBufferPointer {
    var reader = ByteReader(bytes)
    guard try reader.byte() == Self.magic else { throw .notAFrame }
    let version = try reader.byte()
    guard version == Self.version else { throw .version(version) }
    let tensors = try reader.varint()
    guard tensors == groups.count else { throw .size(expected: groups.count, found: tensors) }
    guard reader.remaining >= 4 else { throw .truncated }
    let body = try reader.take(reader.remaining - 4)
    let sum = try reader.number(UInt32.self)
    let covered = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - 4)])
    guard CRC32.of(covered) == sum else { throw .checksum }
    return body
  }

  private func decode(
    _ group: Group, from reader: inout ByteReader, into vector: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    if group.ranges.count == 1 {
      let part = UnsafeMutableBufferPointer(rebasing: vector[group.ranges[0]])
      return try TensorDecoder.read(from: &reader, into: part)
    }
    var values = [Float](repeating: 0, count: group.count)
    var failure: CodecError?
    values.withUnsafeMutableBufferPointer { values in
      do throws(CodecError) {
        try TensorDecoder.read(from: &reader, into: values)
        var next = 0
        for range in group.ranges {
          let part = UnsafeMutableBufferPointer(rebasing: vector[range])
          _ = part.update(fromContentsOf: values[next..<next + range.count])
          next += range.count
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

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

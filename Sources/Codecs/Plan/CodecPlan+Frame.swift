import Base

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

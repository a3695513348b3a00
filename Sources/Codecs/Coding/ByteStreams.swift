/// Bytes that grow: little-endian numbers, LEB128 whole numbers, runs of raw memory.
public struct ByteWriter: Sendable {
  /// What has been written.
  public internal(set) var bytes: [UInt8] = []

  /// Nothing yet, with room for `capacity` bytes.
  public init(capacity: Int = 0) { bytes.reserveCapacity(max(0, capacity)) }

  /// One byte.
  public mutating func byte(_ value: UInt8) { bytes.append(value) }

  /// LEB128: seven bits per byte, low ones first; ⌈bits/7⌉ bytes, at least one; of `value` ≥ 0.
  public mutating func varint(_ value: Int) {
    var rest = UInt64(bitPattern: Int64(value))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Bytes of `varint`.
  public static func varintSize(_ value: Int) -> Int {
    let bits = Int.bitWidth - value.leadingZeroBitCount
    return max(1, (bits + 6) / 7)
  }

  /// A number in memory order, little-endian.
  public mutating func number<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Four bytes.
  public mutating func float(_ value: Float) { number(value.bitPattern) }

  /// Memory as it is.
  public mutating func raw(_ memory: UnsafeRawBufferPointer) { bytes.append(contentsOf: memory) }

  /// `count` zero bytes, then lends them to be filled.
  public mutating func extend(_ count: Int, _ fill: (UnsafeMutableRawPointer) -> Void) {
    guard count > 0 else { return }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: count))
    bytes.withUnsafeMutableBytes { memory in if let base = memory.baseAddress { fill(base + start) }
    }
  }
}

/// Reads what `ByteWriter` wrote; every read is checked against the end.
package struct ByteReader {
  private let memory: UnsafeRawBufferPointer
  package private(set) var position: Int
  private let end: Int

  init(_ memory: UnsafeRawBufferPointer) {
    self.memory = memory
    position = 0
    end = memory.count
  }

  /// Bytes not yet read.
  var remaining: Int { end &- position }

  mutating func byte() throws(CodecError) -> UInt8 {
    guard position < end else { throw .truncated }
    defer { position &+= 1 }
    return memory[position]
  }

  /// A whole number below 2⁵⁶ in its only form: no zero byte at the end.
  package mutating func varint() throws(CodecError) -> Int {
    var value = 0
    for shift in stride(from: 0, to: 56, by: 7) {
      let next = try byte()
      value |= Int(next & 0x7F) << shift
      if next < 0x80 {
        guard next > 0 || shift == 0 else { throw .malformed("varint") }
        return value
      }
    }
    throw .malformed("varint")
  }

  /// A whole number that must lie in a range.
  package mutating func varint(in range: ClosedRange<Int>, _ name: String) throws(CodecError) -> Int
  {
    let value = try varint()
    guard range.contains(value) else { throw .malformed(name) }
    return value
  }

  package mutating func number<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type)
    throws(CodecError) -> Value
  {
    let part = try take(MemoryLayout<Value>.size)
    return Value(littleEndian: part.loadUnaligned(as: Value.self))
  }

  package mutating func float() throws(CodecError) -> Float {
    Float(bitPattern: try number(UInt32.self))
  }

  /// A scale: finite and not negative.
  package mutating func scale() throws(CodecError) -> Float {
    let value = try float()
    guard value >= 0, value.isFinite else { throw .malformed("scale") }
    return value
  }

  /// `count` scales; their bytes are known to be there before room is made for them.
  mutating func scales(_ count: Int) throws(CodecError) -> [Float] {
    guard count >= 0, count <= remaining / 4 else { throw .truncated }
    var scales: [Float] = []
    scales.reserveCapacity(count)
    for _ in 0..<count { scales.append(try scale()) }
    return scales
  }

  /// The next `count` bytes.
  package mutating func take(_ count: Int) throws(CodecError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= remaining else { throw .truncated }
    defer { position &+= count }
    return UnsafeRawBufferPointer(rebasing: memory[position..<position &+ count])
  }

  /// What is left, without taking it.
  package var rest: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: memory[position..<end])
  }

  /// Nothing may be left.
  package func finish() throws(CodecError) {
    guard position == end else { throw .trailing(end - position) }
  }
}

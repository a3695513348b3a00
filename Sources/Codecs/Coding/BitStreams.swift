/// Bits that grow, the most significant of each field first; zeros fill the last byte.
struct BitWriter {
  private(set) var bytes: [UInt8] = []
  private var pending: UInt64 = 0
  private var filled = 0

  init(capacityBits: Int = 0) { bytes.reserveCapacity(capacityBits / 8 + 8) }

  /// Bits written so far.
  var bitCount: Int { 8 * bytes.count + filled }

  /// The `width` ≤ 32 low bits of a value; the others must be 0.
  @inline(__always) mutating func write(_ value: UInt32, _ width: Int) {
    pending = (pending &<< UInt64(width)) | UInt64(value)
    filled &+= width
    while filled >= 8 {
      filled &-= 8
      bytes.append(UInt8(truncatingIfNeeded: pending &>> UInt64(filled)))
    }
  }

  /// `count` ones and a zero.
  mutating func unary(_ count: Int) {
    var rest = count
    while rest >= 16 {
      write(0xFFFF, 16)
      rest -= 16
    }
    write((1 << UInt32(rest + 1)) - 2, rest + 1)
  }

  /// Elias' gamma code of n ≥ 1: ⌊log₂ n⌋ zeros, then n; 2⌊log₂ n⌋ + 1 bits.
  ///
  /// - Source: Elias, IEEE Transactions on Information Theory 21(2), 1975.
  mutating func gamma(_ n: UInt32) {
    let length = 32 - n.leadingZeroBitCount
    write(0, length - 1)
    write(n, length)
  }

  /// All bytes, the last one filled with zeros.
  consuming func finished() -> [UInt8] {
    if filled > 0 { write(0, 8 - filled) }
    return bytes
  }
}

/// Reads bits as `BitWriter` writes them; every read is checked against the end.
struct BitReader {
  private let memory: UnsafeRawBufferPointer
  private(set) var position = 0
  private let end: Int

  /// The first `bits` bits of some memory; all of it without a number.
  init(_ memory: UnsafeRawBufferPointer, bits: Int? = nil) {
    self.memory = memory
    end = min(bits ?? Int.max, 8 &* memory.count)
  }

  var remaining: Int { end &- position }

  /// Bytes that hold the bits taken.
  var byteCount: Int { (position &+ 7) / 8 }

  /// At least 32 bits from here on in the upper half, zeros after the memory's end.
  @inline(__always) private func window() -> UInt64 {
    let byte = position &>> 3
    var word: UInt64 = 0
    if byte &+ 8 <= memory.count {
      word = UInt64(bigEndian: memory.loadUnaligned(fromByteOffset: byte, as: UInt64.self))
    } else {
      for i in byte..<max(byte, memory.count) {
        word |= UInt64(memory[i]) &<< UInt64(56 &- 8 &* (i &- byte))
      }
    }
    return word &<< UInt64(position & 7)
  }

  /// The next `width` ≤ 32 bits.
  @inline(__always) mutating func read(_ width: Int) throws(CodecError) -> UInt32 {
    guard width <= remaining else { throw .truncated }
    guard width > 0 else { return 0 }
    let word = window()
    position &+= width
    return UInt32(truncatingIfNeeded: word &>> UInt64(64 &- width))
  }

  /// Counts ones up to the next zero, at most `limit`.
  @inline(__always) mutating func unary(limit: Int) throws(CodecError) -> Int {
    var count = 0
    while true {
      let ones = min((~window()).leadingZeroBitCount, 32)
      count &+= ones
      guard count <= limit else { throw .malformed("unary") }
      guard ones < remaining else { throw .truncated }
      position &+= ones
      if ones < 32 {
        position &+= 1
        return count
      }
    }
  }

  /// A number ≥ 1 in Elias' gamma code, below 2³².
  mutating func gamma() throws(CodecError) -> UInt32 {
    let zeros = window().leadingZeroBitCount
    guard zeros < 32 else { throw remaining < 32 ? .truncated : .malformed("gamma") }
    guard 2 &* zeros &+ 1 <= remaining else { throw .truncated }
    position &+= zeros
    return try read(zeros &+ 1)
  }

  /// Takes bits that were read elsewhere.
  mutating func skip(_ bits: Int) { position = min(end, position &+ bits) }

  /// Refuses bits after the last field that are not zeros, and bytes after them.
  mutating func finish() throws(CodecError) {
    guard byteCount == memory.count else { throw .trailing(memory.count - byteCount) }
    guard position & 7 != 0 else { return }
    let last = memory[byteCount &- 1] &<< UInt8(position & 7)
    guard last == 0 else { throw .malformed("padding") }
  }
}

/// Adaptive range coding of symbols from a fixed alphabet.
///
/// A symbol is ⌈log₂ alphabet⌉ binary decisions from its top bit down, each with a probability of
/// its own that is learnt on the way, so no table travels. A probability starts at ½ and moves by
/// 1/(n + 1.5) of its error after n decisions, at least by 1/256: it finds constant frequencies as
/// an average does and still follows slow changes.
///
/// - Source: Martin, Video and Data Recording Conference 1979 (range coding); Witten, Neal and
///   Cleary, Communications of the ACM 30(6), 1987 (adaptive models). Carries are handled as in
///   the LZMA SDK by Pavlov.
struct AdaptiveBits {
  /// 2¹⁶ times the probability of 0, from 32 to 65504.
  private var zero: UInt32 = 1 << 15
  private var seen: UInt32 = 0

  @inline(__always) func bound(_ range: UInt32) -> UInt32 { (range &>> 16) &* zero }

  @inline(__always) mutating func learn(_ bit: UInt32) {
    let target: Int32 = bit == 0 ? 65535 : 0
    let step = (target &- Int32(zero)) &* 2 / Int32(2 &* seen &+ 3)
    zero = UInt32(min(max(Int32(zero) &+ step, 32), 65504))
    if seen < 254 { seen &+= 1 }
  }
}

struct RangeEncoder {
  private(set) var bytes: [UInt8] = []
  private var low: UInt64 = 0
  private var range: UInt32 = .max
  /// The byte that a carry may still change, and how many 0xFF follow it; the very first is none.
  private var waiting: UInt8 = 0
  private var waitingCount = 0
  private var isFirst = true

  @inline(__always) mutating func encode(_ bit: UInt32, _ model: inout AdaptiveBits) {
    let bound = model.bound(range)
    if bit == 0 {
      range = bound
    } else {
      low &+= UInt64(bound)
      range &-= bound
    }
    model.learn(bit)
    while range < 1 << 24 {
      range &<<= 8
      shift()
    }
  }

  private mutating func shift() {
    if low < 0xFF00_0000 || low > 0xFFFF_FFFF {
      let carry = UInt8(truncatingIfNeeded: low &>> 32)
      if !isFirst { bytes.append(waiting &+ carry) }
      isFirst = false
      for _ in 0..<waitingCount { bytes.append(0xFF &+ carry) }
      waitingCount = 0
      waiting = UInt8(truncatingIfNeeded: low &>> 24)
    } else {
      waitingCount &+= 1
    }
    low = (low & 0x00FF_FFFF) &<< 8
  }

  /// All bytes.
  consuming func finished() -> [UInt8] {
    for _ in 0..<5 { shift() }
    return bytes
  }
}

/// Reads what `RangeEncoder` wrote.
struct RangeDecoder {
  private var reader: ByteReader
  private var code: UInt32 = 0
  private var range: UInt32 = .max

  init(_ memory: UnsafeRawBufferPointer) throws(CodecError) {
    reader = ByteReader(memory)
    code = try reader.number(UInt32.self).byteSwapped
  }

  @inline(__always) mutating func decode(_ model: inout AdaptiveBits) throws(CodecError) -> UInt32 {
    let bound = model.bound(range)
    let bit: UInt32 = code < bound ? 0 : 1
    if bit == 0 {
      range = bound
    } else {
      code &-= bound
      range &-= bound
    }
    model.learn(bit)
    while range < 1 << 24 {
      range &<<= 8
      code = (code &<< 8) | UInt32(try reader.byte())
    }
    return bit
  }

  /// The last decision must have used the last byte.
  func finish() throws(CodecError) { try reader.finish() }
}

/// Streams of symbols 0 ..< alphabet, in fields of equal width or range coded.
struct SymbolCoder {
  /// From 2 to 65536.
  let alphabet: Int

  private var width: Int { IndexCoding.width(alphabet) }

  /// The adaptive code of symbols.
  func code(_ symbols: [UInt16]) -> [UInt8] {
    var models = [AdaptiveBits](repeating: AdaptiveBits(), count: 1 << width)
    var encoder = RangeEncoder()
    for symbol in symbols {
      var node = 1
      for place in stride(from: width - 1, through: 0, by: -1) {
        let bit = UInt32(symbol &>> UInt16(place)) & 1
        encoder.encode(bit, &models[node])
        node = 2 &* node &+ Int(bit)
      }
    }
    return encoder.finished()
  }

  /// Appends symbols: their plain form, or with a varint of its length their code if that is asked
  /// for and shorter.
  func write(
    _ symbols: [UInt16], plain: [UInt8], _ isEntropyCoded: Bool, to writer: inout ByteWriter
  ) -> CodecFlags {
    if isEntropyCoded {
      let coded = code(symbols)
      if ByteWriter.varintSize(coded.count) + coded.count < plain.count {
        writer.varint(coded.count)
        writer.bytes += coded
        return .entropyCoded
      }
    }
    writer.bytes += plain
    return []
  }

  /// Reads d coded symbols; what they are is checked, and that they fill their bytes.
  func read(count d: Int, from reader: inout ByteReader) throws(CodecError) -> [UInt16] {
    let length = try reader.varint()
    var decoder = try RangeDecoder(try reader.take(length))
    var models = [AdaptiveBits](repeating: AdaptiveBits(), count: 1 << width)
    var symbols: [UInt16] = []
    symbols.reserveCapacity(d)
    for _ in 0..<d {
      var node = 1
      for _ in 0..<width { node = 2 &* node &+ Int(try decoder.decode(&models[node])) }
      let symbol = node &- (1 &<< width)
      guard symbol < alphabet else { throw .malformed("symbol") }
      symbols.append(UInt16(truncatingIfNeeded: symbol))
    }
    try decoder.finish()
    return symbols
  }

  /// Appends symbols in fields of a width.
  static func fields(_ symbols: [UInt16], _ width: Int) -> [UInt8] {
    var bits = BitWriter(capacityBits: width * symbols.count)
    for symbol in symbols { bits.write(UInt32(symbol), width) }
    return bits.finished()
  }

  /// Reads d symbols in fields of a width.
  func readFields(_ width: Int, count d: Int, from reader: inout ByteReader) throws(CodecError)
    -> [UInt16]
  {
    var bits = BitReader(try reader.take((d * width + 7) / 8))
    var symbols: [UInt16] = []
    symbols.reserveCapacity(d)
    for _ in 0..<d {
      let symbol = try bits.read(width)
      guard symbol < UInt32(alphabet) else { throw .malformed("symbol") }
      symbols.append(UInt16(truncatingIfNeeded: symbol))
    }
    try bits.finish()
    return symbols
  }
}

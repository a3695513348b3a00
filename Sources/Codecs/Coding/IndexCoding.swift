/// How k ascending positions among d places are written.
///
/// Raw values are part of the format: only append. The list of positions ends with its k-th
/// entry; no coding stores its own length.
public enum IndexCoding: UInt8, Sendable, Equatable, CaseIterable {
  /// 32-bit whole numbers: 4k bytes.
  case words = 0
  /// ⌈log₂ d⌉ bits each: ⌈k·⌈log₂ d⌉ / 8⌉ bytes.
  case packed = 1
  /// One bit per place: ⌈d/8⌉ bytes.
  case bitmap = 2
  /// 16-bit runs of places that are skipped: 2·(k + escapes) bytes; 0xFFFF skips 65535 places and
  /// stands for no position.
  case runs = 3
  /// Rice codes of gaps: one byte b, then ⌈Σ (1 + b + ⌊gap/2ᵇ⌋) / 8⌉ bytes.
  ///
  /// gap_i = i-th position − position before − 1; its quotient by 2ᵇ in ones ended by a zero, then
  /// its b lower bits. At density p an entry has about b + 1/(1 − (1−p)^(2ᵇ)) bits, within 1 % of
  /// the entropy log₂ C(d, k) for the best b.
  ///
  /// - Source: Rice, JPL Publication 79-22, 1979; Golomb, IEEE Transactions on Information
  ///   Theory 12(3), 1966.
  case rice = 4

  /// ⌈log₂ d⌉.
  package static func width(_ d: Int) -> Int {
    d <= 1 ? 0 : Int.bitWidth - (d - 1).leadingZeroBitCount
  }

  /// Bytes for k of d positions, Rice's parameter included.
  public func size(count k: Int, of d: Int) -> CodecSize {
    switch self {
    case .words: return .exactly(4 * k)
    case .packed: return .exactly((k * Self.width(d) + 7) / 8)
    case .bitmap: return .exactly((d + 7) / 8)
    case .runs: return .atMost(2 * (k + (d - k) / 65535))
    case .rice:
      let b = Self.riceStart(count: k, of: d)
      return .atMost(1 + (k * (1 + b) + ((d - k) >> b) + 7) / 8)
    }
  }

  /// b₀ = max(0, round(log₂(0.6931·(d − k)/k))), the best parameter for gaps at random.
  static func riceStart(count k: Int, of d: Int) -> Int {
    guard k > 0, d > k else { return 0 }
    let mean = 0.6931 * Double(d - k) / Double(k)
    // log₂ by the exponent and a comparison: round(log₂ m) = e + [m/2ᵉ ≥ √2].
    let exponent = Int(mean.exponent)
    return max(0, exponent + (mean.significand >= 2.0.squareRoot() ? 1 : 0))
  }

  /// Bits of Rice's code with parameter b, without the parameter.
  static func riceBits(_ indices: [UInt32], _ b: Int) -> Int {
    var bits = indices.count * (1 + b)
    var next: UInt32 = 0
    for index in indices {
      bits &+= Int((index &- next) &>> UInt32(b))
      next = index &+ 1
    }
    return bits
  }

  /// The best of b₀ − 1, b₀ and b₀ + 1 for these positions, the lowest of equals.
  static func riceParameter(_ indices: [UInt32], of d: Int) -> Int {
    let start = riceStart(count: indices.count, of: d)
    var best = (b: start, bits: Int.max)
    for b in max(0, start - 1)...min(31, start + 1) {
      let bits = riceBits(indices, b)
      if bits < best.bits { best = (b, bits) }
    }
    return best.b
  }

  /// Appends ascending positions, each below d.
  ///
  /// - Complexity: O(k), and O(d) for a bitmap.
  package func write(_ indices: [UInt32], of d: Int, to writer: inout ByteWriter) {
    switch self {
    case .words: for index in indices { writer.number(index) }
    case .packed:
      let width = Self.width(d)
      var bits = BitWriter(capacityBits: width * indices.count)
      for index in indices { bits.write(index, width) }
      writer.bytes += bits.finished()
    case .bitmap:
      writer.extend((d + 7) / 8) { target in
        let bytes = target.assumingMemoryBound(to: UInt8.self)
        for index in indices { bytes[Int(index >> 3)] |= 0x80 >> UInt8(index & 7) }
      }
    case .runs:
      var next: UInt32 = 0
      for index in indices {
        var gap = index &- next
        while gap >= 0xFFFF {
          writer.number(UInt16.max)
          gap &-= 0xFFFF
        }
        writer.number(UInt16(gap))
        next = index &+ 1
      }
    case .rice:
      let b = Self.riceParameter(indices, of: d)
      writer.byte(UInt8(b))
      writer.bytes += Self.riceCode(indices, b)
    }
  }

  static func riceCode(_ indices: [UInt32], _ b: Int) -> [UInt8] {
    var bits = BitWriter(capacityBits: indices.count * (b + 3))
    var next: UInt32 = 0
    for index in indices {
      let gap = index &- next
      bits.unary(Int(gap &>> UInt32(b)))
      bits.write(gap & ((1 &<< UInt32(b)) &- 1), b)
      next = index &+ 1
    }
    return bits.finished()
  }

  /// Reads k positions below d, k ≤ d, and checks that they ascend.
  ///
  /// - Complexity: O(k), and O(d) for a bitmap; memory 4k bytes.
  package func read(count k: Int, of d: Int, from reader: inout ByteReader) throws(CodecError)
    -> [UInt32]
  {
    var indices: [UInt32] = []
    indices.reserveCapacity(k)
    switch self {
    case .words, .packed:
      let width = self == .words ? 32 : Self.width(d)
      let bytes = try reader.take((k * width + 7) / 8)
      var bits = BitReader(bytes)
      var next = 0
      for _ in 0..<k {
        var index = try bits.read(width)
        if self == .words { index = index.byteSwapped }
        guard Int(index) >= next, Int(index) < d else { throw .malformed("position") }
        indices.append(index)
        next = Int(index) + 1
      }
      try bits.finish()
    case .bitmap: try Self.readBitmap(count: k, of: d, from: &reader, into: &indices)
    case .runs:
      var next = 0
      for _ in 0..<k {
        var run = try reader.number(UInt16.self)
        while run == .max {
          next += 0xFFFF
          guard next < d else { throw .malformed("position") }
          run = try reader.number(UInt16.self)
        }
        next += Int(run)
        guard next < d else { throw .malformed("position") }
        indices.append(UInt32(next))
        next += 1
      }
    case .rice:
      let b = Int(try reader.byte())
      guard b < 32 else { throw .malformed("Rice parameter") }
      var bits = BitReader(reader.rest)
      var next = 0
      for _ in 0..<k {
        let quotient = try bits.unary(limit: (d &- next) &>> b)
        next &+= quotient &<< b
        next &+= Int(try bits.read(b))
        guard next < d else { throw .malformed("position") }
        indices.append(UInt32(next))
        next &+= 1
      }
      var taken = BitReader(try reader.take(bits.byteCount))
      taken.skip(bits.position)
      try taken.finish()
    }
    return indices
  }

  private static func readBitmap(
    count k: Int, of d: Int, from reader: inout ByteReader, into indices: inout [UInt32]
  ) throws(CodecError) {
    let bytes = try reader.take((d + 7) / 8)
    for (place, byte) in bytes.enumerated() where byte != 0 {
      var rest = byte
      while rest != 0 {
        let bit = rest.leadingZeroBitCount
        let index = 8 * place + bit
        guard index < d, indices.count < k else { throw .malformed("bitmap") }
        indices.append(UInt32(index))
        rest &= ~(0x80 >> UInt8(bit))
      }
    }
    guard indices.count == k else { throw .malformed("bitmap") }
  }
}

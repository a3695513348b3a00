/// QSGD: the sign and a random level of each value, on s levels between 0 and its bucket's norm.
///
///     a = |x|·s / norm,   l = ⌊a⌋ + [u < a − ⌊a⌋],   x̂ = sign(x)·l·norm/s
///
/// Unbiased, E‖x̂ − x‖² ≤ ω·‖x‖² with ω = min(c/s², √c/s) for buckets of c values and the L2 norm.
///
/// Body, fixed: varint s, varint c, ⌈d/c⌉ norms f32, fields of ⌈log₂(2s + 1)⌉ bits with l·sign + s
/// (may be entropy coded). Elias: the same head, then varint of bits and the bits: for each level
/// but 0, over all buckets, γ(values skipped + 1), 1 for a negative sign, γ(l), with Elias' γ.
///
/// - Source: Alistarh, Grubic, Li, Tomioka and Vojnovic, NeurIPS 2017, sections 3 and 3.1.
public struct QSGDCodec: Codec {
  /// What levels are relative to.
  public enum Norm: Sendable, Equatable {
    /// √Σx², as in the paper's theory.
    case euclidean
    /// max|x|, which has less variance and fewer zeros.
    case largest
  }

  /// How levels are written.
  public enum Coding: Sendable, Equatable {
    /// Fields of equal width.
    case fixed
    /// Range coded where that is shorter.
    case entropy
    /// Elias' γ codes of skips and levels: short for few levels and large buckets.
    case elias
  }

  /// s, from 1 to 32767.
  public let levels: Int
  /// c ≥ 1, values that share a norm.
  public let bucket: Int
  /// What levels are relative to.
  public let norm: Norm
  /// How levels are written.
  public let coding: Coding

  /// A codec.
  public init(levels: Int, bucket: Int = 512, norm: Norm = .euclidean, coding: Coding = .fixed) {
    self.levels = levels
    self.bucket = bucket
    self.norm = norm
    self.coding = coding
  }

  /// 7 or 8.
  public var kind: CodecKind { coding == .elias ? .qsgdElias : .qsgd }

  /// Refuses levels that are not from 1 to 32767 and buckets not from 1 to 2³² − 1.
  public func check(shape: [Int]) throws(CodecError) {
    guard (1...32767).contains(levels) else { throw .parameter("\(levels) levels") }
    guard (1...Int(UInt32.max)).contains(bucket) else { throw .parameter("bucket of \(bucket)") }
  }

  /// Exact for fixed fields, else a bound.
  ///
  /// Elias: an entry with skip 0 and the highest level has 2 + γ(s) bits; longer skips cost less
  /// per value.
  public func bodySize(shape: [Int]) -> CodecSize {
    let d = shape.reduce(1, *)
    let head = ByteWriter.varintSize(levels) + ByteWriter.varintSize(bucket)
    let norms = 4 * SparseCodec.blocks(d, bucket)
    switch coding {
    case .fixed: return .exactly(head + norms + (d * width + 7) / 8)
    case .entropy: return .atMost(head + norms + (d * width + 7) / 8)
    case .elias:
      let bits = d * (3 + 2 * (Int.bitWidth - 1 - levels.leadingZeroBitCount))
      return .atMost(head + norms + ByteWriter.varintSize(bits) + (bits + 7) / 8)
    }
  }

  private var width: Int { IndexCoding.width(2 * levels + 1) }

  /// Appends norms and levels.
  ///
  /// - Complexity: O(d).
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    var norms: [Float] = []
    for start in stride(from: 0, to: x.count, by: bucket) {
      let part = UnsafeBufferPointer(rebasing: x[start..<min(x.count, start + bucket)])
      let largest = try Magnitude.largest(part)
      let isLargest = norm == .largest
      norms.append(
        isLargest ? largest : Magnitude.saturated(Magnitude.sums(part).squares.squareRoot()))
    }
    writer.varint(levels)
    writer.varint(bucket)
    for norm in norms { writer.float(norm) }
    let signed = quantised(x, norms, Dither(&context.stream))
    if coding == .elias {
      let bits = Self.elias(signed)
      writer.varint(bits.count)
      writer.bytes += bits.bytes
      return []
    }
    let symbols = signed.map { UInt16(Int($0) + levels) }
    return SymbolCoder(alphabet: 2 * levels + 1).write(
      symbols, plain: SymbolCoder.fields(symbols, width), coding == .entropy, to: &writer)
  }

  /// l of one value; |x|/norm first, which cannot overflow.
  @inline(__always) static func level(_ x: Float, _ norm: Float, _ levels: Float, _ u: Float)
    -> Float
  {
    let a = abs(x) / norm * levels
    let floor = a.rounded(.down)
    return min(floor + (u < a - floor ? 1 : 0), levels)
  }

  /// l·sign(x) of all values.
  private func quantised(_ x: UnsafeBufferPointer<Float>, _ norms: [Float], _ dither: Dither)
    -> [Int16]
  {
    var signed = [Int16](repeating: 0, count: x.count)
    let most = Float(levels)
    signed.withUnsafeMutableBufferPointer { target in
      dither.forEachBlock(x.count) { start, bits, length in
        var i = 0
        while i < length {
          let number = (start &+ i) / bucket
          let stop = min(length, (number &+ 1) &* bucket &- start)
          let norm = norms[number]
          if norm > 0 {
            for j in i..<stop {
              let value = x[start &+ j]
              let l = Self.level(value, norm, most, Dither.uniform(bits[j]))
              let whole = ((value < 0 ? -l : l) + 0x1.8p23).bitPattern
              target[start &+ j] = Int16(truncatingIfNeeded: whole)
            }
          }
          i = stop
        }
      }
    }
    return signed
  }

  /// Skips, signs and levels of what is not 0.
  package static func elias(_ signed: [Int16]) -> (bytes: [UInt8], count: Int) {
    var bits = BitWriter(capacityBits: 2 * signed.count)
    var next = 0
    for (place, value) in signed.enumerated() where value != 0 {
      bits.gamma(UInt32(place - next + 1))
      bits.write(value < 0 ? 1 : 0, 1)
      bits.gamma(UInt32(value.magnitude))
      next = place + 1
    }
    let count = bits.bitCount
    return (bits.finished(), count)
  }

  /// What a body holds.
  package struct Content {
    package let levels: Int
    let bucket: Int
    package let norms: [Float]
    /// l·sign(x).
    var signed: [Int16]
    /// Bits of Elias' code.
    package var bits = 0
  }

  static func content(
    _ kind: CodecKind, _ flags: CodecFlags, count d: Int, from reader: inout ByteReader
  ) throws(CodecError) -> Content {
    let s = try reader.varint(in: 1...32767, "levels")
    let c = try reader.varint(in: 1...Int(UInt32.max), "bucket")
    let norms = try reader.scales(SparseCodec.blocks(d, c))
    var content = Content(levels: s, bucket: c, norms: norms, signed: [])
    if kind == .qsgdElias {
      try content.readElias(count: d, from: &reader)
    } else {
      let coder = SymbolCoder(alphabet: 2 * s + 1)
      let symbols =
        flags.contains(.entropyCoded)
        ? try coder.read(count: d, from: &reader)
        : try coder.readFields(IndexCoding.width(2 * s + 1), count: d, from: &reader)
      content.signed = symbols.map { Int16(Int($0) - s) }
    }
    return content
  }

  /// Reads a body into x.
  package static func read(
    _ kind: CodecKind, _ flags: CodecFlags, from reader: inout ByteReader,
    into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let content = try content(kind, flags, count: x.count, from: &reader)
    var start = 0
    for norm in content.norms {
      let stop = min(x.count, start &+ content.bucket)
      let step = norm / Float(content.levels)
      // A norm so small that its step underflows is divided after the product.
      let isSmall = step < Float.leastNormalMagnitude
      for i in start..<stop {
        let l = Float(content.signed[i])
        x[i] = Magnitude.saturated(isSmall ? l / Float(content.levels) * norm : l * step)
      }
      start = stop
    }
  }
}

extension QSGDCodec.Content {
  mutating func readElias(count d: Int, from reader: inout ByteReader) throws(CodecError) {
    let length = try reader.varint()
    bits = length
    var stream = BitReader(try reader.take(length / 8 + (length % 8 == 0 ? 0 : 1)), bits: length)
    signed = [Int16](repeating: 0, count: d)
    var next = 0
    while stream.remaining > 0 {
      let place = next &+ Int(try stream.gamma()) &- 1
      guard place < d else { throw .malformed("position") }
      let isNegative = try stream.read(1) == 1
      let level = try stream.gamma()
      guard level <= UInt32(levels) else { throw .malformed("level") }
      signed[place] = isNegative ? -Int16(level) : Int16(level)
      next = place &+ 1
    }
    try stream.finish()
  }
}

/// Natural compression: each value becomes a power of two next to it, at random.
///
/// |x| = 2ᵉ·(1 + p), 0 ≤ p < 1, becomes 2ᵉ⁺¹ with probability p and 2ᵉ otherwise: unbiased,
/// variance ω = 1/8. On the bits of a float: 2²³ − 1 − h is added to the mantissa, h uniform of
/// 23 bits, and a carry moves the exponent. Zero stays zero; subnormals become zero, a bias below
/// 2⁻¹²⁶; what would become infinite becomes 2¹²⁷.
///
/// Body: fields of 9 bits, the sign and the exponent's 8 bits: ⌈9d/8⌉ bytes. May be entropy coded:
/// exponents of one tensor are few.
///
/// - Source: Horváth, Ho, Horváth, Sahu, Canini and Richtárik, arXiv:1905.10988, section 2.
public struct NaturalCodec: Codec {
  /// Whether symbols are range coded where that is shorter.
  public let isEntropyCoded: Bool

  /// A codec.
  public init(isEntropyCoded: Bool = false) { self.isEntropyCoded = isEntropyCoded }

  /// 9.
  public var kind: CodecKind { .natural }

  /// Exact without entropy coding, whose bound it is.
  public func bodySize(shape: [Int]) -> CodecSize {
    let bytes = (9 * shape.reduce(1, *) + 7) / 8
    return isEntropyCoded ? .atMost(bytes) : .exactly(bytes)
  }

  /// Sign and exponent of one value; h: 23 uniform bits.
  @inline(__always) package static func symbol(_ x: Float, _ h: UInt32) -> UInt32 {
    let magnitude = x.bitPattern & Magnitude.mask
    let exponent = min((magnitude &+ (0x7F_FFFF &- h)) &>> 23, 254)
    return (x.bitPattern &>> 31) &<< 8 | (magnitude < 0x80_0000 ? 0 : exponent)
  }

  /// Appends the fields.
  ///
  /// - Complexity: O(d).
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    _ = try Magnitude.largest(x)
    var symbols = [UInt16](repeating: 0, count: x.count)
    let dither = Dither(&context.stream)
    symbols.withUnsafeMutableBufferPointer { symbols in
      dither.forEachBlock(x.count) { start, bits, length in
        for i in 0..<length {
          symbols[start &+ i] = UInt16(truncatingIfNeeded: Self.symbol(x[start &+ i], bits[i]))
        }
      }
    }
    return SymbolCoder(alphabet: 512).write(
      symbols, plain: SymbolCoder.fields(symbols, 9), isEntropyCoded, to: &writer)
  }

  static func symbols(_ flags: CodecFlags, count d: Int, from reader: inout ByteReader)
    throws(CodecError) -> [UInt16]
  {
    let coder = SymbolCoder(alphabet: 512)
    let symbols =
      flags.contains(.entropyCoded)
      ? try coder.read(count: d, from: &reader) : try coder.readFields(9, count: d, from: &reader)
    guard !symbols.contains(where: { $0 & 0xFF == 0xFF }) else { throw .malformed("exponent") }
    return symbols
  }

  /// Reads a body into x.
  package static func read(
    _ flags: CodecFlags, from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let symbols = try symbols(flags, count: x.count, from: &reader)
    for i in 0..<x.count { x[i] = Float(bitPattern: UInt32(symbols[i]) &<< 23) }
  }
}

/// TernGrad: −1, 0 or 1 times the largest magnitude, at random.
///
///     t = sign(x)·[u < |x| / scale],   scale = max|x|,   x̂ = t·scale
///
/// Unbiased for what is left by clipping: first |x_i| ≤ c·σ, σ² = mean (x − mean x)², c = 2.5; a
/// few large values would make all others 0.
///
/// Body: scale f32, then five values per byte in base 3, Σ_j (t_j + 1)·3ʲ, 0 for those after the
/// end: 4 + ⌈d/5⌉ bytes. May be entropy coded.
///
/// - Source: Wen, Xu, Yan, Wu, Wang, Chen and Li, NeurIPS 2017, sections 3.1 and 3.3.
public struct TernaryCodec: Codec {
  /// c > 0 in standard deviations, nil to clip nothing.
  public let clip: Double?
  /// Whether symbols are range coded where that is shorter.
  public let isEntropyCoded: Bool

  /// A codec.
  public init(clip: Double? = 2.5, isEntropyCoded: Bool = false) {
    self.clip = clip
    self.isEntropyCoded = isEntropyCoded
  }

  /// 11.
  public var kind: CodecKind { .ternary }

  /// Refuses clips that are not positive.
  public func check(shape: [Int]) throws(CodecError) {
    if let clip, !(clip > 0 && clip.isFinite) { throw .parameter("clip \(clip)") }
  }

  /// Exact without entropy coding, whose bound it is.
  public func bodySize(shape: [Int]) -> CodecSize {
    let bytes = 4 + (shape.reduce(1, *) + 4) / 5
    return isEntropyCoded ? .atMost(bytes) : .exactly(bytes)
  }

  /// max|x| after clipping.
  private func scale(_ x: UnsafeBufferPointer<Float>) throws(CodecError) -> Float {
    let largest = try Magnitude.largest(x)
    guard let clip, !x.isEmpty else { return largest }
    var sum = 0.0
    for value in x { sum += Double(value) }
    let mean = sum / Double(x.count)
    let variance = max(0, Magnitude.sums(x).squares / Double(x.count) - mean * mean)
    let limit = Magnitude.saturated(clip * variance.squareRoot())
    // Equal values have no deviation; clipping them to nothing would lose them.
    return limit > 0 ? min(largest, limit) : largest
  }

  /// Appends the scale and the symbols.
  ///
  /// - Complexity: O(d).
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    let scale = try scale(x)
    var symbols = [UInt16](repeating: 1, count: x.count)
    let dither = Dither(&context.stream)
    symbols.withUnsafeMutableBufferPointer { symbols in
      guard scale > 0 else { return }
      dither.forEachBlock(x.count) { start, bits, length in
        for i in 0..<length {
          let value = x[start &+ i]
          let isKept = Dither.uniform(bits[i]) < abs(value) / scale
          symbols[start &+ i] = isKept ? (value < 0 ? 0 : 2) : 1
        }
      }
    }
    writer.float(scale)
    var plain = [UInt8](repeating: 0, count: (x.count + 4) / 5)
    for byte in plain.indices {
      var value = 0
      for place in stride(from: min(x.count, 5 * byte + 5) - 1, through: 5 * byte, by: -1) {
        value = 3 * value + Int(symbols[place])
      }
      plain[byte] = UInt8(value)
    }
    return SymbolCoder(alphabet: 3).write(symbols, plain: plain, isEntropyCoded, to: &writer)
  }

  /// t + 1 of all values.
  static func symbols(_ flags: CodecFlags, count d: Int, from reader: inout ByteReader)
    throws(CodecError) -> [UInt16]
  {
    if flags.contains(.entropyCoded) {
      return try SymbolCoder(alphabet: 3).read(count: d, from: &reader)
    }
    let bytes = try reader.take((d + 4) / 5)
    var symbols: [UInt16] = []
    symbols.reserveCapacity(d)
    for byte in bytes {
      var rest = byte
      for _ in 0..<min(5, d - symbols.count) {
        symbols.append(UInt16(rest % 3))
        rest /= 3
      }
      guard rest == 0 else { throw .malformed("symbol") }
    }
    return symbols
  }

  /// Reads a body into x.
  package static func read(
    _ flags: CodecFlags, from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let scale = try reader.scale()
    let symbols = try symbols(flags, count: x.count, from: &reader)
    for i in 0..<x.count { x[i] = (Float(symbols[i]) - 1) * scale }
  }
}

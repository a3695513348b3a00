/// Whole numbers of b bits with a scale per chunk, rounded at random.
///
///     scale = max|x| / L,   L = 2^(b−1) − 1,   q = clamp(⌊x/scale + u⌋, −L, L),   x̂ = q·scale
///
/// with u uniform in [0, 1) (``Dither``): unbiased but for 2⁻²³ of a step, error per value below
/// one scale, variance at most scale²/4. A chunk whose scale underflows is all zeros.
///
/// Body for b = 8: varint c, ⌈d/c⌉ scales f32, d signed bytes. Else: varint c,
/// b u8, scales, fields of b bits with q + L. Both forms may be entropy coded (``SymbolCoder``).
public struct IntegerCodec: Codec {
  /// b, from 2 to 8.
  public let bits: Int
  /// Values that share a scale, c ≥ 1.
  public let chunk: Int
  /// Whether symbols are range coded where that is shorter.
  public let isEntropyCoded: Bool

  /// A codec; eight bits are written as signed bytes.
  public init(bits: Int = 8, chunk: Int = 1024, isEntropyCoded: Bool = false) {
    self.bits = bits
    self.chunk = chunk
    self.isEntropyCoded = isEntropyCoded
  }

  /// 5 for bytes, 6 for fewer bits.
  public var kind: CodecKind { bits == 8 ? .int8 : .bits }

  private var levels: Int { 1 << (bits - 1) - 1 }

  /// Refuses widths that are not from 2 to 8 and chunks not from 1 to 2³² − 1.
  public func check(shape: [Int]) throws(CodecError) {
    guard (2...8).contains(bits) else { throw .parameter("\(bits) bits") }
    guard (1...Int(UInt32.max)).contains(chunk) else { throw .parameter("chunk of \(chunk)") }
  }

  /// Exact without entropy coding, whose bound it is.
  public func bodySize(shape: [Int]) -> CodecSize {
    let d = shape.reduce(1, *)
    let scales = 4 * SparseCodec.blocks(d, chunk) + (bits == 8 ? 0 : 1)
    let bytes = ByteWriter.varintSize(chunk) + scales + (d * bits + 7) / 8
    return isEntropyCoded ? .atMost(bytes) : .exactly(bytes)
  }

  /// Appends scales and symbols.
  ///
  /// - Complexity: O(d).
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    var scales: [Float] = []
    for start in stride(from: 0, to: x.count, by: chunk) {
      let part = UnsafeBufferPointer(rebasing: x[start..<min(x.count, start + chunk)])
      scales.append(Self.scale(try Magnitude.largest(part), levels: levels))
    }
    writer.varint(chunk)
    if bits != 8 { writer.byte(UInt8(bits)) }
    for scale in scales { writer.float(scale) }
    let dither = Dither(&context.stream)
    if bits == 8, !isEntropyCoded {
      writer.extend(x.count) { Self.quantise(x, scales, chunk: chunk, levels, dither, $0) }
      return []
    }
    var bytes = [Int8](repeating: 0, count: x.count)
    bytes.withUnsafeMutableBytes { target in
      guard let start = target.baseAddress else { return }
      Self.quantise(x, scales, chunk: chunk, levels, dither, start)
    }
    let symbols = bytes.map { UInt16(Int($0) + levels) }
    let plain: [UInt8]
    if bits == 8 {
      plain = bytes.map { UInt8(bitPattern: $0) }
    } else {
      plain = SymbolCoder.fields(symbols, bits)
    }
    return SymbolCoder(alphabet: 2 * levels + 1).write(
      symbols, plain: plain, isEntropyCoded, to: &writer)
  }

  /// max|x| / L.
  package static func scale(_ largest: Float, levels: Int) -> Float { largest / Float(levels) }

  /// q of one value: ⌊y⌋, one more where u ≥ 1 − (y − ⌊y⌋), which is ⌊y + u⌋ without the sum's
  /// rounding.
  @inline(__always) static func level(_ x: Float, _ scale: Float, _ levels: Float, _ u: Float)
    -> Float
  {
    let y = x / scale
    let floor = y.rounded(.down)
    let up: Float = u >= 1 - (y - floor) ? 1 : 0
    return min(max(floor + up, -levels), levels)
  }

  /// Writes d signed bytes.
  static func quantise(
    _ x: UnsafeBufferPointer<Float>, _ scales: [Float], chunk: Int, _ levels: Int, _ dither: Dither,
    _ target: UnsafeMutableRawPointer
  ) {
    let bytes = target.assumingMemoryBound(to: Int8.self)
    let most = Float(levels)
    dither.forEachBlock(x.count) { start, bits, length in
      var i = 0
      while i < length {
        let number = (start &+ i) / chunk
        let stop = min(length, (number &+ 1) &* chunk &- start)
        let scale = scales[number]
        // Nothing to divide by: all values of the chunk are 0.
        if scale > 0 {
          for j in i..<stop {
            let q = level(x[start &+ j], scale, most, Dither.uniform(bits[j]))
            // 1.5·2²³ leaves a whole number in the lowest bits.
            bytes[start &+ j] = Int8(truncatingIfNeeded: (q + 0x1.8p23).bitPattern)
          }
        }
        i = stop
      }
    }
  }

  /// x̂ = q·scale of signed bytes; −128 is no symbol.
  static func dequantise(
    _ bytes: UnsafeRawBufferPointer, _ scales: [Float], chunk: Int,
    into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let symbols = bytes.assumingMemoryBound(to: Int8.self)
    var least: Int8 = 0
    var start = 0
    for scale in scales {
      let stop = min(x.count, start &+ chunk)
      for i in start..<stop {
        least = min(least, symbols[i])
        x[i] = Magnitude.saturated(Float(symbols[i]) * scale)
      }
      start = stop
    }
    guard least > Int8.min else { throw .malformed("symbol") }
  }

  /// Reads a body into x.
  package static func read(
    _ kind: CodecKind, _ flags: CodecFlags, from reader: inout ByteReader,
    into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let head = try Head(kind, count: x.count, from: &reader)
    if kind == .int8, flags.isEmpty {
      try dequantise(try reader.take(x.count), head.scales, chunk: head.chunk, into: x)
    } else {
      let symbols = try head.symbols(kind, flags, count: x.count, from: &reader)
      for i in 0..<x.count {
        let q = Float(Int(symbols[i]) &- head.levels)
        x[i] = Magnitude.saturated(q * head.scales[i / head.chunk])
      }
    }
  }

  /// What goes before the symbols.
  package struct Head {
    package let chunk: Int
    package let bits: Int
    let scales: [Float]
    package var levels: Int { 1 << (bits - 1) - 1 }

    package init(_ kind: CodecKind, count d: Int, from reader: inout ByteReader) throws(CodecError)
    {
      chunk = try reader.varint(in: 1...Int(UInt32.max), "chunk")
      bits = kind == .int8 ? 8 : Int(try reader.byte())
      guard (2...8).contains(bits) else { throw .malformed("bits") }
      scales = try reader.scales(SparseCodec.blocks(d, chunk))
    }

    /// q + L of all values.
    func symbols(
      _ kind: CodecKind, _ flags: CodecFlags, count d: Int, from reader: inout ByteReader
    ) throws(CodecError) -> [UInt16] {
      let coder = SymbolCoder(alphabet: 2 * levels + 1)
      if flags.contains(.entropyCoded) { return try coder.read(count: d, from: &reader) }
      if kind == .bits { return try coder.readFields(bits, count: d, from: &reader) }
      let bytes = try reader.take(d)
      guard !bytes.contains(0x80) else { throw .malformed("symbol") }
      return bytes.map { UInt16(Int(Int8(bitPattern: $0)) + 127) }
    }
  }
}

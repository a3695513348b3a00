import Base

/// The fewest bytes that what a frame says could have, for codes that know its frequencies.
public enum EntropyBound {
  /// n·H of symbols in bits, H = −Σ p log₂ p with the frequencies p that they have.
  ///
  /// A code also has to tell the frequencies, or to learn them; real ones are longer.
  ///
  /// - Complexity: O(n + alphabet).
  public static func bits(_ symbols: [UInt16]) -> Double {
    var counts = [Int](repeating: 0, count: 1 << 16)
    for symbol in symbols { counts[Int(symbol)] += 1 }
    let n = Double(symbols.count)
    return counts.reduce(0) { $1 == 0 ? $0 : $0 - Double($1) * log2(Double($1) / n) }
  }

  /// log₂ C(d, k), the bits of one subset among all of its size; 0 ≤ k ≤ d.
  ///
  /// - Complexity: O(1).
  public static func subsetBits(count k: Int, of d: Int) -> Double {
    guard k > 0, k < d else { return 0 }
    return (logFactorial(d) - logFactorial(k) - logFactorial(d - k)) / log(2)
  }

  /// ln n!, by Stirling's series where it is exact to the last digits.
  private static func logFactorial(_ n: Int) -> Double {
    guard n >= 32 else { return (0..<n).reduce(0) { $0 + log(Double($1 + 1)) } }
    let x = Double(n)
    let series = 1 / (12 * x) - 1 / (360 * x * x * x) + 1 / (1260 * x * x * x * x * x)
    return (x + 0.5) * log(x) - x + 0.5 * log(2 * Double.pi) + series
  }

  /// The fewest bytes of one tensor.
  ///
  /// Heads, scales and values count as they are, positions as one subset among all, symbols at
  /// their entropy; dense, random-k and low-rank tensors as they are.
  package static func tensor(count d: Int, from reader: inout ByteReader) throws(CodecError)
    -> Double
  {
    let start = reader.position
    let (kind, flags) = try TensorDecoder.head(count: d, from: &reader)
    let head = Double(reader.position - start)
    switch kind {
    case .sparse:
      let content = try SparseCodec.content(flags, of: d, from: &reader)
      let places = SparseCodec.blocks(d, content.length)
      let k = content.positions.count
      let length = flags.contains(.blocks) ? ByteWriter.varintSize(content.length) : 0
      let fixed = length + ByteWriter.varintSize(k) + 2
      let values = content.valueCoding.size(count: content.values.count)
      return head + Double(fixed + values) + subsetBits(count: k, of: places) / 8
    case .int8, .bits:
      let scales = try IntegerCodec.Head(kind, count: d, from: &reader)
      let before = Double(reader.position - start)
      return before + bits(try scales.symbols(kind, flags, count: d, from: &reader)) / 8
    case .qsgd, .qsgdElias:
      let content = try QSGDCodec.content(kind, flags, count: d, from: &reader)
      let numbers = ByteWriter.varintSize(content.levels) + ByteWriter.varintSize(content.bucket)
      let symbols = content.signed.map { UInt16(Int($0) + content.levels) }
      return head + Double(numbers + 4 * content.norms.count) + bits(symbols) / 8
    case .natural: return head + bits(try NaturalCodec.symbols(flags, count: d, from: &reader)) / 8
    case .ternary:
      _ = try reader.scale()
      return head + 4 + bits(try TernaryCodec.symbols(flags, count: d, from: &reader)) / 8
    case .sign:
      let scale = flags.contains(.unscaled) ? 0.0 : 4.0
      if scale > 0 { _ = try reader.scale() }
      let bytes = try reader.take((d + 7) / 8)
      let signs = (0..<d).map { UInt16(bytes[$0 >> 3] >> UInt8(7 - $0 & 7)) & 1 }
      return head + scale + bits(signs) / 8
    case .float32, .float16, .bfloat16: return head + Double(try skip(kind, d, &reader))
    case .randomK:
      _ = try reader.number(UInt64.self)
      let k = try reader.varint(in: 0...d, "k")
      _ = try reader.take(4 * k)
      return Double(reader.position - start)
    case .lowRank:
      let n = try reader.varint(in: 0...d, "sides")
      let m = try reader.varint(in: 0...d, "sides")
      let r = Int(try reader.byte())
      _ = try reader.take(4 * r * (n + m))
      return Double(reader.position - start)
    case .empty: return head
    }
  }

  private static func skip(_ kind: CodecKind, _ d: Int, _ reader: inout ByteReader)
    throws(CodecError) -> Int
  {
    let count = d * (kind == .float32 ? 4 : 2)
    _ = try reader.take(count)
    return count
  }
}

import Base

/// The number of a codec in a frame.
///
/// Raw values are part of the format: only append.
public enum CodecKind: UInt8, Sendable, CaseIterable {
  /// 32-bit floats.
  case float32 = 0
  /// IEEE 754 halves.
  case float16 = 1
  /// The upper halves of 32-bit floats.
  case bfloat16 = 2
  /// Positions and values of some.
  case sparse = 3
  /// Values at positions that follow from a seed.
  case randomK = 4
  /// Signed bytes with a scale per chunk.
  case int8 = 5
  /// Signed whole numbers of 2 to 8 bits with a scale per chunk.
  case bits = 6
  /// Levels of QSGD in fields of equal width.
  case qsgd = 7
  /// Levels of QSGD in Elias' codes.
  case qsgdElias = 8
  /// Powers of two.
  case natural = 9
  /// Signs with one scale.
  case sign = 10
  /// −1, 0 and 1 with one scale.
  case ternary = 11
  /// Two factors of a matrix.
  case lowRank = 12
  /// Zeros.
  case empty = 13
}

/// What a body says about itself beyond its codec.
public struct CodecFlags: OptionSet, Sendable, Equatable {
  /// The byte in the frame.
  public let rawValue: UInt8
  /// Flags from their byte.
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Symbols are range coded: a varint of their bytes, then the bytes.
  public static let entropyCoded = CodecFlags(rawValue: 1)
  /// Signs without a scale: every value is ±1.
  public static let unscaled = CodecFlags(rawValue: 2)
  /// Positions of blocks: a varint of the block's length goes before the positions.
  public static let blocks = CodecFlags(rawValue: 4)
}

/// What moves while vectors are encoded: everything random, and a codec's memory.
public struct CodecContext: Sendable {
  /// Where random choices come from; an encoding takes one word from it, or none (a low rank's
  /// first one takes a word for each number of its right factor).
  public var stream: RandomStream
  /// The right factor of the last encoding of the same matrix (``LowRankCodec``); empty at first.
  public var factors: [Float]

  /// A context; `factors` are those that an earlier encoding left.
  public init(stream: RandomStream, factors: [Float] = []) {
    self.stream = stream
    self.factors = factors
  }
}

/// One way of writing a vector as bytes.
///
/// A tensor in a frame is: codec u8, flags u8, varint d, body. Everything is little-endian, bits
/// within fields go most significant first, unused bits at the end of a bit stream are 0.
/// Decoding needs no codec: the bytes describe themselves, up to d and the shape, which the
/// receiver knows and checks.
///
/// Non-finite values pass through dense codecs alone. All others refuse them on both sides with
/// ``CodecError/nonFinite``: a scale or an order of magnitudes does not exist for them.
public protocol Codec: Sendable, Equatable {
  /// Its number in frames.
  var kind: CodecKind { get }

  /// Whether the parameters make sense for a tensor of this shape.
  ///
  /// - Throws: ``CodecError/parameter(_:)``.
  func check(shape: [Int]) throws(CodecError)

  /// Bytes of the body, without codec, flags and d. The parameters have been checked.
  func bodySize(shape: [Int]) -> CodecSize

  /// Appends the body of x, [shape.reduce(1, *)], and gives its flags.
  ///
  /// - Throws: ``CodecError/nonFinite``.
  func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags
}

extension Codec {
  /// Whatever the shape is.
  public func check(shape: [Int]) throws(CodecError) {}

  /// Bytes of a tensor with codec, flags and d: 2 + |varint d| + body.
  public func size(shape: [Int]) -> CodecSize {
    bodySize(shape: shape) + (2 + ByteWriter.varintSize(shape.reduce(1, *)))
  }

  /// A tensor's bytes, outside any frame.
  ///
  /// - Throws: ``CodecError/parameter(_:)``, ``CodecError/nonFinite``.
  public func encode(_ x: [Float], shape: [Int]? = nil, context: inout CodecContext)
    throws(CodecError) -> [UInt8]
  {
    let shape = shape ?? [x.count]
    try Self.checkShape(shape, count: x.count)
    try check(shape: shape)
    var writer = ByteWriter()
    try append(x, shape: shape, to: &writer, context: &context)
    return writer.bytes
  }

  /// Appends codec, flags, d and body, for a shape and parameters that have been checked.
  package func append(
    _ x: [Float], shape: [Int], to writer: inout ByteWriter, context: inout CodecContext
  ) throws(CodecError) {
    writer.byte(kind.rawValue)
    let place = writer.bytes.count
    writer.byte(0)
    writer.varint(x.count)
    var failure: CodecError?
    var flags: CodecFlags = []
    x.withUnsafeBufferPointer { x in
      do throws(CodecError) {
        flags = try encodeBody(of: x, shape: shape, to: &writer, context: &context)
      } catch { failure = error }
    }
    if let failure { throw failure }
    writer.bytes[place] = flags.rawValue
  }

  static func checkShape(_ shape: [Int], count: Int) throws(CodecError) {
    var product = 1
    for side in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: side)
      guard side >= 0, !overflow else { throw .parameter("shape \(shape)") }
      product = next
    }
    guard product == count else { throw .size(expected: product, found: count) }
    guard count <= Int(UInt32.max) else { throw .parameter("more than 2³² − 1 values") }
  }
}

/// Magnitudes of floats as whole numbers, which have the same order.
enum Magnitude {
  static let mask: UInt32 = 0x7FFF_FFFF
  static let infinity: UInt32 = 0x7F80_0000

  /// The nearest finite number: a product of a symbol and a rounded scale may be just too large.
  @inline(__always) static func saturated(_ x: Float) -> Float {
    min(max(x, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
  }

  /// As above, rounded to Float.
  static func saturated(_ x: Double) -> Float { saturated(Float(x)) }

  /// The largest |x_i|, 0 for none.
  ///
  /// In whole numbers, because their maximum may be taken in any order and so in vectors.
  ///
  /// - Throws: ``CodecError/nonFinite``.
  /// - Complexity: O(n).
  static func largest(_ x: UnsafeBufferPointer<Float>) throws(CodecError) -> Float {
    var largest: UInt32 = 0
    for i in 0..<x.count { largest = max(largest, x[i].bitPattern & mask) }
    guard largest < infinity else { throw .nonFinite }
    return Float(bitPattern: largest)
  }

  /// Σ x_i² and Σ |x_i| in Double, eight sums side by side.
  ///
  /// - Complexity: O(n).
  static func sums(_ x: UnsafeBufferPointer<Float>) -> (squares: Double, magnitudes: Double) {
    var squares = SIMD8<Double>.zero
    var magnitudes = SIMD8<Double>.zero
    var i = 0
    while i &+ 8 <= x.count {
      var value = SIMD8<Double>.zero
      for lane in 0..<8 { value[lane] = Double(x[i &+ lane]) }
      squares += value * value
      magnitudes += value.replacing(with: -value, where: value .< 0)
      i &+= 8
    }
    var (square, magnitude) = (squares.sum(), magnitudes.sum())
    while i < x.count {
      let value = Double(x[i])
      square += value * value
      magnitude += abs(value)
      i &+= 1
    }
    return (square, magnitude)
  }
}

/// Signs with one scale, ‖x‖₁/d; sign(0) = +1.
///
/// Body: scale f32, then a bit per value, 1 for negative: 4 + ⌈d/8⌉ bytes. Contractive with
/// α = ‖x‖₁² / (d·‖x‖²): needs error feedback (Karimireddy, Rebjock, Stich and Jaggi, ICML 2019).
/// Without a scale (flag `unscaled`) the body is ⌈d/8⌉ bytes and every value ±1, as majority
/// votes are sent in both directions (Bernstein, Wang, Azizzadenesheli and Anandkumar, ICML 2018):
/// biased.
public struct SignCodec: Codec {
  /// Whether the scale is sent.
  public let isScaled: Bool

  /// A codec.
  public init(isScaled: Bool = true) { self.isScaled = isScaled }

  /// 10.
  public var kind: CodecKind { .sign }

  /// Exactly ⌈d/8⌉, and 4 with a scale.
  public func bodySize(shape: [Int]) -> CodecSize {
    .exactly((shape.reduce(1, *) + 7) / 8 + (isScaled ? 4 : 0))
  }

  /// Appends scale and signs.
  ///
  /// - Complexity: O(d).
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    _ = try Magnitude.largest(x)
    if isScaled { writer.float(Self.scale(x)) }
    Self.writeSigns(x, to: &writer)
    return isScaled ? [] : .unscaled
  }

  /// The mean of |x_i|, 0 for none.
  package static func scale(_ x: UnsafeBufferPointer<Float>) -> Float {
    x.isEmpty ? 0 : Magnitude.saturated(Magnitude.sums(x).magnitudes / Double(x.count))
  }

  /// Appends ⌈d/8⌉ bytes.
  static func writeSigns(_ x: UnsafeBufferPointer<Float>, to writer: inout ByteWriter) {
    writer.extend((x.count + 7) / 8) { target in
      let bytes = target.assumingMemoryBound(to: UInt8.self)
      for byte in 0..<(x.count + 7) / 8 {
        let first = 8 &* byte
        var signs: UInt8 = 0
        for bit in 0..<min(8, x.count &- first) where x[first &+ bit] < 0 {
          signs |= 0x80 &>> UInt8(bit)
        }
        bytes[byte] = signs
      }
    }
  }

  /// Reads as many signs as x has.
  static func readSigns(
    scale: Float, from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let bytes = try reader.take((x.count + 7) / 8)
    if x.count % 8 != 0, let last = bytes.last, last << UInt8(x.count % 8) != 0 {
      throw .malformed("padding")
    }
    for i in 0..<x.count { x[i] = (bytes[i &>> 3] &>> UInt8(7 &- i & 7)) & 1 == 1 ? -scale : scale }
  }

  /// Reads a body into x.
  package static func read(
    _ flags: CodecFlags, from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let scale = flags.contains(.unscaled) ? 1 : try reader.scale()
    try readSigns(scale: scale, from: &reader, into: x)
  }
}

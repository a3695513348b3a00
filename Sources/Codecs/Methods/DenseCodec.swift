/// All values, in 32 or 16 bits each: 4d or 2d bytes.
///
/// The only codec that carries infinities and NaN. Halves saturate: what is beyond ±65504,
/// infinities too, becomes ±65504; subnormal halves are kept. bfloat16 rounds to nearest, ties to
/// even, as 16 upper bits of a 32-bit float; its NaN stay NaN, its infinities stay.
public struct DenseCodec: Codec {
  /// How a number is written.
  public enum Format: Sendable, Equatable, CaseIterable {
    /// As it is, bit for bit.
    case float32
    /// IEEE 754 binary16: relative error ≤ 2⁻¹¹ in ±[2⁻¹⁴, 65504].
    case float16
    /// Relative error ≤ 2⁻⁸, the range of 32-bit floats.
    case bfloat16

    /// Bytes of a number.
    public var width: Int { self == .float32 ? 4 : 2 }
  }

  /// The format.
  public let format: Format
  /// A codec.
  public init(_ format: Format) { self.format = format }

  /// 0, 1 or 2.
  public var kind: CodecKind {
    switch format {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    }
  }

  /// Exactly 4d or 2d.
  public func bodySize(shape: [Int]) -> CodecSize { .exactly(format.width * shape.reduce(1, *)) }

  /// Appends the numbers; never throws.
  public func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    Self.write(x, format, to: &writer)
    return []
  }

  /// Appends numbers in a format.
  package static func write(
    _ x: UnsafeBufferPointer<Float>, _ format: Format, to writer: inout ByteWriter
  ) {
    switch format {
    case .float32: writer.raw(UnsafeRawBufferPointer(x))
    case .float16:
      writer.extend(2 * x.count) { target in
        for i in 0..<x.count {
          let half = HalfFloat.bits(x[i])
          target.storeBytes(of: half.littleEndian, toByteOffset: 2 &* i, as: UInt16.self)
        }
      }
    case .bfloat16:
      writer.extend(2 * x.count) { target in
        for i in 0..<x.count {
          let half = HalfFloat.upper(x[i])
          target.storeBytes(of: half.littleEndian, toByteOffset: 2 &* i, as: UInt16.self)
        }
      }
    }
  }

  /// Reads as many numbers as x has.
  package static func read(
    _ format: Format, from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let bytes = try reader.take(format.width * x.count)
    switch format {
    case .float32: UnsafeMutableRawBufferPointer(x).copyMemory(from: bytes)
    case .float16:
      for i in 0..<x.count {
        let half = bytes.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
        x[i] = HalfFloat.value(UInt16(littleEndian: half))
      }
    case .bfloat16:
      for i in 0..<x.count {
        let half = bytes.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self)
        x[i] = Float(bitPattern: UInt32(UInt16(littleEndian: half)) &<< 16)
      }
    }
  }
}

/// Sixteen-bit floats by whole numbers: the standard library's type is not on every platform.
enum HalfFloat {
  /// The bits of binary16: to nearest, ties to even, saturated at 65504; NaN becomes 0x7E00.
  @inline(__always) static func bits(_ x: Float) -> UInt16 {
    let sign = (x.bitPattern &>> 16) & 0x8000
    let magnitude = x.bitPattern & Magnitude.mask
    // The exponent's bias goes from 127 to 15; half a unit and the odd bit round to even.
    let rounded = (magnitude &- 0x3800_0000 &+ 0xFFF &+ ((magnitude &>> 13) & 1)) &>> 13
    let normal = min(rounded, 0x7BFF)
    // Below 2⁻¹⁴ the unit is 2⁻²⁴, which is that of ½: the addition rounds.
    let small = (Float(bitPattern: min(magnitude, 0x3880_0000)) + 0.5).bitPattern &- 0x3F00_0000
    let finite = magnitude < 0x3880_0000 ? small : normal
    return UInt16(truncatingIfNeeded: sign | (magnitude > Magnitude.infinity ? 0x7E00 : finite))
  }

  /// The number of binary16 bits, exactly.
  @inline(__always) static func value(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) &<< 16
    let magnitude = UInt32(half & 0x7FFF)
    // 2¹¹² moves the exponent's bias and makes subnormal halves normal.
    let finite = (Float(bitPattern: magnitude &<< 13) * 0x1p112).bitPattern
    let special = (magnitude &<< 13) | Magnitude.infinity
    return Float(bitPattern: sign | (magnitude >= 0x7C00 ? special : finite))
  }

  /// The 16 upper bits of a float, to nearest, ties to even; NaN stays NaN.
  @inline(__always) static func upper(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    let rounded = (bits &+ 0x7FFF &+ ((bits &>> 16) & 1)) &>> 16
    // A NaN whose upper half is empty would become an infinity.
    let quiet = (bits &>> 16) | 0x40
    let isNaN = bits & Magnitude.mask > Magnitude.infinity
    return UInt16(truncatingIfNeeded: isNaN ? quiet : rounded)
  }
}

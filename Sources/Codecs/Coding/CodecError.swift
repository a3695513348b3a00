import Base

/// Why a vector cannot be encoded, or bytes are not what an encoder wrote.
///
/// Bytes come from outside: whatever is wrong with them is thrown, nothing traps.
public enum CodecError: Error, Sendable, Equatable {
  /// The bytes end before what they announce.
  case truncated
  /// This many bytes come after the end of what was announced.
  case trailing(Int)
  /// The first byte is not a frame's.
  case notAFrame
  /// A frame of a version that is not known.
  case version(UInt8)
  /// The CRC-32 of the frame is not the one at its end.
  case checksum
  /// A codec's number that is not known.
  case unknownCodec(UInt8)
  /// Flags that the codec does not have.
  case flags(UInt8)
  /// Another number of values or tensors than the receiver's layout has.
  case size(expected: Int, found: Int)
  /// A field outside its range; the text names it.
  case malformed(String)
  /// An infinity or NaN where a codec needs numbers; only dense codecs carry them.
  case nonFinite
  /// A codec's parameter outside its range; the text names it.
  case parameter(String)
}

/// How many bytes an encoding takes, known before it is made.
public enum CodecSize: Sendable, Equatable {
  /// Always this many.
  case exactly(Int)
  /// Never more than this.
  case atMost(Int)

  /// The number, or the bound.
  public var bytes: Int {
    switch self {
    case .exactly(let bytes), .atMost(let bytes): bytes
    }
  }

  /// Whether the number does not depend on the values.
  public var isExact: Bool { if case .exactly = self { true } else { false } }

  /// Two parts one after the other: exact when both are.
  public static func + (a: CodecSize, b: CodecSize) -> CodecSize {
    let sum = a.bytes + b.bytes
    return a.isExact && b.isExact ? .exactly(sum) : .atMost(sum)
  }

  /// A part of fixed length after another.
  public static func + (a: CodecSize, b: Int) -> CodecSize { a + .exactly(b) }
}

/// How many of d values are kept.
public enum KeptAmount: Sendable, Equatable {
  /// At most this many, ≥ 1.
  case count(Int)
  /// ⌈density·d⌉, density in (0, 1].
  case density(Double)

  /// k for d values: at least one where there are any, at most d.
  ///
  /// A product that is a whole number but for rounding is that whole number.
  public func of(_ d: Int) -> Int {
    guard d > 0 else { return 0 }
    switch self {
    case .count(let k): return min(max(k, 1), d)
    case .density(let density):
      // Negated, so that NaN ends here too.
      guard density < 1 else { return d }
      return min(
        d, max(1, Int(clamping: (max(density, 0) * Double(d) * (1 - 0x1p-50)).rounded(.up))))
    }
  }

  /// Refuses amounts that are none.
  package func check() throws(CodecError) {
    switch self {
    case .count(let k): guard k >= 1 else { throw .parameter("count \(k)") }
    case .density(let density):
      guard density > 0, density <= 1 else { throw .parameter("density \(density)") }
    }
  }
}

/// A codec with its parameters, as a value that can be compared and kept in a configuration.
public enum CodecSpec: Sendable, Equatable {
  /// All values in 32 or 16 bits.
  case dense(DenseCodec.Format)
  /// Positions and values of some.
  case sparse(SparseCodec)
  /// Values at places drawn from a seed.
  case randomK(RandomKCodec)
  /// Whole numbers with a scale per chunk.
  case integer(IntegerCodec)
  /// Levels of QSGD.
  case qsgd(QSGDCodec)
  /// Powers of two.
  case natural(NaturalCodec)
  case sign(SignCodec)
  /// −1, 0 and 1.
  case ternary(TernaryCodec)
  /// Two factors.
  case lowRank(LowRankCodec)
  /// Nothing: the tensor must be all zeros.
  case empty

  /// What encodes.
  public var codec: any Codec {
    switch self {
    case .dense(let format): DenseCodec(format)
    case .sparse(let codec): codec
    case .randomK(let codec): codec
    case .integer(let codec): codec
    case .qsgd(let codec): codec
    case .natural(let codec): codec
    case .sign(let codec): codec
    case .ternary(let codec): codec
    case .lowRank(let codec): codec
    case .empty: EmptyCodec()
    }
  }

  /// Whether E x̂ = x for every x, up to what the codec's description says.
  public var isUnbiased: Bool {
    switch self {
    case .dense(let format): format == .float32
    case .randomK(let codec): codec.isScaled
    case .integer, .qsgd, .natural: true
    case .ternary(let codec): codec.clip == nil
    case .sparse, .sign, .lowRank, .empty: false
    }
  }
}

/// A tensor of zeros in no bytes at all.
struct EmptyCodec: Codec {
  var kind: CodecKind { .empty }

  func bodySize(shape: [Int]) -> CodecSize { .exactly(0) }

  func encodeBody(
    of x: UnsafeBufferPointer<Float>, shape: [Int], to writer: inout ByteWriter,
    context: inout CodecContext
  ) throws(CodecError) -> CodecFlags {
    guard try Magnitude.largest(x) == 0 else { throw .parameter("values in an empty tensor") }
    return []
  }
}

/// Reads one tensor of a frame, whatever its codec.
enum TensorDecoder {
  /// Codec, flags and d, which must be what the receiver expects.
  static func head(count d: Int, from reader: inout ByteReader) throws(CodecError) -> (
    kind: CodecKind, flags: CodecFlags
  ) {
    let number = try reader.byte()
    guard let kind = CodecKind(rawValue: number) else { throw .unknownCodec(number) }
    let flags = CodecFlags(rawValue: try reader.byte())
    let known: CodecFlags =
      switch kind {
      case .int8, .bits, .qsgd, .natural, .ternary: .entropyCoded
      case .sign: .unscaled
      case .sparse: .blocks
      default: []
      }
    guard flags.isSubset(of: known) else { throw .flags(flags.rawValue) }
    let found = try reader.varint()
    guard found == d else { throw .size(expected: d, found: found) }
    return (kind, flags)
  }

  /// Reads a tensor into all of x.
  static func read(from reader: inout ByteReader, into x: UnsafeMutableBufferPointer<Float>)
    throws(CodecError)
  {
    let (kind, flags) = try head(count: x.count, from: &reader)
    switch kind {
    case .float32: try DenseCodec.read(.float32, from: &reader, into: x)
    case .float16: try DenseCodec.read(.float16, from: &reader, into: x)
    case .bfloat16: try DenseCodec.read(.bfloat16, from: &reader, into: x)
    case .sparse: try SparseCodec.read(flags, from: &reader, into: x)
    case .randomK: try RandomKCodec.read(from: &reader, into: x)
    case .int8, .bits: try IntegerCodec.read(kind, flags, from: &reader, into: x)
    case .qsgd, .qsgdElias: try QSGDCodec.read(kind, flags, from: &reader, into: x)
    case .natural: try NaturalCodec.read(flags, from: &reader, into: x)
    case .sign: try SignCodec.read(flags, from: &reader, into: x)
    case .ternary: try TernaryCodec.read(flags, from: &reader, into: x)
    case .lowRank: try LowRankCodec.read(from: &reader, into: x)
    case .empty: x.update(repeating: 0)
    }
  }

  /// Reads a tensor that is not in a frame and fills its bytes.
  ///
  /// - Throws: ``CodecError`` for anything but what an encoder wrote for `count` values.
  static func decode(_ bytes: [UInt8], count: Int) throws(CodecError) -> [Float] {
    var values = [Float](repeating: 0, count: count)
    var failure: CodecError?
    bytes.withUnsafeBytes { bytes in
      values.withUnsafeMutableBufferPointer { values in
        do throws(CodecError) {
          var reader = ByteReader(bytes)
          try read(from: &reader, into: values)
          try reader.finish()
        } catch { failure = error }
      }
    }
    if let failure { throw failure }
    return values
  }
}

extension CodecSpec {
  /// Reads a tensor that `Codec.encode` wrote; the bytes say with which codec.
  ///
  /// - Parameters:
  ///   - bytes: the whole tensor, nothing else.
  ///   - count: d, as the receiver's layout has it; memory is bounded by it.
  /// - Returns: d values.
  /// - Throws: ``CodecError`` for anything else.
  public static func decode(_ bytes: [UInt8], count: Int) throws(CodecError) -> [Float] {
    guard count >= 0, count <= Int(UInt32.max) else { throw .parameter("count \(count)") }
    return try TensorDecoder.decode(bytes, count: count)
  }
}

/// How the values at kept positions are written.
///
/// Raw values are part of the format: only append.
public enum ValueCoding: UInt8, Sendable, Equatable, CaseIterable {
  /// 4k bytes, exact.
  case float32 = 0
  /// 2k bytes, saturated at ±65504.
  case float16 = 1
  /// 2k bytes.
  case bfloat16 = 2
  /// 4 + k bytes: one scale max|v|/127 and stochastic rounding (``IntegerCodec``), unbiased.
  case int8 = 3
  /// 4 + ⌈k/8⌉ bytes: one scale, the mean of |v|, and signs.
  case sign = 4

  /// Bytes of k values.
  public func size(count k: Int) -> Int {
    switch self {
    case .float32: 4 * k
    case .float16, .bfloat16: 2 * k
    case .int8: 4 + k
    case .sign: 4 + (k + 7) / 8
    }
  }

  /// Appends finite values.
  ///
  /// - Complexity: O(k).
  package func write(_ values: [Float], to writer: inout ByteWriter, context: inout CodecContext)
    throws(CodecError)
  {
    var failure: CodecError?
    values.withUnsafeBufferPointer { values in
      do throws(CodecError) {
        switch self {
        case .float32: DenseCodec.write(values, .float32, to: &writer)
        case .float16: DenseCodec.write(values, .float16, to: &writer)
        case .bfloat16:
          // Rounding up at the upper end would make an infinity.
          let most = Float(bitPattern: 0x7F7F_0000)
          let safe = values.map { min(max($0, -most), most) }
          safe.withUnsafeBufferPointer { DenseCodec.write($0, .bfloat16, to: &writer) }
        case .int8:
          let scale = IntegerCodec.scale(try Magnitude.largest(values), levels: 127)
          writer.float(scale)
          let dither = Dither(&context.stream)
          writer.extend(values.count) { target in
            IntegerCodec.quantise(values, [scale], chunk: max(1, values.count), 127, dither, target)
          }
        case .sign:
          writer.float(SignCodec.scale(values))
          SignCodec.writeSigns(values, to: &writer)
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Reads k finite values.
  ///
  /// - Complexity: O(k) of time and memory, the memory after the bytes are known to be there.
  package func read(count k: Int, from reader: inout ByteReader) throws(CodecError) -> [Float] {
    guard size(count: k) <= reader.remaining else { throw .truncated }
    var values = [Float](repeating: 0, count: k)
    var failure: CodecError?
    values.withUnsafeMutableBufferPointer { values in
      do throws(CodecError) {
        switch self {
        case .float32: try DenseCodec.read(.float32, from: &reader, into: values)
        case .float16: try DenseCodec.read(.float16, from: &reader, into: values)
        case .bfloat16: try DenseCodec.read(.bfloat16, from: &reader, into: values)
        case .int8:
          let scale = try reader.scale()
          let bytes = try reader.take(k)
          try IntegerCodec.dequantise(bytes, [scale], chunk: max(1, k), into: values)
        case .sign: try SignCodec.readSigns(scale: try reader.scale(), from: &reader, into: values)
        }
        _ = try Magnitude.largest(UnsafeBufferPointer(values))
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }
}

/// What a client tells beside its tensors: a frame of no tensors, then three numbers.
///
/// Bytes: magic 0xFC, version 1, varint 0, varint of samples, loss f32, varint of the round,
/// CRC-32 of all before it. Counted like any other frame: 11 bytes and those of the two varints.
public struct ReportFrame: Sendable, Equatable {
  /// Examples that the client trained on, in 0 ..< 2⁵⁶.
  public let samples: Int
  /// Its mean loss; not finite where training diverged.
  public let loss: Float
  /// The round, in 0 ..< 2⁵⁶.
  public let round: Int

  /// A report.
  ///
  /// - Throws: ``CodecError/parameter(_:)`` for numbers outside their ranges.
  public init(samples: Int, loss: Float, round: Int) throws(CodecError) {
    for number in [samples, round] where number < 0 || number >> 56 != 0 {
      throw .parameter("report of \(number)")
    }
    self.samples = samples
    self.loss = loss
    self.round = round
  }

  /// Bytes of the frame.
  public var byteCount: Int { 11 + ByteWriter.varintSize(samples) + ByteWriter.varintSize(round) }

  /// The frame.
  public func encoded() -> [UInt8] {
    var writer = ByteWriter(capacity: byteCount)
    writer.byte(CodecPlan.magic)
    writer.byte(CodecPlan.version)
    writer.varint(0)
    writer.varint(samples)
    writer.float(loss)
    writer.varint(round)
    writer.number(writer.bytes.withUnsafeBytes { CRC32.of($0) })
    return writer.bytes
  }

  /// Reads a frame.
  ///
  /// - Throws: ``CodecError`` for anything that is not exactly such a frame.
  public init(decoding frame: [UInt8]) throws(CodecError) {
    var result: Result<ReportFrame, CodecError> = .failure(.truncated)
    frame.withUnsafeBytes { bytes in
      do throws(CodecError) { result = .success(try Self.read(bytes)) } catch {
        result = .failure(error)
      }
    }
    self = try result.get()
  }

  private static func read(_ bytes: UnsafeRawBufferPointer) throws(CodecError) -> ReportFrame {
    // A plan without tensors has the same head and the same checksum.
    var reader = ByteReader(try CodecPlan(count: 0, groups: []).checked(bytes))
    let samples = try reader.varint()
    let loss = try reader.float()
    let round = try reader.varint()
    try reader.finish()
    return try ReportFrame(samples: samples, loss: loss, round: round)
  }
}

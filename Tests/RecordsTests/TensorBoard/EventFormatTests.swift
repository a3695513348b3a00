import Fixtures
import Records
import Testing

@Suite("TensorBoard's format")
struct EventFormatTests {
  /// RFC 3720, appendix B.4; the last one is an iSCSI command.
  static let checksums: [(bytes: [UInt8], checksum: UInt32)] = [
    ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
    ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43), ([UInt8](0...31), 0x46DD_794E),
    ([UInt8]((0...31).reversed()), 0x113F_DB5C), ([UInt8]("123456789".utf8), 0xE306_9283), ([], 0),
    (
      [
        0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0,
        0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
      ], 0xD996_3A56
    ),
  ]

  @Test("CRC-32C of the RFC's examples", arguments: checksums)
  func checksum(
    _ bytes: [UInt8], _ expected: UInt32
  ) { #expect(CRC32C.of(bytes) == expected) }

  @Test("the mask turns right by 15 bits and adds its constant")
  func mask() {
    #expect(CRC32C.masked([UInt8]()) == 0xA282_EAD8)
    // 0xE3069283 turned: 0x2507C60D; the sum stays below 2^32.
    #expect(CRC32C.masked(Array("123456789".utf8)) == 0x2507_C60D + 0xA282_EAD8)
  }

  /// The examples of "Encoding" in the documentation of Protocol Buffers, and two numbers.
  @Test("fields of a message")
  func fields() {
    var writer = ProtobufWriter()
    writer.integer(1, 150)
    writer.text(2, "testing")
    writer.message(3) { $0.integer(1, 0) }
    writer.double(4, 1)
    writer.float(5, -2)
    writer.doubles(16, [0.5])
    let first: [UInt8] = [0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67]
    let second: [UInt8] = [0x1A, 0x02, 0x08, 0x00, 0x21, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
    let third: [UInt8] = [0x2D, 0, 0, 0, 0xC0, 0x82, 0x01, 0x08, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]
    #expect(writer.bytes == first + second + third)
  }

  @Test("a file begins with its version, and a flipped bit is found")
  func version() throws {
    let bytes = BoardEvent.version.record
    #expect(Array(bytes.prefix(8)) == [24, 0, 0, 0, 0, 0, 0, 0])
    let events = try EventReader.events(bytes)
    #expect(events == [EventReader.Event(time: 0, step: 0, version: "brain.Event:2")])
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x10
      #expect(throws: EventReader.Malformed.self) { try EventReader.events(damaged) }
    }
  }

  @Test("every number of a record is a scalar under its path; null is no number")
  func scalars()
    throws
  {
    var record = SampleRecord.full
    record.train?.loss = .nan
    record.time.wall = 2.5
    record.time.virtual = 0
    record.bytes = .init(up: 3, down: 0)
    let event = try #require(
      try EventReader.events(BoardEvent(record, accuracies: [], seconds: 9.25).record).first)
    #expect(event.step == record.round)
    #expect(event.time == 9.25)
    #expect(event.scalar("generic.accuracy") == Float(record.generic?.accuracy ?? -1))
    #expect(event.scalar("generic.shots.tail") == 0.058)
    #expect(event.scalar("personal.fairness.p10") == Float(record.personal?.fairness.p10 ?? -1))
    #expect(event.scalar("bytes.up") == 3)
    #expect(event.scalar("bytes.down") == 0)
    #expect(event.scalar("time.wall") == 2.5)
    #expect(event.scalar("time.virtual") == 0)
    #expect(event.scalar("train.loss")?.isNaN == true)
    #expect(event.scalars["round"] == nil)
    #expect(event.scalars["digest"] == nil)
    #expect(event.histograms["clients.accuracy"] == nil)
  }

  @Test("shares are counted in twentieths between the smallest and the largest")
  func histogram()
    throws
  {
    let shares = [0.4, 0.26, 0.449, .nan, 0.3, 0.45]
    let histogram = try #require(BoardHistogram(shares))
    // 0.26 | 0.3 | - | 0.4, 0.449 | 0.45
    #expect(histogram.counts == [1, 1, 0, 2, 1])
    #expect(histogram.limits == [6, 7, 8, 9, 10].map { $0 / 20 })
    #expect(histogram.minimum == 0.26)
    #expect(histogram.maximum == 0.45)
    #expect(histogram.count == 5)
    #expect(abs(histogram.sum - 1.859) < 1e-12)
    #expect(abs(histogram.squares - (0.16 + 0.0676 + 0.201601 + 0.09 + 0.2025)) < 1e-12)
    #expect(BoardHistogram([0, 1])?.counts == [1] + [Int](repeating: 0, count: 18) + [1])
    #expect(BoardHistogram([1, 1])?.counts == [2])
    #expect(BoardHistogram([1, 1])?.limits == [1])
    #expect(BoardHistogram([.nan]) == nil)
    #expect(BoardHistogram([]) == nil)
  }
}

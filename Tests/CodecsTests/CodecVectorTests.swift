import Testing

@testable import Base
@testable import Codecs

/// Bytes as hexadecimal digits.
func hex(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite("Codecs: bytes that were computed by hand")
struct CodecVectorTests {
  @Test(
    "LEB128",
    arguments: [
      (0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (272_474, "dad010"),
      (11_173_962, "ca80aa05"),
    ])
  func varint(value: Int, text: String) throws {
    var writer = ByteWriter()
    writer.varint(value)
    #expect(hex(writer.bytes) == text)
    #expect(ByteWriter.varintSize(value) == writer.bytes.count)
    try writer.bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes)
      let found = try reader.varint()
      #expect(found == value)
    }
  }

  @Test("LEB128 has one form")
  func varintForm() {
    for bytes: [UInt8] in [[0x80, 0x00], [0xFF, 0x80, 0x00], [UInt8](repeating: 0xFF, count: 12)] {
      #expect(throws: CodecError.malformed("varint")) {
        try bytes.withUnsafeBytes { bytes in
          var reader = ByteReader(bytes)
          _ = try reader.varint()
        }
      }
    }
  }

  @Test("CRC-32 of the digits, and of all lengths against the bitwise definition")
  func crc() {
    #expect(Array("123456789".utf8).withUnsafeBytes { CRC32.of($0) } == 0xCBF4_3926)
    var stream = RandomStream(seed: 2, .test)
    for length in Array(0..<100) + [8191, 8192, 8193, 16_500, 20_480, 30_001, 65_536] {
      let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
      var slow: UInt32 = .max
      for byte in bytes {
        slow ^= UInt32(byte)
        for _ in 0..<8 { slow = (slow >> 1) ^ (slow & 1 == 1 ? 0xEDB8_8320 : 0) }
      }
      #expect(bytes.withUnsafeBytes { CRC32.of($0) } == ~slow)
    }
  }

  @Test(
    "Rice codes of gaps", arguments: [(6, 43, "06007ffff260"), (8, 39, "018001fda6"), (3, 139, "")])
  func rice(b: Int, bits: Int, text: String) {
    let indices: [UInt32] = [3, 4, 20, 1000]
    #expect(IndexCoding.riceBits(indices, b) == bits)
    let code = IndexCoding.riceCode(indices, b)
    #expect(code.count == (bits + 7) / 8)
    if !text.isEmpty { #expect(hex(code) == text) }
  }

  @Test("Elias' γ of 1 to 9")
  func gamma() throws {
    let words = ["1", "010", "011", "00100", "00101", "00110", "00111", "0001000", "0001001"]
    var writer = BitWriter()
    for n in 1...9 { writer.gamma(UInt32(n)) }
    #expect(writer.bitCount == words.joined().count)
    let bytes = writer.finished()
    let digits = bytes.map { byte in
      (0..<8).map { byte >> UInt8(7 - $0) & 1 == 1 ? "1" : "0" }.joined()
    }
    #expect(digits.joined().hasPrefix(words.joined()))
    try bytes.withUnsafeBytes { bytes in
      var reader = BitReader(bytes)
      for n in 1...9 {
        let found = try reader.gamma()
        #expect(found == UInt32(n))
      }
    }
  }

  @Test("Eight bits of 1, −½, 0.1234 and 0 with u = 0.3")
  func int8() {
    let scale = IntegerCodec.scale(1, levels: 127)
    #expect(abs(scale - 0.007874016) < 1e-9)
    let q = [1, -0.5, 0.1234, 0].map { IntegerCodec.level($0, scale, 127, 0.3) }
    #expect(q == [127, -64, 15, 0])
  }

  @Test("QSGD's levels of four values")
  func qsgd() {
    let x: [Float] = [0.6, -0.8, 0, 0.24]
    let norm = x.withUnsafeBufferPointer { Float(Magnitude.sums($0).squares.squareRoot()) }
    #expect(abs(norm - 1.028396811) < 1e-7)
    let levels = zip(x, [0.5, 0.1, 0.9, 0.2] as [Float]).map { x, u in
      QSGDCodec.level(x, norm, 4, u) * (x < 0 ? -1 : 1)
    }
    #expect(levels == [2, -4, 0, 1])
    // γ(1) + γ(2), γ(1) − γ(4), γ(2) + γ(1): 1 0 010, 1 1 00100, 010 0 1.
    let elias = QSGDCodec.elias([2, -4, 0, 1])
    #expect(elias.count == 17)
    #expect(hex(elias.bytes) == "964480")
  }

  @Test("Natural compression of 2.75, −0.1 and 6")
  func natural() {
    let found = [(2.75, 0.3), (-0.1, 0.5), (6, 0.6)].map { x, u in
      Float(bitPattern: NaturalCodec.symbol(Float(x), UInt32(u * 0x1p23)) << 23)
    }
    #expect(found == [4, -0.125, 4])
    #expect(NaturalCodec.symbol(.greatestFiniteMagnitude, 0) == 254)
    #expect(NaturalCodec.symbol(-.greatestFiniteMagnitude, 0) == 256 + 254)
    #expect(NaturalCodec.symbol(.leastNonzeroMagnitude, 0) == 0)
    #expect(NaturalCodec.symbol(0, 0) == 0)
  }

  @Test("A frame, byte by byte: top 2 of (0, 3, 0, −4, 1) and a dense tensor")
  func frame() throws {
    let plan = try CodecPlan(
      shapes: [[5], [1]],
      codecs: [.sparse(SparseCodec(.top(.count(2)), indices: .words)), .dense(.float16)])
    var stream = RandomStream(seed: 1, .compression)
    let frame = try plan.encode([0, 3, 0, -4, 1, 1.5], stream: &stream)
    let body =
      "fc0102" + "030005" + "02" + "00" + "0100000003000000" + "00" + "00004040000080c0" + "010001"
      + "003e"
    let sum = try bytes(body).withUnsafeBytes { CRC32.of($0) }
    #expect(hex(frame) == body + hex(withUnsafeBytes(of: sum.littleEndian) { Array($0) }))
    #expect(plan.size == .exactly(frame.count))
    let decoded = try plan.decode(frame)
    #expect(decoded == [0, 3, 0, -4, 0, 1.5])
    #expect(stream.counter == 0)
  }

  @Test("A report: 300 samples, loss 1½, round 2")
  func report() throws {
    let report = try ReportFrame(samples: 300, loss: 1.5, round: 2)
    let frame = report.encoded()
    let body = "fc0100" + "ac02" + "0000c03f" + "02"
    let sum = try bytes(body).withUnsafeBytes { CRC32.of($0) }
    #expect(hex(frame) == body + hex(withUnsafeBytes(of: sum.littleEndian) { Array($0) }))
    #expect(frame.count == report.byteCount)
    let again = try ReportFrame(decoding: frame)
    #expect(again == report)
    for length in 0..<frame.count {
      #expect(throws: CodecError.self) { try ReportFrame(decoding: Array(frame[..<length])) }
    }
    #expect(throws: CodecError.self) { try ReportFrame(samples: -1, loss: 0, round: 0) }
  }

  private func bytes(_ text: String) throws -> [UInt8] {
    let digits = Array(text)
    return try stride(from: 0, to: digits.count, by: 2).map {
      try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
    }
  }

  @Test(
    "Bytes of positions",
    arguments: [
      (1_000_000, 1000, 4000, 2500, 1437, 9), (1_000_000, 10_000, 40_000, 25_000, 10_135, 6),
      (1_000_000, 100_000, 400_000, 250_000, 59_448, 3), (272_474, 273, 1092, 649, 393, 9),
      (11_173_962, 11_174, 44_696, 33_522, 16_056, 9),
    ])
  func positions(d: Int, k: Int, words: Int, packed: Int, rice: Int, b: Int) throws {
    #expect(IndexCoding.words.size(count: k, of: d) == .exactly(words))
    #expect(IndexCoding.packed.size(count: k, of: d) == .exactly(packed))
    #expect(IndexCoding.bitmap.size(count: k, of: d) == .exactly((d + 7) / 8))
    var indices: [UInt32] = []
    RandomKCodec.forEachPlace(seed: 7, count: k, of: d) { indices.append(UInt32($0)) }
    #expect(indices.count == k)
    let best = IndexCoding.riceParameter(indices, of: d)
    #expect(abs(best - b) <= 1)
    // Positions at random: the expected length, ten times its deviation apart.
    let found = (IndexCoding.riceBits(indices, best) + 7) / 8
    #expect(abs(Double(found - rice)) < 2 * Double(k).squareRoot())
    #expect(found < IndexCoding.rice.size(count: k, of: d).bytes)
  }

  @Test("A small network in one sparse tensor: about 956 bytes instead of 1,089,896")
  func example()
    throws
  {
    let d = 272_474
    var draws = RandomStream(seed: 3, .test)
    let x = (0..<d).map { _ in Float(draws.normal()) }
    let codec = SparseCodec(.top(.density(0.001)), values: .float16)
    let plan = try CodecPlan(shapes: [[d]], codecs: [.sparse(codec)])
    let frame = try plan.encode(x, stream: &draws)
    #expect(plan.denseByteCount == 1_089_896)
    #expect(abs(frame.count - 956) < 20)
  }
}

import Testing

@testable import Base
@testable import Codecs

@Suite("Codecs: bytes that are not theirs")
struct CodecFuzzTests {
  private static let vectors: [[Float]] = {
    var stream = RandomStream(seed: 21, .test)
    return [0, 1, 10, 60, 200].map { count in (0..<count).map { _ in Float(stream.normal()) } }
  }()

  private func encoded(_ spec: CodecSpec, _ x: [Float]) throws -> [UInt8] {
    var context = CodecContext(stream: RandomStream(seed: 22, .compression))
    return try spec.codec.encode(x, shape: CodecCases.shape(spec, x.count), context: &context)
  }

  /// Flips bits, sets bytes, cuts off or appends.
  private func mutate(_ bytes: [UInt8], _ stream: inout RandomStream) -> [UInt8] {
    var bytes = bytes
    for _ in 0...stream.below(3) {
      guard !bytes.isEmpty else { return bytes }
      // Heads hold what is most dangerous: half of all changes go there.
      let near = stream.below(2) == 0 ? min(bytes.count, 16) : bytes.count
      let place = stream.below(near)
      switch stream.below(8) {
      case 0: bytes[place] = 0xFF
      case 1: bytes[place] = 0
      case 2: bytes[place] = UInt8(truncatingIfNeeded: stream.next())
      case 3: bytes.removeLast(stream.below(bytes.count) + 1)
      case 4: bytes.append(UInt8(truncatingIfNeeded: stream.next()))
      case 5: bytes.remove(at: place)
      default: bytes[place] ^= 1 << UInt8(stream.below(8))
      }
    }
    return bytes
  }

  @Test("A changed tensor gives an error or as many values: 100,000 of them")
  func tensors() throws {
    var stream = RandomStream(seed: 23, .test)
    var originals: [(bytes: [UInt8], count: Int)] = []
    for spec in CodecCases.all {
      for x in Self.vectors { originals.append((try encoded(spec, x), x.count)) }
    }
    var refused = 0
    for trial in 0..<100_000 {
      let original = originals[trial % originals.count]
      let bytes = mutate(original.bytes, &stream)
      if let values = try? CodecSpec.decode(bytes, count: original.count) {
        guard values.count == original.count else {
          Issue.record("\(values.count) values of \(original.count)")
          return
        }
      } else {
        refused += 1
      }
    }
    #expect(refused > 20_000)
  }

  @Test("Random bytes behind each codec's number")
  func noise() {
    var stream = RandomStream(seed: 24, .test)
    for trial in 0..<20_000 {
      let d = stream.below(100)
      var bytes: [UInt8] = [UInt8(trial % 15), stream.below(2) == 0 ? 0 : 1, UInt8(d)]
      for _ in 0..<stream.below(60) { bytes.append(UInt8(truncatingIfNeeded: stream.next())) }
      if let values = try? CodecSpec.decode(bytes, count: d) { #expect(values.count == d) }
    }
  }

  @Test("No tensor can be cut short or grow", arguments: CodecCases.all)
  func lengths(
    spec: CodecSpec
  ) throws {
    for x in Self.vectors {
      let bytes = try encoded(spec, x)
      for length in 0..<bytes.count {
        #expect(throws: CodecError.self) {
          try CodecSpec.decode(Array(bytes[..<length]), count: x.count)
        }
      }
      #expect(throws: CodecError.trailing(1)) { try CodecSpec.decode(bytes + [0], count: x.count) }
    }
  }

  @Test("A frame: every flipped bit and every prefix is refused, and damage with a right checksum")
  func frames() throws {
    let x = Self.vectors[4] + Self.vectors[3]
    let plan = try CodecPlan(
      shapes: [[200], [60]],
      codecs: [.sparse(SparseCodec(.top(.density(0.1)))), .integer(IntegerCodec())])
    var stream = RandomStream(seed: 25, .compression)
    let frame = try plan.encode(x, stream: &stream)
    let size = plan.size
    #expect(!size.isExact && frame.count <= size.bytes)
    for bit in 0..<8 * frame.count {
      var damaged = frame
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: CodecError.self) { try plan.decode(damaged) }
    }
    for length in 0..<frame.count {
      #expect(throws: CodecError.self) { try plan.decode(Array(frame[..<length])) }
    }
    for _ in 0..<5000 {
      var damaged = mutate(Array(frame.dropLast(4)), &stream)
      let sum = damaged.withUnsafeBytes { CRC32.of($0) }
      withUnsafeBytes(of: sum.littleEndian) { damaged += $0 }
      if let values = try? plan.decode(damaged) { #expect(values.count == 260) }
      _ = try? plan.entropyBound(of: damaged)
    }
  }

  @Test("What is wrong has a name")
  func names() throws {
    func refuse(_ bytes: [UInt8], _ count: Int, _ error: CodecError) {
      #expect(throws: error) { try CodecSpec.decode(bytes, count: count) }
    }
    refuse([], 0, .truncated)
    refuse([14, 0, 0], 0, .unknownCodec(14))
    refuse([0, 1, 0], 0, .flags(1))
    refuse([0, 0, 2], 1, .size(expected: 1, found: 2))
    refuse([13, 0, 3, 0], 3, .trailing(1))
    refuse([3, 0, 4, 5], 4, .malformed("k"))
    refuse([3, 0, 4, 1, 9], 4, .malformed("index coding"))
    refuse([3, 0, 4, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0], 4, .malformed("position"))
    refuse([3, 0, 4, 2, 2, 0x88, 9], 4, .malformed("bitmap"))
    refuse([3, 0, 4, 2, 2, 0x80, 9], 4, .malformed("bitmap"))
    refuse([3, 0, 4, 1, 2, 0x80, 9], 4, .malformed("value coding"))
    refuse([3, 0, 4, 1, 2, 0x80, 0, 0, 0, 0x80, 0x7F], 4, .nonFinite)
    refuse([5, 0, 1, 1, 0, 0, 0x80, 0x7F, 1], 1, .malformed("scale"))
    refuse([5, 0, 1, 1, 0, 0, 0, 0, 0x80], 1, .malformed("symbol"))
    refuse([10, 0, 1, 0, 0, 0, 0, 0x40], 1, .malformed("padding"))
    refuse([9, 0, 1, 0x7F, 0x80], 1, .malformed("exponent"))
    refuse([12, 0, 6, 2, 2, 1], 6, .malformed("sides"))
    refuse([12, 0, 6, 2, 3, 3], 6, .malformed("rank"))
    let plan = try CodecPlan(shapes: [[2]], codecs: [.dense(.float32)])
    #expect(throws: CodecError.notAFrame) { try plan.decode([0]) }
    #expect(throws: CodecError.version(2)) { try plan.decode([0xFC, 2]) }
    #expect(throws: CodecError.size(expected: 1, found: 3)) { try plan.decode([0xFC, 1, 3]) }
    #expect(throws: CodecError.checksum) { try plan.decode([0xFC, 1, 1, 0, 0, 0, 0]) }
  }
}

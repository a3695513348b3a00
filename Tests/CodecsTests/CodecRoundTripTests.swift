import Testing

@testable import Base
@testable import Codecs

@Suite("Codecs: there and back")
struct CodecRoundTripTests {
  @Test(
    "Sizes are kept, decoding gives finite values, and the same bytes again",
    arguments: CodecCases.all)
  func roundTrip(spec: CodecSpec) throws {
    for (number, x) in CodecCases.vectors.enumerated() {
      let shape = CodecCases.shape(spec, x.count)
      let codec = spec.codec
      var context = CodecContext(stream: RandomStream(seed: 5, .compression, round: number))
      let bytes = try codec.encode(x, shape: shape, context: &context)
      let size = codec.size(shape: shape)
      switch size {
      case .exactly(let count): #expect(bytes.count == count, "\(spec) of \(number)")
      case .atMost(let bound): #expect(bytes.count <= bound, "\(spec) of \(number)")
      }
      var again = CodecContext(stream: RandomStream(seed: 5, .compression, round: number))
      let same = try codec.encode(x, shape: shape, context: &again)
      #expect(same == bytes)
      // Products of factors may leave the range of floats.
      if case .lowRank = spec, x.contains(where: { abs(0.1 * $0) > 1e37 }) { continue }
      let y = try CodecSpec.decode(bytes, count: x.count)
      #expect(y.count == x.count)
      if spec != .dense(.bfloat16) { #expect(y.allSatisfy { $0.isFinite }, "\(spec) of \(number)") }
      try check(spec, x, y)
    }
  }

  /// What each codec promises for single values.
  private func check(_ spec: CodecSpec, _ x: [Float], _ y: [Float]) throws {
    switch spec {
    case .dense(.float32): #expect(x.map(\.bitPattern) == y.map(\.bitPattern))
    case .dense(.float16):
      for (a, b) in zip(x, y) {
        let clamped = min(max(a, -65504), 65504)
        #expect(abs(b - clamped) <= max(abs(clamped) * 0x1p-11, 0x1p-25))
      }
    case .sparse(let codec) where codec.values == .float32:
      for (a, b) in zip(x, y) { #expect(b == 0 || a.bitPattern == b.bitPattern) }
      if case .top(let amount) = codec.selection {
        let kept = Set(slowTop(x, amount.of(x.count)))
        for i in x.indices { #expect(kept.contains(i) ? y[i] == x[i] : y[i] == 0) }
      }
    case .integer(let codec):
      for start in stride(from: 0, to: x.count, by: codec.chunk) {
        let part = start..<min(x.count, start + codec.chunk)
        let largest = part.reduce(Float(0)) { max($0, abs(x[$1])) }
        let scale = largest / Float(1 << (codec.bits - 1) - 1)
        for i in part where scale >= .leastNormalMagnitude {
          #expect(abs(y[i] - x[i]) <= scale * 1.0001, "\(x[i]) as \(y[i])")
        }
      }
    case .natural:
      for (a, b) in zip(x, y) where abs(a) >= .leastNormalMagnitude {
        #expect((a < 0) == (b < 0) && b.significand == 1)
        #expect(abs(b) <= 2 * abs(a) && abs(b) * 2 >= abs(a))
      }
    case .sign: for (a, b) in zip(x, y) where b != 0 { #expect((a < 0) == (b < 0)) }
    default: break
    }
  }

  private func slowTop(_ x: [Float], _ k: Int) -> [Int] {
    Array(x.indices.sorted { (abs(x[$1]), $0) < (abs(x[$0]), $1) }.prefix(k))
  }

  @Test("The k largest, with many ties, against sorting")
  func selection() throws {
    var stream = RandomStream(seed: 6, .test)
    for trial in 0..<300 {
      let d = stream.below(200)
      let kinds = 1 + stream.below(30)
      let x = (0..<d).map { _ in
        trial % 3 == 0 ? Float(stream.normal()) : Float(stream.below(kinds) - kinds / 2) * 0.25
      }
      for k in [0, 1, d / 3, d] where k <= d {
        let found = try TopKSelection.positions(x, count: k)
        #expect(found.map(Int.init) == slowTop(x, k).sorted())
      }
    }
    #expect(throws: CodecError.parameter("3 of 2 values")) {
      try TopKSelection.positions([1, 2], count: 3)
    }
  }

  @Test("Only dense codecs carry what is not finite", arguments: CodecCases.all)
  func nonFinite(
    spec: CodecSpec
  ) throws {
    for bad: Float in [.nan, .infinity, -.infinity, .signalingNaN] {
      var x = [Float](repeating: 1, count: 40)
      x[37] = bad
      var context = CodecContext(stream: RandomStream(seed: 5, .compression))
      let shape = CodecCases.shape(spec, x.count)
      guard case .dense(let format) = spec else {
        #expect(throws: CodecError.nonFinite) {
          try spec.codec.encode(x, shape: shape, context: &context)
        }
        continue
      }
      let y = try CodecSpec.decode(try spec.codec.encode(x, context: &context), count: 40)
      #expect(y[36] == 1)
      switch format {
      case .float32: #expect(y[37].bitPattern == bad.bitPattern)
      case .bfloat16: #expect(bad.isNaN ? y[37].isNaN : y[37] == bad)
      case .float16: #expect(bad.isNaN ? y[37].isNaN : y[37] == (bad > 0 ? 65504 : -65504))
      }
    }
  }

  @Test("Halves: all 65536 come back, and rounding is to the nearest, ties to even")
  func halves() {
    for bits in UInt16.min...UInt16.max {
      let value = HalfFloat.value(bits)
      let isSpecial = bits & 0x7C00 == 0x7C00
      #expect(value.isFinite != isSpecial)
      if !isSpecial { #expect(HalfFloat.bits(value) == bits) }
    }
    #expect(HalfFloat.value(1) == 0x1p-24)
    #expect(HalfFloat.value(0x3C00) == 1)
    for low in stride(from: UInt16(0), to: 0x7BFF, by: 7) {
      let (a, b) = (HalfFloat.value(low), HalfFloat.value(low + 1))
      let middle = (a + b) / 2
      #expect(HalfFloat.bits(middle) == (low % 2 == 0 ? low : low + 1))
      #expect(HalfFloat.bits(middle.nextDown) == low)
      #expect(HalfFloat.bits(middle.nextUp) == low + 1)
    }
    #expect(HalfFloat.upper(Float(bitPattern: 0x3F80_8000)) == 0x3F80)
    #expect(HalfFloat.upper(Float(bitPattern: 0x3F81_8000)) == 0x3F82)
    #expect(HalfFloat.upper(Float(bitPattern: 0x3F80_8001)) == 0x3F81)
    #expect(HalfFloat.upper(Float(bitPattern: 0x7F80_0001)) == 0x7FC0)
  }

  @Test("Dither: a block is its single numbers")
  func dither() {
    var stream = RandomStream(seed: 8, .compression)
    let dither = Dither(&stream)
    var sum = 0.0
    dither.forEachBlock(3000) { start, bits, length in
      for i in 0..<length {
        #expect(bits[i] == dither.bits(start + i))
        sum += Double(Dither.uniform(bits[i]))
      }
    }
    #expect(abs(sum / 3000 - 0.5) < 5 * (1.0 / 12 / 3000).squareRoot())
  }

  private static let unbiased: [CodecSpec] = CodecCases.all.filter(\.isUnbiased)

  @Test("The mean of many encodings is the vector, to five standard errors", arguments: unbiased)
  func mean(spec: CodecSpec) throws {
    var stream = RandomStream(seed: 12, .test)
    let d = 40
    let x = (0..<d).map { _ in Float(stream.normal()) }
    let trials = 2000
    var sums = [Double](repeating: 0, count: d)
    var squares = sums
    for trial in 0..<trials {
      var context = CodecContext(stream: RandomStream(seed: 13, .compression, round: trial))
      let y = try CodecSpec.decode(try spec.codec.encode(x, context: &context), count: d)
      for i in 0..<d {
        let error = Double(y[i]) - Double(x[i])
        sums[i] += error
        squares[i] += error * error
      }
    }
    for i in 0..<d {
      let mean = sums[i] / Double(trials)
      let deviation = (squares[i] / Double(trials)).squareRoot()
      // Values of 2⁻²³ steps and rounded products.
      #expect(abs(mean) <= 5 * deviation / Double(trials).squareRoot() + 1e-6)
    }
  }
}

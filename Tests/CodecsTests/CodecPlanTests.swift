import Testing

@testable import Base
@testable import Codecs

@Suite("Codecs: plans, low rank and entropy")
struct CodecPlanTests {
  private func normal(_ count: Int, seed: UInt64 = 31) -> [Float] {
    var stream = RandomStream(seed: seed, .test)
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  @Test("Small tensors and vectors stay dense; together they are two tensors")
  func groups() throws {
    let shapes = [[10, 20], [20], [3, 3], [400]]
    let codec = CodecSpec.sparse(SparseCodec(.top(.density(0.05)), indices: .packed))
    let each = try CodecPlan(shapes: shapes, codec: codec, denseBelow: 10, denseVectors: true)
    let dense = CodecSpec.dense(.float32)
    #expect(each.groups.map(\.codec) == [codec, dense, dense, dense])
    let together = try CodecPlan(shapes: shapes, codec: codec, grouping: .together, denseBelow: 100)
    #expect(together.groups.map(\.ranges) == [[0..<200, 229..<629], [200..<229]])
    let x = normal(629)
    for plan in [each, together] {
      var stream = RandomStream(seed: 1, .compression)
      let frame = try plan.encode(x, stream: &stream)
      #expect(plan.size == .exactly(frame.count))
      let y = try plan.decode(frame)
      #expect(Array(y[200..<229]) == Array(x[200..<229]))
    }
    var stream = RandomStream(seed: 1, .compression)
    let y = try together.decode(try together.encode(x, stream: &stream))
    #expect(y.count { $0 != 0 } == 30 + 29)
    // One k for all: the largest of both tensors.
    let flat = Array(x[0..<200] + x[229..<629])
    let kept = try TopKSelection.positions(flat, count: 30)
    #expect(kept.allSatisfy { y[$0 < 200 ? Int($0) : Int($0) + 29] == flat[Int($0)] })
  }

  @Test("Plans that do not fit are refused")
  func refusals() throws {
    let bad: [CodecSpec] = [
      .lowRank(LowRankCodec(rank: 2)), .integer(IntegerCodec(bits: 1)),
      .integer(IntegerCodec(bits: 9)), .integer(IntegerCodec(chunk: 0)),
      .qsgd(QSGDCodec(levels: 0)), .qsgd(QSGDCodec(levels: 40_000)),
      .qsgd(QSGDCodec(levels: 1, bucket: 0)), .sparse(SparseCodec(.top(.count(0)))),
      .sparse(SparseCodec(.top(.density(.nan)))), .sparse(SparseCodec(.top(.density(1.1)))),
      .sparse(SparseCodec(.threshold(-1))), .sparse(SparseCodec(.threshold(.infinity))),
      .sparse(SparseCodec(.topBlocks(.count(1), length: 0))), .randomK(RandomKCodec(.count(-3))),
      .ternary(TernaryCodec(clip: 0)), .ternary(TernaryCodec(clip: .nan)),
    ]
    for spec in bad {
      #expect(throws: CodecError.self) { try CodecPlan(shapes: [[9]], codecs: [spec]) }
    }
    let dense = CodecSpec.dense(.float32)
    #expect(throws: CodecError.self) { try CodecPlan(shapes: [[-1]], codecs: [dense]) }
    #expect(throws: CodecError.self) { try CodecPlan(shapes: [[1]], codecs: []) }
    #expect(throws: CodecError.self) { try CodecPlan(shapes: [[Int.max, 3]], codecs: [dense]) }
    for ranges in [[0..<3, 2..<5], [0..<2, 3..<5], [0..<4], [0..<5, 9..<9], [-1..<4]] {
      let count = ranges.reduce(0) { $0 + $1.count }
      let group = CodecPlan.Group(ranges: ranges, shape: [count], codec: dense)
      #expect(throws: CodecError.self) { try CodecPlan(count: 5, groups: [group]) }
    }
    let plan = try CodecPlan(shapes: [[2]], codecs: [.empty])
    var stream = RandomStream(seed: 1, .compression)
    #expect(throws: CodecError.parameter("values in an empty tensor")) {
      try plan.encode([0, 1], stream: &stream)
    }
    let frame = try plan.encode([0, 0], stream: &stream)
    #expect(frame.count == 10 && plan.size == .exactly(10))
    #expect(throws: CodecError.size(expected: 2, found: 1)) {
      try plan.encode([0], stream: &stream)
    }
  }

  @Test("A matrix of rank r comes back after one warm step; the error falls with r")
  func lowRank()
    throws
  {
    let (n, m, r) = (24, 30, 3)
    let (a, b) = (normal(n * r, seed: 1), normal(r * m, seed: 2))
    var x = [Float](repeating: 0, count: n * m)
    for i in 0..<n {
      for k in 0..<m { x[i * m + k] = (0..<r).reduce(0) { $0 + a[i * r + $1] * b[$1 * m + k] } }
    }
    func errors(_ x: [Float], rank: Int) throws -> [Double] {
      let plan = try CodecPlan(shapes: [[n, m]], codecs: [.lowRank(LowRankCodec(rank: rank))])
      var stream = RandomStream(seed: 3, .compression)
      var memory = CodecMemory()
      var errors: [Double] = []
      for _ in 0..<4 {
        let frame = try plan.encode(x, stream: &stream, memory: &memory)
        #expect(plan.size == .exactly(frame.count))
        errors.append(LayerwiseChoice.Measure.norm.error(x, try plan.decode(frame)))
      }
      // Only the first factor is drawn.
      #expect(stream.counter == UInt64(rank * m))
      return errors
    }
    let length = LayerwiseChoice.Measure.norm.error(x, [Float](repeating: 0, count: x.count))
    #expect(try errors(x, rank: r)[1] < 1e-5 * length)
    #expect(try errors(x, rank: r + 2)[1] < 1e-5 * length)
    let noise = normal(n * m, seed: 9)
    let last = try [1, 2, 4, 8, 16, 24].map { try errors(noise, rank: $0)[3] }
    for (more, fewer) in zip(last, last.dropFirst()) { #expect(fewer < more) }
    #expect(last[5] < 1e-5 * length)
    #expect(try errors([Float](repeating: 0, count: n * m), rank: 2) == [0, 0, 0, 0])
    // 64 × 576 at rank 4: 10240 bytes of factors instead of 147456.
    let codec = LowRankCodec(rank: 4)
    #expect(codec.bodySize(shape: [64, 576]) == .exactly(10240 + 1 + 2 + 1))
    #expect(codec.pays(shape: [64, 576]) && !codec.pays(shape: [8, 9]) && !codec.pays(shape: [9]))
  }

  @Test("Columns are orthonormal, dependent and empty ones too")
  func orthonormal() {
    let (rows, columns) = (7, 5)
    var a = normal(rows * columns).map(Double.init)
    for i in 0..<rows {
      a[2 * rows + i] = 2 * a[i] - a[rows + i]
      a[3 * rows + i] = 0
    }
    OrthonormalColumns.make(&a, rows: rows, columns: columns)
    for p in 0..<columns {
      for q in 0..<columns {
        let product = (0..<rows).reduce(0.0) { $0 + a[p * rows + $1] * a[q * rows + $1] }
        #expect(abs(product - (p == q ? 1 : 0)) < 1e-14)
      }
    }
  }

  @Test("Range coded symbols come within 2 % of their entropy, and the bound is below all bytes")
  func entropy() throws {
    let x = normal(20_000)
    let specs: [CodecSpec] = [
      .integer(IntegerCodec(chunk: 20_000, isEntropyCoded: true)),
      .qsgd(QSGDCodec(levels: 7, coding: .entropy)), .natural(NaturalCodec(isEntropyCoded: true)),
      .ternary(TernaryCodec(isEntropyCoded: true)),
    ]
    for spec in specs {
      let plan = try CodecPlan(shapes: [[20_000]], codecs: [spec])
      var stream = RandomStream(seed: 4, .compression)
      let frame = try plan.encode(x, stream: &stream)
      let bound = try plan.entropyBound(of: frame)
      #expect(Double(frame.count) < 1.02 * bound && frame.count < plan.size.bytes)
      #expect(Double(frame.count) > 0.999 * bound)
    }
    for spec in CodecCases.all {
      let plan = try CodecPlan(shapes: [CodecCases.shape(spec, 20_000)], codecs: [spec])
      var stream = RandomStream(seed: 4, .compression)
      let frame = try plan.encode(x, stream: &stream)
      #expect(try plan.entropyBound(of: frame) <= Double(frame.count) * 1.0001 + 1)
    }
    #expect(EntropyBound.bits([0, 1, 0, 1]) == 4)
    #expect(abs(EntropyBound.subsetBits(count: 3, of: 5) - 3.3219280948873626) < 1e-12)
    let bytes = [(1_000_000, 1000, 1426), (11_173_962, 11_174, 15_933), (272_474, 273, 389)]
    for (d, k, bound) in bytes {
      #expect(abs(EntropyBound.subsetBits(count: k, of: d) / 8 - Double(bound)) < 1)
    }
  }
}

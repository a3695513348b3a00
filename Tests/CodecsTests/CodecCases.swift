import Base
import Codecs

/// Codecs of all kinds, and vectors that are hard.
enum CodecCases {
  static let sparse: [CodecSpec] = IndexCoding.allCases.flatMap { indices in
    ValueCoding.allCases.map { values in
      .sparse(SparseCodec(.top(.density(0.1)), indices: indices, values: values))
    }
  }

  static let all: [CodecSpec] =
    sparse + [
      .dense(.float32), .dense(.float16), .dense(.bfloat16), .sparse(SparseCodec(.top(.count(1)))),
      .sparse(SparseCodec(.top(.density(1)))), .sparse(SparseCodec(.threshold(0))),
      .sparse(SparseCodec(.threshold(0.5), indices: .runs)), .sparse(SparseCodec(.threshold(0.5))),
      .sparse(SparseCodec(.threshold(0), indices: .bitmap)),
      .sparse(SparseCodec(.topBlocks(.density(0.3), length: 7))),
      .sparse(SparseCodec(.topBlocks(.count(2), length: 64), indices: .packed, values: .int8)),
      .randomK(RandomKCodec(.density(0.1))),
      .randomK(RandomKCodec(.density(0.8), isScaled: false, seed: 9)), .integer(IntegerCodec()),
      .integer(IntegerCodec(chunk: 3)), .integer(IntegerCodec(isEntropyCoded: true)),
      .integer(IntegerCodec(bits: 2, chunk: 10)), .integer(IntegerCodec(bits: 5)),
      .integer(IntegerCodec(bits: 4, isEntropyCoded: true)), .qsgd(QSGDCodec(levels: 1)),
      .qsgd(QSGDCodec(levels: 7, bucket: 50, norm: .largest)),
      .qsgd(QSGDCodec(levels: 127, bucket: 8192)), .qsgd(QSGDCodec(levels: 32767)),
      .qsgd(QSGDCodec(levels: 1, coding: .elias)),
      .qsgd(QSGDCodec(levels: 300, bucket: 13, norm: .largest, coding: .elias)),
      .qsgd(QSGDCodec(levels: 4, coding: .entropy)), .natural(NaturalCodec()),
      .natural(NaturalCodec(isEntropyCoded: true)), .sign(SignCodec()),
      .sign(SignCodec(isScaled: false)), .ternary(TernaryCodec()),
      .ternary(TernaryCodec(clip: nil)), .ternary(TernaryCodec(isEntropyCoded: true)),
      .lowRank(LowRankCodec(rank: 2)),
    ]

  /// A shape that the codec takes.
  static func shape(_ spec: CodecSpec, _ count: Int) -> [Int] {
    if case .lowRank = spec { return count % 5 == 0 ? [5, count / 5] : [count, 1] }
    return [count]
  }

  /// Finite vectors: empty, of one value, of zeros, at random, and at the ends of the range.
  static let vectors: [[Float]] = {
    var stream = RandomStream(seed: 11, .test)
    func normal(_ count: Int, _ scale: Float) -> [Float] {
      (0..<count).map { _ in Float(stream.normal()) * scale }
    }
    let big = Float.greatestFiniteMagnitude
    let tiny = Float.leastNonzeroMagnitude
    var extremes: [Float] = [big, -big, tiny, -tiny, 0, -0.0, .leastNormalMagnitude, 65504, 65520]
    extremes += [1e-30, 1e30, -1]
    return [
      [], [0], [-0.0], [3.5], [-big], [tiny], [Float](repeating: 0, count: 33),
      [Float](repeating: -2, count: 40), [Float](repeating: big, count: 9),
      [Float](repeating: tiny, count: 100), extremes, normal(7, 1), normal(100, 1e-3),
      normal(1000, 1), normal(2500, 1e-20), normal(1024, 1e18), normal(300, 1) + extremes,
    ]
  }()
}

import Base
import Codecs

/// Codecs as words of the scenario.
enum CodecFields {
  /// All but deep gradient compression, which is no codec but a memory; with the bytes of the body
  /// of d values.
  static let all: [(codec: Case<CodecSpec>, bytes: String)] = [
    (
      Case(
        "dense", "Every value in 32 or 16 bits.",
        Part(
          "format",
          .words(["float32": DenseCodec.Format.float32, "float16": .float16, "bfloat16": .bfloat16]
          ), .value("float32"), "The bits of a value.")
      ) { .dense($0) }, "4d or 2d"
    ),
    (
      Case(
        "topk", "The largest magnitudes, with their positions.", largest(0.01),
        Part(
          "block", .integer(1...1_000_000), .value(1),
          "Neighbours that are kept together, by their norm; 1 for single values.")
      ) { codec, length in
        guard length > 1, case .top(let amount) = codec.selection else { return .sparse(codec) }
        let blocks = SparseCodec.Selection.topBlocks(amount, length: length)
        return .sparse(SparseCodec(blocks, indices: codec.indices, values: codec.values))
      }, "1 + |varint k| + positions + values; Rice gaps have about log2(d/k) + 1.6 bits"
    ),
    (
      Case(
        "random-k", "Values at places drawn from a seed; no positions travel.", ratio(0.01),
        Part(
          "places", .words(["own": false, "shared": true]), .value("own"),
          "own: each client draws its places; shared: all clients of a round have the same, so "
            + "that their sum is sparse, too.")
      ) { .randomK(RandomKCodec(.density($0), seed: $1 ? 0 : nil)) }, "8 + |varint k| + 4k"
    ),
    (
      Case(
        "threshold", "All values from a magnitude on, with their positions.",
        Part(
          "threshold", .number(from: 0, to: 1e30), .required,
          "tau: values of at least this magnitude are sent.", synonyms: ["tau"]), positions, values
      ) { .sparse(SparseCodec(.threshold(Float($0)), indices: $1, values: $2)) },
      "as topk, with as many values as there are"
    ),
    (
      Case(
        "quantize", "Whole numbers of 2 to 8 bits with a scale per chunk, stochastically rounded.",
        Part("bits", .integer(2...8), .value(8), "Bits of a value."),
        Part("chunk", .integer(1...1 << 24), .value(1024), "Values that share a scale."),
        entropyCoded
      ) { .integer(IntegerCodec(bits: $0, chunk: $1, isEntropyCoded: $2)) },
      "|varint c| + 4·ceil(d/c) + d·bits/8"
    ),
    (
      Case(
        "qsgd", "Levels relative to a norm (Alistarh et al. 2017, arXiv:1610.02132).",
        Part("levels", .integer(1...32_767), .value(7), "s.", synonyms: ["s"]),
        Part("bucket", .integer(1...1 << 24), .value(512), "Values that share a norm."),
        Part(
          "norm", .words(["l2": QSGDCodec.Norm.euclidean, "max": .largest]), .value("l2"),
          "The norm."),
        Part(
          "coding",
          .words(["fixed": QSGDCodec.Coding.fixed, "entropy": .entropy, "elias": .elias]),
          .value("fixed"), "Fields of equal width, a range coder, or Elias' gamma codes.")
      ) { .qsgd(QSGDCodec(levels: $0, bucket: $1, norm: $2, coding: $3)) },
      "4·ceil(d/c) + ceil(d·ceil(log2(2s + 1))/8); Elias codes are shorter for few levels"
    ),
    (
      Case("natural", "Powers of two (Horvath et al. 2019, arXiv:1905.10988).", entropyCoded) {
        .natural(NaturalCodec(isEntropyCoded: $0))
      }, "ceil(9d/8)"
    ),
    (
      Case(
        "sign", "Signs (Bernstein et al. 2018; with a scale, Karimireddy et al. 2019).",
        Part(
          "scaled", .flag, .value(true),
          "Whether the mean magnitude travels, too; without it every value is +1 or -1.")
      ) { .sign(SignCodec(isScaled: $0)) }, "4 + ceil(d/8)"
    ),
    (
      Case(
        "ternary", "-1, 0 and 1 with a scale (Wen et al. 2017, arXiv:1705.07878).",
        Part(
          "clip", .number(from: 0, to: 1000), .value(2.5),
          "Magnitudes are cut at so many standard deviations; 0 for not at all."), entropyCoded
      ) { .ternary(TernaryCodec(clip: $0 > 0 ? $0 : nil, isEntropyCoded: $1)) }, "4 + ceil(d/5)"
    ),
    (
      Case(
        "low-rank", "Two factors of each matrix (PowerSGD, Vogels et al. 2019, arXiv:1905.13727).",
        Part("rank", .integer(1...255), .value(4), "Columns of a factor.")
      ) { .lowRank(LowRankCodec(rank: $0)) }, "4r(n + m) for an n x m matrix; others dense"
    ),
  ]

  /// The share of values that `initial` says, with their positions.
  static func largest(_ initial: JSON) -> Part<SparseCodec> {
    Part(
      ratio(initial),
      Part(
        "selection", .words(["exact": false, "sampled": true]), .value("exact"),
        "exact: the largest; sampled: by a threshold from a sample, as the authors of DGC do."),
      positions, values
    ) { ratio, isSampled, positions, values in
      SparseCodec(
        isSampled ? .sampled(density: ratio) : .top(.density(ratio)), indices: positions,
        values: values)
    }
  }

  private static func ratio(_ value: JSON) -> Part<Double> {
    Part(
      "ratio", .number(above: 0, to: 1), .value(value), "Share of values that are kept.",
      synonyms: ["density", "fraction", "k", "compress_ratio"])
  }

  private static let positions = Part<IndexCoding>(
    "indices",
    .words(["rice": .rice, "packed": .packed, "bitmap": .bitmap, "runs": .runs, "u32": .words]),
    .value("rice"), "How positions are written.", synonyms: ["positions", "index"])

  private static let values = Part<ValueCoding>(
    "values",
    .words([
      "float32": .float32, "float16": .float16, "bfloat16": .bfloat16, "int8": .int8, "sign": .sign,
    ]), .value("float32"), "How kept values are written.")

  private static let entropyCoded = Part<Bool>(
    "entropyCoded", .flag, .value(false),
    "Whether symbols pass through an adaptive range coder where that is shorter.",
    synonyms: ["entropy"])
}

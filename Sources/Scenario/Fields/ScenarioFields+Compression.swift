import Base

/// The section `compression`, of the scenario and of a single strategy.
extension ScenarioFields {
  package static let compression = Field(
    "compression", .object(links), .optional,
    "How messages are encoded; one of its own on a strategy replaces it.",
    synonyms: ["compress", "codec", "codecs", "quantization"])

  static let strategyCompression = Field(
    "compression", .object(links), .optional,
    "How this strategy's messages are encoded, in place of the scenario's; {} for plain numbers.",
    synonyms: ["compress", "codec"])

  private static let links: [Field] = [
    Field(
      "uplink", link(isUplink: true), .value("none"), "From clients to the server.",
      synonyms: ["up", "upload", "client"]),
    Field(
      "downlink", link(isUplink: false), .value("none"), "From the server to clients.",
      synonyms: ["down", "download", "server", "broadcast"]),
  ]

  private static let words = [
    "off": "none", "float32": "dense", "float16": "dense", "fp16": "dense", "top-k": "topk",
    "top_k": "topk", "randomk": "random-k", "randk": "random-k", "int8": "quantize",
    "quantise": "quantize", "terngrad": "ternary", "signsgd": "sign", "powersgd": "low-rank",
    "lowrank": "low-rank", "deep-gradient-compression": "dgc",
  ]

  private static func link(isUplink: Bool) -> FieldType {
    var variants = [Variant("none", "Plain 32-bit floats without any frame.")]
    for codec in CodecFields.all {
      var fields = codec.fields + CodecFields.link(codec.name)
      if isUplink {
        if codec.name == "low-rank" { fields += CodecFields.sharedFactors }
        fields += CodecFields.feedback(codec.name)
      } else {
        fields.append(CodecFields.shadow(codec.name))
      }
      variants.append(Variant(codec.name, codec.summary, fields))
    }
    if isUplink {
      variants.append(
        Variant(
          "dgc", "Deep gradient compression (Lin et al. 2018, arXiv:1712.01887).",
          CodecFields.deepGradient + CodecFields.link("dgc")))
    }
    return .union(Union("kind", shorthand: true, synonyms: words, variants))
  }

  /// What `explain` says of a codec; nil for other words.
  package static func codecHelp(_ name: String) -> CodecHelp? {
    if name == "dgc" {
      return CodecHelp(
        bytes: "as topk", codec: CodecFields.deepGradient, link: CodecFields.link("dgc"), memory: []
      )
    }
    guard let entry = CodecFields.all.first(where: { $0.name == name }) else { return nil }
    let factors = name == "low-rank" ? CodecFields.sharedFactors : []
    return CodecHelp(
      bytes: entry.bytes, codec: entry.fields, link: CodecFields.link(name),
      memory: factors + CodecFields.feedback(name) + [CodecFields.shadow(name)])
  }

  /// The codecs of `fedsim list codecs`.
  package static let codecs: [(name: String, summary: String)] =
    CodecFields.all.map { ($0.name, $0.summary) } + [
      ("dgc", "Deep gradient compression (Lin et al. 2018, arXiv:1712.01887).")
    ]
}

/// A codec's fields, by what they are about.
package struct CodecHelp: Sendable {
  /// Bytes of the body of d values.
  package let bytes: String
  /// Of the codec itself.
  package let codec: [Field]
  /// Of how it is spread over tensors.
  package let link: [Field]
  /// Of what is remembered.
  package let memory: [Field]
}

/// The fields of each codec.
enum CodecFields {
  /// A codec as a word of the scenario.
  package struct Entry: Sendable {
    let name: String
    let summary: String
    /// Of the body of d values.
    let bytes: String
    let fields: [Field]
  }

  /// All but deep gradient compression, which is no codec but a memory.
  static let all: [Entry] = [
    Entry(
      name: "dense", summary: "Every value in 32 or 16 bits.", bytes: "4d or 2d",
      fields: [
        Field(
          "format", .choice(["float32", "float16", "bfloat16"]), .value("float32"),
          "The bits of a value.")
      ]),
    Entry(
      name: "topk", summary: "The largest magnitudes, with their positions.",
      bytes: "1 + |varint k| + positions + values; Rice gaps have about log2(d/k) + 1.6 bits",
      fields: [
        ratio(0.01), selection, positions, values,
        Field(
          "block", .integer(1...1_000_000), .value(1),
          "Neighbours that are kept together, by their norm; 1 for single values."),
      ]),
    Entry(
      name: "random-k", summary: "Values at places drawn from a seed; no positions travel.",
      bytes: "8 + |varint k| + 4k",
      fields: [
        ratio(0.01),
        Field(
          "places", .choice(["own", "shared"]), .value("own"),
          "own: each client draws its places; shared: all clients of a round have the same, so "
            + "that their sum is sparse, too."),
      ]),
    Entry(
      name: "threshold", summary: "All values from a magnitude on, with their positions.",
      bytes: "as topk, with as many values as there are",
      fields: [
        Field(
          "threshold", .number(from: 0, to: 1e30), .required,
          "tau: values of at least this magnitude are sent.", synonyms: ["tau"]), positions, values,
      ]),
    Entry(
      name: "quantize",
      summary: "Whole numbers of 2 to 8 bits with a scale per chunk, stochastically rounded.",
      bytes: "|varint c| + 4·ceil(d/c) + d·bits/8",
      fields: [
        Field("bits", .integer(2...8), .value(8), "Bits of a value."),
        Field("chunk", .integer(1...1 << 24), .value(1024), "Values that share a scale."),
        entropyCoded,
      ]),
    Entry(
      name: "qsgd", summary: "Levels relative to a norm (Alistarh et al. 2017, arXiv:1610.02132).",
      bytes: "4·ceil(d/c) + ceil(d·ceil(log2(2s + 1))/8); Elias codes are shorter for few levels",
      fields: [
        Field("levels", .integer(1...32_767), .value(7), "s.", synonyms: ["s"]),
        Field("bucket", .integer(1...1 << 24), .value(512), "Values that share a norm."),
        Field("norm", .choice(["l2", "max"]), .value("l2"), "The norm."),
        Field(
          "coding", .choice(["fixed", "entropy", "elias"]), .value("fixed"),
          "Fields of equal width, a range coder, or Elias' gamma codes."),
      ]),
    Entry(
      name: "natural", summary: "Powers of two (Horvath et al. 2019, arXiv:1905.10988).",
      bytes: "ceil(9d/8)", fields: [entropyCoded]),
    Entry(
      name: "sign",
      summary: "Signs (Bernstein et al. 2018; with a scale, Karimireddy et al. 2019).",
      bytes: "4 + ceil(d/8)",
      fields: [
        Field(
          "scaled", .flag, .value(true),
          "Whether the mean magnitude travels, too; without it every value is +1 or -1.")
      ]),
    Entry(
      name: "ternary", summary: "-1, 0 and 1 with a scale (Wen et al. 2017, arXiv:1705.07878).",
      bytes: "4 + ceil(d/5)",
      fields: [
        Field(
          "clip", .number(from: 0, to: 1000), .value(2.5),
          "Magnitudes are cut at so many standard deviations; 0 for not at all."), entropyCoded,
      ]),
    Entry(
      name: "low-rank",
      summary: "Two factors of each matrix (PowerSGD, Vogels et al. 2019, arXiv:1905.13727).",
      bytes: "4r(n + m) for an n x m matrix; others dense",
      fields: [Field("rank", .integer(1...255), .value(4), "Columns of a factor.")]),
  ]

  static func ratio(_ value: JSON) -> Field {
    Field(
      "ratio", .number(NumberRange(0, 1, exclusiveMinimum: true)), .value(value),
      "Share of values that are kept.", synonyms: ["density", "fraction", "k", "compress_ratio"])
  }

  static let selection = Field(
    "selection", .choice(["exact", "sampled"]), .value("exact"),
    "exact: the largest; sampled: by a threshold from a sample, as the authors of DGC do.")

  static let positions = Field(
    "indices", .choice(["rice", "packed", "bitmap", "runs", "u32"]), .value("rice"),
    "How positions are written.", synonyms: ["positions", "index"])

  static let values = Field(
    "values", .choice(["float32", "float16", "bfloat16", "int8", "sign"]), .value("float32"),
    "How kept values are written.")

  private static let entropyCoded = Field(
    "entropyCoded", .flag, .value(false),
    "Whether symbols pass through an adaptive range coder where that is shorter.",
    synonyms: ["entropy"])
}

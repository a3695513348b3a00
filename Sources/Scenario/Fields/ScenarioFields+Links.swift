import Aggregation
import Base

/// What a link has besides its codec.
extension CodecFields {
  /// Codecs that lose more than they can make up for without a memory.
  static let biased: Set<String> = ["topk", "threshold", "sign", "low-rank"]
  /// Codecs with a strength that can differ from layer to layer.
  static let graded: Set<String> = ["topk", "quantize", "low-rank"]

  /// How a codec is spread over tensors.
  static func link(_ codec: String) -> [Field] {
    let isSparse = ["topk", "random-k", "threshold", "dgc"].contains(codec)
    var fields = [
      Field(
        "scope", .choice(["tensor", "model"]), .value(isSparse ? "model" : "tensor"),
        "tensor: each on its own, with its own share or scales; model: all as one vector.",
        synonyms: ["grouping"]),
      Field(
        "denseBelow", .integer(0...1 << 40), .value(0), unit: "values",
        "Tensors with fewer values stay 32-bit floats."),
      Field(
        "denseVectors", .flag, .value(.bool(codec == "dgc")),
        "Whether tensors of one dimension (biases, norms) stay 32-bit floats."),
      Field(
        "blocks", .choice(of: LinkCompression.Blocks.self), .value("parameters"),
        "parameters: blocks of network parameters alone; all: prototypes, soft labels, too."),
      Field(
        "groups", .list(of: .union(groupCodecs), counts: 0...16, unique: false), .value([]),
        "Codecs of parameter groups (norm, head, body) in place of this one, the first that fits."),
    ]
    if graded.contains(codec) { fields.append(layerwise) }
    return fields
  }

  private static let groupCodecs = Union(
    "kind",
    common: [
      Field(
        "group", .choice(of: ParameterGroup.self), .required, "The parameters: norm, head or body.")
    ], all.map { Variant($0.name, $0.summary, $0.fields) })

  private static let layerwise = Field(
    "layerwise",
    .object([
      Field("every", .integer(1...1_000_000), .value(10), unit: "rounds", "Between solutions."),
      Field(
        "measure", .choice(["norm", "squared"]), .value("norm"),
        "norm: of a layer's error, as in the authors' program; squared: its square."),
      Field(
        "slack", .number(above: 0, to: 1e6), .value(1),
        "Error allowed, relative to that of the same strength everywhere."),
    ]), .optional,
    "L-GreCo (Alimohammadi et al. 2024, arXiv:2210.17357): a strength for each layer, chosen anew "
      + "from what the server's model moved; needs scope \"tensor\".",
    synonyms: ["lgreco", "l-greco"])

  /// A client's memory of what was lost.
  static func feedback(_ codec: String) -> [Field] {
    [
      Field(
        "errorFeedback", .flag, .value(.bool(biased.contains(codec))),
        "Whether what a message loses is added to the next one.",
        synonyms: ["error_feedback", "ef", "memory", "residual"]),
      Field(
        "feedback", .choice(["ef-sgd", "ef21"]), .value("ef-sgd"),
        "ef-sgd: the error waits at the client; ef21: both sides hold an estimate of the client's "
          + "update, and messages are changes of it."),
      Field(
        "errorUnits", .choice(of: LinkCompression.ErrorUnits.self), .value("update"),
        "update: an error is added as it is; gradient: it takes the new round's learning rate."),
      Field(
        "smoothing", .number(above: 0, to: 1), .value(1), "eta of ef21's momentum; 1 for none.",
        synonyms: ["eta"]), absent(1),
    ]
  }

  /// PowerSGD over a cohort.
  static let sharedFactors: [Field] = [
    Field(
      "sums", .choice(["updates", "factors"]), .value("updates"),
      "updates: each client sends factors of its own update, and the server averages products; "
        + "factors: the cohort's mean is factorised in two sums, as published, with its own "
        + "error."),
    Field(
      "errorReference", .choice(["aggregated", "own"]), .value("aggregated"),
      "With sums of factors, what a client's error is taken from: the mean, as in the authors' "
        + "program, or its own part of it."),
  ]

  private static func absent(_ value: JSON) -> Field {
    Field(
      "fading", .number(from: 0, to: 1), .value(value),
      "What is left of a client's memory for each round that it missed: 1 keeps it, 0 forgets it.",
      synonyms: ["absent", "decay"])
  }

  /// A model that both sides share.
  static func shadow(_ codec: String) -> Field {
    Field(
      "shadow", .flag, .value(.bool(biased.contains(codec))),
      "Whether the server sends changes of a model that all clients share (EF21-P); a client that "
        + "was away needs the frames that it missed, or the whole model.",
      synonyms: ["ef21p", "errorFeedback"])
  }

  static let deepGradient: [Field] = [
    ratio(0.001), selection, positions, values,
    Field(
      "momentum", .number(NumberRange(0, 1, exclusiveMaximum: true)), .value(0.9),
      "m of the momentum correction; clients' own momentum should be 0."),
    Field("nesterov", .flag, .value(false), "Whether the momentum is Nesterov's."),
    Field(
      "clip", .number(above: 0, to: 1e30), .optional,
      "Norm at which a client's gradient is cut, before it is added; for the sum of all clients, "
        + "so each has it over the root of their number."),
    Field("masking", .flag, .value(true), "Whether momentum of what was sent is set to 0."),
    Field(
      "warmup", .choice(["none", "quarters", "geometric"]), .value("none"),
      "How the share falls to ratio: 25, 6.25, 1.56, 0.4 %; or r^((e+1)/(W+1)), as the authors' "
        + "program.", synonyms: ["warmUp", "warm_up"]),
    Field("warmupStages", .integer(1...1000), .value(5), "W of a geometric warm-up."),
    Field(
      "warmupRounds", .integer(1...1_000_000), .value(1), unit: "rounds",
      "How long a stage lasts."),
    absent(1),
  ]
}

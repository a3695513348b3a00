import Aggregation
import Base
import Codecs

/// The section `compression`, of the scenario and of a single strategy.
extension ScenarioFields {
  static let compression = Domain<CompressionSettings>.object(
    Part(
      "uplink", .union(link(uplinks)), .value("none"), "From clients to the server.",
      synonyms: ["up", "upload", "client"]),
    Part(
      "downlink", .union(link(downlinks)), .value("none"), "From the server to clients.",
      synonyms: ["down", "download", "server", "broadcast"])
  ) { CompressionSettings(uplink: $0, downlink: $1) }

  private static func link(_ cases: [Case<LinkCompression?>]) -> Cases<LinkCompression?> {
    Cases(
      "kind", shorthand: true,
      synonyms: [
        "off": "none", "float32": "dense", "float16": "dense", "fp16": "dense", "top-k": "topk",
        "top_k": "topk", "randomk": "random-k", "randk": "random-k", "int8": "quantize",
        "quantise": "quantize", "terngrad": "ternary", "signsgd": "sign", "powersgd": "low-rank",
        "lowrank": "low-rank", "deep-gradient-compression": "dgc",
      ], [Case("none", "Plain 32-bit floats without any frame.", nil)] + cases)
  }

  private static func link(_ codec: Case<CodecSpec>, _ memory: [Setting<LinkCompression>]) -> Case<
    LinkCompression?
  > {
    let plain = codec.part.map { LinkCompression($0) }
    let whole = plain.with(spread(codec.name) + memory)
    return Case(codec.name, codec.summary, whole.map { .some($0.contracting) })
  }

  private static let uplinks =
    CodecFields.all.map { link($0.codec, feedback($0.codec.name)) } + [
      Case(dgc.name, dgc.summary, deepGradient.with(spread(dgc.name)).map { .some($0) })
    ]

  private static let downlinks = CodecFields.all.map { link($0.codec, [shadow($0.codec.name)]) }

  private static let dgc = (
    name: "dgc", summary: "Deep gradient compression (Lin et al. 2018, arXiv:1712.01887)."
  )

  // MARK: Words for people

  /// What `explain` says of a codec; nil for other words.
  package static func codecHelp(_ name: String) -> CodecHelp? {
    let link = spread(name).flatMap(\.fields)
    if name == dgc.name {
      return CodecHelp(bytes: "as topk", codec: deepGradient.fields, link: link, memory: [])
    }
    let memory = (feedback(name) + [shadow(name)]).flatMap(\.fields)
    return CodecFields.all.first { $0.codec.name == name }.map {
      CodecHelp(bytes: $0.bytes, codec: $0.codec.part.fields, link: link, memory: memory)
    }
  }

  /// The codecs of `fedsim list codecs`.
  package static let codecs =
    CodecFields.all.map { (name: $0.codec.name, summary: $0.codec.summary) } + [dgc]
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

/// How a codec is spread over tensors.
extension ScenarioFields {
  private static func spread(_ codec: String) -> [Setting<LinkCompression>] {
    let isSparse = ["topk", "random-k", "threshold", "dgc"].contains(codec)
    let hasStrength = ["topk", "quantize", "low-rank"].contains(codec)
    return [
      Setting(
        \.grouping, "scope", .words(["tensor": .eachTensor, "model": .together]),
        .value(isSparse ? "model" : "tensor"),
        "tensor: each on its own, with its own share or scales; model: all as one vector.",
        synonyms: ["grouping"]),
      Setting(
        \.denseBelow, "denseBelow", .integer(0...1 << 40), .value(0), unit: "values",
        "Tensors with fewer values stay 32-bit floats."),
      Setting(
        \.denseVectors, "denseVectors", .flag, .value(.bool(codec == dgc.name)),
        "Whether tensors of one dimension (biases, norms) stay 32-bit floats."),
      Setting(
        \.blocks, "blocks", .choice(), .value("parameters"),
        "parameters: blocks of network parameters alone; all: prototypes, soft labels, too."),
      Setting(
        \.overrides, "groups", .list(of: .union(groupCodecs), counts: 0...16, unique: false),
        .value([]),
        "Codecs of parameter groups (norm, head, body) in place of this one, the first that fits."),
    ] + (hasStrength ? [layerwise] : [])
  }

  private static let groupCodecs = Cases("kind", CodecFields.all.map(\.codec)).with(
    Part(
      "group", .choice(of: ParameterGroup.self), .required, "The parameters: norm, head or body.")
  ).map { LinkCompression.Override($1, $0) }

  private static let layerwise = Setting<LinkCompression>(
    \.layerwise, "layerwise",
    .object(
      Part("every", .integer(1...1_000_000), .value(10), unit: "rounds", "Between solutions."),
      Part(
        "measure", .words(["norm": LayerwiseChoice.Measure.norm, "squared": .squared]),
        .value("norm"), "norm: of a layer's error, as in the authors' program; squared: its square."
      ),
      Part(
        "slack", .number(above: 0, to: 1e6), .value(1),
        "Error allowed, relative to that of the same strength everywhere.")
    ) { LinkCompression.Layerwise(every: $0, measure: $1, slack: $2) }, .optional,
    "L-GreCo (Alimohammadi et al. 2024, arXiv:2210.17357): a strength for each layer, chosen anew "
      + "from what the server's model moved; needs scope \"tensor\".",
    synonyms: ["lgreco", "l-greco"])
}

/// What is remembered between messages.
extension ScenarioFields {
  /// Codecs that lose more than they can make up for without a memory.
  private static let biased: Set<String> = ["topk", "threshold", "sign", "low-rank"]

  /// A client's memory of what was lost.
  private static func feedback(_ codec: String) -> [Setting<LinkCompression>] {
    let errors = Part<LinkCompression.Memory>(
      Part(
        "errorFeedback", .flag, .value(.bool(biased.contains(codec))),
        "Whether what a message loses is added to the next one.",
        synonyms: ["error_feedback", "ef", "memory", "residual"]),
      Part(
        "feedback", .words(["ef-sgd": false, "ef21": true]), .value("ef-sgd"),
        "ef-sgd: the error waits at the client; ef21: both sides hold an estimate of the client's "
          + "update, and messages are changes of it."),
      Part(
        "errorUnits", .choice(of: LinkCompression.ErrorUnits.self), .value("update"),
        "update: an error is added as it is; gradient: it takes the new round's learning rate."),
      Part(
        "smoothing", .number(above: 0, to: 1), .value(1), "eta of ef21's momentum; 1 for none.",
        synonyms: ["eta"])
    ) { isKept, isEstimate, units, eta in
      guard isKept else { return .none }
      return isEstimate ? .estimates(eta: Float(eta)) : .errorFeedback(units)
    }
    return [Setting(\.memory, codec == "low-rank" ? factors(or: errors) : errors), fading]
  }

  /// PowerSGD over a cohort.
  private static func factors(or errors: Part<LinkCompression.Memory>) -> Part<
    LinkCompression.Memory
  > {
    Part(
      Part(
        "sums", .words(["updates": false, "factors": true]), .value("updates"),
        "updates: each client sends factors of its own update, and the server averages products; "
          + "factors: the cohort's mean is factorised in two sums, as published, with its own "
          + "error."),
      Part(
        "errorReference", .words(["aggregated": false, "own": true]), .value("aggregated"),
        "With sums of factors, what a client's error is taken from: the mean, as in the authors' "
          + "program, or its own part of it."), errors
    ) { ofFactors, isOwn, errors in ofFactors ? .factors(ownError: isOwn) : errors }
  }

  private static let fading = Setting<LinkCompression>(
    \.fading, "fading", Domain<Double>.number(from: 0, to: 1).map { Float($0) }, .value(1),
    "What is left of a client's memory for each round that it missed: 1 keeps it, 0 forgets it.",
    synonyms: ["absent", "decay"])

  /// A model that both sides share.
  private static func shadow(_ codec: String) -> Setting<LinkCompression> {
    Setting(
      Part(
        "shadow", .flag, .value(.bool(biased.contains(codec))),
        "Whether the server sends changes of a model that all clients share (EF21-P); a client "
          + "that was away needs the frames that it missed, or the whole model.",
        synonyms: ["ef21p", "errorFeedback"])
    ) { if $1 { $0.memory = .shadow } }
  }

  private static let deepGradient = Part(
    CodecFields.largest(0.001), momentum, warmUp,
    Part(
      "warmupRounds", .integer(1...1_000_000), .value(1), unit: "rounds", "How long a stage lasts.")
  ) { codec, rule, warmUp, stage in
    LinkCompression(
      .sparse(codec),
      memory: .deepGradient(LinkCompression.DeepGradient(rule, warmUp: warmUp, stage: stage)))
  }.with([fading])

  private static let momentum = Part(
    Part(
      "momentum", .decay, .value(0.9),
      "m of the momentum correction; clients' own momentum should be 0."),
    Part("nesterov", .flag, .value(false), "Whether the momentum is Nesterov's."),
    Part(
      "clip", .number(above: 0, to: 1e30), .optional,
      "Norm at which a client's gradient is cut, before it is added; for the sum of all clients, "
        + "so each has it over the root of their number."
    ).ifGiven,
    Part("masking", .flag, .value(true), "Whether momentum of what was sent is set to 0.")
  ) { GradientAccumulator.Rule(momentum: Float($0), isNesterov: $1, clip: $2, masksMomentum: $3) }

  private static let warmUp = Part(
    Part(
      "warmup", .choice(of: WarmUp.self), .value("none"),
      "How the share falls to ratio: 25, 6.25, 1.56, 0.4 %; or r^((e+1)/(W+1)), as the authors' "
        + "program.", synonyms: ["warmUp", "warm_up"]),
    Part("warmupStages", .integer(1...1000), .value(5), "W of a geometric warm-up.")
  ) { kind, stages -> DensityWarmUp? in
    switch kind {
    case .none: nil
    case .quarters: .quarters
    case .geometric: .geometric(epochs: stages)
    }
  }

  private enum WarmUp: String, CaseIterable { case none, quarters, geometric }
}

extension LinkCompression {
  /// The same without a scale of random places beside a memory: that form contracts, and the
  /// unbiased one would let the memory grow.
  fileprivate var contracting: LinkCompression {
    guard case .randomK(let random) = codec, memory != .none else { return self }
    var link = self
    link.codec = .randomK(RandomKCodec(random.amount, isScaled: false, seed: random.seed))
    return link
  }
}

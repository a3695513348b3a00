import Base
import Client

/// The section `privacy`, of the scenario and of a single strategy.
extension ScenarioFields {
  package static let privacy = Field(
    "privacy", privacyUnit, .optional,
    "Differential privacy of every strategy; one of its own on a strategy replaces it.",
    synonyms: ["dp", "differentialPrivacy", "differential_privacy", "dp_sgd"])

  static let strategyPrivacy = Field(
    "privacy", privacyUnit, .optional,
    "Differential privacy of this strategy, in place of the scenario's; \"none\" for none.",
    synonyms: ["dp", "differentialPrivacy"])

  private static let privacyUnit = FieldType.union(
    Union(
      "unit", shorthand: true,
      synonyms: [
        "record": "example", "sample": "example", "user": "client", "central": "client",
        "off": "none",
      ],
      [
        Variant("none", "No privacy."),
        Variant(
          "example",
          "Each training example: clipped gradients of Poisson batches with noise, at each client.",
          noiseFields + [perClientTarget], inner: exampleMechanism),
        Variant(
          "client", "All that a client has: its messages are clipped as one vector and get noise.",
          noiseFields + [commonTarget] + clientFields, inner: clientMechanism),
      ]))

  // MARK: Both units

  private static let noiseFields: [Field] = [
    Field(
      "clip", .number(above: 0, to: 1e300), .value(1),
      "C: the largest norm of one unit's part. From 1e30 on it clips nothing; then, with a noise "
        + "multiplier of 0, the run is the one without privacy, bit for bit.",
      synonyms: ["clipNorm", "clipping_norm", "max_grad_norm", "l2_norm_clip", "C", "S"]),
    Field(
      "noiseMultiplier", .number(from: 0, to: 1e6), .optional,
      "sigma: standard deviation of the noise on the sum, divided by the clip. Without it the "
        + "target says how much noise there is; with both, the target is a budget.",
      synonyms: ["sigma", "noise_multiplier", "z", "noise"]),
    Field(
      "delta", .number(NumberRange(0, 1, exclusiveMinimum: true, exclusiveMaximum: true)),
      .derived("target.delta if given, else 1e-5") { from in
        let target = from.given.first { $0.key == "target" }?.value
        let delta = target?.members?.first { $0.key == "delta" }?.value.double ?? 1e-5
        return .number(delta > 0 && delta < 1 ? delta : 1e-5)
      }, "delta of (epsilon, delta); below 1 / number of units.", synonyms: ["target_delta"]),
  ]

  private static let targetEpsilon = [
    Field(
      "epsilon", .number(above: 0, to: 1e6), .required, "The epsilon at the end of the run.",
      synonyms: ["eps", "target_epsilon"]),
    Field(
      "delta", .number(NumberRange(0, 1, exclusiveMinimum: true, exclusiveMaximum: true)),
      .derived("privacy.delta") { from in
        let privacy = from.path.dropLast(".target.delta".count)
        return from.values["\(privacy).delta"] ?? .number(1e-5)
      }, "delta of the target."),
  ]

  private static let perClientTarget = Field(
    "target",
    .object(
      targetEpsilon + [
        Field(
          "per", .choice(["client", "common"]), .value("client"),
          "client: each client has noise for its own epsilon, from its size and rounds; common: "
            + "one noise multiplier, such that the largest epsilon of all is the target.")
      ]), .optional,
    "What the noise is chosen for; a client whose budget is used up stops taking part.",
    synonyms: ["budget"])

  private static let commonTarget = Field(
    "target", .object(targetEpsilon), .optional, "What the noise is chosen for.",
    synonyms: ["budget"])

  // MARK: Examples

  private static let exampleMechanism = Union(
    "mechanism", default: "dp-sgd",
    synonyms: ["dpsgd": "dp-sgd", "dicesgd": "dice-sgd", "dice": "dice-sgd"],
    [
      Variant(
        "dp-sgd", "Abadi et al. 2016, arXiv:1607.00133.",
        [
          Field(
            "clipping", .choice(of: ExamplePrivacy.Clipping.self), .value("flat"),
            "flat: one norm over all parameters; per-layer: C/sqrt(L) for each of L layers; "
              + "automatic: every gradient is scaled to about C (Bu et al. 2022)."), copies,
        ]),
      Variant(
        "dice-sgd", "DP-SGD with clipped error feedback (Zhang et al. 2024, arXiv:2311.14632).",
        [
          ratio, cap, copies,
          Field(
            "errorDecay", .number(from: 0, to: 1), .value(1),
            "What is left of a client's error from one of its rounds to the next: 1 keeps it, 0 "
              + "starts anew."),
          Field(
            "accounting", .choice(of: PrivacySettings.DiceMode.self), .value("paper"),
            "paper: as published, not independently verified; strict: from a bound on the "
              + "sensitivity of the whole run, which needs errorCap."),
        ]),
    ])

  private static let copies = Field(
    "augmentationMultiplicity", .integer(1...1024), .value(1),
    "Augmented copies of each example in a batch; their mean gradient is clipped once.",
    synonyms: ["copies", "augmult", "K"])

  private static let ratio = Field(
    "errorRatio", .number(from: 0, to: 1e6), .value(1),
    "rho: threshold of the error divided by the clip, in units of the sum.",
    synonyms: ["rho", "C2", "ratio"])

  private static let cap = Field(
    "errorCap", .number(above: 0, to: 1e300), .optional,
    "G: gradients are first clipped to this norm, at least the clip, so that nobody's part of the "
      + "error is larger than G - C.", synonyms: ["G", "preClip"])

  // MARK: Clients

  private static let clientMechanism = Union(
    "mechanism", default: "dp-fedavg",
    synonyms: ["gaussian": "dp-fedavg", "dicesgd": "dice-sgd", "ef": "error-feedback"],
    [
      Variant("dp-fedavg", "McMahan et al. 2018, arXiv:1710.06963."),
      Variant(
        "error-feedback",
        "Each client adds what earlier clips took from it to its next update, before the clip."),
      Variant(
        "dice-sgd",
        "The server keeps what all clips took away (Zhang et al. 2024, arXiv:2311.14632).",
        [ratio, cap]),
    ])

  private static let clientFields: [Field] = [
    Field(
      "placement", .choice(of: PrivacySettings.ClientMechanism.Placement.self), .value("server"),
      "Who adds noise: the server; each client a share of it; each client all of it (local)."),
    Field(
      "noise", .choice(of: PrivacySettings.ClientMechanism.Noise.self), .value("gaussian"),
      "gaussian: floats, simulation-grade; discrete: whole multiples of a grid (Canonne et al. "
        + "2020, arXiv:2004.00010)."),
    Field(
      "clipping", .choice(["flat", "adaptive"]), .value("flat"),
      "flat: the clip stays; adaptive: it follows a quantile of the norms (Andrew et al. 2021)."),
    Field(
      "quantile", .number(from: 0, to: 1), .value(0.5),
      "gamma: share of updates that an adaptive clip shall leave whole.",
      synonyms: ["gamma", "target_unclipped_quantile"]),
    Field(
      "clipRate", .number(above: 0, to: 100), .value(0.2),
      "eta_C: step of the logarithm of an adaptive clip.", synonyms: ["eta_C", "clipped_count_lr"]),
    Field(
      "assumedPopulation", .integer(1...1_000_000_000_000), .optional,
      "N that the accountant takes in place of the number of simulated clients.",
      synonyms: ["population"]),
  ]
}

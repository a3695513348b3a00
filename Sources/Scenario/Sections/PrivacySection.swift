import Accounting
import Base
import Client

/// The section `privacy`, of the scenario and of a single strategy.
extension ScenarioFields {
  static let privacy = Cases<PrivacySettings?>(
    "unit", shorthand: true,
    synonyms: [
      "record": "example", "sample": "example", "user": "client", "central": "client",
      "off": "none",
    ],
    [
      Case("none", "No privacy.", nil),
      Case(
        "example",
        "Each training example: clipped gradients of Poisson batches with noise, at each client.",
        unit(perClientTarget, Part(inner: exampleMechanism).map { .example($0) })),
      Case(
        "client", "All that a client has: its messages are clipped as one vector and get noise.",
        unit(
          commonTarget,
          Part(clientLevel, Part(inner: clientMechanism)) { mechanism, kind in
            var mechanism = mechanism
            mechanism.kind = kind
            return .client(mechanism)
          })),
    ])

  // MARK: Both units

  private static func unit(_ target: Part<Target>, _ unit: Part<PrivacySettings.Unit>) -> Part<
    PrivacySettings?
  > {
    let settings = Part(
      PrivacySettings(unit: .example(PrivacySettings.ExampleMechanism()), clip: 1, delta: 1e-5),
      noise + [
        Setting(target) { settings, target in
          settings.target = .init(epsilon: target.epsilon, isPerClient: target.isPerClient)
          settings.delta = target.delta
        }
      ])
    return Part(settings, unit) { settings, unit in
      var settings = settings
      settings.unit = unit
      return settings
    }
  }

  private static let noise: [Setting<PrivacySettings>] = [
    Setting(
      \.clip, "clip", .number(above: 0, to: 1e300), .value(1),
      "C: the largest norm of one unit's part. From 1e30 on it clips nothing; then, with a noise "
        + "multiplier of 0, the run is the one without privacy, bit for bit.",
      synonyms: ["clipNorm", "clipping_norm", "max_grad_norm", "l2_norm_clip", "C", "S"]),
    Setting(
      \.noiseMultiplier, "noiseMultiplier", .number(from: 0, to: 1e6), .optional,
      "sigma: standard deviation of the noise on the sum, divided by the clip. Without it the "
        + "target says how much noise there is; with both, the target is a budget.",
      synonyms: ["sigma", "noise_multiplier", "z", "noise"]),
    Setting(
      \.clipSchedule, "clipSchedule", .union(schedule), .optional,
      "What the clip is multiplied by over rounds; its noise follows, and epsilon stays.",
      synonyms: ["clip_schedule", "clipDecay"]),
    Setting(
      \.delta, "delta", .openShare, .derived("target.delta if given, else 1e-5", defaultDelta),
      "delta of (epsilon, delta); below 1 / number of units.", synonyms: ["target_delta"]),
  ]

  private static func defaultDelta(_ from: Derivation) -> JSON {
    let target = from.given.first { $0.key == "target" }?.value
    let delta = target?.members?.first { $0.key == "delta" }?.value.double ?? 1e-5
    return .number(delta > 0 && delta < 1 ? delta : 1e-5)
  }

  private typealias Target = (epsilon: Double, delta: Double, isPerClient: Bool)

  private static let epsilon = Part<Double>(
    "epsilon", .number(above: 0, to: 1e6), .required, "The epsilon at the end of the run.",
    synonyms: ["eps", "target_epsilon"])

  private static let targetDelta = Part<Double>(
    "delta", .openShare,
    .derived("privacy.delta") { from in
      let privacy = from.path.dropLast(".target.delta".count)
      return from.values["\(privacy).delta"] ?? .number(1e-5)
    }, "delta of the target.")

  private static let perClientTarget = Part<Target>(
    "target",
    .object(
      epsilon, targetDelta,
      Part(
        "per", .words(["client": true, "common": false]), .value("client"),
        "client: each client has noise for its own epsilon, from its size and rounds; common: "
          + "one noise multiplier, such that the largest epsilon of all is the target.")
    ) { (epsilon: $0, delta: $1, isPerClient: $2) }, .optional,
    "What the noise is chosen for; a client whose budget is used up stops taking part.",
    synonyms: ["budget"])

  private static let commonTarget = Part<Target>(
    "target", .object(epsilon, targetDelta) { (epsilon: $0, delta: $1, isPerClient: false) },
    .optional, "What the noise is chosen for.", synonyms: ["budget"])

  // MARK: Examples

  private static let exampleMechanism = Cases<PrivacySettings.ExampleMechanism>(
    "mechanism", default: "dp-sgd",
    synonyms: ["dpsgd": "dp-sgd", "dicesgd": "dice-sgd", "dice": "dice-sgd"],
    [
      Case(
        "dp-sgd", "Abadi et al. 2016, arXiv:1607.00133.", PrivacySettings.ExampleMechanism(),
        [
          Setting(
            \.clipping, "clipping", .choice(), .value("flat"),
            "flat: one norm over all parameters; per-layer: C/sqrt(L) for each of L layers; "
              + "automatic: every gradient is scaled to about C (Bu et al. 2022)."), copies,
        ]),
      Case(
        "dice-sgd", "DP-SGD with clipped error feedback (Zhang et al. 2024, arXiv:2311.14632).",
        PrivacySettings.ExampleMechanism(errorFeedback: .init(ratio: 1)),
        [
          Setting(errorRatio) { $0.errorFeedback?.ratio = $1 },
          Setting(errorCap) { $0.errorFeedback?.cap = $1 }, copies,
          Setting(
            Part(
              "errorDecay", .number(from: 0, to: 1), .value(1),
              "What is left of a client's error from one of its rounds to the next: 1 keeps it, 0 "
                + "starts anew.")
          ) { $0.errorFeedback?.decay = $1 },
          Setting(
            \.accounting, "accounting", .choice(), .value("paper"),
            "paper: as published, not independently verified; strict: from a bound on the "
              + "sensitivity of the whole run, which needs errorCap."),
        ]),
    ])

  private static let copies = Setting<PrivacySettings.ExampleMechanism>(
    \.copies, "augmentationMultiplicity", .integer(1...1024), .value(1),
    "Augmented copies of each example in a batch; their mean gradient is clipped once.",
    synonyms: ["copies", "augmult", "K"])

  private static let errorRatio = Part<Double>(
    "errorRatio", .number(from: 0, to: 1e6), .value(1),
    "rho: threshold of the error divided by the clip, in units of the sum.",
    synonyms: ["rho", "C2", "ratio"])

  private static let errorCap = Part(
    "errorCap", .number(above: 0, to: 1e300), .optional,
    "G: gradients are first clipped to this norm, at least the clip, so that nobody's part of the "
      + "error is larger than G - C.", synonyms: ["G", "preClip"]
  ).ifGiven

  // MARK: Clients

  private static let clientMechanism = Cases<PrivacySettings.ClientMechanism.Kind>(
    "mechanism", default: "dp-fedavg",
    synonyms: ["gaussian": "dp-fedavg", "dicesgd": "dice-sgd", "ef": "error-feedback"],
    [
      Case("dp-fedavg", "McMahan et al. 2018, arXiv:1710.06963.", .plain),
      Case(
        "error-feedback",
        "Each client adds what earlier clips took from it to its next update, before the clip.",
        .clientErrorFeedback),
      Case(
        "dice-sgd",
        "The server keeps what all clips took away (Zhang et al. 2024, arXiv:2311.14632).",
        errorRatio, errorCap
      ) { .serverErrorFeedback(ratio: $0, cap: $1) },
    ])

  private static let clientLevel = Part(
    PrivacySettings.ClientMechanism(),
    [
      Setting(
        \.placement, "placement", .choice(), .value("server"),
        "Who adds noise: the server; each client a share of it; each client all of it (local)."),
      Setting(
        \.noise, "noise", .choice(), .value("gaussian"),
        "gaussian: floats, simulation-grade; discrete: whole multiples of a grid (Canonne et al. "
          + "2020, arXiv:2004.00010)."), Setting(\.adaptive, adaptiveClip),
      Setting(
        \.correlation, "correlation", .union(correlation), .optional,
        "Noise that is taken back in later rounds, so that sums of rounds suffer less; none unless "
          + "given."),
      Setting(
        \.assumedPopulation, "assumedPopulation", .integer(1...1_000_000_000_000), .optional,
        "N that the accountant takes in place of the number of simulated clients.",
        synonyms: ["population"]),
    ])

  private static let correlation = Cases<PrivacySettings.ClientMechanism.Correlation>(
    "kind", shorthand: true,
    synonyms: ["bandmf": "banded", "bisr": "banded-inverse"],
    [
      Case(
        "banded", "Each row of the strategy matrix has bands (arXiv:2306.08153, arXiv:2405.13763).",
        bands
      ) { .init(.banded, bands: $0) },
      Case(
        "banded-inverse",
        "The noise of a round is a sum of as many independent ones as bands (arXiv:2505.12128).",
        bands
      ) { .init(.bandedInverse, bands: $0) },
    ])

  private static let bands = Part<Int>(
    "bands", .integer(1...ToeplitzStrategy.mostRounds), .optional, unit: "rounds",
    "Bands with the diagonal; 1 is independent noise. Without it the number with the least error "
      + "of prefix sums, where clients keep a separation.", synonyms: ["b", "bandwidth", "p"]
  ).ifGiven

  private static let adaptiveClip = Part(
    Part(
      "clipping", .words(["flat": false, "adaptive": true]), .value("flat"),
      "flat: the clip stays; adaptive: it follows a quantile of the norms (Andrew et al. 2021)."),
    Part(
      "quantile", .number(from: 0, to: 1), .value(0.5),
      "gamma: share of updates that an adaptive clip shall leave whole.",
      synonyms: ["gamma", "target_unclipped_quantile"]),
    Part(
      "clipRate", .number(above: 0, to: 100), .value(0.2),
      "eta_C: step of the logarithm of an adaptive clip.", synonyms: ["eta_C", "clipped_count_lr"])
  ) { isAdaptive, quantile, rate in
    isAdaptive ? PrivacySettings.ClientMechanism.Adaptive(quantile: quantile, rate: rate) : nil
  }
}

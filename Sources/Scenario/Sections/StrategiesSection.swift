import Aggregation
import Base
import Client

/// The section `strategies`: each method, and what is composed with it.
extension ScenarioFields {
  /// A method as it stands in the list, without what is said of all.
  struct Entry: Sendable {
    var choice: Scenario.StrategyChoice
    /// Its own section; nil takes the scenario's.
    var privacy: PrivacySettings??
    /// Its own section; nil takes the scenario's.
    var compression: CompressionSettings?

    /// The method beside the scenario's own sections.
    func choice(besides common: PrivacySettings?, _ compression: CompressionSettings?)
      -> Scenario.StrategyChoice
    {
      var choice = choice
      choice.privacy = privacy ?? common
      choice.compression = self.compression ?? compression
      return choice
    }
  }

  static func strategies(_ infos: [MethodInfo]) -> Domain<[Entry]> {
    let words = [
      "fed-avg": "fedavg", "fed_avg": "fedavg", "avg": "fedavg", "prox": "fedprox",
      "local": "local-only", "localonly": "local-only", "standalone": "local-only",
      "central": "centralised", "centralized": "centralised", "fedavgft": "fedavg-ft",
      "finetune": "fedavg-ft", "fedavg-finetune": "fedavg-ft",
    ]
    return .list(
      of: .union(Cases("kind", synonyms: words, infos.map(entry))), counts: 1...1000, unique: false)
  }

  private static func entry(_ info: MethodInfo) -> Case<Entry> {
    let none = Scenario.StrategyChoice(
      kind: info.kind, label: info.kind, settings: StrategySettings(info, [:]))
    return Case(
      info.kind, info.summary, Entry(choice: none),
      [label] + composed(info) + [
        Setting(\.choice.settings, hyperparameters(info)),
        Setting(
          \.privacy, "privacy", .union(privacy), .optional,
          "Differential privacy of this strategy, in place of the scenario's; \"none\" for none.",
          synonyms: ["dp", "differentialPrivacy"]),
        Setting(
          \.choice.client, "client", client, .over("client"),
          "What a client does in a round of this strategy; what is left out is that of the "
            + "scenario's client.", synonyms: ["local", "training"]),
        Setting(
          \.choice.isPretrained, "pretrained", .flag, .optional,
          "Whether this strategy starts from the network of model.pretrain, as all do unless it "
            + "says false: then from model.init.", synonyms: ["fromPretrained"]),
        Setting(
          \.compression, "compression", compression, .optional,
          "How this strategy's messages are encoded, in place of the scenario's; {} for plain "
            + "numbers.", synonyms: ["compress", "codec"]),
      ])
  }

  private static let label = Setting<Entry>(
    \.choice.label, "label", .text(.folderName),
    .derived("the kind; -2, -3 ... for further ones", defaultLabel),
    "The name in tables and folders; unique in a scenario.", synonyms: ["name", "title", "id"])

  /// The kind, with a number from the second of a kind on.
  private static func defaultLabel(_ from: Derivation) -> JSON {
    let digits = from.path.dropFirst("strategies[".count).prefix { $0.isNumber }
    guard let index = Int(digits), let kind = from.values["strategies[\(index)].kind"]?.text else {
      return "run"
    }
    let earlier = (0..<index).count { from.values["strategies[\($0)].kind"]?.text == kind }
    return .string(earlier == 0 ? kind : "\(kind)-\(earlier + 1)")
  }

  /// The fields that a method allows.
  private static func composed(_ info: MethodInfo) -> [Setting<Entry>] {
    var settings: [Setting<Entry>] = []
    if info.composes.contains(.loss) { settings.append(loss(info.defaultLoss)) }
    if info.composes.contains(.serverOptimizer) { settings.append(serverOptimizer) }
    if info.composes.contains(.groups) { settings.append(privateGroups) }
    if info.composes.contains(.postHoc) { settings.append(postHoc) }
    return settings
  }

  private static let privateGroups = Setting<Entry>(
    \.choice.composition.privateGroups,
    Part(
      "private", .list(of: .choice(of: ParameterGroup.self), counts: 0...3, unique: true),
      .value([]), "Parameter groups that stay at each client: norm, head, body.",
      synonyms: ["personal", "privateLayers", "local_layers"]
    ).map { Set($0) })
}

/// Losses.
extension ScenarioFields {
  private static func loss(_ initial: String) -> Setting<Entry> {
    Setting(
      \.choice.loss, "loss",
      .union(
        Cases(
          "kind", default: initial, shorthand: true,
          synonyms: [
            "ce": "cross-entropy", "bsm": "balanced-softmax", "la": "logit-adjustment",
            "ldam-drw": "ldam", "cb": "class-balanced",
          ], losses)), .value(.string(initial)), "The loss on the logits.",
      synonyms: ["criterion", "objective"])
  }

  private static let losses: [Case<LossSpec>] = [
    Case("cross-entropy", "CE(z, y).", .crossEntropy),
    Case("balanced-softmax", "CE(z + log n, y) (Ren et al. 2020, arXiv:2007.10740).", prior) {
      .balancedSoftmax(prior: $0)
    },
    Case(
      "logit-adjustment", "CE(z + tau·log pi, y) (Menon et al. 2021, arXiv:2007.07314).", tau, prior
    ) { .logitAdjustment(tau: $0, prior: $1) },
    Case(
      "focal", "-(1 - p_y)^gamma · log p_y (Lin et al. 2017, arXiv:1708.02002).",
      Part(
        "gamma", .number(from: 0, to: 100), .value(2), "Focus; 0 is cross-entropy.",
        synonyms: ["focus"])
    ) { .focal(gamma: $0) },
    Case(
      "ldam",
      "Margins by class size, with deferred re-weighting (Cao et al. 2019, arXiv:1906.07413).",
      Part(
        "maxMargin", .number(from: 0, to: 100), .value(0.5),
        "Margin of the rarest class; others have it times (n_min/n_c)^(1/4).",
        synonyms: ["margin", "max_m"]),
      Part("scale", .number(above: 0, to: 1000), .value(30), "s, multiplies logits."),
      Part(
        "reweightFrom", .number(from: 0, to: 1), .value(0.8),
        "Share of the rounds after which class weights apply; 1 for never.", synonyms: ["drw"]),
      beta
    ) { .ldam(maxMargin: $0, scale: $1, reweightFrom: $2, beta: $3) },
    Case(
      "class-balanced", "Weights (1 - beta)/(1 - beta^n_c) (Cui et al. 2019, arXiv:1901.05555).",
      beta
    ) { .classBalanced(beta: $0) },
  ]

  private static let prior = Part<Prior>(
    "prior", .choice(of: Prior.self), .value("local"),
    "Class counts: the client's own, or of all clients, which then travel once.",
    synonyms: ["counts"])

  private static let tau = Part<Double>(
    "tau", .number(from: 0, to: 100), .value(1), "Strength; 1 is consistent for the balanced error."
  )

  private static let beta = Part<Double>(
    "beta", .decay, .value(0.9999), "Of the effective number of examples.")

  private static let postHoc = Setting<Entry>(
    \.choice.postHoc, "postHoc",
    .union(
      Cases(
        "kind", default: "none", shorthand: true,
        synonyms: ["tau-norm": "tau-normalised", "la": "logit-adjustment"],
        [
          Case("none", "The model as it is.", .none),
          Case(
            "tau-normalised", "w_c/|w_c|^tau (Kang et al. 2020, arXiv:1910.09217).", tau,
            Part("keepBias", .flag, .value(false), "Whether the bias stays; not so in the paper.")
          ) { .tauNormalised(tau: $0, keepsBias: $1) },
          Case(
            "logit-adjustment",
            "z - tau·log pi, pi over all clients (Menon et al. 2021, arXiv:2007.07314).", tau
          ) { .logitAdjustment(tau: $0) },
        ])), .value("none"), "A change of the generic model's classifier before it is measured.",
    synonyms: ["post_hoc", "posthoc"])
}

/// The server's optimizers.
extension ScenarioFields {
  private static let serverOptimizer = Setting<Entry>(
    \.choice.composition.serverOptimizer, "serverOptimizer",
    .union(
      Cases(
        "kind", default: "sgd", shorthand: true,
        synonyms: ["avgm": "sgd", "fedadam": "adam", "fedyogi": "yogi", "fedadagrad": "adagrad"],
        [
          Case(
            "sgd", "w + rate·u, u = momentum·u + mean update.", ServerOptimizer(.sgd),
            [
              serverRate(1),
              Setting(
                \.momentum, "momentum", .decay, .value(0),
                "Decay of the server's momentum; 0 with rate 1 is plain averaging."),
            ]),
          Case(
            "adagrad", "Reddi et al. 2021, arXiv:2003.00295.", ServerOptimizer(.adagrad),
            [serverRate(0.1), adaptivity]),
          Case("adam", "Reddi et al. 2021, arXiv:2003.00295.", ServerOptimizer(.adam), adaptive),
          Case("yogi", "Reddi et al. 2021, arXiv:2003.00295.", ServerOptimizer(.yogi), adaptive),
        ])), .value("sgd"), "How the server applies the mean update.",
    synonyms: ["server_optimizer", "server", "serverOptimiser"])

  private static func serverRate(_ value: JSON) -> Setting<ServerOptimizer> {
    Setting(
      \.learningRate, "learningRate", .number(above: 0, to: 1e6), .value(value),
      "The server's step size.", synonyms: ["lr", "eta_g", "server_lr"])
  }

  private static let adaptive: [Setting<ServerOptimizer>] = [
    serverRate(0.01), Setting(\.beta1, "beta1", .decay, .value(0.9), "Decay of the first moment."),
    Setting(\.beta2, "beta2", .number(from: 0, to: 1), .value(0.99), "Decay of the second moment."),
    adaptivity,
  ]

  private static let adaptivity = Setting<ServerOptimizer>(
    \.tau, "tau", .number(above: 0, to: 1e6), .value(1e-3),
    "Degree of adaptivity, added to the root of the second moment.", synonyms: ["epsilon", "eps"])
}

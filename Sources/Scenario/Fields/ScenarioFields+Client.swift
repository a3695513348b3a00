import Base

extension ScenarioFields {
  /// The section `client`.
  package static let client: [Field] = [
    Field(
      "work",
      .object([
        Field(
          "epochs", .number(above: 0, to: 1e6), .value(1), unit: "epochs",
          "Passes over the client's examples; fractions are allowed.",
          synonyms: ["local_epochs", "local_ep", "E", "localEpochs"], excludes: "steps"),
        Field(
          "steps", .integer(1...1_000_000_000), .optional, unit: "steps",
          "Exactly this many steps, instead of epochs.",
          synonyms: ["local_steps", "local_update_steps", "iterations"], excludes: "epochs"),
      ]), .value([:]), "How much a client trains in a round."),
    Field(
      "batch", .integer(1...1_000_000), .value(32), unit: "examples",
      "Examples per step; the last batch of an epoch may be shorter.",
      synonyms: ["batch_size", "batchSize", "bs", "B", "local_bs"]),
    Field(
      "order", .choice(of: ClientSettings.Order.self), .value("shuffled"),
      "A new permutation in every epoch, or the partition's order (to replay elsewhere).",
      synonyms: ["shuffle"]),
    Field(
      "optimizer", .union(optimizer), .value([:]), "The local optimizer, new in every round.",
      synonyms: ["optimiser", "opt"]),
    Field(
      "schedule", .union(schedule), .value([:]), "The learning rate over rounds.",
      synonyms: ["scheduler", "lr_scheduler", "lr_schedule"]),
  ]

  private static func rate(_ value: JSON) -> Field {
    Field(
      "learningRate", .number(above: 0, to: 1e6), .value(value), "Step size η.",
      synonyms: ["lr", "eta", "local_lr", "client_lr", "stepSize", "learning_rate"])
  }

  private static func decay(_ value: JSON, _ summary: String) -> Field {
    Field(
      "weightDecay", .number(from: 0, to: 1e6), .value(value), summary,
      synonyms: ["wd", "weight_decay", "l2"])
  }

  private static let moments: [Field] = [
    Field(
      "beta1", .number(NumberRange(0, 1, exclusiveMaximum: true)), .value(0.9),
      "Decay of the first moment.", synonyms: ["betas"]),
    Field(
      "beta2", .number(NumberRange(0, 1, exclusiveMaximum: true)), .value(0.999),
      "Decay of the second moment."),
    Field(
      "epsilon", .number(above: 0, to: 1), .value(1e-8), "Added to the root of the second moment.",
      synonyms: ["eps"]),
  ]

  package static let optimizer = Union(
    "kind", default: "sgd", synonyms: ["momentum": "sgd", "adam-w": "adamw"],
    [
      Variant(
        "sgd", "Stochastic gradient descent, as torch.optim.SGD.",
        [
          rate(0.05),
          Field(
            "momentum", .number(NumberRange(0, 1, exclusiveMaximum: true)), .value(0.9),
            "Momentum ρ.", synonyms: ["rho", "beta"]),
          Field("nesterov", .flag, .value(false), "Nesterov's form; needs momentum > 0."),
          decay(5e-4, "Weight decay λ, added to the gradient."),
        ]),
      Variant(
        "adam", "Adam (Kingma and Ba 2015).",
        [rate(0.001)] + moments + [decay(0, "Weight decay λ, added to the gradient.")]),
      Variant(
        "adamw", "AdamW (Loshchilov and Hutter 2019).",
        [rate(0.001)] + moments + [decay(0.01, "Weight decay λ, decoupled.")]),
    ])

  private static let warmup = Field(
    "warmup", .integer(0...1_000_000), .value(0), unit: "rounds",
    "Rounds over which the rate rises linearly.",
    synonyms: ["warmup_rounds", "warmupRounds", "warmup_epochs"])

  package static let schedule = Union(
    "kind", default: "constant", synonyms: ["steplr": "step", "none": "constant"],
    [
      Variant("constant", "The same rate in every round.", [warmup]),
      Variant(
        "step", "Multiplied by `factor` after every `every` rounds.",
        [
          Field(
            "every", .integer(1...1_000_000), .required, unit: "rounds", "Rounds between steps.",
            synonyms: ["step_size", "interval"]),
          Field(
            "factor", .number(above: 0, to: 1), .value(0.1), "The multiplier.",
            synonyms: ["gamma", "decay"]), warmup,
        ]),
      Variant(
        "cosine", "Falls along half a cosine to `floor` times the rate.",
        [
          Field(
            "floor", .number(from: 0, to: 1), .value(0), "Share of the rate left at the end.",
            synonyms: ["min", "eta_min", "minimum"]), warmup,
        ]),
    ])
}

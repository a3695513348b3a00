import Base
import Client
import Tensor

extension ScenarioFields {
  /// The section `client`.
  static let client = Domain<ClientSettings>.object(
    ClientSettings(work: .epochs(1), batch: 1, optimizer: OptimizerSpec(learningRate: 0)),
    [
      Setting(\.work, "work", work, .value([:]), "How much a client trains in a round."),
      Setting(
        \.batch, "batch", .integer(1...1_000_000), .value(32), unit: "examples",
        "Examples per step; the last batch of an epoch may be shorter.",
        synonyms: ["batch_size", "batchSize", "bs", "B", "local_bs"]),
      Setting(
        \.order, "order", .choice(), .value("shuffled"),
        "A new permutation in every epoch, or the partition's order (to replay elsewhere).",
        synonyms: ["shuffle"]),
      Setting(
        \.optimizer, "optimizer", .union(optimizer), .value([:]),
        "The local optimizer, new in every round.", synonyms: ["optimiser", "opt"]),
      Setting(
        \.schedule, "schedule", .union(schedule), .value([:]), "The learning rate over rounds.",
        synonyms: ["scheduler", "lr_scheduler", "lr_schedule"]),
    ])

  private static let work = Domain<ClientSettings.Work>.object(
    Part(
      "epochs", .number(above: 0, to: 1e6), .value(1), unit: "epochs",
      "Passes over the client's examples; fractions are allowed.",
      synonyms: ["local_epochs", "local_ep", "E", "localEpochs"], excludes: "steps"
    ).ifGiven,
    Part(
      "steps", .integer(1...1_000_000_000), .optional, unit: "steps",
      "Exactly this many steps, instead of epochs.",
      synonyms: ["local_steps", "local_update_steps", "iterations"], excludes: "epochs"
    ).ifGiven
  ) { epochs, steps in steps.map { .steps($0) } ?? .epochs(epochs ?? 1) }

  private static func rate(_ value: JSON) -> Setting<OptimizerSpec> {
    Setting(
      \.learningRate, "learningRate", .number(above: 0, to: 1e6), .value(value), "Step size η.",
      synonyms: ["lr", "eta", "local_lr", "client_lr", "stepSize", "learning_rate"])
  }

  private static func decay(_ value: JSON, _ summary: String) -> Setting<OptimizerSpec> {
    Setting(
      \.weightDecay, "weightDecay", .number(from: 0, to: 1e6), .value(value), summary,
      synonyms: ["wd", "weight_decay", "l2"])
  }

  private static let moments: [Setting<OptimizerSpec>] = [
    Setting(
      \.beta1, "beta1", .decay, .value(0.9), "Decay of the first moment.", synonyms: ["betas"]),
    Setting(\.beta2, "beta2", .decay, .value(0.999), "Decay of the second moment."),
    Setting(
      \.epsilon, "epsilon", .number(above: 0, to: 1), .value(1e-8),
      "Added to the root of the second moment.", synonyms: ["eps"]),
  ]

  static let optimizer = Cases<OptimizerSpec>(
    "kind", default: "sgd", synonyms: ["momentum": "sgd", "adam-w": "adamw"],
    [
      Case(
        "sgd", "Stochastic gradient descent, as torch.optim.SGD.",
        OptimizerSpec(kind: .sgd, learningRate: 0),
        [
          rate(0.05),
          Setting(
            \.momentum, "momentum", .decay, .value(0.9), "Momentum ρ.", synonyms: ["rho", "beta"]),
          Setting(
            \.nesterov, "nesterov", .flag, .value(false), "Nesterov's form; needs momentum > 0."),
          decay(5e-4, "Weight decay λ, added to the gradient."),
        ]),
      Case(
        "adam", "Adam (Kingma and Ba 2015).", OptimizerSpec(kind: .adam, learningRate: 0),
        [rate(0.001)] + moments + [decay(0, "Weight decay λ, added to the gradient.")]),
      Case(
        "adamw", "AdamW (Loshchilov and Hutter 2019).",
        OptimizerSpec(kind: .adamw, learningRate: 0),
        [rate(0.001)] + moments + [decay(0.01, "Weight decay λ, decoupled.")]),
    ])

  private static let warmup = Part(
    "warmup", .integer(0...1_000_000), .value(0), unit: "rounds",
    "Rounds over which the rate rises linearly.",
    synonyms: ["warmup_rounds", "warmupRounds", "warmup_epochs"])

  static let schedule = Cases<LearningRateSchedule>(
    "kind", default: "constant", synonyms: ["steplr": "step", "none": "constant"],
    [
      Case("constant", "The same rate in every round.", warmup) {
        LearningRateSchedule(.constant, warmupRounds: $0)
      },
      Case(
        "step", "Multiplied by `factor` after every `every` rounds.",
        Part(
          "every", .integer(1...1_000_000), .required, unit: "rounds", "Rounds between steps.",
          synonyms: ["step_size", "interval"]),
        Part(
          "factor", .number(above: 0, to: 1), .value(0.1), "The multiplier.",
          synonyms: ["gamma", "decay"]), warmup
      ) { LearningRateSchedule(.step(every: $0, factor: $1), warmupRounds: $2) },
      Case(
        "cosine", "Falls along half a cosine to `floor` times the rate.",
        Part(
          "floor", .number(from: 0, to: 1), .value(0), "Share of the rate left at the end.",
          synonyms: ["min", "eta_min", "minimum"]), warmup
      ) { LearningRateSchedule(.cosine(floor: $0), warmupRounds: $1) },
    ])
}

/// Checks of `client`.
extension ScenarioChecks {
  /// `path`: the scenario's section, or that of a strategy.
  mutating func checkClient(at path: String) {
    checkOptimizer(at: "\(path).optimizer")
    if let warmup = int("\(path).schedule.warmup"), let rounds = int("federation.rounds"),
      warmup > 0, warmup >= rounds, says("\(path).schedule.warmup")
    {
      warn(
        "W3010", "\(path).schedule.warmup",
        "warm-up of \(warmup) rounds does not end within the \(rounds) rounds of the run")
    }
  }

  /// The section that holds for the strategy at a path: its own or the scenario's.
  func clientSection(of strategy: String) -> String {
    lines["\(strategy).client"] == nil ? "client" : "\(strategy).client"
  }

  /// Whether a value stands where it is, and does not come from the section beneath.
  func says(_ path: String) -> Bool { lines[path] != Problem.inheritedLine }

  /// An optimizer of the scenario, such as that of pre-training.
  mutating func checkOptimizer(at path: String) {
    guard values["\(path).nesterov"]?.truth == true, number("\(path).momentum") == 0,
      says("\(path).nesterov") || says("\(path).momentum")
    else { return }
    error(
      "E3207", "\(path).nesterov", "found true; Nesterov's form needs momentum > 0",
      hint: "set momentum to 0.9, or nesterov to false")
  }
}

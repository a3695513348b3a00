import Base

/// Fields of how a cohort is drawn.
extension ScenarioFields {
  package static let sampling = Field(
    "sampling",
    .union(
      Union(
        "kind", default: "uniform", shorthand: true,
        synonyms: [
          "random": "uniform", "fixed": "uniform", "bernoulli": "poisson",
          "pow-d": "power-of-choice", "powd": "power-of-choice",
          "power_of_choice": "power-of-choice",
        ],
        [
          Variant("uniform", "A fixed number without replacement."),
          Variant("poisson", "Each client by a coin."),
          Variant(
            "power-of-choice", "A fixed number: of some candidates those with the largest losses.",
            powerOfChoice),
          Variant("oort", "A fixed number, by utility: large losses, fast and new clients.", oort),
        ])), .value("uniform"), "How a cohort is drawn.", synonyms: ["selection", "sampler"])

  private static let powerOfChoice: [Field] = [
    Field(
      "candidates", .integer(1...10_000_000),
      .derived("twice the cohort, at most all clients") { from in
        let clients = from.values["federation.clients"]?.int ?? 1
        let cohort =
          from.values["federation.perRound"]?.int
          ?? cohort(clients, from.values["federation.participation"]?.double ?? 1)
        return .int(max(1, min(2 * cohort, clients)))
      }, unit: "clients",
      "Candidates d, drawn with probabilities proportional to their numbers of examples.",
      synonyms: ["d", "num_candidates", "pool"]),
    Field(
      "loss", .choice(of: FederationSettings.PowerOfChoice.Loss.self), .value("exact"),
      "Which loss decides: of the current model on all examples of each candidate, who is sent the "
        + "model and reports; or what a client reported when it last took part."),
  ]

  private static func cohort(_ clients: Int, _ participation: Double) -> Int {
    max(1, Int(clamping: (min(max(participation, 0), 1) * Double(clients)).rounded()))
  }

  private static let oort: [Field] = {
    let usual = FederationSettings.Oort()
    func share(_ name: String, _ value: Double, _ summary: String, _ synonyms: [String] = [])
      -> Field
    { Field(name, .number(from: 0, to: 1), .value(.number(value)), summary, synonyms: synonyms) }
    return [
      share(
        "exploration", usual.exploration,
        "Share of the first cohort that goes to clients nobody knows yet, epsilon.",
        ["epsilon", "exploration_factor"]),
      share(
        "explorationDecay", usual.explorationDecay,
        "What epsilon is multiplied by after each round.", ["exploration_decay"]),
      share(
        "explorationMinimum", usual.explorationMinimum, "Epsilon never falls below this.",
        ["exploration_min"]),
      share(
        "cutOff", usual.cutOff,
        "Clients at or above this share of the cut-off utility may be drawn, c.",
        ["cut_off_util", "cutoff"]),
      share(
        "clip", usual.clip, "Utilities above this quantile count as the quantile; 1 for none.",
        ["clip_bound"]),
      Field(
        "penalty", .number(from: 0, to: 100), .value(.number(usual.penalty)),
        "How much clients slower than T lose, alpha; without a clock nobody does.",
        synonyms: ["alpha", "round_penalty"]),
      Field(
        "pacerStep", .number(above: 0, to: 1e9), .value(.number(usual.pacerStep)), unit: "seconds",
        "What the preferred duration T starts from and grows by; without a clock it has no effect.",
        synonyms: ["pacer_delta", "delta"]),
      Field(
        "pacerWindow", .integer(1...1_000_000), .value(.int(usual.pacerWindow)), unit: "rounds",
        "Rounds W over which utilities are added up before T may grow.",
        synonyms: ["pacer_step", "window"]),
    ]
  }()
}

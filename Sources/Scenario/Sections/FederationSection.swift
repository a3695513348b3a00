import Aggregation
import Base

/// The section `federation`.
extension ScenarioFields {
  static let federation = Domain<FederationSettings>.object(
    Part(
      "clients", .integer(1...10_000_000), .value(20), "Number of clients K.",
      synonyms: [
        "num_clients", "numClients", "n_clients", "total_clients", "client_num", "K", "num_users",
      ]),
    Part(
      "rounds", .integer(0...1_000_000), .value(100),
      "Number of rounds; 0 writes the initial model and evaluates it.",
      synonyms: [
        "num_rounds", "numRounds", "global_rounds", "num-server-rounds", "global_epoch",
        "total_round_num", "T", "communication_rounds",
      ]),
    Part(
      "participation", .number(above: 0, to: 1), .value(1), "Share of clients in a round.",
      synonyms: ["frac", "fraction", "fraction-fit", "join_ratio", "C", "sample_rate"],
      excludes: "perRound"
    ).ifGiven,
    Part(
      "perRound", .integer(1...10_000_000), .optional, unit: "clients",
      "Clients in a round, as a count instead of a share.",
      synonyms: ["cohort", "cohort_size", "clients_per_round", "per_round", "eligible_perc"],
      excludes: "participation"
    ).ifGiven,
    Part(
      "sampling", .union(sampling), .value("uniform"), "How a cohort is drawn.",
      synonyms: ["selection", "sampler"]),
    Part(
      "weighting", .choice(of: FederationSettings.Weighting.self), .value("samples"),
      "Weights of updates in the mean: by number of training examples, or all alike.",
      synonyms: ["weights", "weighted"]),
    Part(
      "extended", .list(of: .integer(0...1_000_000), counts: 1...1000, unique: true), .optional,
      unit: "rounds",
      "Last rounds of before, ascending, that fedsim resume --set federation.rounds=N extended; "
        + "models were measured there. Runs keep the identity that they began with."
    ).ifGiven
  ) { clients, rounds, share, count, sampling, weighting, extended in
    var settings = FederationSettings(
      clients: clients, rounds: rounds,
      // c / K · K rounds to c again for every c ≤ K ≤ 10⁷: the error is below K · 2⁻⁵².
      participation: count.map { Double($0) / Double(clients) } ?? share ?? 1, sampling: sampling,
      weighting: weighting)
    settings.extended = extended ?? []
    return settings
  }

  private static let sampling = Cases<FederationSettings.Sampling>(
    "kind", default: "uniform", shorthand: true,
    synonyms: [
      "random": "uniform", "fixed": "uniform", "bernoulli": "poisson", "pow-d": "power-of-choice",
      "powd": "power-of-choice", "power_of_choice": "power-of-choice",
    ],
    [
      Case("uniform", "A fixed number without replacement.", .uniform),
      Case("poisson", "Each client independently, with the same probability.", .poisson),
      Case(
        "power-of-choice", "A fixed number: of some candidates those with the largest losses.",
        candidates,
        Part(
          "loss", .choice(of: FederationSettings.PowerOfChoice.Loss.self), .value("exact"),
          "Which loss decides: of the current model on all examples of each candidate, who is sent "
            + "the model and reports; or what a client reported when it last took part.")
      ) { .powerOfChoice(FederationSettings.PowerOfChoice(candidates: $0, loss: $1)) },
      Case(
        "oort", "A fixed number, by utility: large losses, fast and new clients.",
        Part(FederationSettings.Oort(), oort).map { .oort($0) }),
      Case(
        "separated",
        "A fixed number without replacement among clients that have rested, for noise that is "
          + "correlated over rounds.", separation, participations
      ) { .separated(FederationSettings.Separated(separation: $0, participations: $1)) },
      Case(
        "cyclic-poisson",
        "Clients are split once into groups that take turns; within a group each independently.",
        Part<Int>(
          "groups", .integer(1...1_000_000), .value(1),
          "Groups b: round t asks group t mod b, each client with probability b·participation.",
          synonyms: ["b", "num_groups"])
      ) { .cyclicPoisson(groups: $0) },
    ])

  private static let separation = Part<Int>(
    "separation", .integer(1...1_000_000), .value(1), unit: "rounds",
    "Two rounds of one client are at least so far apart, b; 1 is as \"uniform\".",
    synonyms: ["b", "min_sep", "minSeparation"])

  private static let participations = Part<Int>(
    "participations", .integer(1...1_000_000), .optional, unit: "rounds",
    "Rounds in which one client takes part at most, k; as many as the separation allows.",
    synonyms: ["k", "max_participations"]
  ).ifGiven

  private static let candidates = Part<Int>(
    "candidates", .integer(1...10_000_000),
    .derived("twice the cohort, at most all clients") { from in
      let clients = from.values["federation.clients"]?.int ?? 1
      let share = from.values["federation.participation"]?.double ?? 1
      let cohort =
        from.values["federation.perRound"]?.int
        ?? max(1, Int(clamping: (share * Double(clients)).rounded()))
      return .int(max(1, min(2 * cohort, clients)))
    }, unit: "clients",
    "Candidates d, drawn with probabilities proportional to their numbers of examples.",
    synonyms: ["d", "num_candidates", "pool"])

  private static let oort: [Setting<FederationSettings.Oort>] = [
    utility(
      \.exploration, "exploration", from: 0, to: 1,
      "Share of the first cohort that goes to clients nobody knows yet, epsilon.",
      ["epsilon", "exploration_factor"]),
    utility(
      \.explorationDecay, "explorationDecay", from: 0, to: 1,
      "What epsilon is multiplied by after each round.", ["exploration_decay"]),
    utility(
      \.explorationMinimum, "explorationMinimum", from: 0, to: 1, "Epsilon never falls below this.",
      ["exploration_min"]),
    utility(
      \.cutOff, "cutOff", from: 0, to: 1,
      "Clients at or above this share of the cut-off utility may be drawn, c.",
      ["cut_off_util", "cutoff"]),
    utility(
      \.clip, "clip", from: 0, to: 1,
      "Utilities above this quantile count as the quantile; 1 for none.", ["clip_bound"]),
    utility(
      \.penalty, "penalty", from: 0, to: 100,
      "How much clients slower than T lose, alpha; without a clock nobody does.",
      ["alpha", "round_penalty"]),
    Setting(
      \.pacerStep, "pacerStep", .number(above: 0, to: 1e9),
      .value(.number(FederationSettings.Oort().pacerStep)), unit: "seconds",
      "What the preferred duration T starts from and grows by; without a clock it has no effect.",
      synonyms: ["pacer_delta", "delta"]),
    Setting(
      \.pacerWindow, "pacerWindow", .integer(1...1_000_000),
      .value(.int(FederationSettings.Oort().pacerWindow)), unit: "rounds",
      "Rounds W over which utilities are added up before T may grow.",
      synonyms: ["pacer_step", "window"]),
  ]

  private static func utility(
    _ path: any WritableKeyPath<FederationSettings.Oort, Double> & Sendable, _ name: String,
    from minimum: Double, to maximum: Double, _ summary: String, _ synonyms: [String]
  ) -> Setting<FederationSettings.Oort> {
    let usual = FederationSettings.Oort()[keyPath: path]
    return Setting(
      path, name, .number(from: minimum, to: maximum), .value(.number(usual)), summary,
      synonyms: synonyms)
  }
}

/// Checks of `federation`.
extension ScenarioChecks {
  mutating func checkFederation() {
    guard let clients = int("federation.clients"), let rounds = int("federation.rounds") else {
      return
    }
    if values["seeds"]?.elements?.count == 1 {
      warn(
        "W3001", "seeds", "single seed: no interval can be given",
        hint: "three seeds or more show how sure a difference is")
    }
    let ends = (values["federation.extended"]?.elements ?? []).compactMap(\.int) + [rounds]
    if zip(ends, ends.dropFirst()).contains(where: { $0 >= $1 }) {
      error(
        "E3223", "federation.extended",
        "found \(JSON.array(ends.dropLast().map(JSON.int)).compact); expected ascending rounds "
          + "below federation.rounds, \(rounds)",
        hint: "fedsim resume DIR --set federation.rounds=N writes it")
    }
    if rounds == 0 {
      warn("W3007", "federation.rounds", "0 rounds: the initial model is evaluated and written")
    }
    if let count = int("federation.perRound"), count > clients {
      error(
        "E3202", "federation.perRound", "found \(count); there are only \(clients) clients",
        suggestion: "\(clients)")
      return
    }
    let given = number("federation.participation")
    guard let share = given ?? int("federation.perRound").map({ Double($0) / Double(clients) }),
      rounds > 0
    else { return }
    let size = max(1, (share * Double(clients)).rounded())
    checkSelection(clients: clients, cohort: Int(size))
    checkSchedule(clients: clients, rounds: rounds, cohort: Int(size), share: share)
    let cohort = size / Double(clients)
    let absent = pow(1 - cohort, Double(rounds)) * Double(clients)
    let isRandom = ["uniform", "poisson"].contains(text("federation.sampling.kind"))
    if isRandom, absent >= 1 {
      let path = given == nil ? "federation.perRound" : "federation.participation"
      warn(
        "W3004", path,
        "about \(JSON.number(absent.rounded()).compact) of \(clients) clients will never take "
          + "part in \(rounds) rounds", hint: "raise rounds or participation")
    }
  }

  /// The number of candidates against the cohort and the federation.
  mutating func checkSelection(clients: Int, cohort: Int) {
    guard let candidates = int("federation.sampling.candidates") else { return }
    if candidates < cohort || candidates > clients {
      error(
        "E3210", "federation.sampling.candidates",
        "found \(candidates); a cohort has \(cohort) of \(clients) clients",
        suggestion: "\(min(max(candidates, cohort), clients))",
        hint: "candidates are at least the cohort and at most all clients")
    }
  }

  /// Whether there are clients enough for cohorts whose clients rest or take turns.
  private mutating func checkSchedule(clients: Int, rounds: Int, cohort: Int, share: Double) {
    switch text("federation.sampling.kind") {
    case "separated":
      // Beyond the last round nobody needs to rest.
      let separation = min(int("federation.sampling.separation") ?? 1, rounds)
      let needed = cohort.multipliedClamped(by: separation)
      if needed > clients {
        error(
          "E3211", "federation.sampling.separation",
          "found \(separation); cohorts of \(cohort) need \(needed) clients so that each can rest, "
            + "and there are \(clients)", suggestion: "\(max(1, clients / cohort))",
          hint: "lower the separation or the cohort")
      } else if let most = int("federation.sampling.participations"),
        most.multipliedClamped(by: clients) < cohort.multipliedClamped(by: rounds)
      {
        error(
          "E3211", "federation.sampling.participations",
          "found \(most); \(clients) clients fill at most \(most.multipliedClamped(by: clients)) "
            + "places, and \(rounds) rounds of \(cohort) have "
            + "\(cohort.multipliedClamped(by: rounds))",
          hint: "raise participations, or take fewer rounds or smaller cohorts")
      }
    case "cyclic-poisson":
      let groups = int("federation.sampling.groups") ?? 1
      if Double(groups) * share > 1 + 1e-9 || groups > clients {
        error(
          "E3211", "federation.sampling.groups",
          "found \(groups); a group of \(NumberText.short(Double(clients) / Double(groups))) "
            + "clients has no cohort of \(NumberText.short(share * Double(clients)))",
          suggestion: "\(max(1, min(clients, Int(clamping: 1 / share))))",
          hint: "lower the number of groups or the participation")
      }
    default: break
    }
  }

  /// Selection against methods and privacy; the scenario is valid otherwise.
  mutating func checkSelection(_ scenario: Scenario) {
    let sampling = scenario.federation.sampling
    guard sampling.readsLosses else { return }
    for method in scenario.methods {
      guard let settings = method.choice.privacy, !settings.isInert else { continue }
      error(
        "E3335", method.path,
        "\(method.label) has privacy, but federation.sampling is \"\(sampling.word)\": accounting "
          + "assumes cohorts at random, and reported losses leave unprotected",
        hint: "set federation.sampling to \"uniform\" or \"poisson\", or leave privacy out")
    }
    if scenario.methods.count(where: { $0.type.population == .cohort }) > 1 {
      warn(
        "W3035", "federation.sampling",
        "cohorts follow each method's own losses: the strategies do not share them")
    }
  }
}

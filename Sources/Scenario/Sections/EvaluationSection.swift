import Base

/// The section `evaluation`.
extension ScenarioFields {
  static let evaluation = Domain<EvaluationSettings>.object(
    EvaluationSettings(every: 1),
    [
      Setting(
        \.every, "every", .integer(1...1_000_000),
        .derived("5 % of the rounds, at least 1") { from in
          let first = from.values["federation.extended"]?.elements?.first?.int
          let rounds = first ?? from.values["federation.rounds"]?.int ?? 100
          return .int(max(1, (rounds + 19) / 20))
        }, unit: "rounds",
        "Rounds between evaluations; the first and the last round are always evaluated.",
        synonyms: ["interval", "frequency", "eval_every", "test_gap", "freq"]),
      Setting(
        \.targets, "targets",
        .object(
          target(.generic, "Of the generic model on the global test set."),
          target(.personal, "Of the clients' own models on their local tests, mean over clients.")
        ) { $0 + $1 }, .optional,
        "Accuracies, as shares; for each the report says in which round it was reached first, and "
          + "what had been spent until then.",
        synonyms: ["target", "targetAccuracy", "target_accuracy", "thresholds"]),
      Setting(
        \.diagnostics, "diagnostics", .flag, .value(true),
        "Whether the generic model of a finished run is measured once more: calibration, weight "
          + "norms and neural collapse, in diagnostics.json and in the report.",
        synonyms: ["calibration", "neuralCollapse", "neural_collapse"]),
      Setting(
        \.validation, "validation", .number(above: 0, to: 0.9), .optional,
        "Share of each client's training images that nobody trains on; models are measured on them "
          + "at every evaluation, so that choices need no test image.",
        synonyms: ["validationShare", "val", "val_split", "validation_split"]),
      Setting(
        \.selectBy, "selectBy", .choice(of: SelectionMetric.self), .optional,
        "By what rounds are ranked on validation images; generic.balancedAccuracy unless given, or "
          + "personal.accuracy for a method without a generic model.",
        synonyms: ["monitor", "metric", "selection"]),
      Setting(
        \.best, "best", .flag, .optional,
        "Whether results are those of the best round by validation, not of the last one.",
        synonyms: ["bestRound", "best_model", "load_best"]),
      Setting(
        \.patience, "patience", .integer(1...1_000_000), .optional, unit: "evaluations",
        "A run ends after so many evaluations in a row without a better one on validation images.",
        synonyms: ["earlyStopping", "early_stopping", "early_stop"]),
      Setting(
        \.averageDecay, "ema", .decay, .optional,
        "Decay of the exponential moving average over rounds that is measured in place of the "
          + "generic model; left out: none. Clients train from the model itself.",
        synonyms: ["emaDecay", "ema_decay", "averaging", "polyak"]),
      Setting(
        \.unseen, "unseen",
        .object(
          UnseenClients(),
          [
            Setting(
              \.clients, "clients", .integer(1...1_000_000), .required, unit: "clients",
              "How many; the data are split among them and federation.clients alike.",
              synonyms: ["count", "n"]),
            Setting(
              \.rounds, "rounds", .integer(0...1000), .value(1), unit: "rounds",
              "Rounds of the method's local training on a client's own images before its model is "
                + "measured; nothing of it reaches the server.", synonyms: ["epochs"]),
          ]), .optional,
        "Clients that are in no cohort: at every evaluation each is personalised from what it has, "
          + "and measured.", synonyms: ["clients", "newClients", "holdoutClients", "test_clients"]),
    ])

  private static func target(_ model: AccuracyTarget.Model, _ summary: String) -> Part<
    [AccuracyTarget]
  > {
    Part(
      model.rawValue, .list(of: .number(above: 0, to: 1), counts: 0...100, unique: true),
      .value([]), summary
    ).map { $0.map { AccuracyTarget(model, $0) } }
  }
}

/// Checks of `evaluation`.
extension ScenarioChecks {
  mutating func checkEvaluation() {
    let path = "evaluation"
    if values["\(path).validation"] == nil {
      for name in ["selectBy", "best", "patience"] where values["\(path).\(name)"] != nil {
        if name == "best", values["\(path).best"]?.truth == false { continue }
        error(
          "E3220", "\(path).\(name)", "rounds are ranked by validation images, and there are none",
          hint: "set \(path).validation, for example to 0.1")
      }
    } else if values["\(path).selectBy"] != nil, values["\(path).best"]?.truth != true,
      values["\(path).patience"] == nil
    {
      warn(
        "W3021", "\(path).selectBy", "no effect: neither best nor patience asks for the best round")
    }
    if let patience = int("\(path).patience"), let every = int("\(path).every"),
      let rounds = int("federation.rounds"), patience >= 1 + rounds / every
    {
      warn(
        "W3021", "\(path).patience",
        "no effect: \(rounds) rounds have at most \(1 + rounds / every) evaluations")
    }
    if lines["\(path).unseen"] != nil, lines["clientModels"] != nil {
      error(
        "E3221", "\(path).unseen",
        "clientModels says which network each client has, but not theirs",
        hint: "leave one of the two out")
    }
  }

  /// What the choice of rounds needs of the methods; the scenario is valid otherwise.
  mutating func checkSelectionMetric(_ scenario: Scenario) {
    let evaluation = scenario.evaluation
    guard evaluation.validation != nil else { return }
    for method in scenario.methods {
      if method.choice.privacy?.isInert == false, evaluation.best || evaluation.patience != nil {
        warn(
          "W3022", "evaluation.\(evaluation.best ? "best" : "patience")",
          "\(method.label): epsilon covers the training, not the choice of the round by validation "
            + "images, which are not protected")
      }
    }
  }
}

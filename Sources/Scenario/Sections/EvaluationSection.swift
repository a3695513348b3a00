import Base

/// The section `evaluation`.
extension ScenarioFields {
  static let evaluation = Domain<EvaluationSettings>.object(
    EvaluationSettings(every: 1),
    [
      Setting(
        \.every, "every", .integer(1...1_000_000),
        .derived("5 % of the rounds, at least 1") { from in
          let rounds = from.values["federation.rounds"]?.int ?? 100
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

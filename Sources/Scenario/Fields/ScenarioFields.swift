import Aggregation
import Base

/// The whole scenario as a table.
///
/// The strategies' part comes from their cards.
package enum ScenarioFields {
  /// Integers up to here survive every JSON reader.
  package static let largestSeed = 1 << 53

  package static func root(cards: [StrategyCard]) -> [Field] {
    [
      Field(
        "fedsim", .integer(1...1), .required, "Version of the scenario format: 1.",
        synonyms: ["version", "schemaVersion"]),
      Field(
        "name", .text(.folderName), .derived("the file's name", defaultName),
        "Names the run folder and the report.", synonyms: ["title", "experiment", "run_name"]),
      Field(
        "seeds", .list(of: .integer(0...largestSeed), counts: 1...10_000, unique: true),
        .value([1, 2, 3]),
        "One run per strategy and seed. For one seed all strategies share split, initial weights, "
          + "cohorts and batch order.", synonyms: ["seed", "random_seed", "randomSeed"]),
      Field("data", .object(data), .required, "Where examples come from and how they are spread."),
      Field(
        "federation", .object(federation), .value([:]), "Who takes part, when, with what weight.",
        synonyms: ["server", "fl"]),
      Field(
        "model", .union(model.union.adding(pretrain)), .value([:]), "The network.",
        synonyms: ["network", "net"]), clientModels,
      Field(
        "client", client.type, .value([:]), "What a client does in a round.",
        synonyms: ["local", "training"]),
      Field(
        "strategies", strategies(cards), .required,
        "The methods compared: always a list; the run is its product with the seeds.",
        synonyms: ["strategy", "algorithm", "algorithms", "aggregator", "method", "methods"]),
      privacy, compression, system.fields[0],
      Field(
        "evaluation", .object(evaluation), .value([:]), "When models are measured.",
        synonyms: ["eval", "test"]),
      Field(
        "output", .object(output), .value([:]), "What is written besides the trace.",
        synonyms: ["logging", "save"]), limits.fields[0],
    ]
  }

  /// Sections of the format that other versions have and this one cannot do.
  static let unavailable: [String: String] = ["compare": "planned comparisons"]

  package static func defaultName(_ from: Derivation) -> JSON {
    var name = from.file.split(separator: "/").last.map(String.init) ?? ""
    if name.hasSuffix(".json") { name.removeLast(5) }
    let safe = String(name.map { TextRule.folderName.accepts("_\($0)") ? $0 : "-" }.prefix(100))
    return .string(TextRule.folderName.accepts(safe) ? safe : "run")
  }

  // MARK: federation, evaluation, output

  package static let federation: [Field] = [
    Field(
      "clients", .integer(1...10_000_000), .value(20), "Number of clients K.",
      synonyms: [
        "num_clients", "numClients", "n_clients", "total_clients", "client_num", "K", "num_users",
      ]),
    Field(
      "rounds", .integer(0...1_000_000), .value(100),
      "Number of rounds; 0 writes the initial model and evaluates it.",
      synonyms: [
        "num_rounds", "numRounds", "global_rounds", "num-server-rounds", "global_epoch",
        "total_round_num", "T", "communication_rounds",
      ]),
    Field(
      "participation", .number(above: 0, to: 1), .value(1), "Share of clients in a round.",
      synonyms: ["frac", "fraction", "fraction-fit", "join_ratio", "C", "sample_rate"],
      excludes: "perRound"),
    Field(
      "perRound", .integer(1...10_000_000), .optional, unit: "clients",
      "Clients in a round, as a count instead of a share.",
      synonyms: ["cohort", "cohort_size", "clients_per_round", "per_round", "eligible_perc"],
      excludes: "participation"), sampling,
    Field(
      "weighting", .choice(of: FederationSettings.Weighting.self), .value("samples"),
      "Weights of updates in the mean: by number of training examples, or all alike.",
      synonyms: ["weights", "weighted"]),
  ]

  package static let evaluation: [Field] = [
    Field(
      "every", .integer(1...1_000_000),
      .derived("5 % of the rounds, at least 1") { from in
        let rounds = from.values["federation.rounds"]?.int ?? 100
        return .int(max(1, (rounds + 19) / 20))
      }, unit: "rounds",
      "Rounds between evaluations; the first and the last round are always evaluated.",
      synonyms: ["interval", "frequency", "eval_every", "test_gap", "freq"]),
    Field(
      "targets",
      .object([
        target("generic", "Of the generic model on the global test set."),
        target("personal", "Of the clients' own models on their local tests, mean over clients."),
      ]), .optional,
      "Accuracies, as shares; for each the report says in which round it was reached first, and "
        + "what had been spent until then.",
      synonyms: ["target", "targetAccuracy", "target_accuracy", "thresholds"]),
    Field(
      "diagnostics", .flag, .value(true),
      "Whether the generic model of a finished run is measured once more: calibration, weight "
        + "norms and neural collapse, in diagnostics.json and in the report.",
      synonyms: ["calibration", "neuralCollapse", "neural_collapse"]),
  ]

  private static func target(_ name: String, _ summary: String) -> Field {
    Field(
      name, .list(of: .number(above: 0, to: 1), counts: 0...100, unique: true), .value([]), summary)
  }

  package static let output: [Field] = [
    Field(
      "checkpointEvery", .integer(0...1_000_000), .value(10), unit: "rounds",
      "Rounds between checkpoints; 0 writes one only when interrupted and at the end.",
      synonyms: ["checkpoint", "checkpoints", "save_every", "save_freq"]),
    Field(
      "keepCheckpoints", .integer(0...1_000_000), .value(0),
      "Checkpoints that stay beside the last one, for fedsim verify --rounds.",
      synonyms: ["keep", "keep_last", "save_total_limit"]),
    Field(
      "personalModels", .flag, .value(true), "Whether personal models are written to final/.",
      synonyms: ["savePersonal", "personal"]),
    Field(
      "tensorboard", .flag, .value(true),
      "Whether each run keeps its rounds in a file that TensorBoard reads, too.",
      synonyms: ["tb", "event_files", "use_tensorboard"]),
  ]
}

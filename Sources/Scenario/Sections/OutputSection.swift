import Base

/// The section `output`.
extension ScenarioFields {
  static let output = Domain<OutputSettings>.object(
    OutputSettings(),
    [
      Setting(
        \.checkpointEvery, "checkpointEvery", .integer(0...1_000_000), .value(10), unit: "rounds",
        "Rounds between checkpoints; 0 writes one only when interrupted and at the end.",
        synonyms: ["checkpoint", "checkpoints", "save_every", "save_freq"]),
      Setting(
        \.keepCheckpoints, "keepCheckpoints", .integer(0...1_000_000), .value(0),
        "Checkpoints that stay beside the last one, for fedsim verify --rounds.",
        synonyms: ["keep", "keep_last", "save_total_limit"]),
      Setting(
        \.personalModels, "personalModels", .flag, .value(true),
        "Whether personal models are written to final/.", synonyms: ["savePersonal", "personal"]),
      Setting(
        \.tensorboard, "tensorboard", .flag, .value(true),
        "Whether each run keeps its rounds in a file that TensorBoard reads, too.",
        synonyms: ["tb", "event_files", "use_tensorboard"]),
    ])
}

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
      Field("data", data.type, .required, "Where examples come from and how they are spread."),
      Field(
        "federation", federation.type, .value([:]), "Who takes part, when, with what weight.",
        synonyms: ["server", "fl"]),
      Field(
        "model", .union(model.with(pretrain).union), .value([:]), "The network.",
        synonyms: ["network", "net"]), clientModels.fields[0],
      Field(
        "client", client.type, .value([:]), "What a client does in a round.",
        synonyms: ["local", "training"]),
      Field(
        "strategies", strategies(cards), .required,
        "The methods compared: always a list; the run is its product with the seeds.",
        synonyms: ["strategy", "algorithm", "algorithms", "aggregator", "method", "methods"]),
      privacy, compression, system.fields[0],
      Field(
        "evaluation", evaluation.type, .value([:]), "When models are measured.",
        synonyms: ["eval", "test"]),
      Field(
        "output", output.type, .value([:]), "What is written besides the trace.",
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
}

import Aggregation
import Base
import Client
import Data

/// The whole scenario as a table.
///
/// The strategies' part comes from their methods' infos.
package enum ScenarioFields {
  /// Integers up to here survive every JSON reader.
  package static let largestSeed = 1 << 53

  package static func root(infos: [MethodInfo]) -> [Field] { scenario(infos).fields }

  static func scenario(_ infos: [MethodInfo]) -> Part<Scenario> {
    Part(
      Part(
        "fedsim", .integer(1...1), .required, "Version of the scenario format: 1.",
        synonyms: ["version", "schemaVersion"]), name, seeds,
      Part("data", data, .required, "Where examples come from and how they are spread."),
      Part(
        "federation", federation, .value([:]), "Who takes part, when, with what weight.",
        synonyms: ["server", "fl"]),
      Part(
        "model", .union(model.with(Part(pretrain, features) { ($0, $1) })), .value([:]),
        "The network.",
        synonyms: ["network", "net"]), clientModels,
      Part(
        "client", client, .value([:]), "What a client does in a round.",
        synonyms: ["local", "training"]),
      Part(
        "strategies", strategies(infos), .required,
        "The methods compared: always a list; the run is its product with the seeds.",
        synonyms: ["strategy", "algorithm", "algorithms", "aggregator", "method", "methods"]),
      commonPrivacy, commonCompression, system,
      Part(
        "evaluation", evaluation, .value([:]), "When models are measured.",
        synonyms: ["eval", "test"]),
      Part(
        "output", output, .value([:]), "What is written besides the trace.",
        synonyms: ["logging", "save"]), limits
    ) {
      _, name, seeds, data, federation, model, groups, client, strategies, privacy, compression,
      system, evaluation, output, limits in
      var scenario = Scenario(
        name: name, seeds: seeds, data: data, federation: federation, model: model.0,
        client: client, evaluation: evaluation, output: output)
      scenario.data.pretrain = model.1.0
      scenario.data.features = model.1.1
      scenario.data.validation = evaluation.validation ?? 0
      scenario.data.unseenClients = evaluation.unseen?.clients ?? 0
      scenario.client.augmentation = AugmentationPlan(data.augment)
      scenario.clientModels = ClientModelGroup.groups(groups ?? [], of: federation.clients)
      scenario.strategies = strategies.map { $0.choice(besides: privacy ?? nil, compression) }
      let noise = model.1.1?.standardisation?.noiseMultiplier
      for index in scenario.strategies.indices {
        scenario.strategies[index].privacy?.setStatisticsNoise(noise)
        scenario.strategies[index].client?.augmentation = scenario.client.augmentation
      }
      scenario.system = system
      scenario.limits = limits ?? LimitSettings()
      return scenario
    }
  }

  private static let name = Part<String>(
    "name", .text(.folderName), .derived("the file's name", defaultName),
    "Names the run folder and the report.", synonyms: ["title", "experiment", "run_name"])

  private static let seeds = Part<[UInt64]>(
    "seeds", .list(of: .seed, counts: 1...10_000, unique: true), .value([1, 2, 3]),
    "One run per strategy and seed. For one seed all strategies share split, initial weights, "
      + "cohorts and batch order.", synonyms: ["seed", "random_seed", "randomSeed"])

  private static let commonPrivacy = Part(
    "privacy", .union(privacy), .optional,
    "Differential privacy of every strategy; one of its own on a strategy replaces it.",
    synonyms: ["dp", "differentialPrivacy", "differential_privacy", "dp_sgd"]
  ).ifGiven

  private static let commonCompression = Part(
    "compression", compression, .optional,
    "How messages are encoded; one of its own on a strategy replaces it.",
    synonyms: ["compress", "codec", "codecs", "quantization"]
  ).ifGiven

  /// Sections of the format that other versions have and this one cannot do.
  static let unavailable: [String: String] = ["compare": "planned comparisons"]

  package static func defaultName(_ from: Derivation) -> JSON {
    var name = from.file.split(separator: "/").last.map(String.init) ?? ""
    if name.hasSuffix(".json") { name.removeLast(5) }
    let safe = String(name.map { TextRule.folderName.accepts("_\($0)") ? $0 : "-" }.prefix(100))
    return .string(TextRule.folderName.accepts(safe) ? safe : "run")
  }
}

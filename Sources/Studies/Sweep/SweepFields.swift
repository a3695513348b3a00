import Base
import Scenario

/// The whole sweep file as a table.
///
/// Paths of the scenario are keys here; whether they exist is seen when the trials are read.
package enum SweepFields {
  /// At most so many trials: their scenarios are all read before anything runs.
  static let mostTrials = 100_000

  package static let root: [Field] = [
    Field(
      "fedsim", .integer(1...1), .required, "Version of the sweep format: 1.",
      synonyms: ["version", "schemaVersion"]),
    Field("kind", .choice(["sweep"]), .required, "Marks the file as a sweep: \"sweep\"."),
    Field(
      "name", .text(.folderName), .derived("the file's name", ScenarioFields.defaultName),
      "Names the folder, runs/NAME unless --out is given.", synonyms: ["title", "experiment"]),
    Field(
      "base", .text(.path), .required,
      "The scenario that all trials start from; the path is relative to the sweep file, "
        + "then to the working folder.",
      synonyms: ["scenario", "program", "config"]),
    Field(
      "seeds",
      .list(of: .integer(0...ScenarioFields.largestSeed), counts: 1...10_000, unique: true),
      .optional, "Seeds of every trial, in place of the scenario's; one run per trial and seed.",
      synonyms: ["seed"]),
    Field(
      "grid",
      .map(Mapping(keys: pathWords, .list(of: .anything, counts: 1...10_000, unique: true))),
      .value([:]),
      "Values by path: one trial for every combination. The last path varies fastest. null takes "
        + "a field away.", synonyms: ["parameters", "product", "sweep"]),
    Field(
      "list",
      .list(of: .map(Mapping(keys: pathWords, .anything)), counts: 0...mostTrials, unique: false),
      .value([]),
      "Trials one by one, each with its values by path; not combined with the grid. {} is the "
        + "scenario as it is.", synonyms: ["points", "trials", "configurations"]),
    Field(
      "random", .map(Mapping(keys: pathWords, .object(distribution), fixed: drawn)), .optional,
      "Trials with drawn values, not combined with the grid. A value depends on seed, trial and "
        + "path alone.", synonyms: ["sample", "samples"]),
    Field(
      "tune", .object(TuneSettings.fields), .optional,
      "Chooses for every strategy the trial that is best on validation images, and writes the "
        + "scenario with these values.", synonyms: ["tuning", "select", "selection"]),
    Field(
      "prune", .union(Union("kind", [Variant("halving", "Successive halving.", halving)])),
      .optional, "Stops trials that do worse than others.",
      synonyms: ["early_terminate", "scheduler", "pruner"]),
    Field(
      "front", .object(front), .value([:]), "What the Pareto front is over: means over seeds.",
      synonyms: ["pareto", "objectives"]),
    Field(
      "order", .choice(of: Sweep.Order.self), .value("seed-major"),
      "seed-major: all trials under the first seed, then under the next, so that a complete small "
        + "picture is there early; trial-major: all seeds of a trial, then the next trial."),
  ]

  private static let pathWords = "paths of the scenario, as --set takes them"

  private static let drawn: [Field] = [
    Field(
      "trials", .integer(0...mostTrials), .required,
      "How many trials are drawn; more of them leave the first as they were.",
      synonyms: ["count", "n", "samples"]),
    Field(
      "seed", .integer(0...ScenarioFields.largestSeed), .value(1),
      "Seed of the draws; the runs have seeds of their own."),
  ]

  private static let pair = FieldType.list(
    of: .number(from: -1e300, to: 1e300), counts: 2...2, unique: false)

  private static let distribution: [Field] = [
    Field("log", pair, .optional, "[low, high]: uniform in the logarithm; 0 < low < high."),
    Field("uniform", pair, .optional, "[low, high]: uniform; low < high."),
    Field(
      "integers", .list(of: .integer(-1 << 53...1 << 53), counts: 2...2, unique: false), .optional,
      "[low, high]: whole numbers, both ends included; low <= high.", synonyms: ["int", "integer"]),
    Field(
      "choice", .list(of: .anything, counts: 1...10_000, unique: true), .optional,
      "One of these values, all equally likely.", synonyms: ["categorical", "values"]),
  ]

  private static let halving: [Field] = [
    Field(
      "metric", .text(.free),
      .derived("generic.accuracy; with tune validation.generic.balancedAccuracy") { from in
        .string(
          from.values["tune.validation"] == nil ? "generic.accuracy" : TuneSettings.metrics[0])
      },
      "What trials are ranked by: a metric of fedsim compare, mean over seeds, of the trial's best "
        + "strategy.", synonyms: ["monitor", "objective"]),
    Field(
      "rungs", .list(of: .integer(1...1_000_000), counts: 1...100, unique: true), .required,
      unit: "rounds", "Rounds after which the trials are compared, ascending.",
      synonyms: ["budgets", "rounds"]),
    Field(
      "factor", .number(above: 1, to: 1e6), .value(3),
      "eta: the best n/eta of n trials go on, rounded down, at least one.",
      synonyms: ["eta", "reduction_factor"], excludes: "keep"),
    Field(
      "keep", .number(NumberRange(0, 1, exclusiveMinimum: true, exclusiveMaximum: true)), .optional,
      "The share that goes on, instead of a factor.", excludes: "factor"),
  ]

  private static let objectives = FieldType.list(of: .text(.free), counts: 0...16, unique: true)

  private static let front: [Field] = [
    Field(
      "maximise", objectives,
      .derived("generic.accuracy, or personal.accuracy where it is missing; with tune, its metric")
      { _ in [] },
      "Metrics that shall be large.", synonyms: ["maximize", "max"]),
    Field(
      "minimise", objectives,
      .derived("those of privacy.epsilon, bytes.up and time.virtual that differ") { _ in [] },
      "Metrics that shall be small; privacy.epsilon is infinite without a guarantee.",
      synonyms: ["minimize", "min"]),
    Field(
      "reference", .map(Mapping(keys: "metrics", .number(from: -1e300, to: 1e300))), .value([:]),
      "The corner that the hypervolume is measured from; of metrics left out, their worst finite "
        + "value over the trials.", synonyms: ["ref", "referencePoint"]),
  ]
}

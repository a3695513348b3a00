import Client
import Tensor

/// The run folder of an experiment: what is written once, before and after the runs.
struct ExperimentFolder {
  let path: String
  private let lock: FolderLock

  /// Makes or opens the folder and holds it for this process.
  ///
  /// `scenarioHash`: identity of the resolved scenario.
  ///
  /// `continues`: whether a folder that holds runs of the same scenario may be continued.
  ///
  /// Throws exit 9 when it is in use, belongs to another scenario, or holds something else.
  init(_ path: String, scenarioHash: String, continues: Bool) throws(Failure) {
    self.path = path
    let existed = FileKind(of: path) == .folder && !FilePath.names(in: path).isEmpty
    if existed, !continues {
      throw Failure(
        .folderInUse,
        "E9003",
        "\(path) is not empty; nothing in it is overwritten",
        hint: "choose another folder with --out, or continue it with: fedsim resume \(path)"
      )
    }
    try FilePath.makeFolder(path)
    lock = try FolderLock(path)
    if existed { AtomicFile.removeLeftovers(in: path) }
    // Whoever made the folder may have been killed before anything was in it.
    if existed, FileKind(of: FilePath.join(path, "environment.json")) != .missing {
      let known = try Self.knownHash(path)
      guard known == scenarioHash else {
        throw Failure(
          .folderInUse,
          "E9002",
          "\(path) belongs to another scenario",
          hint: "choose another folder with --out"
        )
      }
    }
  }

  private static func knownHash(_ path: String) throws(Failure) -> String? {
    let file = FilePath.join(path, "environment.json")
    let bytes = try FileReader.bytes(of: file)
    return (try? JSON(parsing: bytes))?["scenarioHash"]?.text
  }

  /// Scenario, environment and splits.
  func begin(
    _ experiment: Experiment,
    source: ScenarioSource,
    threads: Int,
    warnings: [String] = []
  ) throws(Failure) {
    try AtomicFile.write(source.bytes, to: FilePath.join(path, "scenario.json"))
    if !source.overrides.isEmpty {
      let list = JSON.array(source.overrides.map { .string($0) })
      try AtomicFile.write(list.pretty, to: FilePath.join(path, "overrides.json"))
    }
    try AtomicFile.write(
      source.resolved.pretty,
      to: FilePath.join(path, "scenario.resolved.json")
    )
    var environment = MachineFacts.current.json
    environment["threads"] = .int(threads)
    environment["scenarioHash"] = .string(source.hash)
    environment["data"] = experiment.dataFacts
    environment["conditions"] = .array(experiment.conditions.map(JSON.string))
    environment["warnings"] = .array(warnings.map(JSON.string))
    environment["command"] = .string(source.command)
    environment["started"] = .string(NumberText.timestamp(Terminal.now()))
    try AtomicFile.write(environment.pretty, to: FilePath.join(path, "environment.json"))

    let folder = FilePath.join(path, "split")
    try FilePath.makeFolder(folder)
    for (index, seed) in experiment.scenario.seeds.enumerated() {
      // The first seed's split has the plain name; each further seed names itself.
      let suffix = RunFolder.suffix(index, seed)
      let split = experiment.splits[index]
      try AtomicFile.write(
        split.partitionJSON,
        to: FilePath.join(folder, "partition\(suffix).json")
      )
      try AtomicFile.write(split.summaryCSV, to: FilePath.join(folder, "summary\(suffix).csv"))
      try AtomicFile.write(
        experiment.normalizationFacts(index).pretty,
        to: FilePath.join(folder, "normalization\(suffix).json")
      )
    }
  }

  /// Notes when the process ended and how much memory it took at its largest.
  private func noteEnd() throws(Failure) {
    let file = FilePath.join(path, "environment.json")
    guard var environment = try? JSON(parsing: try FileReader.bytes(of: file)) else { return }
    environment["ended"] = .string(NumberText.timestamp(Terminal.now()))
    environment["peakMemoryBytes"] = .int(ProcessMemory.peakBytes)
    try AtomicFile.write(environment.pretty, to: file)
  }

  /// Summary and results from the records of all runs so far; the report from the files.
  func finish(
    _ experiment: Experiment,
    _ results: [StrategyResult],
    source: ScenarioSource,
    warnings: [String]
  ) throws(Failure) {
    let targets = experiment.scenario.evaluation.targets
    let summary = Summary(results, targets: targets)
    var digests: [String: [UInt64: String]] = [:]
    for result in results {
      for run in result.runs {
        digests[result.label, default: [:]][run.seed] = run.records.last?.digest
      }
    }
    try AtomicFile.write(
      summary.json(name: experiment.scenario.name, digests: digests, warnings: warnings).pretty,
      to: FilePath.join(path, "summary.json")
    )
    try AtomicFile.write(
      ResultsTable.csv(results, targets: targets),
      to: FilePath.join(path, "results.csv")
    )
    // What is read back is what `fedsim report` reads: both pages are the same.
    let input = try ReportInput([try RunFolder(path)])
    try AtomicFile.write(HTMLReport(input).html, to: FilePath.join(path, RunReport.fileName))
    try noteEnd()
  }
}

/// Where a scenario came from, as the run folder keeps it.
public struct ScenarioSource: Sendable {
  /// The file as given.
  public let bytes: [UInt8]
  /// Every `--set`, in order.
  public let overrides: [String]
  /// The scenario with every default.
  public let resolved: JSON
  /// Identity of the resolved scenario.
  public let hash: String
  /// The command that repeats the runs.
  public let command: String

  /// A source with every part.
  public init(bytes: [UInt8], overrides: [String], resolved: JSON, hash: String, command: String) {
    self.bytes = bytes
    self.overrides = overrides
    self.resolved = resolved
    self.hash = hash
    self.command = command
  }
}

extension Experiment {
  /// Sizes and hashes of the images and labels, so that another machine can compare.
  var dataFacts: JSON {
    func facts(_ images: ImageSet) -> JSON {
      ["images": .int(images.count), "xxh64": .string(images.hash)]
    }
    return [
      "title": .string(data.title), "shape": .string(data.train.shape.description),
      "classes": .int(data.train.classes), "train": facts(data.train), "test": facts(data.test),
    ]
  }

  /// Mean and deviation per channel under a seed, in units of the scaled pixel.
  func normalizationFacts(_ index: Int) -> JSON {
    let transform = pixelTransform(index)
    return [
      "kind": .string(scenario.data.normalize.rawValue),
      "mean": .array(transform.mean.map { .number(Double($0)) }),
      "std": .array(transform.std.map { .number(Double($0)) }),
    ]
  }
}

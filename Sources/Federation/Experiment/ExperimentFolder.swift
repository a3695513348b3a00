import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// The run folder of an experiment: what is written once, before and after the runs.
struct ExperimentFolder {
  let path: String
  private let lock: FolderLock
  /// What the folder says of itself, where it goes on.
  private let known: FolderFacts?

  /// Makes or opens the folder and holds it for this process.
  ///
  /// `scenarioHash`: identity of the resolved scenario.
  ///
  /// `continues`: whether a folder that holds runs of the same scenario may be continued.
  ///
  /// Throws exit 9 when it is in use, belongs to another scenario, or holds something else.
  init(_ path: String, scenarioHash: String, continues: Bool) throws(Failure) {
    self.path = path
    let names = try FilePath.readableNames(in: path)
    if !continues, !Self.isUnbegun(path, names) {
      throw Failure(
        .folderInUse, "E9003", "\(path) is not empty; nothing in it is overwritten",
        hint: "choose another folder with --out, or continue it with: fedsim resume \(path)")
    }
    do throws(Failure) {
      try FilePath.makeFolder(path)
      lock = try FolderLock(path)
    } catch {
      // A folder that goes on was there already; a new one has its name from the command line.
      throw continues ? error : error.ofCommandLine
    }
    if !names.isEmpty { AtomicFile.removeLeftovers(in: path) }
    // Whoever made the folder may have been killed before anything was in it.
    known = try FolderFacts.read(path)
    if let known, known.scenarioHash != scenarioHash {
      throw Failure(
        .folderInUse, "E9002", "\(path) belongs to another scenario",
        hint: "choose another folder with --out")
    }
  }

  /// Whether a run may begin in a folder: nothing is in it but what a process left that ended
  /// before the run had begun, as on a full disk.
  private static func isUnbegun(_ path: String, _ names: [String]) -> Bool {
    if names.isEmpty { return true }
    let early = [
      ".lock", "overrides.json", PathPlaces.fileName, "scenario.resolved.json", "split",
    ]
    return names.contains(".lock")
      && names.allSatisfy { early.contains($0) || $0.hasPrefix(".") && $0.hasSuffix(".tmp") }
  }

  /// Scenario, splits and environment, in the order in which a folder becomes one that can be
  /// resumed: `scenario.json` when all that it needs is there, `environment.json` last.
  ///
  /// Returns the content of an `environment.json` that is not written, because all rounds are
  /// there: what the file says of their making stays. It is nil for one that is written.
  func begin(
    _ experiment: Experiment, source: ScenarioSource, threads: Int, warnings: [String] = []
  ) throws(Failure) -> JSON? {
    var files: [(name: String, bytes: [UInt8])] = []
    if !source.overrides.isEmpty {
      let list = JSON.array(source.overrides.map { .string($0) })
      files.append(("overrides.json", Array(list.pretty.utf8)))
    }
    if let paths = experiment.scenario.paths.kept {
      files.append((PathPlaces.fileName, Array(paths.pretty.utf8)))
    }
    files.append(("scenario.resolved.json", Array(source.resolved.pretty.utf8)))
    for index in experiment.scenario.seeds.indices { files += experiment.splitFiles(index) }
    try FilePath.makeFolder(FilePath.join(path, "split"))
    for file in files { try AtomicFile.write(file.bytes, to: FilePath.join(path, file.name)) }
    try AtomicFile.write(source.bytes, to: FilePath.join(path, "scenario.json"))

    let facts = FolderEnvironment(
      experiment: experiment, source: source, threads: threads, warnings: warnings)
    var environment = FolderEnvironment.keys.json(facts)
    // What may be changed without a change of numbers, as the limits of a resume, is not promised.
    FolderFacts.promise(files.filter { $0.name.hasPrefix("split/") }, in: &environment)
    if try isMade(experiment, promising: environment["files"]) { return environment }
    try write(environment)
    return nil
  }

  private func write(_ environment: JSON) throws(Failure) {
    try AtomicFile.write(environment.sealed.pretty, to: FilePath.join(path, FolderFacts.fileName))
  }

  /// Whether every run has its last round and a checkpoint, beside what the facts promise.
  private func isMade(_ experiment: Experiment, promising files: JSON?) throws(Failure) -> Bool {
    guard let known, known.json["files"]?.compact == files?.compact else { return false }
    let scenario = experiment.scenario
    for choice in scenario.strategies {
      for seed in scenario.seeds {
        let run = FilePath.join(path, "\(choice.label)-s\(seed)")
        let checkpoint = FilePath.join(RunFiles.checkpoints(run), "last.safetensors")
        guard let table = try TableRecord.read(in: run), try FileReader.isThere(checkpoint) else {
          return false
        }
        if table.round >= scenario.federation.rounds { continue }
        let records = try RunTrace.records(in: run)
        guard BestRound(records).isOver(scenario.evaluation.patience) else { return false }
      }
    }
    return true
  }

  /// Notes when the process ended and how much memory it took at its largest.
  private func noteEnd() throws(Failure) {
    guard var environment = try FolderFacts.read(path)?.json else { return }
    environment["ended"] = .string(NumberText.timestamp(SystemClock.now()))
    environment["peakMemoryBytes"] = .int(ProcessMemory.peakBytes)
    try write(environment)
  }

  /// Summary and results from the records of all runs so far; the page from the files.
  ///
  /// `held`: what `begin` did not write, which is done where a round was run after all.
  func finish(
    _ experiment: Experiment, _ results: [StrategyResult], source: ScenarioSource,
    warnings: [String], page: PageWriter, held: JSON?, hasRun: Bool
  ) throws(Failure) {
    if let held, hasRun { try write(held) }
    let summary = experiment.summary(results, warnings: warnings)
    try AtomicFile.write(summary.sealed.pretty, to: FilePath.join(path, SummaryFile.fileName))
    try AtomicFile.write(experiment.resultsTable(results), to: FilePath.join(path, "results.csv"))
    try page(path)
    if held == nil || hasRun { try noteEnd() }
  }
}

/// Writes the page of a run folder that has all other files.
package typealias PageWriter = @Sendable (_ folder: String) throws(Failure) -> Void

/// Where a scenario came from, as the run folder keeps it.
package struct ScenarioSource: Sendable {
  /// The file as given.
  package let bytes: [UInt8]
  /// Every `--set`, in order.
  package let overrides: [String]
  /// The scenario with every default.
  package let resolved: JSON
  /// Identity of the resolved scenario.
  package let hash: String
  /// The command that repeats the runs.
  package let command: String

  package init(bytes: [UInt8], overrides: [String], resolved: JSON, hash: String, command: String) {
    self.bytes = bytes
    self.overrides = overrides
    self.resolved = resolved
    self.hash = hash
    self.command = command
  }
}

extension Experiment {
  /// `summary.json` of some results.
  package func summary(_ results: [StrategyResult], warnings: [String]) -> JSON {
    var digests: [String: [UInt64: String]] = [:]
    for result in results {
      for run in result.runs {
        digests[result.label, default: [:]][run.seed] = run.records.last?.digest
      }
    }
    let counting = results.map {
      $0.counting(scenario.federation.rounds, patience: scenario.evaluation.patience)
    }
    return Summary(counting, targets: scenario.evaluation.targets).json(
      name: scenario.name, digests: digests, warnings: warnings)
  }

  /// `results.csv` of some results.
  package func resultsTable(_ results: [StrategyResult]) -> String {
    ResultsTable.csv(results, targets: scenario.evaluation.targets)
  }

  /// The files below `split/` of one of the seeds: the first seed's have plain names, each further
  /// seed names itself.
  package func splitFiles(_ index: Int) -> [(name: String, bytes: [UInt8])] {
    let suffix = RunFolder.suffix(index, scenario.seeds[index])
    let split = splits[index]
    return [
      ("split/partition\(suffix).json", Array(split.partitionJSON.utf8)),
      ("split/summary\(suffix).csv", Array(split.summaryCSV.utf8)),
      ("split/normalization\(suffix).json", Array(normalizationFacts(index).pretty.utf8)),
    ]
  }

  /// Mean and deviation per channel under a seed, in units of the scaled pixel.
  func normalizationFacts(_ index: Int) -> JSON {
    PixelFacts.keys.json(
      PixelFacts(kind: scenario.data.normalize.rawValue, transform: pixelTransform(index)))
  }
}

import Base
import Records
import Scenario
import Report

/// A sweep on the disk.
///
///     DIR/  sweep.json  base.json  sweep.resolved.json     what was asked
///           paths.json                                     where relative paths lead
///           runs/<hash>-s<seed>/                           one ordinary run folder per run
///           failures/<hash>-s<seed>.json                   why a run could not be finished
///           results.csv  trials.csv  front.csv  failed.csv made of the above, at any time
///           sweep.html
///
/// A process writes only the folders of the runs that it holds the lock of; what all share is
/// derived from them and written under the folder's own lock.
package struct SweepFolder: Sendable {
  package let path: String

  /// Whether all tables of runs are held against their records, or only those that are read.
  private var checksAll = false

  /// A folder that may exist or not.
  package init(_ path: String) { self.path = path }

  package func folder(of run: SweepRun) -> String { FilePath.join(path, "runs/" + run.folder) }

  package func file(_ name: String) -> String { FilePath.join(path, name) }

  /// Makes the folder and writes what was asked.
  ///
  /// Runs are known by their hashes, so that a folder can hold those of an earlier sweep file, too:
  /// the ones that the new file has are taken over, the others are left alone and are in no table.
  ///
  /// - Returns: how many runs of an earlier file are left alone.
  /// - Throws: E9004 (exit 9) when the folder holds something that is no sweep.
  func begin(_ sweep: Sweep) throws(Failure) -> Int {
    let names = try FilePath.readableNames(in: path)
    // Nothing is written before the lock and `runs`.
    guard names.isEmpty || names == [".lock"] || names.contains("runs") else {
      throw Failure(
        .folderInUse, "E9004",
        "\(path) is not empty and holds no sweep; nothing in it is overwritten",
        hint: "choose another folder with --out")
    }
    let lock: FolderLock
    do throws(Failure) {
      try FilePath.makeFolder(FilePath.join(path, "runs"))
      lock = try FolderLock(path, waits: true)
    } catch { throw names.isEmpty ? error.ofCommandLine : error }
    try AtomicFile.write(sweep.bytes, to: file("sweep.json"))
    try AtomicFile.write(sweep.baseBytes, to: file("base.json"))
    if !sweep.places.isKept,
      let paths = sweep.places.json(sweep.trials.flatMap(\.scenario.paths.named))
    {
      try AtomicFile.write(paths.pretty, to: file(PathPlaces.fileName))
    }
    try AtomicFile.write(sweep.json.pretty, to: file("sweep.resolved.json"))
    withExtendedLifetime(lock) {}
    let own = Set(sweep.trials.flatMap { $0.runs.map(\.folder) })
    return FilePath.names(in: FilePath.join(path, "runs")).count { !own.contains($0) }
  }

  // MARK: Runs

  /// What is on disk of a run.
  func state(of run: SweepRun, of trial: SweepTrial) throws(Failure) -> SweepRunState {
    let (labels, rounds) = (trial.labels, trial.rounds)
    let patience = trial.scenario.evaluation.patience
    let folder = folder(of: run)
    var results: [(label: String, run: StrategyRun)] = []
    for label in labels {
      let part = FilePath.join(folder, "\(label)-s\(run.seed)")
      // No table of a sweep has a class or a client: thousands of runs must fit into memory.
      let promised = try TableRecord.read(in: part)
      let read = try RunTrace.records(in: part)
      try promised?.check(part, only: checksAll ? nil : "rounds.jsonl")
      let records = read.map { whole in
        var record = whole
        record.sampled = []
        record.generic?.perClass = []
        record.personal?.perClass = []
        return record
      }
      results.append((label, StrategyRun(seed: run.seed, records: records)))
    }
    let isDone = results.allSatisfy { $0.run.reaches(rounds, patience: patience) }
    let closed = isDone ? try isClosed(folder, run, results) : false
    return SweepRunState(
      results: results, rounds: rounds, patience: patience, isClosed: closed,
      failure: try json("failures/\(run.folder).json").flatMap(SweepFailure.init))
  }

  /// Whether the folder is of this scenario and its summary holds every strategy's last round:
  /// the summary is the last thing that a run writes before its report.
  private func isClosed(
    _ folder: String, _ run: SweepRun, _ results: [(label: String, run: StrategyRun)]
  ) throws(Failure) -> Bool {
    guard let facts = try FolderFacts.read(folder), facts.scenarioHash == run.hash,
      let summary = try SummaryFile.read(folder, isSealed: facts.isSealed)
    else { return false }
    let saved = summary["strategies"]?.elements ?? []
    return results.allSatisfy { result in
      let entry = saved.first { $0["strategy"]?.text == result.label }
      return entry?["digests"]?.elements?.first?.text == result.run.records.last?.digest
    }
  }

  /// A note of the sweep's own; nil without one.
  ///
  /// - Throws: E4128 when it is damaged (exit 4).
  private func json(_ name: String) throws(Failure) -> JSON? {
    let file = file(name)
    guard let bytes = try FileReader.optional(file, what: "a note of a sweep") else { return nil }
    guard let json = try? JSON(parsing: bytes), json.isIntact ?? true else {
      throw Failure(
        .dataMissingOrCorrupt, "E4128", "\(file) is damaged",
        hint: "restore it, or delete it: the run is then tried again")
    }
    return json
  }

  /// Notes why a run failed, or, with nil, that it did not.
  package func note(_ failure: SweepFailure?, of run: SweepRun) throws(Failure) {
    let file = file("failures/\(run.folder).json")
    if let failure {
      try FilePath.makeFolder(FilePath.join(path, "failures"))
      try AtomicFile.write(failure.json.sealed.pretty, to: file)
    } else if FileKind(of: file) == .file {
      try FilePath.remove(file)
    }
  }

  // MARK: Tables

  /// Reads all runs and writes the tables; two processes do so one after the other, so that an
  /// older picture never replaces a newer one.
  func gather(_ sweep: Sweep) throws(Failure) -> SweepResults {
    let lock = try FolderLock(path, waits: true)
    defer { withExtendedLifetime(lock) {} }
    var strict = self
    strict.checksAll = true
    let results = SweepResults(sweep, try SweepProgress(sweep, strict), folder: path)
    let tuning = Tuning(results).map {
      [("tuned.json", $0.scenario + "\n"), ("tuned.csv", $0.csv)]
    }
    for (name, text) in (tuning ?? []) + [
      ("results.csv", results.csv), ("trials.csv", results.trialsCSV),
      ("front.csv", results.frontCSV), ("failed.csv", results.failedCSV),
      ("sweep.html", results.page.html),
    ] { try AtomicFile.write(text, to: file(name)) }
    return results
  }
}

extension Sweep {
  /// All trials and runs with their hashes: `sweep.resolved.json`.
  package var json: JSON { Self.keys.json(self) }

  static let keys = Keys<Self>([
    Key("fedsim", .integer, "Version of the format: 1.") { _ in 1 },
    Key("kind", .text, "sweep.") { _ in "sweep" }, Key("name", .text, "The name.") { $0.name },
    Key("base", .text, "The scenario that trials change.") { $0.base },
    Key("order", .text, "In which order runs are made.") { $0.order.rawValue },
    Key("paths", .list(.text), "What trials set.") { $0.paths },
    Key("prune", .object(pruneKeys), "How trials are stopped early.", absent: "they are not") {
      $0.halving
    }, Key("trials", .list(.object(SweepTrial.keys)), "All trials.") { $0.trials },
  ])

  private static let pruneKeys = Keys<Halving>([
    Key("kind", .text, "halving.") { _ in "halving" },
    Key("metric", .text, "By what trials are judged.") { $0.metric.name },
    Key("rungs", .list(.integer), "Rounds at which the worse are stopped.") { $0.rungs },
    Key("keep", .number, unit: "share", "Trials that go on.") { $0.keep },
  ])
}

extension SweepTrial {
  fileprivate static let keys = Keys<Self>([
    Key("trial", .integer, "Its number, from 1.") { $0.number },
    Key("overrides", .list(.text), "As --set takes them.") { $0.overrides },
    Key("runs", .list(.object(SweepRun.keys)), "A run for each seed.") { $0.runs },
  ])
}

extension SweepRun {
  fileprivate static let keys = Keys<Self>([
    Key("seed", .seed, "The seed.") { $0.seed },
    Key("hash", .text, "Hash of the resolved scenario.") { $0.hash },
    Key("folder", .text, "Its run folder, below the sweep's.") { "runs/" + $0.folder },
  ])
}

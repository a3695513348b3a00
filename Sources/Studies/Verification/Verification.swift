import Aggregation
import Base
import Federation
import Records
import Scenario

/// Whether a run folder says what its scenario gives: its rounds are run again and compared.
package struct Verification: Sendable, Equatable {
  /// The first thing of a run that is not the same.
  package struct Mismatch: Sendable, Equatable {
    package let round: Int
    /// The path in the record, such as "digest" or "generic.accuracy".
    package let path: String
    /// What the folder says.
    package let recorded: String
    /// What was found now.
    package let found: String

    /// Whether rounds, or the whole run, are not there; else what is there differs.
    package var isLost: Bool { path == "folder" || path == "round" && recorded == "absent" }
  }

  package let label: String
  package let seed: UInt64
  /// The first round that was run again, after a checkpoint or 1.
  package var start = 1
  package var compared = 0
  /// The first difference; nil when there is none.
  package var mismatch: Mismatch?

  /// Compares two records, but for how long things took on the machine.
  static func difference(_ recorded: RoundRecord, _ found: RoundRecord) -> Mismatch? {
    guard let (path, a, b) = first(in: timeless(recorded), timeless(found), "") else { return nil }
    return Mismatch(round: recorded.round, path: path, recorded: a, found: b)
  }

  private static func timeless(_ record: RoundRecord) -> JSON {
    var record = record
    record.time.wall = 0
    record.compression?.seconds = 0
    return record.json
  }

  /// The first path at which two trees differ, digests before everything that follows from them.
  private static func first(in a: JSON, _ b: JSON, _ path: String) -> (
    path: String, String, String
  )? {
    guard let left = a.members, let right = b.members else {
      return a.compact == b.compact ? nil : (path, a.compact, b.compact)
    }
    let keys = left.map(\.key) + right.map(\.key).filter { key in !left.contains { $0.key == key } }
    for key in keys.filter({ $0 == "digest" }) + keys.filter({ $0 != "digest" }) {
      let name = path.isEmpty ? key : path + "." + key
      let (mine, theirs) = (a[key], b[key])
      guard let mine, let theirs else {
        return (name, mine?.compact ?? "absent", theirs?.compact ?? "absent")
      }
      if let found = first(in: mine, theirs, name) { return found }
    }
    return nil
  }
}

extension Experiment {
  /// Runs the rounds of a folder again and compares digests, measures, bytes and times.
  ///
  /// `rounds`: those to compare; nil for all of the scenario, whether the folder has them or not,
  /// and with them every table and model. With a range a run starts at the newest of its
  /// checkpoints that precedes it.
  ///
  /// `report`: called after each run.
  ///
  /// Nothing is written. Stops at a run's first difference and goes on with the next run.
  ///
  /// - Throws: exit 9 while another process has the folder, exit 4 for lines that are none of a
  ///   run.
  package func verify(
    _ folder: String, rounds: ClosedRange<Int>?, scenarioHash: String, threads: Int,
    report: (Verification) -> Void
  ) throws(Failure) -> [Verification] {
    try requireMemory(threads: threads)
    let lock = try FolderLock(folder, reads: true)
    defer { withExtendedLifetime(lock) {} }
    let isSealed = try FolderFacts.read(folder)?.isSealed ?? false
    var all: [Verification] = []
    let pretrained = try pretrained(in: nil)
    for (index, seed) in scenario.seeds.enumerated() {
      let context = context(index, threads: threads, pretrained: pretrained)
      var alone: [Int: [Int: Double]] = [:]
      for choice in runOrder {
        let path = FilePath.join(folder, "\(choice.label)-s\(seed)")
        let isLocal = choice.kind == LocalOnly.info.kind
        var one = Verification(label: choice.label, seed: seed)
        if let why = Self.obstacle(path) {
          one.mismatch = Verification.Mismatch(
            round: 1, path: "folder", recorded: why, found: "\(scenario.federation.rounds) rounds")
        } else {
          let run = try run(
            of: choice, context, folder: path, scenarioHash: scenarioHash,
            alone: isLocal ? [:] : alone)
          var check = try RunVerification(run, rounds: rounds, isSealed: isSealed)
          one = try check.result()
          if isLocal {
            alone = try RunTrace.scores(in: path, upTo: .max, clients: scenario.federation.clients)
          }
        }
        all.append(one)
        report(one)
      }
    }
    return all
  }

  /// Why nothing of a run can be read; nil when it can.
  private static func obstacle(_ folder: String) -> String? {
    do throws(Failure) {
      guard try FileReader.isThere(folder) else { return "absent" }
      guard try !FilePath.readableNames(in: folder).isEmpty else { return "empty" }
      _ = try FileReader.isThere(FilePath.join(folder, "rounds.jsonl"))
      return nil
    } catch { return error.message }
  }
}

/// A file beside the runs that is not what they give.
package struct FileMismatch: Sendable, Equatable {
  /// Its path in the run folder.
  package let path: String
  /// What is wrong.
  package let reason: String
}

extension Experiment {
  /// Whether the files beside the runs of a folder are what the scenario and the runs' records
  /// give: the splits, the resolved scenario, the summary and the table of results.
  package func verifyFiles(_ folder: String, source: ScenarioSource) throws(Failure)
    -> [FileMismatch]
  {
    var wrong: [FileMismatch] = []
    func compare(_ name: String, _ isSame: ([UInt8]) -> Bool) {
      do throws(Failure) {
        let path = FilePath.join(folder, name)
        guard let found = try FileReader.optional(path, what: "a file") else {
          wrong.append(FileMismatch(path: name, reason: "absent"))
          return
        }
        if !isSame(found) {
          wrong.append(FileMismatch(path: name, reason: "not what its scenario and runs give"))
        }
      } catch { wrong.append(FileMismatch(path: name, reason: error.message)) }
    }
    for index in scenario.seeds.indices {
      for file in splitFiles(index) { compare(file.name) { $0 == file.bytes } }
    }
    compare("scenario.resolved.json") {
      (try? JSON(parsing: $0)).map(ScenarioReading.hash(ofResolved:)) == source.hash
    }
    let results = try recordedResults(folder)
    // What was said while they ran is not repeated.
    let expected = summary(results, warnings: [])
    compare(SummaryFile.fileName) { bytes in
      guard var found = try? JSON(parsing: bytes), found.isIntact ?? true else { return false }
      found["warnings"] = nil
      found["checksum"] = nil
      var saved = expected
      saved["warnings"] = nil
      return found.compact == saved.compact
    }
    compare("results.csv") { saved in
      // The table of earlier versions had other columns, of the records that are compared above.
      saved.starts(with: (ResultsTable.earlierHeader + "\n").utf8)
        || saved == Array(resultsTable(results).utf8)
    }
    return wrong
  }

  /// What the runs of a folder recorded, in the order of the scenario.
  private func recordedResults(_ folder: String) throws(Failure) -> [StrategyResult] {
    var results: [StrategyResult] = []
    for choice in scenario.strategies {
      var runs: [StrategyRun] = []
      for seed in scenario.seeds {
        let path = FilePath.join(folder, "\(choice.label)-s\(seed)")
        guard try FileReader.isThere(path) else { continue }
        runs.append(StrategyRun(seed: seed, records: try RunTrace.records(in: path)))
      }
      if !runs.isEmpty { results.append(StrategyResult(label: choice.label, runs: runs)) }
    }
    return results
  }
}

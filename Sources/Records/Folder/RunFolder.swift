import Base
import Scenario

/// A run folder as it is on disk: what was asked, and what was measured.
package struct RunFolder: Sendable {
  /// One strategy of the scenario.
  package struct Entry: Sendable {
    /// The name in tables and folders.
    package let label: String
    /// The strategy's settings with every default, without the label.
    package let settings: JSON
    /// The finished runs, in the order of the scenario's seeds.
    package let runs: [Part]
    /// The runs that have rounds but not all of them.
    package let begun: [Part]
  }

  /// One strategy under one seed.
  package struct Part: Sendable {
    package let folder: String
    /// Its records.
    package let run: StrategyRun
    /// Accuracy on local tests by evaluated round and client.
    package let clients: [Int: [Int: Double]]

    /// Whether checksums of its tables were there, and right.
    let isPromised: Bool

    package init(
      folder: String, run: StrategyRun, clients: [Int: [Int: Double]] = [:], isPromised: Bool = true
    ) {
      self.folder = folder
      self.run = run
      self.clients = clients
      self.isPromised = isPromised
    }
  }

  package let path: String
  /// The scenario with every default.
  package let resolved: JSON
  /// Sizes and hashes of the data, from `environment.json`; nil when they are not known.
  package let data: JSON?
  /// Names of the classes, in their order; empty when the data set gave none.
  package var classNames: [String] {
    (data?["classNames"]?.elements ?? []).compactMap(\.text)
  }
  /// XXH64 of the split by seed, where its file is there.
  package let splits: [UInt64: String]
  /// The strategies, in the order of the scenario.
  package let entries: [Entry]
  /// One sentence for each run that has not finished, with the folder.
  package let unfinished: [String]
  /// The same for a reader who knows the folder; without those that have not begun.
  package let unfinishedRuns: [String]
  /// Whether a run can go on: it has not finished, and did not diverge, which it would do again.
  package let isOpen: Bool
  package let name: String
  package let seeds: [UInt64]
  /// Clients of the federation.
  package let clients: Int
  /// The rounds of a run.
  package let rounds: Int
  /// Accuracies whose cost is reported.
  package let targets: [AccuracyTarget]
  /// The conditions in words; empty when `environment.json` does not tell.
  package let conditions: [String]
  /// What the reader must know before believing a number.
  package let warnings: [String]
  /// What of damage could not be seen, because there is no checksum; also among the warnings.
  package let unprotected: [String]
  /// The command that repeats the runs; empty when it is not known.
  package let command: String

  /// Reads a folder that `fedsim run` wrote; nothing of the data set is needed.
  ///
  /// - Throws: exit 4: E4095 when it is no run folder, E4098 when its scenario is damaged, and what
  ///   `RunTrace`, `TableRecord` and `FolderFacts` throw when a file is not what was written.
  package init(_ path: String) throws(Failure) {
    let (scenario, reading) = try ScenarioReading.ofRunFolder(path)
    let resolved = reading.resolved ?? .object([])
    self.path = path
    self.resolved = resolved
    let facts = try FolderFacts.read(path)
    let environment = facts?.json
    let isSealed = facts?.isSealed ?? false
    data = environment?["data"]
    conditions = Self.texts(environment?["conditions"])
    // A finished command has said more than the one that began.
    let saved = try SummaryFile.read(path, isSealed: isSealed) ?? environment
    command = environment?["command"]?.text ?? ""
    name = scenario.name
    seeds = scenario.seeds
    clients = scenario.federation.clients
    rounds = scenario.federation.rounds
    targets = scenario.evaluation.targets
    splits = try Self.splits(path, scenario.seeds, facts)
    var entries: [Entry] = []
    var unfinished: [String] = []
    var unfinishedRuns: [String] = []
    var isOpen = false
    var unprotected: [String] = []
    let settings = resolved["strategies"]?.elements ?? []
    for (choice, given) in zip(scenario.strategies, settings) {
      var own = given
      own["label"] = nil
      var runs: [Part] = []
      var begun: [Part] = []
      var late: [(what: String, place: String)] = []
      for seed in scenario.seeds {
        let folder = FilePath.join(path, "\(choice.label)-s\(seed)")
        let part = try Self.part(folder, seed, scenario.federation.clients, isSealed: isSealed)
        let records = part.run.records
        let reached = records.last?.round ?? 0
        if !records.isEmpty, isSealed, !part.isPromised {
          unprotected.append("\(choice.label) seed \(seed)")
        }
        guard
          part.run.reaches(scenario.federation.rounds, patience: scenario.evaluation.patience)
        else {
          let diverged = try RunFiles.hasDiverged(folder)
          if !records.isEmpty {
            begun.append(part)
            late.append(
              (
                "\(choice.label) seed \(seed) has \(diverged ? "diverged" : "not finished")",
                "round \(reached) of \(scenario.federation.rounds)"
              ))
          }
          if !diverged { isOpen = true }
          let state = diverged ? "diverged" : "stopped"
          unfinished.append(
            "\(choice.label) seed \(seed) of \(path): "
              + (records.isEmpty && !diverged ? "not begun" : "\(state) after round \(reached)"))
          continue
        }
        runs.append(part)
      }
      unfinishedRuns += late.map { what, place in
        runs.isEmpty
          ? "\(what): it is shown as after \(place), and not compared"
          : "\(what): it stands after \(place), and is in no number beside runs that have"
      }
      entries.append(Entry(label: choice.label, settings: own, runs: runs, begun: begun))
    }
    self.entries = entries
    self.unfinished = unfinished
    self.unfinishedRuns = unfinishedRuns
    self.isOpen = isOpen
    self.unprotected = Self.protection(path, isSealed: isSealed, unprotected)
    warnings = Self.texts(saved?["warnings"]) + self.unprotected
  }

  /// What cannot be seen, because nothing was promised.
  private static func protection(_ path: String, isSealed: Bool, _ unprotected: [String])
    -> [String]
  {
    if !isSealed {
      return [
        "\(path) keeps no checksums (an earlier version wrote it, or environment.json is lost): "
          + "damage in its files cannot be seen (W4001)"
      ]
    }
    if unprotected.isEmpty { return [] }
    return [
      "no \(TableRecord.fileName) and no checkpoint of \(unprotected.joined(separator: ", ")): "
        + "damage in these tables cannot be seen (W4002)"
    ]
  }

  /// A run, held against what is promised of its tables.
  private static func part(_ folder: String, _ seed: UInt64, _ clients: Int, isSealed: Bool)
    throws(Failure) -> Part
  {
    let record = try TableRecord.read(in: folder)
    let records = try RunTrace.records(in: folder)
    if let record {
      try record.check(folder)
    } else if isSealed,
      try FileReader.isThere(FilePath.join(RunFiles.checkpoints(folder), "last.safetensors"))
    {
      throw TableRecord.missing(folder, "\(FilePath.join(folder, TableRecord.fileName)) is lost")
    }
    let last = records.last?.round ?? -1
    return Part(
      folder: folder, run: StrategyRun(seed: seed, records: records),
      clients: try RunTrace.scores(in: folder, upTo: last, clients: clients),
      isPromised: record != nil)
  }

  private static func texts(_ json: JSON?) -> [String] { (json?.elements ?? []).compactMap(\.text) }

  /// What a seed adds to the names of its split's files: the first seed's are plain.
  package static func suffix(_ index: Int, _ seed: UInt64) -> String {
    index == 0 ? "" : "-s\(seed)"
  }

  private static func splits(_ path: String, _ seeds: [UInt64], _ facts: FolderFacts?)
    throws(Failure) -> [UInt64: String]
  {
    var known: [UInt64: String] = [:]
    for (index, seed) in seeds.enumerated() {
      let suffix = suffix(index, seed)
      let name = "split/partition\(suffix).json"
      let file = FilePath.join(path, name)
      let read: [UInt8]?
      if let facts {
        read = try facts.bytes(of: name)
        // Read by nobody here, and promised like the others.
        _ = try facts.bytes(of: "split/normalization\(suffix).json")
      } else {
        read = try FileReader.optional(file, what: "a split")
      }
      guard let bytes = read else { continue }
      var hash = XXHash64()
      hash.update(bytes)
      known[seed] = hash.hex
    }
    return known
  }
}

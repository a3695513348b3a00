import Tensor

/// A run folder as it lies on the disk: what was asked, and what was measured.
public struct RunFolder: Sendable {
  /// One strategy of the scenario.
  public struct Entry: Sendable {
    /// The name in tables and folders.
    public let label: String
    /// The strategy's settings with every default, without the label.
    public let settings: JSON
    /// The finished runs, in the order of the scenario's seeds.
    public let runs: [Part]
    /// The runs that have rounds but not all of them.
    public let begun: [Part]
  }

  /// One strategy under one seed.
  public struct Part: Sendable {
    /// Its folder.
    public let folder: String
    /// Its records.
    public let run: StrategyRun
    /// Accuracy on local tests by evaluated round and client.
    public let clients: [Int: [Int: Double]]

    package init(folder: String, run: StrategyRun, clients: [Int: [Int: Double]] = [:]) {
      self.folder = folder
      self.run = run
      self.clients = clients
    }
  }

  /// Where it lies.
  public let path: String
  /// The scenario with every default.
  public let resolved: JSON
  /// Sizes and hashes of the data, from `environment.json`; nil when they are not known.
  public let data: JSON?
  /// XXH64 of the split by seed, where its file is there.
  public let splits: [UInt64: String]
  /// The strategies, in the order of the scenario.
  public let entries: [Entry]
  /// One sentence for each run that has not finished, with the folder.
  public let unfinished: [String]
  /// The same for a reader who knows the folder; without those that have not begun.
  let unfinishedRuns: [String]
  /// The scenario's name.
  public let name: String
  /// The scenario's seeds.
  public let seeds: [UInt64]
  /// Accuracies whose cost is reported.
  let targets: [AccuracyTarget]
  /// The conditions in words; empty when `environment.json` does not tell.
  public let conditions: [String]
  /// What the reader must know before believing a number.
  public let warnings: [String]
  /// The command that repeats the runs; empty when it is not known.
  public let command: String

  /// Reads a folder that `fedsim run` wrote; nothing of the data set is needed.
  ///
  /// - Throws: exit 4: E4095 when it is no run folder, E4098 when its scenario is damaged, E1014
  ///   when a trace is.
  public init(_ path: String) throws(Failure) {
    let (scenario, reading) = try ScenarioReading.ofRunFolder(path)
    let resolved = reading.resolved ?? .object([])
    self.path = path
    self.resolved = resolved
    let environment = Self.json(path, "environment.json")
    data = environment?["data"]
    conditions = Self.texts(environment?["conditions"])
    // A finished command has said more than the one that began.
    warnings = Self.texts((Self.json(path, "summary.json") ?? environment)?["warnings"])
    command = environment?["command"]?.text ?? ""
    name = scenario.name
    seeds = scenario.seeds
    targets = scenario.evaluation.targets
    splits = try Self.splits(path, scenario.seeds)
    var entries: [Entry] = []
    var unfinished: [String] = []
    var unfinishedRuns: [String] = []
    let settings = resolved["strategies"]?.elements ?? []
    for (choice, given) in zip(scenario.strategies, settings) {
      var own = given
      own["label"] = nil
      var runs: [Part] = []
      var begun: [Part] = []
      for seed in scenario.seeds {
        let folder = FilePath.join(path, "\(choice.label)-s\(seed)")
        let records = try Self.records(folder)
        let reached = records.last?.round ?? 0
        let part = Part(
          folder: folder,
          run: StrategyRun(seed: seed, records: records),
          clients: try RunFiles.scores(in: folder)
        )
        guard !records.isEmpty, reached >= scenario.federation.rounds else {
          if !records.isEmpty {
            begun.append(part)
            unfinishedRuns.append(
              "\(choice.label) seed \(seed) has not finished: it is shown as after round "
                + "\(reached) of \(scenario.federation.rounds), and not compared"
            )
          }
          unfinished.append(
            "\(choice.label) seed \(seed) of \(path): "
              + (records.isEmpty ? "not begun" : "stopped after round \(reached)")
          )
          continue
        }
        runs.append(part)
      }
      entries.append(Entry(label: choice.label, settings: own, runs: runs, begun: begun))
    }
    self.entries = entries
    self.unfinished = unfinished
    self.unfinishedRuns = unfinishedRuns
  }

  private static func records(_ folder: String) throws(Failure) -> [RoundRecord] {
    let path = FilePath.join(folder, "rounds.jsonl")
    guard FileKind(of: path) == .file else { return [] }
    return try RoundRecord.read(jsonl: try FileReader.bytes(of: path), path: path)
  }

  /// A file of the folder as a value; nil when it is not there, or not whole.
  private static func json(_ path: String, _ name: String) -> JSON? {
    let file = FilePath.join(path, name)
    guard FileKind(of: file) == .file, let bytes = try? FileReader.bytes(of: file) else {
      return nil
    }
    return try? JSON(parsing: bytes)
  }

  private static func texts(_ json: JSON?) -> [String] { (json?.elements ?? []).compactMap(\.text) }

  /// What a seed adds to the names of its split's files: the first seed's are plain.
  static func suffix(_ index: Int, _ seed: UInt64) -> String { index == 0 ? "" : "-s\(seed)" }

  private static func splits(
    _ path: String,
    _ seeds: [UInt64]
  ) throws(Failure) -> [UInt64: String] {
    var known: [UInt64: String] = [:]
    for (index, seed) in seeds.enumerated() {
      let suffix = suffix(index, seed)
      let file = FilePath.join(path, "split/partition\(suffix).json")
      guard FileKind(of: file) == .file else { continue }
      var hash = XXHash64()
      hash.update(try FileReader.bytes(of: file))
      known[seed] = hash.hex
    }
    return known
  }
}

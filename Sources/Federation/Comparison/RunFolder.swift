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
  /// One sentence for each run that has not finished.
  public let unfinished: [String]

  /// Reads a folder that `fedsim run` wrote; nothing of the data set is needed.
  ///
  /// - Throws: exit 4: E4095 when it is no run folder, E4098 when its scenario is damaged, E1014
  ///   when a trace is.
  public init(_ path: String) throws(Failure) {
    let (scenario, reading) = try ScenarioReading.ofRunFolder(path)
    let resolved = reading.resolved ?? .object([])
    self.path = path
    self.resolved = resolved
    data = try Self.data(path)
    splits = try Self.splits(path, scenario.seeds)
    var entries: [Entry] = []
    var unfinished: [String] = []
    let settings = resolved["strategies"]?.elements ?? []
    for (choice, given) in zip(scenario.strategies, settings) {
      var own = given
      own["label"] = nil
      var runs: [Part] = []
      for seed in scenario.seeds {
        let folder = FilePath.join(path, "\(choice.label)-s\(seed)")
        let records = try Self.records(folder)
        let reached = records.last?.round ?? 0
        guard !records.isEmpty, reached >= scenario.federation.rounds else {
          unfinished.append(
            "\(choice.label) seed \(seed) of \(path): "
              + (records.isEmpty ? "not begun" : "stopped after round \(reached)")
          )
          continue
        }
        runs.append(
          Part(
            folder: folder,
            run: StrategyRun(seed: seed, records: records),
            clients: try RunFiles.scores(in: folder)
          )
        )
      }
      entries.append(Entry(label: choice.label, settings: own, runs: runs))
    }
    self.entries = entries
    self.unfinished = unfinished
  }

  private static func records(_ folder: String) throws(Failure) -> [RoundRecord] {
    let path = FilePath.join(folder, "rounds.jsonl")
    guard FileKind(of: path) == .file else { return [] }
    return try RoundRecord.read(jsonl: try FileReader.bytes(of: path), path: path)
  }

  private static func data(_ path: String) throws(Failure) -> JSON? {
    let file = FilePath.join(path, "environment.json")
    guard FileKind(of: file) == .file else { return nil }
    return (try? JSON(parsing: try FileReader.bytes(of: file)))?["data"]
  }

  private static func splits(
    _ path: String,
    _ seeds: [UInt64]
  ) throws(Failure) -> [UInt64: String] {
    var known: [UInt64: String] = [:]
    for (index, seed) in seeds.enumerated() {
      let suffix = index == 0 ? "" : "-s\(seed)"
      let file = FilePath.join(path, "split/partition\(suffix).json")
      guard FileKind(of: file) == .file else { continue }
      var hash = XXHash64()
      hash.update(try FileReader.bytes(of: file))
      known[seed] = hash.hex
    }
    return known
  }
}

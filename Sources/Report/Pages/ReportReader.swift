import Aggregation
import Base
import Records

/// Reads what a report shows from run folders that were found to be alike.
///
/// Runs that have not finished are named and not compared; they are shown, as far as they came,
/// where no run of their strategy has finished.
struct ReportReader {
  private let folders: [RunFolder]
  private let finished: [ComparedStrategy]
  private let shown: [ComparedStrategy]
  private let splits: SplitSummaries

  /// - Parameter folders: one or several; their settings may differ where `SettingDifference`
  ///   allows it.
  /// - Throws: E7002 when two folders have the same run with different results (exit 7), E4101 or
  ///   E4124 when a file is damaged (exit 4).
  init(_ folders: [RunFolder]) throws(Failure) {
    self.folders = folders
    finished = try ComparedStrategy.all(folders)
    shown = try ComparedStrategy.shown(folders, finished)
    splits = try SplitSummaries(folders)
  }

  /// - Parameters:
  ///   - settings: what is compared; without a metric generic and personal accuracy, where they
  ///     were measured.
  ///   - style: how numbers are shown.
  /// - Returns: all that the folders' files say.
  /// - Throws: E2012 for an unknown metric or baseline (exit 2), E7003 when the metric that was
  ///   asked for was not measured (exit 7), E4101 when a file is damaged (exit 4).
  func input(_ settings: Comparison.Settings, style: ReportStyle) throws(Failure) -> ReportInput {
    let several = folders.count > 1
    let first = folders.first
    var input = ReportInput(
      title: Self.unique(folders.map(\.name)).joined(separator: ", "),
      conditions: Self.conditions(folders),
      warnings: ChanceLevel.sentences(folders, finished)
        + Self.warnings(folders),
      strategies: shown.map { strategy in
        StrategyResult(
          label: strategy.label, runs: strategy.seeds.compactMap { strategy.runs[$0]?.run })
      }, classNames: first?.classNames ?? [], classCounts: splits.first?.classes ?? [],
      clientClassCounts: splits.first?.clients ?? [],
      targets: Self.unique(folders.flatMap(\.targets)),
      differences: several ? SettingDifference.all(folders) : [],
      folders: several ? folders.map(\.path) : [], scenario: first?.resolved ?? .object([]),
      command: folders.map(\.command).filter { !$0.isEmpty }.joined(separator: "\n"))
    input.clientEpsilons = try perStrategy { part throws(Failure) in
      try RunTrace.epsilons(in: part.folder)
    }.map { (label: $0.label, epsilons: $0.values) }
    input.clients = scores
    input.protection = Self.protection(folders)
    input.diagnostics = try perStrategy { part throws(Failure) in
      try ModelDiagnostics.read(in: part.folder).map { [$0] } ?? []
    }.map { ReportInput.StrategyDiagnostics(label: $0.label, models: $0.values) }
    input.style = style
    input.privacyUtility = PrivacyUtility(shown, spread: style.spread)
    input.comparisons = try Comparison.all(finished, settings)
    for (label, title) in folders.flatMap(\.titles) { input.names[label] = title }
    input.references = ReportInput.Reference.all(folders, input)
    return input
  }

  /// δ, clip and unit of what protects, a sentence for each that there is.
  private static func protection(_ folders: [RunFolder]) -> String {
    let settings = folders.flatMap { folder in
      [folder.resolved["privacy"]] + folder.entries.map { $0.settings["privacy"] }
    }.compactMap { json in json.flatMap { $0.members == nil ? nil : $0 } }
    let words = settings.map { privacy in
      ["unit", "mechanism", "clip", "delta"].compactMap { key in
        privacy[key].map { "\(key) \($0.text ?? $0.compact)" }
      }.joined(separator: ", ")
    }
    return unique(words).map { "Privacy: \($0)." }.joined(separator: " ")
  }

  /// The conditions of the first folder, without the words on privacy where folders differ in it.
  private static func conditions(_ folders: [RunFolder]) -> [String] {
    (folders.first?.conditions ?? []).filter { line in
      !line.hasPrefix("privacy: ") || folders.allSatisfy { $0.conditions.contains(line) }
    }
  }

  /// What the folders' readers must know, with the folder, or how many of them say it.
  private static func warnings(_ folders: [RunFolder]) -> [String] {
    let all = folders.map { ($0.path, $0.warnings + $0.unfinishedRuns) }
    // Of several folders' seeds one each is no single seed.
    let seeds = Set(folders.flatMap(\.seeds)).count
    return unique(all.flatMap(\.1)).filter { seeds == 1 || !$0.contains("single seed") }.map {
      text in
      let paths = all.filter { $0.1.contains(text) }.map(\.0)
      if folders.count == 1 { return text }
      return (paths.count == 1 ? paths[0] : "\(paths.count) of \(folders.count) folders") + ": "
        + text
    }
  }

  private static func unique<Value: Equatable>(_ list: [Value]) -> [Value] {
    list.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// What is read of every run, by strategy and seed; without strategies that have nothing.
  private func perStrategy<Value, Problem>(_ read: (RunFolder.Part) throws(Problem) -> [Value])
    throws(Problem) -> [(label: String, values: [Value])]
  {
    var found: [(label: String, values: [Value])] = []
    for strategy in shown {
      var values: [Value] = []
      for seed in strategy.seeds { if let part = strategy.runs[seed] { values += try read(part) } }
      if !values.isEmpty { found.append((strategy.label, values)) }
    }
    return found
  }

  /// Every client's accuracy at the last evaluation of each run, and what it reaches alone.
  private var scores: [ReportInput.ClientScores] {
    let alone = references
    func read(_ part: RunFolder.Part) -> [ReportInput.ClientScores.Score] {
      guard let round = part.clients.keys.max(), let last = part.clients[round] else { return [] }
      let seed = part.run.seed
      let reference = alone[seed].flatMap { $0.folder == part.folder ? nil : $0.clients[round] }
      return last.sorted { $0.key < $1.key }.filter(\.value.isFinite).map { client, accuracy in
        ReportInput.ClientScores.Score(
          seed: seed, client: client, accuracy: accuracy,
          alone: reference?[client].flatMap { $0.isFinite ? $0 : nil },
          images: splits.images(seed, client))
      }
    }
    return perStrategy(read).map { ReportInput.ClientScores(label: $0.label, scores: $0.values) }
  }

  /// The runs of clients that train alone, by seed.
  private var references: [UInt64: RunFolder.Part] {
    var known: [UInt64: RunFolder.Part] = [:]
    for folder in folders {
      for entry in folder.entries where entry.settings["kind"]?.text == LocalOnly.info.kind {
        for part in entry.runs where known[part.run.seed] == nil { known[part.run.seed] = part }
      }
    }
    return known
  }
}

import Aggregation
import Base
import Records

/// Reads what a report shows from run folders that were found to be alike.
///
/// Runs that have not finished are shown as far as they came, are named, and are not compared.
struct ReportReader {
  private let folders: [RunFolder]
  private let shown: [ComparedStrategy]
  private let splits: SplitSummaries

  /// - Parameter folders: one or several; their settings may differ where `SettingDifference`
  ///   allows it.
  /// - Throws: E7002 when two folders have the same run with different results (exit 7), E4101 or
  ///   E4124 when a file is damaged (exit 4).
  init(_ folders: [RunFolder]) throws(Failure) {
    self.folders = folders
    shown = try ComparedStrategy.all(folders, includingUnfinished: true)
    splits = try SplitSummaries(folders)
  }

  /// - Parameter settings: what is compared; without a metric generic and personal accuracy, where
  ///   they were measured.
  /// - Returns: all that the folders' files say.
  /// - Throws: E2012 for an unknown metric or baseline (exit 2), E7003 when the metric that was
  ///   asked for was not measured (exit 7), E4101 when a file is damaged (exit 4).
  func input(_ settings: Comparison.Settings) throws(Failure) -> ReportInput {
    let several = folders.count > 1
    let first = folders.first
    var input = ReportInput(
      title: Self.unique(folders.map(\.name)).joined(separator: ", "),
      conditions: first?.conditions ?? [],
      warnings: Self.unique(
        folders.flatMap { folder in
          let head = several ? "\(folder.path): " : ""
          return (folder.warnings + folder.unfinishedRuns).map { head + $0 }
        }),
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
    input.diagnostics = try perStrategy { part throws(Failure) in
      try ModelDiagnostics.read(in: part.folder).map { [$0] } ?? []
    }.map { ReportInput.StrategyDiagnostics(label: $0.label, models: $0.values) }
    input.comparisons = try comparisons(settings)
    input.references = ReportInput.Reference.all(folders, input)
    return input
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

  /// One comparison per metric that the baseline has.
  private func comparisons(_ asked: Comparison.Settings) throws(Failure) -> [Comparison] {
    let finished = try ComparedStrategy.all(folders)
    if asked.metric != nil { return [try Comparison(finished, asked)] }
    var settings = asked
    guard finished.count > 1 else {
      // One strategy is compared with nothing, but a wrong name is still a wrong name.
      if asked.baseline != nil { _ = try Comparison(finished, settings) }
      return []
    }
    var comparisons: [Comparison] = []
    for metric in ["generic.accuracy", "personal.accuracy"] {
      settings.metric = metric
      do throws(Failure) {
        let comparison = try Comparison(finished, settings)
        if comparison.rows.contains(where: { $0.versus != nil }) { comparisons.append(comparison) }
      } catch  where error.code != "E7003" { throw error } catch {
        // Not measured, or not of the baseline: there is no such comparison.
      }
    }
    return comparisons
  }
}

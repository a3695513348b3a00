import Aggregation
import Base
import Records

extension ReportInput {
  /// A report over run folders that were found to be alike, from their files alone.
  ///
  /// Runs that have not finished are shown as far as they came, are named, and are not compared.
  ///
  /// - Parameters:
  ///   - folders: one or several; their settings may differ where `SettingDifference` allows it.
  ///   - settings: what is compared; without a metric generic and personal accuracy, where they
  ///     were measured.
  /// - Throws: E7002 when two folders have the same run with different results (exit 7), E2012 for
  ///   an unknown metric or baseline (exit 2), E7003 when the metric that was asked for was not
  ///   measured (exit 7), E4101 when a file is damaged (exit 4).
  package init(_ folders: [RunFolder], _ settings: Comparison.Settings = Comparison.Settings())
    throws(Failure)
  {
    let shown = try ComparedStrategy.all(folders, includingUnfinished: true)
    let several = folders.count > 1
    self.init(
      title: folders.map(\.name).reduce(into: [String]()) { names, name in
        if !names.contains(name) { names.append(name) }
      }.joined(separator: ", "), conditions: folders.first?.conditions ?? [],
      strategies: shown.map { strategy in
        StrategyResult(
          label: strategy.label, runs: strategy.seeds.compactMap { strategy.runs[$0]?.run })
      }, scenario: folders.first?.resolved ?? .object([]),
      command: folders.map(\.command).filter { !$0.isEmpty }.joined(separator: "\n"))
    var seen: Set<String> = []
    for folder in folders {
      let head = several ? "\(folder.path): " : ""
      warnings += (folder.warnings + folder.unfinishedRuns).map { head + $0 }.filter {
        seen.insert($0).inserted
      }
      targets += folder.targets.filter { !targets.contains($0) }
    }
    if several {
      self.folders = folders.map(\.path)
      differences = SettingDifference.all(folders)
    }
    let split = try Splits(folders)
    if let first = split.first {
      classCounts = first.classes
      clientClassCounts = first.clients
    }
    try readPrivacy(shown)
    readClients(shown, folders, split)
    try readDiagnostics(shown)
    comparisons = try Self.comparisons(folders, settings)
    references = Reference.all(folders, self)
  }

  private mutating func readPrivacy(_ shown: [ComparedStrategy]) throws(Failure) {
    for strategy in shown {
      var epsilons: [Double] = []
      for seed in strategy.seeds {
        guard let part = strategy.runs[seed] else { continue }
        epsilons += try RunTrace.epsilons(in: part.folder)
      }
      if !epsilons.isEmpty { clientEpsilons.append((strategy.label, epsilons)) }
    }
  }

  private mutating func readDiagnostics(_ shown: [ComparedStrategy]) throws(Failure) {
    for strategy in shown {
      var models: [ModelDiagnostics] = []
      for seed in strategy.seeds {
        guard let part = strategy.runs[seed] else { continue }
        if let model = try ModelDiagnostics.read(in: part.folder) { models.append(model) }
      }
      if !models.isEmpty {
        diagnostics.append(StrategyDiagnostics(label: strategy.label, models: models))
      }
    }
  }

  /// Every client's accuracy at the last evaluation of each run, beside what it has alone.
  private mutating func readClients(
    _ shown: [ComparedStrategy], _ folders: [RunFolder], _ split: Splits
  ) {
    let alone = Self.references(folders)
    for strategy in shown {
      var scores: [ClientScores.Score] = []
      for seed in strategy.seeds {
        guard let part = strategy.runs[seed], let round = part.clients.keys.max(),
          let last = part.clients[round]
        else { continue }
        let reference = alone[seed].flatMap { $0.folder == part.folder ? nil : $0.clients[round] }
        for (client, accuracy) in last.sorted(by: { $0.key < $1.key }) where accuracy.isFinite {
          scores.append(
            ClientScores.Score(
              seed: seed, client: client, accuracy: accuracy,
              alone: reference?[client].flatMap { $0.isFinite ? $0 : nil },
              images: split.images(seed, client)))
        }
      }
      if !scores.isEmpty { clients.append(ClientScores(label: strategy.label, scores: scores)) }
    }
  }

  /// The runs of clients that train alone, by seed.
  private static func references(_ folders: [RunFolder]) -> [UInt64: RunFolder.Part] {
    var known: [UInt64: RunFolder.Part] = [:]
    for folder in folders {
      for entry in folder.entries where entry.settings["kind"]?.text == LocalOnly.card.kind {
        for part in entry.runs where known[part.run.seed] == nil { known[part.run.seed] = part }
      }
    }
    return known
  }

  /// One comparison per metric that the baseline has.
  private static func comparisons(_ folders: [RunFolder], _ asked: Comparison.Settings)
    throws(Failure) -> [Comparison]
  {
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

/// Who holds what, from `split/summary.csv` of every seed.
private struct Splits {
  struct One {
    /// Training images per client.
    var totals: [Int] = []
    /// Training images per class.
    var classes: [Int] = []
    /// Per client and class; empty for more clients than are drawn.
    var clients: [[Int]] = []
  }

  /// More clients are not drawn one by one.
  private static let mostDrawn = 200

  private(set) var bySeed: [UInt64: One] = [:]
  private(set) var first: One?

  init(_ folders: [RunFolder]) throws(Failure) {
    for folder in folders {
      let facts = try FolderFacts.read(folder.path)
      for (index, seed) in folder.seeds.enumerated() where bySeed[seed] == nil {
        let name = "split/summary\(RunFolder.suffix(index, seed)).csv"
        let file = FilePath.join(folder.path, name)
        let read: [UInt8]?
        if let facts {
          read = try facts.bytes(of: name)
        } else {
          read = try FileReader.optional(file, what: "a split")
        }
        guard let found = read else { continue }
        let one = try Self.read(found, file, clients: folder.clients)
        bySeed[seed] = one
        if first == nil { first = one }
      }
    }
  }

  func images(_ seed: UInt64, _ client: Int) -> Int? {
    guard let totals = bySeed[seed]?.totals, totals.indices.contains(client) else { return nil }
    return totals[client]
  }

  /// Rows whose first field is a number are clients; others are sets besides them.
  ///
  /// Byte by byte: there may be a million clients.
  ///
  /// - Throws: E4124 for a row with other fields than the first, a client out of order, or a count
  ///   that no data set has.
  private static func read(_ bytes: [UInt8], _ path: String, clients: Int) throws(Failure) -> One {
    /// More images than any file holds: sums over all clients stay exact.
    let most = 1 << 40
    var one = One()
    var width: Int?
    for (index, line) in bytes.split(separator: 10).enumerated().dropFirst() {
      var numbers: [Int] = []
      var number: Int? = line.first.map { $0 == 44 } ?? true ? nil : 0
      for byte in line {
        if byte == 44 {
          numbers.append(number ?? -1)
          number = 0
        } else if byte >= 48, byte <= 57 {
          number = number.flatMap { $0 > most ? nil : $0 * 10 + Int(byte - 48) }
        } else {
          number = nil
        }
      }
      numbers.append(number ?? -1)
      // A row of a set, such as that of public images.
      if let first = numbers.first, first < 0, line.first.map({ $0 < 48 || $0 > 57 }) ?? false {
        continue
      }
      guard numbers.count >= 2, numbers.count == width ?? numbers.count,
        numbers[0] == one.totals.count, numbers[0] < clients,
        numbers.dropFirst().allSatisfy({ (0...most).contains($0) })
      else { throw RunTrace.noLine(path, index + 1, "no row of one of \(clients) clients") }
      width = numbers.count
      let counts = Array(numbers.dropFirst(2))
      if one.classes.isEmpty { one.classes = [Int](repeating: 0, count: counts.count) }
      for (label, count) in counts.enumerated() {
        let (sum, overflows) = one.classes[label].addingReportingOverflow(count)
        guard !overflows, sum <= most else {
          throw RunTrace.noLine(path, index + 1, "more images than a data set has")
        }
        one.classes[label] = sum
      }
      one.totals.append(numbers[1])
      if one.clients.count <= mostDrawn { one.clients.append(counts) }
    }
    if one.clients.count > mostDrawn { one.clients = [] }
    return one
  }
}

import Base
import Records
import Scenario

/// Two columns of the tables of run folders against each other.
package struct ColumnPlot: Sendable {
  /// Where the columns are.
  package enum Source: String, Sendable, CaseIterable {
    /// Every number of `rounds.jsonl` by its path, and `round`; what adds up is a total so far.
    case rounds
    /// What a run is judged by, as in `summary.json`.
    case summary
    /// The numbers of `clients.csv` at the last evaluation.
    case clients
  }

  /// Whose marks look alike.
  package enum Grouping: String, Sendable, CaseIterable { case strategy, seed }

  package var x: String
  package var y: String
  package var grouping = Grouping.strategy
  /// Nil: the first that has both columns.
  package var source: Source?
  package var spread: Spread?

  package init(x: String, y: String) {
    self.x = x
    self.y = y
  }

  /// A row of a table: the numbers of one run, or client, at one time.
  private struct Row {
    /// Rows of one key and series are means over seeds.
    let key: Int
    let values: [String: Double]
  }

  private struct Lines {
    let series: Plot.Series
    var rows: [Row] = []
  }

  /// The figure.
  ///
  /// - Throws: E2012 for a column that no table has, or no table has with the other (exit 2), E4102
  ///   when no row has both numbers, and what reading throws (exit 4).
  package func plot(_ folders: [RunFolder]) throws(Failure) -> Plot {
    let strategies = try ComparedStrategy.shown(folders, ComparedStrategy.all(folders))
    var names: [String] = []
    var known: Set<String> = []
    for source in self.source.map({ [$0] }) ?? Source.allCases {
      let lines = try lines(strategies, source)
      let columns = Set(lines.flatMap(\.rows).flatMap(\.values.keys))
      if columns.contains(x), columns.contains(y) { return try plot(lines, source) }
      names += columns.subtracting(known).sorted()
      known.formUnion(columns)
    }
    for name in [x, y] where !known.contains(name) {
      throw Suggestions.unknown("column", name, among: names)
    }
    throw Failure(
      .wrongCommandLine, "E2012", "no table has both \(x) and \(y)",
      hint: "choose both from the rounds, from the summary or from the clients")
  }

  // MARK: - Reading

  private func lines(_ strategies: [ComparedStrategy], _ source: Source) throws(Failure) -> [Lines]
  {
    var all: [Lines] = []
    for strategy in strategies {
      for seed in strategy.seeds {
        guard let part = strategy.runs[seed] else { continue }
        let label = grouping == .seed ? "\(strategy.label) seed \(seed)" : strategy.label
        if all.last?.series.label != label {
          all.append(Lines(series: Plot.Series(label, all.count)))
        }
        all[all.count - 1].rows += try rows(part, source)
      }
    }
    return all
  }

  private func rows(_ part: RunFolder.Part, _ source: Source) throws(Failure) -> [Row] {
    switch source {
    case .rounds:
      var totals: [String: Double] = [:]
      return part.run.records.map { record in
        var values = ["round": Double(record.round)]
        for (path, value) in BoardEvent.scalars(record) where value.isFinite {
          if Self.addsUp(path) { totals[path, default: 0] += value } else { values[path] = value }
        }
        return Row(key: record.round, values: values.merging(totals) { first, _ in first })
      }
    case .summary:
      var values: [String: Double] = [:]
      for metric in ComparisonMetric.names.compactMap(ComparisonMetric.init) {
        if let value = metric.read(part.run), value.isFinite { values[metric.name] = value }
      }
      return [Row(key: 0, values: values)]
    case .clients:
      let table = try RunTrace.table("clients.csv", in: part.folder)
      let last = part.clients.keys.max()
      return table.filter { last == nil || $0["round"].flatMap(Int.init) == last }.enumerated().map
      {
        // Clients are no repetitions of each other.
        Row(key: $0.offset, values: $0.element.compactMapValues { Double($0) })
      }
    }
  }

  private static func addsUp(_ path: String) -> Bool {
    path.hasPrefix("bytes.") || path == "time.wall"
      || ["train.flops", "train.steps", "train.examples"].contains(path)
  }

  // MARK: - Drawing

  private func plot(_ all: [Lines], _ source: Source) throws(Failure) -> Plot {
    var marks: [Plot.Mark] = []
    var shown: [(series: Plot.Series, points: [Curve.Point])] = []
    for one in all {
      let points = points(one, source)
      if !points.isEmpty { shown.append((Plot.Series(one.series.label, shown.count), points)) }
    }
    let every = shown.flatMap(\.points)
    guard let low = every.map(\.low).min(), let high = every.map(\.high).max() else {
      throw Failure(
        .dataMissingOrCorrupt, "E4102", "no row has a number in both \(x) and \(y)",
        hint: "one may be measured in other rounds, or of other methods")
    }
    for (series, points) in shown {
      let places = points.map { Plot.Point($0.x, $0.mean) }
      let isJoined =
        source == .rounds && zip(points, points.dropFirst()).allSatisfy { $0.x <= $1.x }
      let hasEnds = points.contains { $0.high > $0.low }
      if isJoined, places.count > 1 {
        if hasEnds, shown.count <= Plot.mostBands {
          marks.append(.band(series, points.map { ($0.x, $0.low, $0.high) }, isFaint: true))
        }
        marks.append(.line(series, places))
      } else if hasEnds {
        marks += points.map {
          .interval(series, from: Plot.Point($0.x, $0.low), to: Plot.Point($0.x, $0.high))
        }
      }
      let step = isJoined ? max(1, places.count / 8) : 1
      marks.append(
        .points(
          series,
          places.indices.filter { $0 % step == 0 || $0 == places.count - 1 }.map { places[$0] }
        ))
    }
    let (left, right) = (every.map(\.x).min() ?? 0, every.map(\.x).max() ?? 1)
    let ends = every.contains { $0.high > $0.low } ? " " + beside(all) : ""
    return Plot(
      title: "\(y) over \(x)",
      description: "\(shown.count) series, \(every.count) points, from \(source.rawValue).",
      x: Plot.Axis(title(x, source), .linear(Plot.fromZero(left, right), count: 6)),
      y: Plot.Axis(title(y, source) + ends, .linear(Plot.fromZero(low, high))), marks: marks,
      legend: shown.map(\.series))
  }

  /// Means over the seeds that a series has at each key.
  private func points(_ lines: Lines, _ source: Source) -> [Curve.Point] {
    let (across, up) = (scale(x), scale(y))
    var groups: [Int: [(x: Double, y: Double)]] = [:]
    for (index, row) in lines.rows.enumerated() {
      guard let first = row.values[x], let second = row.values[y] else { continue }
      let key = source == .clients ? index : row.key
      groups[key, default: []].append((first / across, second / up))
    }
    return groups.sorted { $0.key < $1.key }.compactMap { _, pairs in
      let statistics = SeedStatistics(pairs.map(\.y))
      let place = Metrics.mean(pairs.map(\.x))
      guard place.isFinite, statistics.mean.isFinite else { return nil }
      var ends = statistics.ends(spread) ?? (statistics.mean, statistics.mean)
      // What is a share stays one.
      if ComparisonMetric(y)?.unit == .share { ends = (max(0, ends.low), min(1 / up, ends.high)) }
      return Curve.Point(x: place, mean: statistics.mean, low: ends.low, high: ends.high)
    }
  }

  private func scale(_ name: String) -> Double { ComparisonMetric(name)?.scale ?? 1 }

  private func title(_ name: String, _ source: Source) -> String {
    let unit = ComparisonMetric(name)?.unitText ?? ""
    let total = source == .rounds && Self.addsUp(name) ? " so far" : ""
    return name + total + (unit.isEmpty ? "" : ", \(unit)")
  }

  /// What is drawn around the means.
  private func beside(_ all: [Lines]) -> String {
    let keys = all.map { Dictionary(grouping: $0.rows, by: \.key).values.map(\.count).max() ?? 0 }
    return "(\((spread ?? .usual(keys.max() ?? 0)).words))"
  }
}

import Base
import Data
import Records

extension Plot {
  private static let rowHeight = 46.0

  /// A row for each strategy, with its name above what is drawn.
  private static func rows(_ series: [Series]) -> Axis {
    Axis(names: series.map(\.label), slot: rowHeight, isInside: true)
  }

  /// A line from the first row to the last.
  private static func upright(at value: Double, rows: Int) -> Mark {
    .reference(Point(value, -0.5), Point(value, Double(rows) - 0.5))
  }

  /// How a number is spread over clients, a row for each strategy; nil without a value.
  ///
  /// `marked`: a value with a line of its own.
  package static func spread(
    _ title: String, _ xTitle: String, _ all: [(series: Series, values: [Double])],
    marked: Double? = nil
  ) -> Plot? {
    let known = all.filter { !$0.values.isEmpty }
    let values = known.flatMap(\.values) + (marked.map { [$0] } ?? [])
    guard !known.isEmpty, let low = values.min(), let high = values.max() else { return nil }
    let words = known.map { one in
      let texts = [0.1, 0.5, 0.9].map { NumberText.fixed(Metrics.percentile(one.values, $0), 1) }
      return "\(one.series.label): 10th percentile \(texts[0]), median \(texts[1]), "
        + "90th percentile \(texts[2]) of \(one.values.count)"
    }
    return Plot(
      title: title, description: words.joined(separator: "; ") + ".",
      x: Axis(xTitle, .linear(fromZero(low, high), count: 6)), y: rows(known.map(\.series)),
      marks: (marked.map { [upright(at: $0, rows: known.count)] } ?? [])
        + known.enumerated().map { .box($1.series, $1.values, row: $0) })
  }

  /// Paired differences against a baseline: a mark at each mean with its 95 % interval, and a line
  /// at zero; nil without a difference.
  static func differences(_ comparison: Comparison, index: (String) -> Int) -> Plot? {
    let metric = comparison.metric
    let rows = comparison.rows.compactMap { row -> (series: Series, mean: Double, half: Double?)? in
      guard let statistics = row.versus?.difference.statistics, statistics.mean.isFinite else {
        return nil
      }
      return (
        Series(row.label, index(row.label)), statistics.mean / metric.scale,
        statistics.halfWidth.map { $0 / metric.scale }
      )
    }
    if rows.isEmpty { return nil }
    let decimals = comparison.decimals
    let texts = rows.map { row -> String in
      let mean = NumberText.fixed(row.mean, decimals, plus: true)
      guard let half = row.half else { return "\(row.series.label) \(mean)" }
      return "\(row.series.label) \(mean), from \(NumberText.fixed(row.mean - half, decimals)) to "
        + NumberText.fixed(row.mean + half, decimals)
    }
    var marks = [upright(at: 0, rows: rows.count)]
    for (place, row) in rows.enumerated() {
      // Below the row's name.
      let y = Double(place) + 7 / rowHeight
      if let half = row.half {
        marks.append(
          .interval(row.series, from: Point(row.mean - half, y), to: Point(row.mean + half, y)))
      }
      marks.append(.points(row.series, [Point(row.mean, y)], size: 5))
    }
    let unit = metric.differenceUnit
    let better = metric.lowerIsBetter ? "left of zero" : "right of zero"
    return Plot(
      title: "\(metric.name): difference from \(comparison.baseline)",
      description: texts.joined(separator: "; ") + ".",
      x: Axis(
        "difference\(unit.isEmpty ? "" : ",\(unit)"); \(better) is better"
          + (rows.contains { $0.half != nil } ? "; bars: 95 % interval (paired t)" : ""),
        .linear(range(rows.map { ($0.mean, $0.half) }), count: 6)),
      y: Self.rows(rows.map(\.series)), marks: marks)
  }

  /// What differences need: two seeds have intervals of thirteen deviations, so that the figure
  /// keeps to three times what the means need, or to most of what half of the intervals need;
  /// others end in an arrow.
  private static func range(_ rows: [(mean: Double, half: Double?)]) -> ClosedRange<Double> {
    let furthest = rows.map { abs($0.mean) }.max() ?? 0
    let halves = rows.compactMap(\.half)
    let bound = max(3 * furthest, 1.5 * (halves.isEmpty ? 0 : Metrics.median(halves)))
    // Where nothing differs, zero stands in the middle.
    if bound < 1e-9 { return -1...1 }
    let low = rows.map { $0.mean - ($0.half ?? 0) }.min() ?? 0
    let high = rows.map { $0.mean + ($0.half ?? 0) }.max() ?? 0
    return max(min(0, low), -bound)...min(max(0, high), bound)
  }

  /// Marks of strategies over two numbers; nil without a point.
  ///
  /// `isJoined`: whether lines join the marks of a strategy.
  /// `square`: both axes from 0 to this, with a line between the corners.
  /// `least`: both of them logarithmic from here, where all numbers have to be at least as large.
  package static func scatter(
    _ title: String, x xTitle: String, y yTitle: String, _ all: [(series: Series, points: [Point])],
    isJoined: Bool = false, square: Double? = nil, least: Double? = nil, note: String = ""
  ) -> Plot? {
    let known = all.filter { !$0.points.isEmpty }
    let points = known.flatMap(\.points)
    guard let low = points.map(\.y).min(), let high = points.map(\.y).max() else { return nil }
    let words = known.map { one -> String in
      let y = one.points.map(\.y)
      return
        "\(one.series.label): \(one.points.count) points from \(NumberText.fixed(y.min(), 2)) to "
        + NumberText.fixed(y.max(), 2)
    }
    var marks: [Mark] =
      square.map {
        [.reference(Point(least ?? 0, least ?? 0), Point($0, $0))]
      } ?? []
    func corner(_ most: Double) -> Scale {
      least.map { .logarithmic($0...most) } ?? .linear(0...most)
    }
    for one in known {
      if isJoined { marks.append(.line(one.series, one.points)) }
      let step = isJoined ? max(1, one.points.count / 20) : 1
      let marked = one.points.indices.filter { $0 % step == 0 }.map { one.points[$0] }
      marks.append(.points(one.series, marked))
    }
    return Plot(
      title: title,
      description: "\(yTitle) over \(xTitle). " + words.joined(separator: "; ") + "." + note,
      x: square.map { Axis(xTitle, corner($0)) } ?? Axis(xTitle, costs: points.map(\.x)),
      y: Axis(yTitle, square.map(corner) ?? .linear(fromZero(low, high))), marks: marks,
      legend: known.map(\.series))
  }

  /// Accuracy against ε: a mark for each strategy at its mean, with what is shown of its seeds; nil
  /// when no strategy has an ε.
  static func privacy(
    _ title: String, _ strategies: [StrategyResult], _ spread: Spread?,
    value: (StrategyRun) -> Double?
  ) -> Plot? {
    var epsilons: [Double] = []
    var accuracies: [Double] = []
    var marks: [Mark] = []
    var legend: [Series] = []
    var words: [String] = []
    for (index, strategy) in strategies.enumerated() {
      let values = strategy.runs.compactMap(value).filter(\.isFinite).map { 100 * $0 }
      let statistics = SeedStatistics(values)
      if values.isEmpty { continue }
      let mean = statistics.mean
      let ends = statistics.ends(spread) ?? (mean, mean)
      let (low, high) = (max(0, ends.low), min(100, ends.high))
      let epsilon = SpentPrivacy(strategy.runs)?.epsilon ?? .infinity
      let series = Series(strategy.label, index)
      if high > low {
        marks.append(.interval(series, from: Point(epsilon, low), to: Point(epsilon, high)))
      }
      marks.append(.points(series, [Point(epsilon, mean)], size: 4.4))
      epsilons.append(epsilon)
      accuracies += [low, high]
      legend.append(series)
      words.append(
        "\(strategy.label): \(NumberText.fixed(mean, 1)) % at "
          + (epsilon.isFinite ? "epsilon \(NumberText.epsilon(epsilon))" : "no epsilon"))
    }
    guard epsilons.contains(where: \.isFinite), let low = accuracies.min(),
      let high = accuracies.max()
    else { return nil }
    let most = strategies.map(\.runs.count).max() ?? 0
    let bars = most > 1 ? "; bars: \((spread ?? .usual(most)).words)" : ""
    var plot = Plot(
      title: title, description: words.joined(separator: "; ") + ".",
      x: Axis("epsilon", costs: epsilons, ratio: 2),
      y: Axis("accuracy %\(bars)", .linear(fromZero(low, high))), marks: marks, legend: legend)
    plot.dodge = 5
    return plot
  }
}

extension Plot {
  /// With more classes, markers take the place of bars.
  private static let mostBars = 20

  /// Accuracy of each class over its frequency: classes from frequent to rare, the strategies side
  /// by side, the number of training images below; nil without classes.
  ///
  /// `counts`: training images per class, [C].
  /// `accuracies`: per class in [0, 1], [C] for each strategy; NaN where unknown.
  static func classes(
    _ names: [String], _ counts: [Int], _ accuracies: [(series: Series, values: [Double])],
    shots shotNames: ShotNames = .head
  ) -> Plot? {
    guard !counts.isEmpty, !accuracies.isEmpty else { return nil }
    let groups = shotNames.groups(counts)
    let shotWords = shotNames.words
    let order = counts.indices.sorted {
      counts[$0] == counts[$1] ? $0 < $1 : counts[$0] > counts[$1]
    }
    let hasBars = counts.count <= mostBars
    let wanted = hasBars ? Double(accuracies.count) * 9 + 10 : 9
    let slot = max(wanted, 700 / Double(counts.count))
    func name(_ label: Int) -> String { label < names.count ? names[label] : "\(label)" }
    let words = accuracies.map { one in
      guard let shots = groups?.accuracies(one.values) else {
        let known = one.values.filter(\.isFinite)
        return "\(one.series.label): mean \(NumberText.percent(Metrics.mean(known))) %"
      }
      return "\(one.series.label): \(shotWords.head) \(NumberText.percent(shots.head)) %, "
        + "\(shotWords.middle) \(NumberText.percent(shots.middle)) %, "
        + "\(shotWords.tail) \(NumberText.percent(shots.tail)) %"
    }
    var marks = groups.map { shots in zones(order.map { shots.groups[$0] }, shotNames) } ?? []
    for (place, one) in accuracies.enumerated() {
      let known = order.enumerated().filter { one.values[$0.element].isFinite }
      if hasBars {
        let bars = known.map { slot, label in
          let text = NumberText.percent(one.values[label])
          return (
            slot: slot, height: 100 * one.values[label],
            words: "\(name(label)), \(one.series.label): \(text) %"
          )
        }
        marks.append(.bars(one.series, bars, place: place, count: accuracies.count))
      } else {
        let points = known.map { Point(Double($0), 100 * one.values[$1]) }
        marks.append(.points(one.series, points, size: 3))
      }
    }
    // Named by their counts where there are too many for names.
    let labels = order.map { hasBars ? name($0) : "\(counts[$0])" }
    let highest = log10(Double(max(counts.max() ?? 1, 1)) + 1)
    let most = accuracies.flatMap(\.values).filter(\.isFinite).max() ?? 1
    return Plot(
      title: "Accuracy by class, from frequent to rare",
      description: words.joined(separator: "; ") + ".",
      x: Axis(names: labels, slot: slot, every: hasBars ? 1 : 10),
      y: Axis("accuracy %", .linear(0...100 * most)), marks: marks,
      legend: accuracies.map(\.series),
      foot: Foot(
        title: hasBars
          ? "training images per class (grey bars, logarithmic)"
          : "training images per class (bars, logarithmic; every tenth count is given)",
        bars: order.map { label in
          (log10(Double(max(counts[label], 0)) + 1) / highest, hasBars ? "\(counts[label])" : "")
        }))
  }

  /// Stretches of slots of the same group; those in the middle are not tinted.
  private static func zones(_ groups: [ShotGroups.Group], _ names: ShotNames) -> [Mark] {
    var marks: [Mark] = []
    var start = 0
    while start < groups.count {
      let end = groups[start...].firstIndex { $0 != groups[start] } ?? groups.count
      marks.append(
        .zone(names.word(groups[start]), start..<end, isTinted: groups[start] != .middle))
      start = end
    }
    return marks
  }

  /// How many images of each class each client holds: a row per client, a column per class; nil
  /// without clients or classes.
  ///
  /// More clients than 60, or than 12,000 cells allow, are not drawn; the title says so.
  ///
  /// `counts`: training images, [K][C].
  static func holdings(_ names: [String], _ counts: [[Int]]) -> Plot? {
    let columns = counts.map(\.count).max() ?? 0
    let rows = Array(counts.prefix(max(10, min(60, 12_000 / max(columns, 1)))))
    guard !rows.isEmpty, columns > 0 else { return nil }
    let most = Double(max(rows.joined().max() ?? 1, 1))
    let cut =
      rows.count < counts.count ? " (the first \(rows.count) of \(counts.count) clients)" : ""
    let sizes = counts.map { $0.reduce(0, +) }
    let cells = rows.enumerated().flatMap { row, client in
      client.enumerated().filter { $0.element > 0 }.map { column, count in
        // The square root keeps the small counts of the tail visible.
        (
          column: column, row: row, strength: 0.08 + 0.82 * (Double(count) / most).squareRoot(),
          text: columns <= 12 ? "\(count)" : ""
        )
      }
    }
    let labels = (0..<columns).map { columns <= 20 && $0 < names.count ? names[$0] : "\($0)" }
    return Plot(
      title: "Images per client and class" + cut,
      description: "\(counts.count) clients hold from \(sizes.min() ?? 0) to \(sizes.max() ?? 0) "
        + "images, median \(NumberText.fixed(Metrics.median(sizes.map(Double.init)), 0)).",
      x: Axis(
        "columns: classes; numbers at the right: images of the client; empty cells: none",
        names: labels, slot: max(7, 640 / Double(columns)), every: columns > 20 ? 10 : 1),
      y: Axis(names: rows.indices.map { "client \($0)" }, slot: rows.count > 30 ? 14 : 20),
      marks: [.cells(cells), .ends(rows.map { "\($0.reduce(0, +))" })])
  }
}

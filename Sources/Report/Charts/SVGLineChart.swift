import Base
import Records

/// Curves over rounds, or over what rounds cost: the mean over seeds with the band of its 95 %
/// interval by Student's t, where there are two seeds or more.
package struct SVGLineChart {
  package let title: String
  /// What the vertical axis shows, with its unit.
  let yTitle: String
  let series: [Series]
  /// What the horizontal axis shows.
  var axis = Axis.rounds
  /// What the values can be; bands end there.
  var bounds = -1e300...1e300

  /// What curves run over.
  package enum Axis: Equatable {
    /// Rounds, from 0.
    case rounds
    /// Something that adds up, with its unit; logarithmic when values are more than 20 times apart.
    case cost(title: String, unit: String)
  }

  /// The curve of one strategy.
  struct Series {
    let label: String
    /// Position of the strategy in the scenario, for its colour.
    let index: Int
    let points: [Point]
  }

  /// Mean over seeds and the ends of its interval in a round; all one with a single seed.
  package struct Point: Equatable {
    /// The round, or what was spent until then.
    package let x: Double
    package let mean: Double
    package let low: Double
    package let high: Double
  }

  private static let width = 560.0
  private static let height = 340.0
  private static let mostPoints = 300

  /// Reads a curve from the runs of a strategy; rounds in which `value` has no finite value are
  /// left out, and very long curves are thinned evenly, keeping the last round.
  package static func points(_ runs: [StrategyRun], value: (RoundRecord) -> Double?) -> [Point] {
    var byRound: [Int: [Double]] = [:]
    for run in runs {
      for record in run.records {
        guard let number = value(record), number.isFinite else { continue }
        byRound[record.round, default: []].append(number)
      }
    }
    let rounds = byRound.keys.sorted()
    let stride = (rounds.count + mostPoints - 1) / mostPoints
    return rounds.enumerated().compactMap { position, round in
      guard position % max(stride, 1) == 0 || position == rounds.count - 1,
        let values = byRound[round]
      else { return nil }
      let statistics = SeedStatistics(values)
      let mean = statistics.mean
      // Sums of numbers near the largest may overflow.
      guard mean.isFinite else { return nil }
      let half = statistics.halfWidth.flatMap { $0.isFinite ? $0 : nil } ?? 0
      return Point(x: Double(round), mean: mean, low: mean - half, high: mean + half)
    }
  }

  /// The figure and its legend; nothing when there is no point.
  package func write(to out: inout Markup) {
    let all = series.flatMap(\.points)
    guard let range = verticalRange(all), let first = all.map(\.x).min(),
      let last = all.map(\.x).max()
    else { return }
    let frame = SVGFrame(left: 46, right: Self.width - 22, top: 40, bottom: Self.height - 48)
    let vertical = SVGScale(range, from: frame.bottom, to: frame.top, count: 5, rounded: true)
    let horizontal = horizontal(first...last, frame)
    out.inside("figure") { figure in
      SVGStyle.drawing(title, description, Self.width, Self.height, to: &figure) { svg in
        frame.drawVertical(vertical, title: yTitle, to: &svg)
        frame.drawHorizontal(horizontal, title: axisTitle, to: &svg)
        for one in series { drawBand(one, horizontal, vertical, to: &svg) }
        for one in series { drawCurve(one, horizontal, vertical, to: &svg) }
      }
      SVGStyle.legend(
        series.filter { !$0.points.isEmpty }.map { ($0.label, $0.index) }, to: &figure)
    }
  }

  /// What the vertical axis shows: all means, and of the bands what lies within the bounds and no
  /// further from the means than these are from each other.
  ///
  /// Intervals of two seeds are thirteen deviations wide; they must not flatten the curves.
  private func verticalRange(_ points: [Point]) -> ClosedRange<Double>? {
    guard let least = points.map(\.mean).min(), let most = points.map(\.mean).max() else {
      return nil
    }
    let span = max(most - least, 0.05 * max(abs(most), abs(least)))
    let lowest = points.map(\.low).min() ?? least
    let low = min(least, max(lowest, least - span, bounds.lowerBound))
    let highest = points.map(\.high).max() ?? most
    let high = max(most, min(highest, most + span, bounds.upperBound))
    let floor = low >= 0 && low < 0.6 * high ? 0 : low
    return floor...max(high, floor)
  }

  private func horizontal(_ range: ClosedRange<Double>, _ frame: SVGFrame) -> SVGScale {
    let (first, last) = (range.lowerBound, range.upperBound)
    if case .cost = axis, first > 0, last > 20 * first {
      return SVGScale(logarithmic: range, from: frame.left, to: frame.right, count: 7)
    }
    let start = axis != .rounds || first <= 1 ? 0 : first
    return SVGScale(
      start...(axis == .rounds ? max(last, start + 1) : last), from: frame.left, to: frame.right,
      // Nothing happens between rounds: no ticks there.
      count: axis == .rounds ? Int(min(6, max(1, last - start))) : 6, rounded: false)
  }

  private var axisTitle: String {
    switch axis {
    case .rounds: "round"
    case .cost(let title, _): title
    }
  }

  /// The last values in words, for those who cannot see the curves.
  package var description: String {
    let ends = series.compactMap { one -> String? in
      guard let last = one.points.last else { return nil }
      let place =
        switch axis {
        case .rounds: "in round \(Int(last.x))"
        case .cost(_, let unit): "after \(NumberText.fixed(last.x, last.x < 100 ? 2 : 0)) \(unit)"
        }
      return "\(one.label) \(NumberText.fixed(last.mean, 2)) \(place)"
    }
    return "\(yTitle) at the end: " + ends.joined(separator: ", ") + "."
  }

  private func drawBand(
    _ series: Series, _ horizontal: SVGScale, _ vertical: SVGScale, to out: inout Markup
  ) {
    let points = series.points
    guard points.count > 1, points.contains(where: { $0.high > $0.low }) else { return }
    func edge(_ point: Point, _ value: Double) -> (Double, Double) {
      let shown = min(max(value, vertical.range.lowerBound), vertical.range.upperBound)
      return (horizontal.position(point.x), vertical.position(shown))
    }
    let upper = points.map { edge($0, $0.high) }
    let lower = points.reversed().map { edge($0, $0.low) }
    let style = SVGStyle(index: series.index)
    out.shape(
      "path",
      [
        ("class", "band \(style.colour)" + (self.series.count > 4 ? " faint" : "")),
        ("d", Self.path(upper + lower) + "Z"),
      ])
  }

  private func drawCurve(
    _ series: Series, _ horizontal: SVGScale, _ vertical: SVGScale, to out: inout Markup
  ) {
    let style = SVGStyle(index: series.index)
    let places = series.points.map { (horizontal.position($0.x), vertical.position($0.mean)) }
    out.shape("path", style.line + [("d", Self.path(places))])
    // About eight markers a curve, shifted between curves so that they do not hide each other.
    let step = max(1, places.count / 8)
    let shift = places.count > 16 ? series.index * step / max(1, self.series.count) : 0
    let marks = places.indices.filter { $0 % step == shift || places.count == 1 }
    let path = marks.map { style.marker(places[$0].0, places[$0].1) }.joined()
    if !path.isEmpty { out.shape("path", [("class", "mark \(style.colour)"), ("d", path)]) }
  }

  private static func path(_ points: [(Double, Double)]) -> String {
    points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(coordinate(point.0)) \(coordinate(point.1))"
    }.joined()
  }
}

/// Curves over rounds, or over what rounds cost: the mean over seeds with a band from the lowest to
/// the highest seed.
package struct SVGLineChart {
  let title: String
  /// What the vertical axis shows, with its unit.
  let yTitle: String
  let series: [Series]
  /// What the horizontal axis shows.
  var axis = Axis.rounds

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

  /// Mean, lowest and highest seed in a round.
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
  static func points(
    _ runs: [StrategyRun],
    value: (RoundRecord) -> Double?
  ) -> [Point] {
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
        let values = byRound[round], let low = values.min(), let high = values.max()
      else { return nil }
      return Point(x: Double(round), mean: Metrics.mean(values), low: low, high: high)
    }
  }

  /// The figure and its legend; nothing when there is no point.
  func write(to out: inout Markup) {
    let all = series.flatMap(\.points)
    guard let low = all.map(\.low).min(), let high = all.map(\.high).max(),
      let first = all.map(\.x).min(), let last = all.map(\.x).max()
    else { return }
    let frame = SVGFrame(
      left: 46,
      right: Self.width - 22,
      top: 40,
      bottom: Self.height - 48
    )
    let floor = low >= 0 && low < 0.6 * high ? 0 : low
    let vertical = SVGScale(
      floor...max(high, floor),
      from: frame.bottom,
      to: frame.top,
      count: 5,
      rounded: true
    )
    let horizontal = horizontal(first...last, frame)
    out.inside("figure") { figure in
      figure.element("figcaption", [], title)
      figure.inside(
        "svg",
        [
          ("viewBox", "0 0 \(coordinate(Self.width)) \(coordinate(Self.height))"),
          ("role", "img"), ("aria-label", "\(title). \(description)"),
        ]
      ) { svg in
        svg.element("title", [], title)
        svg.element("desc", [], description)
        frame.drawVertical(vertical, title: yTitle, to: &svg)
        frame.drawHorizontal(horizontal, title: axisTitle, to: &svg)
        for one in series { drawBand(one, horizontal, vertical, to: &svg) }
        for one in series { drawCurve(one, horizontal, vertical, to: &svg) }
      }
      SVGStyle.legend(
        series.filter { !$0.points.isEmpty }.map { ($0.label, $0.index) },
        to: &figure
      )
    }
  }

  private func horizontal(_ range: ClosedRange<Double>, _ frame: SVGFrame) -> SVGScale {
    let (first, last) = (range.lowerBound, range.upperBound)
    if case .cost = axis, first > 0, last > 20 * first {
      return SVGScale(logarithmic: range, from: frame.left, to: frame.right, count: 7)
    }
    let start = axis != .rounds || first <= 1 ? 0 : first
    return SVGScale(
      start...(axis == .rounds ? max(last, start + 1) : last),
      from: frame.left,
      to: frame.right,
      count: 6,
      rounded: false
    )
  }

  private var axisTitle: String {
    switch axis {
    case .rounds: "round"
    case .cost(let title, _): title
    }
  }

  /// The last values in words, for those who cannot see the curves.
  var description: String {
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
    _ series: Series,
    _ horizontal: SVGScale,
    _ vertical: SVGScale,
    to out: inout Markup
  ) {
    let points = series.points
    guard points.count > 1, points.contains(where: { $0.high > $0.low }) else { return }
    let upper = points.map { (horizontal.position($0.x), vertical.position($0.high)) }
    let lower = points.reversed().map {
      (horizontal.position($0.x), vertical.position($0.low))
    }
    let style = SVGStyle(index: series.index)
    out.shape(
      "path",
      [("class", "band \(style.colour)"), ("d", Self.path(upper + lower) + "Z")]
    )
  }

  private func drawCurve(
    _ series: Series,
    _ horizontal: SVGScale,
    _ vertical: SVGScale,
    to out: inout Markup
  ) {
    let style = SVGStyle(index: series.index)
    let places = series.points.map {
      (horizontal.position($0.x), vertical.position($0.mean))
    }
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

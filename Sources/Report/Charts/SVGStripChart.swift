import Base
import Records

/// How a number is spread over clients, a row for each strategy: a point per client and seed, a box
/// from the first to the third quartile, a line at the median, whiskers at the 10th and 90th
/// percentile.
struct SVGStripChart {
  let title: String
  let xTitle: String
  /// Values by strategy, in the unit of the axis; finite.
  let series: [(label: String, index: Int, values: [Double])]
  /// The end of the axis' natural range; nil to follow the values.
  var bounds: ClosedRange<Double>?
  /// A value with a line of its own.
  var marking: Double?

  /// More points than these would be one blot; the box says enough then.
  static let mostPoints = 1500

  /// The figure; nothing without a value.
  func write(to out: inout Markup) {
    let known = series.filter { !$0.values.isEmpty }
    let all = known.flatMap(\.values) + (marking.map { [$0] } ?? [])
    guard !known.isEmpty, let low = all.min(), let high = all.max() else { return }
    SVGRows(
      title: title, xTitle: xTitle, range: bounds ?? low...max(high, low + 1e-9),
      labels: known.map { ($0.label, $0.index) }, description: Self.description(known)
    ).write(to: &out, marking: marking) { place, scale, y, svg in
      Self.draw(known[place].values, SVGStyle(index: known[place].index), scale, y, &svg)
    }
  }

  static func description(_ series: [(label: String, index: Int, values: [Double])]) -> String {
    series.map { one in
      let texts = [0.1, 0.5, 0.9].map { NumberText.fixed(Metrics.percentile(one.values, $0), 1) }
      return "\(one.label): 10th percentile \(texts[0]), median \(texts[1]), "
        + "90th percentile \(texts[2]) of \(one.values.count)"
    }.joined(separator: "; ") + "."
  }

  private static func draw(
    _ values: [Double], _ style: SVGStyle, _ scale: SVGScale, _ y: Double, _ svg: inout Markup
  ) {
    func x(_ value: Double) -> Double {
      scale.position(min(max(value, scale.range.lowerBound), scale.range.upperBound))
    }
    let places = [0.1, 0.25, 0.5, 0.75, 0.9].map { x(Metrics.percentile(values, $0)) }
    let h = coordinate(y)
    svg.shape(
      "rect",
      [
        ("class", "band box \(style.colour)"), ("x", coordinate(places[1])),
        ("y", coordinate(y - 8)), ("width", coordinate(max(1, places[3] - places[1]))),
        ("height", "16"),
      ])
    svg.shape(
      "path",
      [
        ("class", "line thin \(style.colour)"),
        (
          "d",
          "M\(coordinate(places[0])) \(h)L\(coordinate(places[1])) \(h)"
            + "M\(coordinate(places[3])) \(h)L\(coordinate(places[4])) \(h)"
            + "M\(coordinate(places[0])) \(coordinate(y - 5))l0 10"
            + "M\(coordinate(places[4])) \(coordinate(y - 5))l0 10"
        ),
      ])
    if values.count <= mostPoints {
      // Neighbours in value get different heights, always the same ones.
      let sorted = values.sorted()
      let path = sorted.enumerated().map { rank, value in
        "M\(coordinate(x(value))) \(coordinate(y + 13 * (Self.height(rank) - 0.5)))h0"
      }.joined()
      svg.shape("path", [("class", "dots \(style.colour)"), ("d", path)])
    }
    svg.shape(
      "path",
      [
        ("class", "line \(style.colour)"),
        ("d", "M\(coordinate(places[2])) \(coordinate(y - 10))l0 20"),
      ])
  }

  /// The van der Corput sequence in base 2: [0, 1), spread evenly for any number of points.
  private static func height(_ rank: Int) -> Double {
    var (rest, part, sum) = (rank + 1, 0.5, 0.0)
    while rest > 0 {
      if rest & 1 == 1 { sum += part }
      rest >>= 1
      part /= 2
    }
    return sum
  }
}

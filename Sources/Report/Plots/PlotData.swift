import Base
import Records

extension Plot {
  /// What the figure shows, as comma-separated values: a row for each number or pair of numbers, in
  /// the units of the axes and at full precision.
  ///
  /// Columns are the kind of mark, its series, x and y, and the ends of a band or an interval, in
  /// the units of the axis that has no number there. Rows of categories have the category's number
  /// from 0 in place of x or y; bars below the axis are "foot".
  package var csv: String {
    let head = ["mark", "series", "x", "y", "low", "high", "words"]
    let feet = (foot?.bars ?? []).enumerated().map { slot, bar in
      CSV.line(["foot", "", CSV.number(Double(slot)), CSV.number(bar.height), "", "", bar.text])
    }
    return ([CSV.line(head)] + marks.flatMap(Self.lines) + feet).joined(separator: "\n") + "\n"
  }

  private static func lines(_ mark: Mark) -> [String] {
    func line(
      _ kind: String, _ series: Series?, _ x: Double?, _ y: Double?, _ low: Double? = nil,
      _ high: Double? = nil, _ words: String = ""
    ) -> String {
      CSV.line(
        [
          kind, series?.label ?? "", CSV.number(x), CSV.number(y), CSV.number(low),
          CSV.number(high),
        ] + [words])
    }
    switch mark {
    case .band(let series, let places, _):
      return places.map { line("band", series, $0.x, nil, $0.low, $0.high) }
    case .line(let series, let points): return points.map { line("line", series, $0.x, $0.y) }
    case .points(let series, let points, _, _, let words):
      return points.map { line("point", series, $0.x, $0.y, nil, nil, words) }
    case .interval(let series, let from, let to):
      return from.x == to.x && from.y != to.y
        ? [line("interval", series, from.x, nil, from.y, to.y)]
        : [line("interval", series, nil, from.y, from.x, to.x)]
    case .box(let series, let values, let row):
      return values.map { line("value", series, $0, Double(row)) }
    case .bars(let series, let bars, _, _):
      return bars.map { line("bar", series, Double($0.slot), $0.height, nil, nil, $0.words) }
    case .cells(let cells):
      return cells.map {
        line("cell", nil, Double($0.column), Double($0.row), nil, $0.strength, $0.text)
      }
    case .reference(let from, let to): return [from, to].map { line("reference", nil, $0.x, $0.y) }
    case .zone(let name, let slots, _):
      let (first, last) = (Double(slots.lowerBound), Double(slots.upperBound - 1))
      return [line("zone", nil, nil, nil, first, last, name)]
    case .ends(let words):
      return words.enumerated().map { line("words", nil, nil, Double($0), nil, nil, $1) }
    }
  }
}

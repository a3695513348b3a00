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
    let feet = (foot?.bars ?? []).enumerated().map { slot, bar -> Row in
      ("foot", "", Double(slot), bar.height, nil, nil, bar.text)
    }
    return Self.table.text(marks.flatMap(Self.rows) + feet)
  }

  private typealias Row = (
    mark: String, series: String, x: Double?, y: Double?, low: Double?, high: Double?,
    words: String
  )

  private static let table = CSVTable<Row>([
    CSVColumn("mark", "What is drawn, such as line, band or bar.") { $0.mark },
    CSVColumn("series", "Such as a strategy.", absent: "of no series") { $0.series },
    CSVColumn("x", "In the units of the axis; a category's number.", absent: "none") { $0.x },
    CSVColumn("y", "In the units of the axis; a category's number.", absent: "none") { $0.y },
    CSVColumn("low", "The lower end on the axis without a number.", absent: "no interval") {
      $0.low
    },
    CSVColumn("high", "The upper end; of a cell, its strength.", absent: "no interval") {
      $0.high
    }, CSVColumn("words", "What is written there.", absent: "nothing is") { $0.words },
  ])

  /// The numbers of a figure.
  package static let page = FilePage(
    "figure.csv", in: "folder of report --figures, a file for each figure",
    "What a figure shows, at full precision.", table)

  private static func rows(_ mark: Mark) -> [Row] {
    func line(
      _ kind: String, _ series: Series?, _ x: Double?, _ y: Double?, _ low: Double? = nil,
      _ high: Double? = nil, _ words: String = ""
    ) -> Row { (kind, series?.label ?? "", x, y, low, high, words) }
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

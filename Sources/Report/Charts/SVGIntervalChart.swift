import Base
import Records

/// Paired differences against a baseline: a mark at each mean with its 95 % interval, and a line at
/// zero.
struct SVGIntervalChart {
  let comparison: Comparison
  /// The place of each row's strategy among all, which chooses its colour.
  let indices: [Int]

  private struct Row {
    let label: String
    let index: Int
    let mean: Double
    /// nil with one seed.
    let half: Double?
  }

  /// Strategies with a difference, in the metric's shown unit.
  private var rows: [Row] {
    comparison.rows.enumerated().compactMap { index, row in
      guard let statistics = row.versus?.difference.statistics else { return nil }
      let scale = comparison.metric.scale
      return Row(
        label: row.label, index: indices[index], mean: statistics.mean / scale,
        half: statistics.halfWidth.map { $0 / scale })
    }
  }

  /// The figure; nothing without a difference.
  func write(to out: inout Markup) {
    let rows = rows
    guard !rows.isEmpty else { return }
    // Two seeds have intervals of thirteen deviations: the figure keeps to three times what the
    // means need, or to most of what half of the intervals need; others end in an arrow.
    let furthest = rows.map { abs($0.mean) }.max() ?? 0
    let ends: [Double] =
      rows.map { $0.mean - ($0.half ?? 0) } + rows.map { $0.mean + ($0.half ?? 0) }
    let (first, last) = (min(0, ends.min() ?? 0), max(0, ends.max() ?? 0))
    let halves = rows.compactMap(\.half)
    let usual = halves.isEmpty ? 0 : Metrics.median(halves)
    let bound = max(3 * furthest, 1.5 * usual, 1e-6 / comparison.metric.scale)
    let low = max(first, -bound)
    let high = min(last, bound)
    let decimals = comparison.decimals
    let texts = rows.map { row -> String in
      let mean = NumberText.fixed(row.mean, decimals, plus: true)
      guard let half = row.half else { return "\(row.label) \(mean)" }
      return "\(row.label) \(mean), from \(NumberText.fixed(row.mean - half, decimals)) to "
        + NumberText.fixed(row.mean + half, decimals)
    }
    let unit = comparison.metric.differenceUnit
    let better = comparison.metric.lowerIsBetter ? "left of zero" : "right of zero"
    SVGRows(
      title: "\(comparison.metric.name): difference from \(comparison.baseline)",
      xTitle: "difference\(unit.isEmpty ? "" : ",\(unit)"); \(better) is better",
      range: low...max(high, low + 1e-9), labels: rows.map { ($0.label, $0.index) },
      description: texts.joined(separator: "; ") + "."
    ).write(to: &out, marking: 0) { place, scale, y, svg in
      let row = rows[place]
      let style = SVGStyle(index: row.index)
      func x(_ value: Double) -> Double {
        scale.position(min(max(value, scale.range.lowerBound), scale.range.upperBound))
      }
      if let half = row.half {
        let ends = [(row.mean - half, 5.0), (row.mean + half, -5.0)]
        var path = "M\(coordinate(x(ends[0].0))) \(coordinate(y))"
        path += "L\(coordinate(x(ends[1].0))) \(coordinate(y))"
        for (end, inward) in ends {
          let place = x(end)
          let isCut = !scale.range.contains(end)
          let back = coordinate(place + (isCut ? inward : 0))
          path += "M\(back) \(coordinate(y - 5))L\(coordinate(place)) \(coordinate(y))"
          path += "L\(back) \(coordinate(y + 5))"
        }
        svg.shape("path", [("class", "line \(style.colour)"), ("d", path)])
      }
      svg.shape(
        "path", [("class", "mark \(style.colour)"), ("d", style.marker(x(row.mean), y, size: 5))])
    }
  }
}

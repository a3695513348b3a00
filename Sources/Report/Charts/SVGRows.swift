/// A figure with a row for each strategy over one horizontal axis: the name above, what is drawn
/// below it; names are never cut by the figure's edge.
struct SVGRows {
  let title: String
  let xTitle: String
  /// The numbers that must be seen.
  let range: ClosedRange<Double>
  let labels: [(label: String, index: Int)]
  /// The figure in words.
  let description: String

  static let width = 560.0
  static let rowHeight = 46.0
  private static let top = 12.0

  private var height: Double { Self.top + Self.rowHeight * Double(labels.count) + 52 }

  /// Writes the figure; `draw` gets a row, the scale and the height of its middle.
  func write(
    to out: inout Markup, marking line: Double? = nil,
    draw: (Int, SVGScale, Double, inout Markup) -> Void
  ) {
    guard !labels.isEmpty else { return }
    let frame = SVGFrame(left: 24, right: Self.width - 26, top: Self.top, bottom: height - 48)
    let scale = SVGScale(range, from: frame.left, to: frame.right, count: 6, rounded: true)
    out.inside("figure") { figure in
      SVGStyle.drawing(title, description, Self.width, height, to: &figure) { svg in
        for tick in scale.ticks {
          let x = coordinate(scale.position(tick))
          let (y0, y1) = (coordinate(frame.top), coordinate(frame.bottom))
          svg.shape("path", [("class", "grid"), ("d", "M\(x) \(y0)L\(x) \(y1)")])
        }
        if let line, scale.range.contains(line) {
          let x = coordinate(scale.position(line))
          let (y0, y1) = (coordinate(frame.top), coordinate(frame.bottom))
          svg.shape("path", [("class", "zero"), ("d", "M\(x) \(y0)L\(x) \(y1)")])
        }
        frame.drawHorizontal(scale, title: xTitle, to: &svg)
        for (row, label) in labels.enumerated() {
          let y = frame.top + Self.rowHeight * Double(row)
          svg.element(
            "text",
            [("class", "row"), ("x", coordinate(frame.left + 2)), ("y", coordinate(y + 15))],
            label.label.count <= 52 ? label.label : label.label.prefix(51) + "…")
          draw(row, scale, y + 30, &svg)
        }
      }
    }
  }
}

import Base

/// Marks of several strategies over two numbers, joined by lines where their order means something.
struct SVGScatterChart {
  let title: String
  let xTitle: String
  let yTitle: String
  let series: [Series]
  /// Whether marks of a strategy are joined.
  var isJoined = false
  /// Both axes from 0 to this, with a line between the corners; nil to follow the points.
  var square: Double?
  /// What is added to the description.
  var note = ""

  struct Series {
    let label: String
    let index: Int
    /// In the units of the axes; finite.
    let points: [(x: Double, y: Double)]
  }

  private static let width = 560.0
  private static let height = 340.0

  /// The figure and its legend; nothing without a point.
  func write(to out: inout Markup) {
    let known = series.filter { !$0.points.isEmpty }
    let all = known.flatMap(\.points)
    guard let left = all.map(\.x).min(), let right = all.map(\.x).max(),
      let high = all.map(\.y).max(), let low = all.map(\.y).min()
    else { return }
    let frame = SVGFrame(left: 46, right: Self.width - 22, top: 40, bottom: Self.height - 48)
    let floor = low >= 0 && low < 0.6 * high ? 0 : low
    let vertical = SVGScale(
      square.map { 0...$0 } ?? floor...max(high, floor), from: frame.bottom, to: frame.top,
      count: 5, rounded: true)
    let horizontal =
      square == nil && left > 0 && right > 20 * left
      ? SVGScale(logarithmic: left...right, from: frame.left, to: frame.right, count: 7)
      : SVGScale(
        square.map { 0...$0 } ?? min(left, 0)...max(right, 1e-9), from: frame.left, to: frame.right,
        count: 6, rounded: square != nil)
    let description = self.description(known)
    out.inside("figure") { figure in
      SVGStyle.drawing(title, description, Self.width, Self.height, to: &figure) { svg in
        frame.drawVertical(vertical, title: yTitle, to: &svg)
        frame.drawHorizontal(horizontal, title: xTitle, to: &svg)
        if square != nil {
          let (x0, y0) = (coordinate(frame.left), coordinate(frame.bottom))
          let (x1, y1) = (coordinate(frame.right), coordinate(frame.top))
          svg.shape("path", [("class", "zero"), ("d", "M\(x0) \(y0)L\(x1) \(y1)")])
        }
        for one in known { draw(one, horizontal, vertical, to: &svg) }
      }
      SVGStyle.legend(known.map { ($0.label, $0.index) }, to: &figure)
    }
  }

  private func draw(
    _ one: Series, _ horizontal: SVGScale, _ vertical: SVGScale, to svg: inout Markup
  ) {
    let style = SVGStyle(index: one.index)
    let places = one.points.map { (horizontal.position($0.x), vertical.position($0.y)) }
    if isJoined {
      let path = places.enumerated().map { index, place in
        "\(index == 0 ? "M" : "L")\(coordinate(place.0)) \(coordinate(place.1))"
      }.joined()
      svg.shape("path", style.line + [("d", path)])
    }
    let marks = places.map { style.marker($0.0, $0.1) }.joined()
    svg.shape("path", [("class", "mark \(style.colour)"), ("d", marks)])
  }

  private func description(_ known: [Series]) -> String {
    let texts = known.map { one -> String in
      let y = one.points.map(\.y)
      return "\(one.label): \(one.points.count) points from \(NumberText.fixed(y.min(), 2)) to "
        + NumberText.fixed(y.max(), 2)
    }
    return "\(yTitle) over \(xTitle). " + texts.joined(separator: "; ") + "." + note
  }
}

/// How a strategy looks in every figure: a colour, a dash and a marker, so that colour is never
/// the only difference.
///
/// - Source: colours after Okabe and Ito, "Color Universal Design", 2008; each differs from the
///   others for all common kinds of colour vision. The order puts those with the best contrast
///   first, and differs between light and dark paper.
package struct SVGStyle {
  /// Position of the strategy in the scenario.
  package let index: Int

  package init(index: Int) { self.index = index }

  /// Number of distinct colours and markers.
  package static let count = 8
  /// Colours on white paper.
  static let light = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A7E00",
  ]
  /// Colours on dark paper.
  static let dark = [
    "#56B4E9", "#F08A4B", "#2CC79A", "#E3A2C5", "#E69F00", "#F0E442", "#FFFFFF", "#9AB0FF",
  ]
  private static let dashes = ["", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 2", "9 3 2 3 2 3"]

  /// The class that carries the colour, `s0` … `s7`.
  package var colour: String { "s\(index % SVGStyle.count)" }

  /// The `stroke-dasharray`; beyond eight strategies the dashes shift against the colours.
  var dash: String { SVGStyle.dashes[(index + index / SVGStyle.count) % SVGStyle.count] }

  /// Attributes of a line in this style.
  package var line: [(String, String)] {
    let solid = [("class", "line \(colour)")]
    return dash.isEmpty ? solid : solid + [("stroke-dasharray", dash)]
  }

  /// A marker of about `size` units around a point, as an SVG path.
  package func marker(_ x: Double, _ y: Double, size: Double = 3.6) -> String {
    func path(_ points: [(Double, Double)]) -> String {
      points.enumerated().map { index, point in
        let (px, py) = (coordinate(x + point.0 * size), coordinate(y + point.1 * size))
        return "\(index == 0 ? "M" : "L")\(px) \(py)"
      }.joined() + "Z"
    }
    switch (index + index / SVGStyle.count) % SVGStyle.count {
    case 0:
      let (r, left) = (coordinate(size), coordinate(x - size))
      let (width, middle) = (coordinate(2 * size), coordinate(y))
      return "M\(left) \(middle)a\(r) \(r) 0 1 0 \(width) 0a\(r) \(r) 0 1 0 -\(width) 0Z"
    case 1: return path([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])
    case 2: return path([(0, -1.2), (1.1, 0.9), (-1.1, 0.9)])
    case 3: return path([(0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)])
    case 4: return path([(0, 1.2), (1.1, -0.9), (-1.1, -0.9)])
    case 5:
      let a = 0.4
      return path([
        (-a, -1.2), (a, -1.2), (a, -a), (1.2, -a), (1.2, a), (a, a), (a, 1.2), (-a, 1.2), (-a, a),
        (-1.2, a), (-1.2, -a), (-a, -a),
      ])
    case 6: return path([(-1.3, -0.5), (1.3, -0.5), (1.3, 0.5), (-1.3, 0.5)])
    default: return path([(-0.5, -1.3), (0.5, -1.3), (0.5, 1.3), (-0.5, 1.3)])
    }
  }

  /// Keeps the text of a wide figure readable: it scrolls on narrow screens, and does not grow
  /// beyond a quarter on wide ones.
  static func wide(_ width: Double) -> String {
    "min-width:\(coordinate(width * 0.85))px;max-width:\(coordinate(width * 1.25))px"
  }

  /// A drawing under its caption, with its words for those who cannot see it.
  ///
  /// `width`, `height`: of the coordinates in `draw`.
  static func drawing(
    _ title: String, _ description: String, _ width: Double, _ height: Double,
    to figure: inout Markup, _ draw: (inout Markup) -> Void
  ) {
    figure.element("figcaption", [], title)
    figure.inside(
      "svg",
      [
        ("viewBox", "0 0 \(coordinate(width)) \(coordinate(height))"), ("role", "img"),
        ("aria-label", "\(title). \(description)"),
      ]
    ) { svg in
      svg.element("title", [], title)
      svg.element("desc", [], description)
      draw(&svg)
    }
  }

  /// A legend of all labels: a short line with its marker, then the words.
  package static func legend(_ labels: [(label: String, index: Int)], to out: inout Markup) {
    out.inside("ul", [("class", "legend")]) { list in
      for (label, index) in labels {
        let style = SVGStyle(index: index)
        list.inside("li") { item in
          item.inside(
            "svg", [("viewBox", "0 0 34 12"), ("class", "swatch"), ("aria-hidden", "true")]
          ) { svg in
            svg.shape("path", style.line + [("d", "M1 6L33 6")])
            svg.shape("path", [("class", "mark \(style.colour)"), ("d", style.marker(17, 6))])
          }
          item.element("span", [], label)
        }
      }
    }
  }
}

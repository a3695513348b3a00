/// How a strategy looks in every figure: a colour, a dash and a marker, so that colour is never
/// the only difference.
///
/// - Source: colours after Okabe and Ito, "Color Universal Design", 2008; each differs from the
///   others for all common kinds of colour vision. The order puts those with the best contrast
///   first, and differs between light and dark paper.
struct SeriesStyle {
  /// Position of the strategy in the scenario.
  let index: Int

  /// Number of distinct colours and markers.
  static let count = 8
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
  var colour: String { "s\(index % SeriesStyle.count)" }

  /// The `stroke-dasharray`; beyond eight strategies the dashes shift against the colours.
  var dash: String { SeriesStyle.dashes[(index + index / SeriesStyle.count) % SeriesStyle.count] }

  /// Attributes of a line in this style.
  var line: [(String, String)] {
    let solid = [("class", "line \(colour)")]
    return dash.isEmpty ? solid : solid + [("stroke-dasharray", dash)]
  }

  /// A marker of about `size` units around a point, as an SVG path.
  func marker(_ x: Double, _ y: Double, size: Double = 3.6) -> String {
    func path(_ points: [(Double, Double)]) -> String {
      points.enumerated().map { index, point in
        let (px, py) = (coordinate(x + point.0 * size), coordinate(y + point.1 * size))
        return "\(index == 0 ? "M" : "L")\(px) \(py)"
      }.joined() + "Z"
    }
    switch (index + index / SeriesStyle.count) % SeriesStyle.count {
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
}

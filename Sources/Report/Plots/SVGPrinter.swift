import Base
import Records

extension Plot {
  /// The figure as a file of its own.
  ///
  /// `width`: for print, on white paper; nil keeps the figure's own.
  package func svg(width: PrintWidth? = nil) -> String {
    var out = Markup()
    SVGPrinter(self, width: width, isAlone: true).write(to: &out)
    return out.text
  }

  /// The figure in a page, under its title; a wide one scrolls on its own.
  func write(to out: inout Markup) {
    let printer = SVGPrinter(self)
    out.inside("figure", printer.isWide ? [("class", "wide")] : []) { figure in
      figure.element("figcaption", [], title)
      if printer.isWide {
        figure.inside("div", [("class", "scroll"), ("tabindex", "0")]) { printer.write(to: &$0) }
      } else {
        printer.write(to: &figure)
      }
    }
  }

  /// More values than these would be one blot; their box says enough then.
  static let mostDots = 1500
}

/// How wide a figure is in a paper; its text has eight points.
package enum PrintWidth: String, Sendable, CaseIterable {
  /// A column of a page with two: 3.35 inches.
  case single
  /// Both: 6.9 inches.
  case double

  package var inches: Double { self == .single ? 3.35 : 6.9 }

  /// Points of a unit of figures, whose text is 13 units large.
  static let scale = 8.0 / 13

  /// In units of figures.
  var units: Double { inches * 72 / Self.scale }
}

/// Draws a plot: where everything goes, and in which elements.
struct SVGPrinter {
  private typealias Style = SeriesStyle

  private var plot: Plot
  private let print: PrintWidth?
  private let isAlone: Bool
  /// The title of the horizontal axis, a line each.
  private let below: [String]
  private let left: Double
  private let right: Double
  private let top: Double
  private let bottom: Double
  /// Where the numbers of the horizontal axis end; after it is the place of "none".
  private let edge: Double
  private let width: Double
  private let height: Double
  private let legend: LegendGrid

  private static let footHeight = 58.0

  /// Whether the figure has slots on its horizontal axis, and is as long as these need.
  var isWide: Bool { plot.x.slot != nil }

  init(_ plot: Plot, width wanted: PrintWidth? = nil, isAlone: Bool = false) {
    self.plot = plot
    print = wanted
    self.isAlone = isAlone
    let hasRows = plot.y.isInside
    let names = plot.y.scale.ticks.map(\.label.count).max() ?? 0
    let start = hasRows ? 24 : max(46, Double(names) * 8.4 + 14)
    let last = plot.x.slot == nil ? plot.x.scale.ticks.last?.label.count ?? 0 : 0
    var margin = max(22, Double(last) * 4.6 + 4)
    if case .ends = plot.marks.last { margin = 70 }
    let slots = plot.x.scale.range.upperBound + 0.5
    let room = (wanted?.units ?? 560) - margin
    // In print, slots share the width there is.
    if plot.x.slot != nil, wanted != nil { self.plot.x.slot = (room - start) / slots }
    let end = self.plot.x.slot.map { start + $0 * slots } ?? room
    let base = hasRows ? 12.0 : plot.y.slot == nil ? 40 : 34
    (left, right, top, width) = (start, end, base, end + margin)
    edge = plot.x.hasNone ? end - (end - start) / 9 : end
    bottom = base + (plot.y.slot.map { $0 * (plot.y.scale.range.upperBound + 0.5) } ?? 252)
    self.below = TextLines.wrapped(
      [plot.x.title],
      max(20, Int(clamping: (end + margin - (plot.x.slot == nil ? 0 : start)) / 6.2))
    )
    .map { TextLines.trimmed(String($0.drop { $0 == " " })) }
    let more = Double(self.below.count - 1) * 15
    let below =
      (plot.foot == nil ? plot.x.title.isEmpty ? 12 : 50 : 22 + Self.footHeight + 46) + more
    legend = LegendGrid(plot.legend, width: min(width, 700) - 8)
    height = bottom + below + legend.height
  }

  func write(to out: inout Markup) {
    let (w, h) = (coordinate(width), coordinate(height))
    func size(_ units: Double) -> String {
      print == nil ? coordinate(units) : NumberText.fixed(units * PrintWidth.scale / 72, 4) + "in"
    }
    var attributes = [
      ("xmlns", "http://www.w3.org/2000/svg"), ("class", isWide || isAlone ? "plot" : "plot fit"),
      ("viewBox", "0 0 \(w) \(h)"), ("width", size(width)), ("height", size(height)),
      ("role", "img"),
      ("aria-label", "\(plot.title). \(plot.description)"),
    ]
    // A wide figure stays readable on a narrow screen, where it scrolls.
    if isWide, print == nil {
      let (least, most) = (coordinate(width * 0.85), coordinate(width * 1.25))
      attributes.append(("style", "min-width:\(least)px;max-width:\(most)px"))
    }
    out.inside("svg", attributes) { svg in
      svg.element("title", [], plot.title)
      svg.element("desc", [], plot.description)
      svg.raw("<style>\(print == nil ? PlotStyle.sheet : PlotStyle.paper)</style>\n")
      svg.shape("rect", [("class", "paper"), ("width", w), ("height", h)])
      for case .zone(let name, let slots, let isTinted) in plot.marks {
        drawZone(name, slots, isTinted, to: &svg)
      }
      drawVertical(to: &svg)
      drawHorizontal(to: &svg)
      for mark in plot.marks {
        // A page's script finds the marks of a series by its number.
        guard let series = mark.series, print == nil else {
          draw(mark, to: &svg)
          continue
        }
        svg.inside("g", [("data-series", "\(series.index)")]) { draw(mark, to: &$0) }
      }
      drawFoot(to: &svg)
      legend.write(to: &svg, top: height - legend.height)
    }
  }

  // MARK: - Places

  private func x(_ value: Double) -> Double {
    guard value.isFinite else { return (edge + right) / 2 + 8 }
    return left + plot.x.scale.share(value) * (edge - left)
  }

  /// Numbers rise upwards, rows are counted downwards.
  private func y(_ value: Double) -> Double {
    let share = plot.y.scale.share(value)
    return plot.y.slot == nil ? bottom - share * (bottom - top) : top + share * (bottom - top)
  }

  private func place(_ point: Plot.Point, _ series: Plot.Series? = nil) -> (Double, Double) {
    let middle = Double(plot.legend.count - 1) / 2
    let shift = series.map { plot.dodge * (Double($0.index) - middle) } ?? 0
    return (x(point.x) + shift, y(point.y))
  }

  private static func path(_ points: [(Double, Double)]) -> String {
    points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(coordinate(point.0)) \(coordinate(point.1))"
    }.joined()
  }

  private func line(_ style: String, _ points: [(Double, Double)], to svg: inout Markup) {
    svg.shape("path", [("class", style), ("d", Self.path(points))])
  }

  private func text(
    _ words: String, _ x: Double, _ y: Double, _ anchor: String = "start", _ style: String = "",
    to svg: inout Markup
  ) {
    var attributes = style.isEmpty ? [] : [("class", style)]
    attributes += [("x", coordinate(x)), ("y", coordinate(y))]
    if anchor != "start" { attributes.append(("text-anchor", anchor)) }
    svg.element("text", attributes, words)
  }

  private func rectangle(
    _ style: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double,
    _ more: [(String, String)] = [], to svg: inout Markup
  ) {
    svg.shape(
      "rect",
      [
        ("class", style), ("x", coordinate(x)), ("y", coordinate(y)),
        ("width", coordinate(max(width, 0))), ("height", coordinate(max(height, 0))),
      ] + more)
  }

  // MARK: - Axes

  private func drawVertical(to svg: inout Markup) {
    let axis = plot.y
    if axis.isInside {
      for tick in axis.scale.ticks {
        let name = NumberText.shortened(tick.label, 52)
        text(name, left + 2, y(tick.value) - (axis.slot ?? 0) / 2 + 15, "start", "row", to: &svg)
      }
      return
    }
    for tick in axis.scale.ticks {
      if axis.slot == nil {
        line("mesh", [(left, y(tick.value)), (right, y(tick.value))], to: &svg)
      }
      text(tick.label, left - 7, y(tick.value) + 4, "end", to: &svg)
    }
    if !axis.title.isEmpty { text(axis.title, 4, top - 20, "start", "axis", to: &svg) }
  }

  private func drawHorizontal(to svg: inout Markup) {
    let axis = plot.x
    if plot.y.slot == nil || plot.y.isInside {
      line("base", [(left, bottom), (right, bottom)], to: &svg)
    }
    if let slot = axis.slot {
      // Names of columns stand above a map, and below bars.
      let place = plot.foot == nil ? top - 8 : bottom + 22 + Self.footHeight + 16
      let room = max(3, Int(clamping: slot / 7.2))
      for tick in axis.scale.ticks {
        let name = axis.scale.ticks.count == plot.slots ? Self.cut(tick.label, room) : tick.label
        text(name, x(tick.value), place, "middle", plot.foot == nil ? "small" : "", to: &svg)
      }
      if plot.foot == nil {
        for (row, line) in below.enumerated() {
          text(line, left, bottom + 20 + 15 * Double(row), "start", "axis", to: &svg)
        }
      }
      return
    }
    for tick in axis.scale.ticks {
      if plot.y.isInside {
        line("mesh", [(x(tick.value), top), (x(tick.value), bottom)], to: &svg)
      }
      let across = coordinate(x(tick.value))
      svg.shape("path", [("class", "base"), ("d", "M\(across) \(coordinate(bottom))l0 4")])
      text(tick.label, x(tick.value), bottom + 20, "middle", to: &svg)
    }
    if axis.hasNone { text("none", x(.infinity), bottom + 20, "middle", to: &svg) }
    for (row, line) in below.enumerated() {
      text(
        line, below.count == 1 ? (left + right) / 2 : width / 2, bottom + 40 + 15 * Double(row),
        "middle", "axis", to: &svg)
    }
  }

  private static func cut(_ name: String, _ room: Int) -> String {
    name.count <= room ? name : name.prefix(room - 1) + "…"
  }

  private func drawZone(_ name: String, _ slots: Range<Int>, _ isTinted: Bool, to svg: inout Markup)
  {
    let start = x(Double(slots.lowerBound) - 0.5)
    let length = x(Double(slots.upperBound) - 0.5) - start
    let end = plot.foot == nil ? bottom : bottom + 22 + Self.footHeight
    if isTinted { rectangle("zone", start, top - 8, length, end - top + 8, to: &svg) }
    // The title of the vertical axis stands in the same row.
    let from = max(start, left + Double(plot.y.title.count) * 6)
    if start + length - from > Double(name.count) * 7 {
      text(name, (from + start + length) / 2, top - 20, "middle", "axis", to: &svg)
    }
  }

  private func drawFoot(to svg: inout Markup) {
    guard let foot = plot.foot, let slot = plot.x.slot else { return }
    let base = bottom + 22 + Self.footHeight
    for (place, bar) in foot.bars.enumerated() {
      let height = bar.height * Self.footHeight
      let middle = x(Double(place))
      rectangle("count", middle - slot * 0.35, base - height, slot * 0.7, height, to: &svg)
      text(bar.text, middle, base - height - 4, "middle", "small", to: &svg)
    }
    text(foot.title, 4, base + 36, "start", "axis", to: &svg)
  }

  // MARK: - Marks

  private func draw(_ mark: Plot.Mark, to svg: inout Markup) {
    switch mark {
    case .band(let series, let points, let isFaint):
      let upper = points.map { (x($0.x), y($0.high)) }
      let lower = points.reversed().map { (x($0.x), y($0.low)) }
      let style = Style(index: series.index)
      svg.shape(
        "path",
        [
          ("class", "band \(style.colour)" + (isFaint ? " faint" : "")),
          ("d", Self.path(upper + lower) + "Z"),
        ])
    case .line(let series, let points):
      svg.shape(
        "path",
        Style(index: series.index).line + [("d", Self.path(points.map { place($0, series) }))])
    case .points(let series, let points, let size, let isPale, let words):
      drawPoints(series, points, size, isPale, words, to: &svg)
    case .interval(let series, let from, let to): drawInterval(series, from, to, to: &svg)
    case .box(let series, let values, let row): drawBox(series, values, row, to: &svg)
    case .bars(let series, let bars, let place, let count):
      drawBars(series, bars, place, count, to: &svg)
    case .cells(let cells): drawCells(cells, to: &svg)
    case .reference(let from, let to): line("zero", [place(from), place(to)], to: &svg)
    case .zone: break
    case .ends(let words):
      for (row, word) in words.enumerated() {
        text(word, right + 8, y(Double(row)) + 4, "start", "axis", to: &svg)
      }
    }
  }

  private func drawPoints(
    _ series: Plot.Series, _ points: [Plot.Point], _ size: Double, _ isPale: Bool, _ words: String,
    to svg: inout Markup
  ) {
    if points.isEmpty { return }
    let style = Style(index: series.index)
    if words.isEmpty, print == nil, points.count <= Self.mostTitles {
      // Values, where the pointer rests.
      for point in points {
        let (across, up) = place(point, series)
        let attributes = [
          ("class", "mark \(style.colour)" + (isPale ? " pale" : "")),
          ("d", style.marker(across, up, size: size)),
        ]
        let value = "\(series.label): \(Self.value(point.x)), \(Self.value(point.y))"
        svg.inside("path", attributes) { $0.element("title", [], value) }
      }
      return
    }
    let path = points.map { place($0, series) }.map { style.marker($0.0, $0.1, size: size) }
      .joined()
    let attributes = [("class", "mark \(style.colour)" + (isPale ? " pale" : "")), ("d", path)]
    if words.isEmpty { return svg.shape("path", attributes) }
    svg.inside("path", attributes) { $0.element("title", [], words) }
  }

  /// With more points a page would be mostly their values.
  private static let mostTitles = 60

  private static func value(_ number: Double) -> String {
    number.isFinite ? NumberText.significant(number, 4) : "none"
  }

  private func drawInterval(
    _ series: Plot.Series, _ from: Plot.Point, _ to: Plot.Point, to svg: inout Markup
  ) {
    let (start, end) = (place(from, series), place(to, series))
    var path = Self.path([start, end])
    // Upright ones are ranges of what is shown whole; level ones may go on beyond the figure.
    if from.y == to.y {
      for (point, value, inward) in [(start, from.x, 5.0), (end, to.x, -5.0)] {
        let back = point.0 + (plot.x.scale.range.contains(value) ? 0 : inward)
        path += Self.path([(back, point.1 - 5), point, (back, point.1 + 5)])
      }
    } else if plot.dodge > 0 {
      for point in [start, end] {
        path += Self.path([(point.0 - 2, point.1), (point.0 + 2, point.1)])
      }
    }
    svg.shape("path", [("class", "line \(Style(index: series.index).colour)"), ("d", path)])
  }

  private func drawBox(_ series: Plot.Series, _ values: [Double], _ row: Int, to svg: inout Markup)
  {
    let colour = Style(index: series.index).colour
    // Below the row's name.
    let middle = y(Double(row)) + 7
    let places = [0.1, 0.25, 0.5, 0.75, 0.9].map { x(Metrics.percentile(values, $0)) }
    rectangle(
      "band box \(colour)", places[1], middle - 8, max(1, places[3] - places[1]), 16, to: &svg)
    var path = Self.path([(places[0], middle), (places[1], middle)])
    path += Self.path([(places[3], middle), (places[4], middle)])
    for place in [places[0], places[4]] {
      path += Self.path([(place, middle - 5), (place, middle + 5)])
    }
    svg.shape("path", [("class", "line thin \(colour)"), ("d", path)])
    if values.count <= Plot.mostDots {
      // Neighbours in value get different heights, always the same ones.
      let dots = values.sorted().enumerated().map { rank, value in
        "M\(coordinate(x(value))) \(coordinate(middle + 13 * (Self.height(rank) - 0.5)))h0"
      }
      svg.shape("path", [("class", "dots \(colour)"), ("d", dots.joined())])
    }
    line("line \(colour)", [(places[2], middle - 10), (places[2], middle + 10)], to: &svg)
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

  private func drawBars(
    _ series: Plot.Series, _ bars: [(slot: Int, height: Double, words: String)], _ place: Int,
    _ count: Int, to svg: inout Markup
  ) {
    let style = Style(index: series.index)
    let slot = plot.x.slot ?? 0
    let width = (slot - 10) / Double(count)
    for bar in bars {
      let start = x(Double(bar.slot)) - slot / 2 + 5 + width * Double(place)
      let high = y(bar.height)
      svg.inside("g") { group in
        group.element("title", [], bar.words)
        rectangle(
          "bar \(style.colour)", start + 0.5, high, max(1, width - 1), bottom - high, to: &group)
        group.shape(
          "path",
          [
            ("class", "mark \(style.colour)"),
            ("d", style.marker(start + width / 2, max(high - 5, top - 3), size: 3)),
          ])
      }
    }
  }

  private func drawCells(
    _ cells: [(column: Int, row: Int, strength: Double, text: String)], to svg: inout Markup
  ) {
    let (width, height) = (plot.x.slot ?? 0, plot.y.slot ?? 0)
    for cell in cells {
      let (middle, level) = (x(Double(cell.column)), y(Double(cell.row)))
      rectangle(
        "heat", middle - width / 2 + 0.5, level - height / 2 + 0.5, width - 1, height - 1,
        [("fill-opacity", NumberText.fixed(cell.strength, 2))], to: &svg)
      if !cell.text.isEmpty { text(cell.text, middle, level + 4, "middle", "small", to: &svg) }
    }
  }
}

extension Plot {
  /// Slots of the horizontal axis.
  fileprivate var slots: Int { Int(clamping: x.scale.range.upperBound + 0.5) }
}

/// A legend in columns of one width: a short line with its marker, then the words.
private struct LegendGrid {
  private let series: [(words: String, style: SeriesStyle)]
  private let columns: Int
  private let column: Double

  private static let row = 22.0
  private static let swatch = 44.0
  /// What a letter takes where the figure is shown small, and letters are larger for it.
  private static let letter = 8.8

  init(_ series: [Plot.Series], width: Double) {
    let room = Int(clamping: (width - Self.swatch - 12) / Self.letter)
    self.series = series.map {
      (NumberText.shortened($0.label, max(room, 1)), SeriesStyle(index: $0.index))
    }
    let longest = self.series.map(\.words.count).max() ?? 0
    column = Self.swatch + 12 + Double(longest) * Self.letter
    columns = max(1, Int(clamping: width / column))
  }

  var height: Double {
    series.isEmpty ? 0 : Double((series.count + columns - 1) / columns) * Self.row + 8
  }

  func write(to svg: inout Markup, top: Double) {
    for (place, one) in series.enumerated() {
      let x = 6 + Double(place % columns) * column
      let y = top + Double(place / columns) * Self.row + 10
      svg.inside("g", [("data-legend", "\(one.style.index)")]) { entry in
        entry.shape("path", one.style.line + [("d", "M\(coordinate(x)) \(coordinate(y))l32 0")])
        entry.shape(
          "path", [("class", "mark \(one.style.colour)"), ("d", one.style.marker(x + 16, y))])
        entry.element(
          "text", [("x", coordinate(x + Self.swatch - 4)), ("y", coordinate(y + 4))], one.words)
      }
    }
  }
}

/// Colours and strokes of every figure; they stand inside each, so that one that is saved alone
/// looks the same.
enum PlotStyle {
  static let sheet = """

    .plot{color-scheme:light dark;\(variables(light, SeriesStyle.light))}
    @media(prefers-color-scheme:dark){.plot{\(variables(dark, SeriesStyle.dark))}}
    @media print{.plot{\(variables(light, SeriesStyle.light))}}
    \(shapes)
    @media(max-width:560px){.plot.fit text{font-size:17px}.plot.fit text.axis{font-size:16px}}
    """

  /// On white paper, whatever the screen's colours are.
  static let paper = """

    .plot{\(variables(light, SeriesStyle.light))}
    \(shapes)
    """

  private static let shapes = """
    .plot text{fill:var(--ink);font:13px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
    .plot text.axis{fill:var(--soft);font-size:12px}
    .plot text.small{font-size:11px}
    .plot text.row{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
    .paper{fill:var(--paper)}
    .mesh{stroke:var(--rule);fill:none}
    .base{stroke:var(--soft);fill:none}
    .zero{stroke:var(--soft);fill:none;stroke-width:1.4;stroke-dasharray:5 4}
    .line{fill:none;stroke-width:2;stroke-linejoin:round}
    .line.thin{stroke-width:1.2}
    .mark{stroke:var(--paper);stroke-width:.7}
    .mark.pale{fill-opacity:.35}
    .band{fill-opacity:.16;stroke:none}
    .band.faint{fill-opacity:.08}
    .band.box{fill-opacity:.28}
    .dots{fill:none;stroke-width:3.6;stroke-linecap:round;stroke-opacity:.45}
    .count{fill:var(--count)}
    .heat{fill:var(--heat)}
    .zone{fill:var(--tint)}
    \((0..<SeriesStyle.count).map {
        ".line.s\($0),.dots.s\($0){stroke:var(--s\($0))}"
          + ".mark.s\($0),.band.s\($0),.bar.s\($0){fill:var(--s\($0))}"
      }.joined(separator: "\n"))

    """

  /// Colours of paper and ink, which the page has as well.
  static let light =
    "--paper:#fff;--ink:#1c2024;--soft:#59626b;--rule:#d9dee3;--tint:#f4f6f8;--heat:#56B4E9;"
    + "--count:#a8b0b8;"
  static let dark =
    "--paper:#14171a;--ink:#e8eaed;--soft:#a6afb8;--rule:#353c43;--tint:#1d2227;--heat:#1f78b4;"
    + "--count:#5b646d;"

  private static func variables(_ paper: String, _ series: [String]) -> String {
    paper + series.enumerated().map { "--s\($0.offset):\($0.element);" }.joined()
  }
}

import Base
import Records

/// How many images of each class each client holds: a row per client, a column per class.
struct SVGHeatmap {
  private let classNames: [String]
  private let rows: [[Int]]
  private let columns: Int
  private let cell: (width: Double, height: Double)
  private let title: String
  /// Sizes in words, for those who cannot see the cells.
  let description: String

  private static let left = 84.0
  private static let top = 34.0

  /// A figure of `counts`, training images [K][C].
  ///
  /// More clients than 60, or than 12,000 cells
  /// allow, are not drawn; the caption says so.
  init(classNames: [String], counts: [[Int]]) {
    self.classNames = classNames
    columns = counts.map(\.count).max() ?? 0
    rows = Array(counts.prefix(max(10, min(60, 12_000 / max(columns, 1)))))
    cell = (max(7, 640 / Double(max(columns, 1))), rows.count > 30 ? 14 : 20)
    let cut =
      rows.count < counts.count ? " (the first \(rows.count) of \(counts.count) clients)" : ""
    title = "Images per client and class" + cut
    let sizes = counts.map { $0.reduce(0, +) }
    let median = NumberText.fixed(Metrics.median(sizes.map(Double.init)), 0)
    description =
      "\(counts.count) clients hold from \(sizes.min() ?? 0) to \(sizes.max() ?? 0) images, "
      + "median \(median)."
  }

  /// The figure; nothing without clients or classes.
  func write(to out: inout Markup) {
    guard !rows.isEmpty, columns > 0 else { return }
    let width = Self.left + cell.width * Double(columns) + 70
    let height = Self.top + cell.height * Double(rows.count) + 30
    out.inside("figure", [("class", "wide")]) { figure in
      figure.element("figcaption", [], title)
      figure.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
        box.inside(
          "svg",
          [
            ("viewBox", "0 0 \(coordinate(width)) \(coordinate(height))"), ("role", "img"),
            ("style", SVGStyle.wide(width)), ("aria-label", "\(title). \(description)"),
          ]
        ) { svg in
          svg.element("title", [], title)
          svg.element("desc", [], description)
          draw(to: &svg)
        }
      }
    }
  }

  private func draw(to svg: inout Markup) {
    let most = Double(max(rows.joined().max() ?? 1, 1))
    let withNumbers = columns <= 12
    let names = (0..<columns).map { $0 < classNames.count ? classNames[$0] : "\($0)" }
    let room = max(3, Int(cell.width / 7.2))
    for column in 0..<columns where columns <= 20 || column % 10 == 0 {
      let name = names[column]
      svg.element(
        "text",
        [
          ("class", "small"), ("x", coordinate(Self.left + cell.width * (Double(column) + 0.5))),
          ("y", coordinate(Self.top - 8)), ("text-anchor", "middle"),
        ], columns > 20 ? "\(column)" : name.count <= room ? name : name.prefix(room - 1) + "…")
    }
    for (row, clients) in rows.enumerated() {
      let y = Self.top + cell.height * Double(row)
      let middle = coordinate(y + cell.height / 2 + 4)
      svg.element(
        "text", [("x", coordinate(Self.left - 8)), ("y", middle), ("text-anchor", "end")],
        "client \(row)")
      for (column, count) in clients.enumerated() where count > 0 {
        let x = Self.left + cell.width * Double(column)
        // The square root keeps the small counts of the tail visible.
        let strength = 0.08 + 0.82 * (Double(count) / most).squareRoot()
        svg.shape(
          "rect",
          [
            ("class", "heat"), ("x", coordinate(x + 0.5)), ("y", coordinate(y + 0.5)),
            ("width", coordinate(cell.width - 1)), ("height", coordinate(cell.height - 1)),
            ("fill-opacity", NumberText.fixed(strength, 2)),
          ])
        guard withNumbers else { continue }
        svg.element(
          "text",
          [
            ("class", "small"), ("x", coordinate(x + cell.width / 2)), ("y", middle),
            ("text-anchor", "middle"),
          ], "\(count)")
      }
      let end = Self.left + cell.width * Double(columns) + 8
      svg.element(
        "text", [("x", coordinate(end)), ("y", middle), ("class", "axis")],
        "\(clients.reduce(0, +))")
    }
    svg.element(
      "text",
      [
        ("x", coordinate(Self.left)), ("class", "axis"),
        ("y", coordinate(Self.top + cell.height * Double(rows.count) + 20)),
      ], "columns: classes; numbers at the right: images of the client; empty cells: none")
  }
}

/// A table of texts in a report: headings, and rows whose first cell is their heading.
struct PlainTable {
  let titles: [String]
  let rows: [[String]]

  /// Writes the table in a box that scrolls on its own; nothing without rows.
  func write(to out: inout Markup) {
    if rows.isEmpty { return }
    out.inside("div", [("class", "scroll"), ("tabindex", "0")]) { box in
      box.inside("table") { table in
        table.inside("thead") { head in
          head.inside("tr") { row in
            for title in titles { row.element("th", [("scope", "col")], title) }
          }
        }
        table.inside("tbody") { body in
          for cells in rows {
            body.inside("tr") { row in
              for (place, cell) in cells.enumerated() {
                if place == 0 {
                  row.element("th", [("scope", "row")], cell)
                } else {
                  row.element("td", [], cell)
                }
              }
            }
          }
        }
      }
    }
  }
}

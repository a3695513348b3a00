/// A table of text in columns, right-aligned, with a label before each row.
package struct TextColumns {
  /// One column: a heading, and a cell for each row.
  package struct Column {
    package let title: String
    package let cells: [String]

    package init(title: String, cells: [String]) {
      self.title = title
      self.cells = cells
    }
    package var width: Int { max(title.count, cells.map(\.count).max() ?? 0) }
  }

  /// The heading above the labels.
  let heading: String
  /// A label for each row.
  package let labels: [String]
  let columns: [Column]

  package init(heading: String, labels: [String], columns: [Column]) {
    self.heading = heading
    self.labels = labels
    self.columns = columns
  }

  /// The lines, each at most `width` columns where a single column fits.
  ///
  /// Columns that do not fit go into further tables, each behind an empty line. Labels beyond 24
  /// characters are cut.
  package func lines(width: Int) -> [String] {
    let first = max(heading.count, min(24, labels.map(\.count).max() ?? 0))
    var rest = columns[...]
    var lines: [String] = []
    while !rest.isEmpty {
      var piece: [Column] = []
      var used = first
      while let next = rest.first, piece.isEmpty || used + 2 + next.width <= width {
        piece.append(rest.removeFirst())
        used += 2 + next.width
      }
      lines += (lines.isEmpty ? [] : [""]) + table(first, piece)
    }
    return lines
  }

  private func table(_ first: Int, _ columns: [Column]) -> [String] {
    func line(_ head: String, _ cells: [String]) -> String {
      let name = head.count <= first ? head : head.prefix(first - 1) + "…"
      let start = name + String(repeating: " ", count: first - name.count)
      return zip(cells, columns).reduce(start) { text, cell in
        let gap = 2 + cell.1.width - cell.0.count
        return text + String(repeating: " ", count: gap) + cell.0
      }
    }
    let rule = columns.map { String(repeating: "-", count: $0.width) }
    return [line(heading, columns.map(\.title)), line(String(repeating: "-", count: first), rule)]
      + labels.indices.map { row in line(labels[row], columns.map { $0.cells[row] }) }
  }
}

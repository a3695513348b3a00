import Records

extension SettingDifference {
  /// A table of differences, a column for each folder, at most `width` columns wide.
  package static func table(_ differences: [SettingDifference], folders: [String], width: Int)
    -> [String]
  {
    let rows = [["setting"] + folders] + differences.map { [$0.path] + $0.values }
    let first = min(rows.map { $0[0].count }.max() ?? 0, max(20, width / 2))
    let room = max(8, (width - first) / max(1, folders.count) - 2)
    let widths =
      [first]
      + folders.indices.map { column in min(room, rows.map { $0[column + 1].count }.max() ?? 0) }
    return rows.map { row in
      let cells = zip(row, widths).map { cell, width in
        // The end of a path tells more than its beginning.
        let text = cell.count <= width ? cell : "…" + String(cell.suffix(max(0, width - 1)))
        return text + String(repeating: " ", count: width - text.count)
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}

import Base

/// How a table is laid out on a terminal.
package struct TerminalLayout: Sendable {
  /// What becomes of columns that do not fit.
  package enum Overflow: Sendable {
    /// They go into further tables with the same rows.
    case continued
    /// They are left out.
    case leftOut
  }

  /// What stands above the rows.
  package enum Head: Sendable {
    case none
    case titles
    case ruled
  }

  /// Columns of the terminal.
  package var width: Int
  /// How much of the rows' names must be seen, and the most that is shown of them.
  package var names: ClosedRange<Int>
  /// Columns that stand in every piece of a table that is continued.
  package var fixed: Int
  package var overflow: Overflow
  package var head: Head
  /// Whether headings are bold.
  package var isBold: Bool

  package init(
    width: Int, names: ClosedRange<Int> = 24...24, fixed: Int = 1, overflow: Overflow = .continued,
    head: Head = .ruled, isBold: Bool = false
  ) {
    self.width = width
    self.names = names
    self.fixed = fixed
    self.overflow = overflow
    self.head = head
    self.isBold = isBold
  }

  /// A table that is never cut, for rows printed one by one.
  package static let whole = TerminalLayout(width: .max, names: 0...(.max))

  /// Rows that need no headings.
  package static let list = TerminalLayout(width: .max, names: 0...(.max), head: .none)

  /// A width at which tables can be read: 60 to 120 columns.
  package static func readable(_ width: Int) -> Int { min(max(width, 60), 120) }
}

extension Table {
  package func lines(_ layout: TerminalLayout) -> [String] { TerminalPrinter(self, layout).lines }
}

private struct TerminalPrinter {
  /// Columns between groups, and between columns.
  private static let gaps = (groups: "   ", columns: "  ")

  let table: Table
  let layout: TerminalLayout
  /// Texts by column and row.
  private let texts: [[String]]
  private let widths: [Int]
  /// What must be seen of the first column.
  private let least: Int

  init(_ table: Table, _ layout: TerminalLayout) {
    self.table = table
    self.layout = layout
    texts = table.headings.enumerated().map { place, heading in
      table.rows.map { heading.isBrief ? $0[place].text : $0[place].whole }
    }
    var widths = zip(table.headings, texts).map { heading, column in
      max(heading.words.count, heading.room, column.map(\.count).max() ?? 0)
    }
    // A group's title has room above its columns.
    for stretch in table.stretches {
      let shown = stretch.filter { !table.headings[$0].isDetail }
      guard let last = shown.last, let title = table.headings[last].group?.title else { continue }
      let inner = shown.reduce(-2) { $0 + 2 + widths[$1] }
      widths[last] += max(0, title.count - inner)
    }
    self.widths = widths
    let heading = table.headings.first?.words.count ?? 0
    least = max(heading, min(widths.first ?? 0, layout.names.lowerBound))
  }

  var lines: [String] {
    let fixed = min(layout.fixed, table.headings.count)
    var rest = table.stretches.filter { $0.lowerBound >= fixed }.map { stretch in
      stretch.filter { !table.headings[$0].isDetail }
    }.filter { !$0.isEmpty }[...]
    let start = (0..<fixed).map { [$0] }
    if layout.overflow == .leftOut {
      var piece = start
      for next in rest where used(piece + [next]) <= layout.width { piece.append(next) }
      return lines(of: piece)
    }
    var lines: [String] = []
    repeat {
      var piece = start
      while let next = rest.first,
        piece.count == start.count || used(piece + [next]) <= layout.width
      {
        piece.append(next);
        rest.removeFirst()
      }
      lines += (lines.isEmpty ? [] : [""]) + self.lines(of: piece)
    } while !rest.isEmpty
    return lines
  }

  private func gap(before stretch: [Int]) -> String {
    table.headings[stretch[0]].group == nil ? Self.gaps.columns : Self.gaps.groups
  }

  /// The width of stretches of columns side by side, with the least of the rows' names.
  private func used(_ piece: [[Int]]) -> Int {
    piece.reduce(0) { sum, stretch in
      let inner = stretch.reduce(-2) { $0 + 2 + ($1 == 0 && layout.fixed > 0 ? least : widths[$1]) }
      return sum + inner + (sum > 0 ? gap(before: stretch).count : 0)
    }
  }

  private func lines(of piece: [[Int]]) -> [String] {
    var widths = widths
    if layout.fixed > 0, !widths.isEmpty {
      let room = layout.width - used(piece) + least
      widths[0] = max(
        min(8, widths[0]), min(widths[0], max(least, layout.names.upperBound), max(room, 1)))
    }
    func line(_ text: (Int) -> String) -> String {
      joined(piece) { stretch in
        stretch.map { fitted(text($0), $0, widths[$0]) }.joined(separator: Self.gaps.columns)
      }
    }
    var lines: [String] = []
    if table.isGrouped, layout.head != .none {
      let groups = joined(piece) { stretch in
        let width = stretch.reduce(-2) { $0 + 2 + widths[$1] }
        return padded(table.headings[stretch[0]].group?.title ?? "", width)
      }
      lines.append(bold(groups))
    }
    if layout.head != .none { lines.append(bold(line { table.headings[$0].words })) }
    if layout.head == .ruled { lines.append(line { String(repeating: "-", count: widths[$0]) }) }
    return lines + table.rows.indices.map { row in line { texts[$0][row] } }
  }

  private func joined(_ piece: [[Int]], _ text: ([Int]) -> String) -> String {
    let line = piece.enumerated().reduce("") { line, next in
      line + (next.offset > 0 ? gap(before: next.element) : "") + text(next.element)
    }
    return TextLines.trimmed(line)
  }

  private func fitted(_ text: String, _ place: Int, _ width: Int) -> String {
    let text = place == 0 ? NumberText.shortened(text, max(width, 1)) : text
    if table.headings[place].isText { return padded(text, width) }
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func bold(_ text: String) -> String { layout.isBold ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}

/// Prose for a terminal.
package enum TextLines {
  /// Breaks lines at spaces; a word longer than a line is cut.
  package static func wrapped(_ texts: [String], _ width: Int) -> [String] {
    texts.flatMap { wrapped($0, width) }
  }

  private static func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      var rest = String(word)
      if !line.isEmpty, line.count + 1 + rest.count > width {
        lines.append(line)
        line = "  "
      } else if !line.isEmpty {
        line += " "
      }
      while line.count + rest.count > width {
        let room = width - line.count
        lines.append(line + rest.prefix(room))
        rest = String(rest.dropFirst(room))
        line = "  "
      }
      line += rest
    }
    return lines + [line]
  }

  /// The text without spaces at its end.
  static func trimmed(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
  }
}

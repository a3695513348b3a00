import Base
import Records

/// What stands in one place of a table: a text for people, and its number for programs.
package struct Cell: Sendable, Equatable {
  package var text: String
  /// What follows the text where there is room: " ± 0.3", " [-0.1, +0.5]".
  package var interval = ""
  /// The number at full precision, in the column's unit; nil where there is only the text.
  package var value: Double?
  /// What follows a "±", at full precision.
  package var halfWidth: Double?

  /// What is not known, or has no meaning.
  package static let missing = Cell(text: "-")

  /// A cost without a limit, such as the ε of what protects nobody.
  package static let infinite = Cell(text: "none", value: .infinity)

  package var isMissing: Bool { self == .missing }

  package static func text(_ text: String) -> Cell { Cell(text: text) }

  package static func count(_ count: Int) -> Cell { Cell(text: "\(count)", value: Double(count)) }

  /// A number and how it is written; missing where there is none.
  ///
  /// `scale`: takes the number to the column's unit.
  package static func number(_ value: Double?, scale: Double = 1, _ display: (Double) -> String)
    -> Cell
  {
    guard let value else { return .missing }
    let text = display(value)
    return text == "-" ? .missing : Cell(text: text, value: value * scale)
  }

  /// A number with so many digits after the point.
  package static func number(_ value: Double?, _ decimals: Int) -> Cell {
    number(value) { NumberText.fixed($0, decimals) }
  }

  /// A mean over seeds with what is shown beside it; one seed has nothing.
  package static func mean(
    _ statistics: SeedStatistics?, scale: Double = 1, hasInterval: Bool = true,
    spread: Spread? = nil, _ display: (Double) -> String
  ) -> Cell {
    guard let statistics, statistics.count > 0 else { return .missing }
    var cell = number(statistics.mean, scale: scale, display)
    guard hasInterval, let ends = statistics.ends(spread) else { return cell }
    if (spread ?? .usual(statistics.count)) == .range {
      cell.interval = " [\(display(ends.low)), \(display(ends.high))]"
    } else {
      cell.interval = " ± " + display(ends.high - statistics.mean)
      cell.halfWidth = (ends.high - statistics.mean) * scale
    }
    return cell
  }

  var whole: String { text + interval }
}

/// Columns that stand under a heading of their own.
package struct ColumnGroup: Sendable, Equatable {
  package let title: String
  /// What precedes the columns' titles where there is one row of headings.
  package let short: String
}

/// What is said above the cells of a column, and how much of it the printers show.
package struct Heading: Sendable, Equatable {
  /// What it is called on a command line.
  package var name = ""
  package var title: String
  package var unit = ""
  package var group: ColumnGroup?
  /// Words stand at the left, numbers at the right.
  package var isText = false
  /// The terminal has little room: it shows such a column without intervals.
  package var isBrief = false
  /// Only pages and files have such a column.
  package var isDetail = false
  /// The least width on a terminal, where rows are printed before the others are known.
  package var room = 0
  package var note = ""
  /// Which numbers are the better ones; nil where none is.
  package var better: Better?

  package enum Better: Sendable { case higher, lower }

  package var words: String { unit.isEmpty ? title : title + " " + unit }

  /// The title where there is one row of headings.
  package var lone: String {
    guard let short = group?.short, !short.isEmpty else { return words }
    return short + " " + words
  }
}

/// One column: what is said above it, and how a row's cell is made.
package struct Column<Row> {
  package var heading: Heading
  /// Whether it is left out when no row has a value.
  package var isOptional: Bool
  package let cell: (Row) -> Cell

  package init(
    _ title: String, unit: String = "", in group: ColumnGroup? = nil, isText: Bool = false,
    isBrief: Bool = false, isDetail: Bool = false, isOptional: Bool = false, room: Int = 0,
    note: String = "", name: String? = nil, better: Heading.Better? = nil,
    cell: @escaping (Row) -> Cell
  ) {
    heading = Heading(
      name: name ?? title.lowercased().split(separator: " ").joined(separator: "-"), title: title,
      unit: unit, group: group, isText: isText, isBrief: isBrief, isDetail: isDetail, room: room,
      note: note, better: better)
    self.isOptional = isOptional
    self.cell = cell
  }

  /// A column of words.
  package static func words(_ title: String, room: Int = 0, _ text: @escaping (Row) -> String)
    -> Column
  { Column(title, isText: true, room: room) { .text(text($0)) } }
}

/// Headings and rows of cells, which the terminal, Markdown, LaTeX, CSV and HTML print with the
/// same words and the same numbers; the first column names the rows.
package struct Table: Sendable, Equatable {
  package var title = ""
  package let headings: [Heading]
  package private(set) var rows: [[Cell]]
  package var note: String

  /// A table of rows, each about one thing.
  ///
  /// `note`: what must be said of all numbers, before the notes of the columns.
  package init<Row>(_ title: String = "", of rows: [Row], columns: [Column<Row>], note: String = "")
  {
    let cells = columns.map { column in rows.map(column.cell) }
    let shown = columns.indices.filter { place in
      !columns[place].isOptional || cells[place].contains { !$0.isMissing }
    }
    self.title = title
    headings = shown.map { columns[$0].heading }
    self.rows = rows.indices.map { row in shown.map { cells[$0][row] } }
    var notes = [note]
    for heading in headings where !notes.contains(heading.note) { notes.append(heading.note) }
    self.note = notes.filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Names, each with what is said of it.
  package static func terms(_ terms: [(name: String, words: String)], room: Int = 0) -> Table {
    Table(of: terms, columns: [.words("", room: room) { $0.name }, .words("") { $0.words }])
  }

  /// The same table with other names of its rows.
  package func renamed(_ names: (String) -> String) -> Table {
    var table = self
    table.rows = rows.map { row in
      row.enumerated().map { $0.offset == 0 ? .text(names($0.element.text)) : $0.element }
    }
    return table
  }

  /// For each row of a column 1 for the best number and 2 for the next best, as they are printed.
  ///
  /// Those that look the same share their place. Nil for all others, in columns without better
  /// numbers, and where all look the same.
  func ranks(_ column: Int) -> [Int?] {
    guard let better = headings[column].better else { return rows.map { _ in nil } }
    var values: [(text: String, value: Double)] = []
    for row in rows {
      let cell = row[column]
      guard let value = cell.value, value.isFinite,
        !values.contains(where: { $0.text == cell.text })
      else { continue }
      values.append((cell.text, value))
    }
    let sorted = values.sorted { better == .higher ? $0.value > $1.value : $0.value < $1.value }
    if sorted.count < 2 { return rows.map { _ in nil } }
    return rows.map { row in
      let place = sorted.firstIndex { $0.text == row[column].text }
      return place.flatMap { $0 < 2 ? $0 + 1 : nil }
    }
  }

  /// Places of the columns that stand side by side under one group, or alone.
  var stretches: [Range<Int>] {
    var list: [Range<Int>] = []
    for place in headings.indices {
      if let last = list.last, let group = headings[place].group,
        headings[last.lowerBound].group == group
      {
        list[list.count - 1] = last.lowerBound..<place + 1
      } else {
        list.append(place..<place + 1)
      }
    }
    return list
  }

  var isGrouped: Bool { headings.contains { $0.group != nil } }
}

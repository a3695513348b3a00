import Base
import Records
import Scenario

/// What every strategy spent to reach the accuracies that were asked for, as cells; terminal and
/// report show the same.
struct TargetTable {
  /// One accuracy: a row for each strategy.
  struct Part {
    let title: String
    let columns: [Column]
  }

  /// A heading and a cell for each strategy.
  struct Column {
    let title: String
    let cells: [String]
  }

  /// What the numbers are.
  static let note =
    "Up to the first evaluated round that reaches the accuracy: means over the seeds that reached "
    + "it, and how many did"

  let labels: [String]
  let parts: [Part]

  init(_ summary: Summary) {
    labels = summary.strategies.map(\.label)
    let count = summary.strategies.first?.targets.count ?? 0
    parts = (0..<count).map { index in
      let rows = summary.strategies.map { $0.targets[index] }
      return Part(title: rows[0].target.title, columns: Self.columns(rows))
    }
  }

  private static func columns(_ rows: [TargetSummary]) -> [Column] {
    let seeds = Column(title: "seeds", cells: rows.map(\.reachedText))
    func column(
      _ title: String, _ quantity: String, always: Bool = true, _ text: (Double) -> String
    ) -> Column? {
      let means = rows.map { $0.mean(quantity) }
      guard always || means.contains(where: { $0 != nil }) else { return nil }
      return Column(title: title, cells: means.map { $0.map(text) ?? "-" })
    }
    let costs = [
      column("rounds", "round") { NumberText.fixed($0, 1) },
      column("up MB", "bytes.up") { NumberText.megabytes($0) },
      column("down MB", "bytes.down") { NumberText.megabytes($0) },
      column("setup MB", "bytes.setup", always: false) { NumberText.megabytes($0) },
      column("TFLOP", "train.flops", always: false) {
        NumberText.fixed($0 / 1e12, $0 < 1e14 ? 3 : 1)
      },
      column("clock s", "time.virtual", always: false) { NumberText.fixed($0, $0 < 100 ? 2 : 0) },
    ]
    return [seeds] + costs.compactMap(\.self)
  }

  /// The lines for a terminal, each at most `width` columns, which is at least 60; columns that do
  /// not fit go into a second table.
  func lines(width: Int) -> [String] {
    let first = max("strategy".count, min(16, labels.map(\.count).max() ?? 0))
    var lines: [String] = []
    for part in parts {
      lines += ["", part.title]
      var rest = part.columns[1...]
      repeat {
        // How many seeds reached it stands in every piece.
        var side = [part.columns[0]]
        func needed(_ columns: [Column]) -> Int {
          columns.reduce(first) { $0 + 2 + Self.width($1) }
        }
        repeat {
          side.append(rest.removeFirst())
        } while !rest.isEmpty && needed(side + [rest[rest.startIndex]]) <= width
        lines += Self.table(labels, first, side)
      } while !rest.isEmpty
    }
    return lines
  }

  private static func width(_ column: Column) -> Int {
    max(column.title.count, column.cells.map(\.count).max() ?? 0)
  }

  private static func table(_ labels: [String], _ first: Int, _ columns: [Column]) -> [String] {
    func line(_ head: String, _ cells: [String]) -> String {
      let name = NumberText.shortened(head, first)
      return zip(cells, columns).reduce(name + String(repeating: " ", count: first - name.count)) {
        text, cell in
        let gap = 2 + width(cell.1) - cell.0.count
        return text + String(repeating: " ", count: gap) + cell.0
      }
    }
    let rule = columns.map { String(repeating: "-", count: width($0)) }
    return [
      line("strategy", columns.map(\.title)), line(String(repeating: "-", count: first), rule),
    ] + labels.indices.map { row in line(labels[row], columns.map { $0.cells[row] }) }
  }
}

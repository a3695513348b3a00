import Base
import Records

extension Table {
  /// Strategies against one of them, a row for each.
  package static func comparison(_ comparison: Comparison, spread: Spread? = nil) -> Table {
    Table(of: comparison.rows, columns: columns(comparison, spread))
  }

  /// The same with some of its columns.
  ///
  /// - Throws: E2012 for a name in `columns` that no column has (exit 2).
  package static func comparison(
    _ comparison: Comparison, columns names: [String], spread: Spread? = nil
  ) throws(Failure) -> Table {
    Table(of: comparison.rows, columns: try Column.chosen(names, from: columns(comparison, spread)))
  }

  private static func columns(_ comparison: Comparison, _ spread: Spread?) -> [Column<
    Comparison.Row
  >] {
    let (metric, decimals) = (comparison.metric, comparison.decimals)
    func versus(_ title: String, _ cell: @escaping (PairedTests) -> Cell) -> Column<Comparison.Row>
    { Column(title) { $0.versus.map(cell) ?? .missing } }
    func p(_ value: Double?, isApproximate: Bool = false) -> Cell {
      let text = Comparison.probability(value)
      return Cell(text: value != nil && isApproximate ? "~" + text : text, value: value)
    }
    var columns: [Column<Comparison.Row>] = [
      .words("strategy") { $0.label }, Column("n") { .count($0.statistics.count) },
      Column("mean", better: metric.lowerIsBetter ? .lower : .higher) { row in
        .mean(row.statistics, scale: 1 / metric.scale, spread: spread) {
          metric.text($0, decimals)
        }
      },
      versus("difference") { tests in
        let (mean, half) = (tests.difference.statistics.mean, tests.difference.statistics.halfWidth)
        func text(_ value: Double) -> String { metric.text(value, decimals, plus: true) }
        var cell = Cell.number(mean, scale: 1 / metric.scale, text)
        if let half {
          cell.interval = " [\(text(mean - half)), \(text(mean + half))]"
          cell.halfWidth = half / metric.scale
        }
        return cell
      }, versus("seeds") { .text($0.seeds.text) },
    ]
    if comparison.rows.contains(where: { $0.versus?.clients != nil }) {
      columns.append(versus("clients") { $0.clients.map { .text($0.text) } ?? .missing })
    }
    columns += [
      versus("t Holm") { p($0.holm.student) }, versus("sign flip") { p($0.signFlip.p) },
      versus("least") { p($0.signFlip.attainable) },
      versus("Wilcoxon") { p($0.wilcoxon.p, isApproximate: $0.wilcoxon.method == .normal) },
      versus("d_z") { .number($0.effect?.dz) { NumberText.fixed($0, 2, plus: true) } },
    ]
    return columns
  }

  /// What differs between folders, a column for each of them.
  ///
  /// `path`: the most letters of a path that are shown, and of a value.
  package static func differences(
    _ differences: [SettingDifference], folders: [String], path: Int = .max, value: Int = .max
  ) -> Table {
    // The end of a path says more than its beginning.
    func end(_ text: String, _ width: Int) -> String {
      text.count <= width ? text : "…" + String(text.suffix(max(0, width - 1)))
    }
    return Table(
      of: differences,
      columns: [.words("setting") { end($0.path, path) }]
        + folders.enumerated().map { place, folder in
          .words(end(folder, value)) { end($0.values[place], value) }
        })
  }
}

extension SettingDifference {
  /// A table of differences, a column for each folder, at most `width` columns wide.
  package static func lines(_ differences: [SettingDifference], folders: [String], width: Int)
    -> [String]
  {
    let longest = (["setting"] + differences.map(\.path)).map(\.count).max() ?? 0
    let first = min(longest, max(20, width / 2))
    let room = max(8, (width - first) / max(1, folders.count) - 2)
    return Table.differences(differences, folders: folders, path: first, value: room).lines(
      TerminalLayout(width: .max, names: first...first, head: .titles))
  }
}

/// A comparison for a terminal.
package struct ComparisonTable: Sendable {
  package let comparison: Comparison
  package let folders: [String]

  /// What the reader must know before believing a number.
  package let warnings: [String]
  private let table: Table
  private let spread: Spread?

  /// - Throws: E2012 for a name in the style's columns that no column has (exit 2).
  package init(
    _ comparison: Comparison, folders: [String], warnings: [String] = [],
    style: ReportStyle = ReportStyle()
  ) throws(Failure) {
    self.comparison = comparison
    self.folders = folders
    self.warnings = warnings
    spread = style.spread
    table = try .comparison(comparison, columns: style.columns, spread: style.spread)
  }

  /// The lines, each at most `width` columns (at least 60, at most 120); columns that do not fit go
  /// into a second table.
  package func text(width: Int) -> String {
    let width = TerminalLayout.readable(width)
    var lines = TextLines.wrapped(header + comparison.budgetLines, width) + [""]
    lines += table.lines(TerminalLayout(width: width)) + [""]
    lines += TextLines.wrapped(comparison.sentences + comparison.leftOut, width)
    return lines.joined(separator: "\n")
  }

  private var header: [String] {
    let metric = comparison.metric
    let unit = metric.unitText.isEmpty ? "" : " \(metric.unitText)"
    let direction = metric.lowerIsBetter ? "lower is better" : "higher is better"
    var lines =
      warnings.map { "WARNING: " + $0 } + [
        "comparison of \(folders.joined(separator: ", "))",
        "\(metric.name)\(unit), \(direction); baseline \(comparison.baseline); "
          + comparison.seedNote(spread),
        "difference: strategy - baseline on common seeds with its 95 % interval (paired t); "
          + "t Holm: p of the paired t test, adjusted; "
          + "least: the smallest p that sign flips can reach",
      ]
    var counts = "seeds: wins/ties/losses"
    if comparison.settings.tieMargin > 0 {
      let margin = NumberText.fixed(
        comparison.settings.tieMargin / metric.scale,
        metric.decimals([comparison.settings.tieMargin]))
      counts += ", differences up to \(margin)\(metric.differenceUnit) being ties"
    }
    if comparison.rows.contains(where: { $0.versus?.clients != nil }) {
      counts +=
        "; clients: by accuracy on local tests, every client under every seed (not independent)"
    }
    if comparison.rows.contains(where: { $0.versus?.wilcoxon.method == .normal }) {
      counts += "; ~: approximate, because of ties, zeros or many seeds"
    }
    lines.append(counts)
    return lines
  }
}

extension Comparison {
  /// How many seeds there are, and what stands beside their mean.
  func seedNote(_ spread: Spread?) -> String {
    let counts = rows.map(\.statistics.count)
    return Spread.note(
      spread, seeds: counts.max() ?? 0, least: counts.filter { $0 > 1 }.min() ?? 0)
  }
}

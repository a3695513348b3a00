import Base
import Records

/// A comparison for a terminal.
package struct ComparisonTable: Sendable {
  /// What is shown.
  package let comparison: Comparison
  /// The folders compared.
  package let folders: [String]

  /// A table of a comparison.
  package init(_ comparison: Comparison, folders: [String]) {
    self.comparison = comparison
    self.folders = folders
  }

  /// The lines, each at most `width` columns (at least 60, at most 120); columns that do not fit go
  /// into a second table.
  package func text(width: Int) -> String {
    let width = min(max(width, 60), 120)
    var lines = (header + comparison.budgetLines).flatMap { SummaryTable.wrapped($0, width) } + [""]
    let labels = comparison.rows.map(\.label)
    lines += TextColumns(heading: "strategy", labels: labels, columns: columns).lines(width: width)
    lines.append("")
    let sentences = comparison.sentences + comparison.leftOut
    lines += sentences.flatMap { SummaryTable.wrapped($0, width) }
    return lines.joined(separator: "\n")
  }

  private var header: [String] {
    let metric = comparison.metric
    let unit = metric.unitText.isEmpty ? "" : " \(metric.unitText)"
    let direction = metric.lowerIsBetter ? "lower is better" : "higher is better"
    var lines = [
      "comparison of \(folders.joined(separator: ", "))",
      "\(metric.name)\(unit), \(direction); baseline \(comparison.baseline); mean ± half-width of "
        + "the 95 % interval over seeds",
      "difference: strategy - baseline on common seeds with its 95 % interval (paired t); t Holm: "
        + "p of the paired t test, adjusted; least: the smallest p that sign flips can reach",
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

  /// The columns behind the strategies' names; a cell for each of them.
  var columns: [TextColumns.Column] {
    let (rows, metric, decimals) = (comparison.rows, comparison.metric, comparison.decimals)
    func column(_ title: String, _ cell: (Comparison.Row) -> String) -> TextColumns.Column {
      TextColumns.Column(title: title, cells: rows.map(cell))
    }
    func versus(_ title: String, _ cell: (PairedTests) -> String) -> TextColumns.Column {
      column(title) { $0.versus.map(cell) ?? "-" }
    }
    var columns = [
      column("n") { "\($0.statistics.count)" },
      column("mean") { row in
        guard row.statistics.count > 0 else { return "-" }
        let mean = metric.text(row.statistics.mean, decimals)
        return row.statistics.halfWidth.map { "\(mean) ± \(metric.text($0, decimals))" } ?? mean
      },
      versus("difference") { tests in
        let (mean, half) = (tests.difference.statistics.mean, tests.difference.statistics.halfWidth)
        let text = metric.text(mean, decimals, plus: true)
        guard let half else { return text }
        return text + " [\(metric.text(mean - half, decimals, plus: true)), "
          + "\(metric.text(mean + half, decimals, plus: true))]"
      }, versus("seeds") { $0.seeds.text },
    ]
    if rows.contains(where: { $0.versus?.clients != nil }) {
      columns.append(versus("clients") { $0.clients?.text ?? "-" })
    }
    return columns + [
      versus("t Holm") { Comparison.probability($0.holm.student) },
      versus("sign flip") { Comparison.probability($0.signFlip.p) },
      versus("least") { Comparison.probability($0.signFlip.attainable) },
      versus("Wilcoxon") { tests in
        let p = Comparison.probability(tests.wilcoxon.p)
        return tests.wilcoxon.p != nil && tests.wilcoxon.method == .normal ? "~" + p : p
      }, versus("d_z") { NumberText.fixed($0.effect?.dz, 2, plus: true) },
    ]
  }
}

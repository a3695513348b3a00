import Base
import Records
import Report

/// A sweep for a terminal.
package struct SweepTable: Sendable {
  /// What is shown.
  package let results: SweepResults
  /// At most so many rows; the others are in `trials.csv`.
  package let most: Int

  /// A table of results.
  package init(_ results: SweepResults, most: Int = 40) {
    self.results = results
    self.most = most
  }

  /// One column of a plain table.
  package struct Column {
    package let title: String
    let cells: [String]
    /// Words stand left, numbers right.
    var isText = false
    package var width: Int { max(title.count, cells.map(\.count).max() ?? 0) }
  }

  /// The lines, each at most `width` columns (at least 60, at most 120).
  ///
  /// Best first in the first objective of the front; columns that do not fit are left out from the
  /// right, values of paths being shortened first.
  package func text(width: Int) -> String {
    let width = min(max(width, 60), 120)
    let rows = Array(sorted.prefix(most))
    var lines = header.flatMap { SummaryTable.wrapped($0, width) } + [""]
    if !rows.isEmpty {
      lines += Self.lines(columns(rows), width: width)
      if sorted.count > rows.count {
        lines.append("… \(sorted.count - rows.count) more in trials.csv")
      }
      lines.append("")
    }
    return (lines + sentences.flatMap { SummaryTable.wrapped($0, width) }).joined(separator: "\n")
  }

  private var header: [String] {
    let sweep = results.sweep
    let runs = sweep.trials.reduce(0) { $0 + $1.runs.count }
    var lines = [
      sweep.name,
      "\(sweep.trials.count) trials of \(sweep.base), \(sweep.trials.first?.runs.count ?? 0) seeds:"
        + " \(results.doneRuns) of \(runs) runs done"
        + (results.failed.isEmpty ? "" : ", \(results.failed.count) failed"),
    ]
    if let first = results.front.objectives.first {
      lines.append(
        "best \(first.metric.name) first; mean ± half-width of the 95 % interval over seeds; "
          + "* is on the front")
    }
    return lines
  }

  private var sorted: [SweepResults.Entry] {
    guard let objective = results.front.objectives.first else { return results.entries }
    let values = results.entries.map { entry -> Double in
      let mean = SweepResults.statistics(entry, objective.metric)?.mean
      // Trials that were stopped, or are not done, come after those that are.
      return mean.map(objective.oriented) ?? -.infinity
    }
    return zip(results.entries, values).enumerated().sorted { a, b in
      let (x, y) = (a.element, b.element)
      if x.0.isComplete != y.0.isComplete { return x.0.isComplete }
      return x.1 == y.1 ? a.offset < b.offset : x.1 > y.1
    }.map(\.element.0)
  }

  private func columns(_ rows: [SweepResults.Entry]) -> [Column] {
    let sweep = results.sweep
    func column(_ title: String, isText: Bool = false, _ cell: (SweepResults.Entry) -> String)
      -> Column
    { Column(title: title, cells: rows.map(cell), isText: isText) }
    var columns = [
      column("") { results.front.contains($0.trial.number, $0.label) ? "*" : "" },
      column("trial") { "\($0.trial.number)" },
    ]
    for (index, path) in sweep.paths.enumerated() {
      let name = path.split(separator: ".").last.map(String.init) ?? path
      columns.append(
        column(String(name.suffix(20)), isText: true) { entry in
          Self.shortened(Self.value(entry.trial.values[index]), 16)
        })
    }
    if Set(rows.map(\.label)).count > 1 {
      columns.append(column("strategy", isText: true) { Self.shortened($0.label, 20) })
    }
    columns.append(column("n") { "\($0.runs.count)" })
    if rows.contains(where: { !$0.isComplete }) {
      columns.append(
        column("round") { $0.isComplete ? "\($0.round)" : "\($0.round)/\($0.trial.rounds)" })
    }
    return columns + results.front.objectives.map { objective in measured(objective, rows) }
  }

  private func measured(_ objective: FrontObjective, _ rows: [SweepResults.Entry]) -> Column {
    let metric = objective.metric
    let known = rows.map { entry in
      (ParetoFront.mean(metric, entry.runs), SweepResults.statistics(entry, metric)?.halfWidth)
    }
    let decimals = metric.decimals(known.compactMap(\.0))
    let cells = known.map { mean, half -> String in
      guard let mean else { return "-" }
      if mean == .infinity { return "none" }
      let text = metric.text(mean, decimals)
      // Costs are the same under every seed, or nearly so.
      guard let half, metric.unit == .share else { return text }
      return "\(text) ± \(metric.text(half, decimals))"
    }
    let unit = metric.unitText.isEmpty ? "" : " \(metric.unitText)"
    return Column(title: metric.name + unit, cells: cells)
  }

  /// Every row and column, best first.
  var allColumns: [Column] { columns(sorted) }

  /// Winners, the front and the rungs in words.
  var sentences: [String] {
    let front = results.front
    var lines: [String] = []
    for (index, objective) in front.objectives.enumerated() where objective.isMaximised {
      let metric = objective.metric
      let winners = front.winners(index)
      guard let first = winners.first else { continue }
      let names = winners.prefix(3).map { point in
        let trial = results.sweep.trials.first { $0.number == point.trial }
        let words = trial?.words(results.sweep.paths) ?? ""
        return "trial \(point.trial) \(point.label)" + (words.isEmpty ? "" : " (\(words))")
      }
      let more = winners.count > 3 ? " and \(winners.count - 3) more" : ""
      let value = metric.text(first.values[index], metric.decimals([first.values[index]]))
      let unit = metric.unitText.isEmpty ? "" : " \(metric.unitText)"
      lines.append("best \(metric.name): \(value)\(unit), \(names.joined(separator: "; "))\(more)")
    }
    if front.objectives.count > 1, !front.points.isEmpty {
      let names = front.objectives.map(\.metric.name).joined(separator: ", ")
      lines.append("front over \(names): \(front.front.count) of \(front.points.count) points")
      if let volume = front.hypervolume {
        let corner = front.objectives.map { CSV.number($0.reference) }.joined(separator: ", ")
        lines.append("hypervolume \(JSON.number(volume).compact) above the reference (\(corner))")
      }
    }
    if front.leftOut > 0 {
      lines.append("\(front.leftOut) strategies lack an objective and are not on the front")
    }
    for decision in results.progress.decisions {
      lines.append(
        "rung \(decision.rung): \(decision.kept.count) of \(decision.entrants.count) trials go on: "
          + decision.kept.map(String.init).joined(separator: ", "))
    }
    return lines
  }

  // MARK: Plain tables

  /// A value of a path: numbers with four digits.
  package static func value(_ json: JSON?) -> String {
    guard let number = json?.double, json?.int == nil else { return SweepTrial.text(json) }
    let text = SweepTrial.text(json)
    guard text.count > 8 else { return text }
    return abs(number) >= 1e-3 && abs(number) < 1e6
      ? NumberText.fixed(number, abs(number) >= 100 ? 1 : abs(number) >= 1 ? 3 : 5) : text
  }

  /// The text, cut in the middle of nothing: its end is replaced by an ellipsis.
  static func shortened(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(width - 1) + "…"
  }

  /// Titles, a rule and the rows; columns that do not fit into `width` are left out.
  package static func lines(_ columns: [Column], width: Int) -> [String] {
    var shown: [Column] = []
    var used = -2
    for column in columns where used + 2 + column.width <= width {
      shown.append(column)
      used += 2 + column.width
    }
    func line(_ cells: [String]) -> String {
      let text = zip(cells, shown).map { cell, column in
        let gap = String(repeating: " ", count: column.width - cell.count)
        return column.isText ? cell + gap : gap + cell
      }.joined(separator: "  ")
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    let rule = shown.map { String(repeating: "-", count: $0.width) }
    let count = shown.first?.cells.count ?? 0
    return [line(shown.map(\.title)), line(rule)]
      + (0..<count).map { row in line(shown.map { $0.cells[row] }) }
  }
}

extension SweepListing {
  /// The runs as a table, each line at most `width` columns (at least 60, at most 120).
  package func text(_ sweep: Sweep, width: Int) -> String {
    let width = min(max(width, 60), 120)
    func column(_ title: String, isText: Bool = false, _ cell: (Row) -> String) -> SweepTable.Column
    { SweepTable.Column(title: title, cells: rows.map(cell), isText: isText) }
    var columns = [
      column("trial") { "\($0.run.trial)" }, column("seed") { "\($0.run.seed)" },
      column("hash", isText: true) { $0.run.hash }, column("state", isText: true) { $0.state },
      column("client rounds") { NumberText.fixed($0.cost.clientRounds, 0) },
      column("steps") { NumberText.fixed($0.cost.steps, 0) },
      column("TFLOP") { NumberText.fixed($0.cost.flops.map { $0 / 1e12 }, 3) },
      column("MB") { NumberText.megabytes($0.cost.bytes) },
    ]
    let values = sweep.paths.enumerated().map { index, path -> SweepTable.Column in
      let name = path.split(separator: ".").last.map(String.init) ?? path
      return column(String(name.suffix(20)), isText: true) { row in
        SweepTable.shortened(SweepTable.value(row.trial.values[index]), 16)
      }
    }
    columns.insert(contentsOf: values, at: 2)
    let total = rows.reduce((0.0, 0.0)) { sum, row in
      (sum.0 + (row.cost.clientRounds ?? 0), sum.1 + (row.cost.flops ?? 0))
    }
    let notes = [
      "\(rows.count) runs of \(sweep.trials.count) trials: "
        + "\(NumberText.fixed(total.0, 0)) client rounds, "
        + "\(NumberText.fixed(total.1 / 1e12, 3)) TFLOP of training; MB: all messages",
      "nothing was run",
    ]
    return
      (SweepTable.lines(columns, width: width) + [""]
      + notes.flatMap { SummaryTable.wrapped($0, width) }).joined(separator: "\n")
  }
}

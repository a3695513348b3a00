import Base
import Records
import Report

/// A sweep for a terminal.
package struct SweepTable: Sendable {
  /// What is shown.
  package let results: SweepResults
  /// At most so many rows; the others are in `trials.csv`.
  package let most: Int

  package init(_ results: SweepResults, most: Int = 40) {
    self.results = results
    self.most = most
  }

  /// The lines, each at most `width` columns (at least 60, at most 120).
  ///
  /// Best first in the first objective of the front; columns that do not fit are left out from the
  /// right, values of paths being shortened first.
  package func text(width: Int) -> String {
    let width = TerminalLayout.readable(width)
    let rows = Array(sorted.prefix(most))
    var lines = TextLines.wrapped(header, width) + [""]
    if !rows.isEmpty {
      lines += table(rows).lines(.list(width))
      if sorted.count > rows.count {
        lines.append("… \(sorted.count - rows.count) more in trials.csv")
      }
      lines.append("")
    }
    lines += TextLines.wrapped(sentences, width)
    if let tuning = Tuning(results) {
      lines += ["", "chosen values"] + tuning.table.lines(.list(width)) + [""]
      lines += TextLines.wrapped(tuning.sentences, width)
    }
    return lines.joined(separator: "\n")
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
        "best \(first.metric.name) first; \(seedNote); * is on the front")
    }
    return lines
  }

  /// How many seeds there are, and what stands beside their mean.
  private var seedNote: String {
    let counts = results.entries.map(\.runs.count)
    return Spread.note(
      nil, seeds: counts.max() ?? 0, least: counts.filter { $0 > 1 }.min() ?? 0)
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

  /// Every row, best first.
  var table: Table { table(sorted) }

  private func table(_ rows: [SweepResults.Entry]) -> Table {
    let sweep = results.sweep
    var columns: [Column<SweepResults.Entry>] = [
      Column("") { .text(results.front.contains($0.trial.number, $0.label) ? "*" : "") },
      Column("trial") { .count($0.trial.number) },
    ]
    columns += Self.settings(sweep) { $0.trial.values }
    if Set(rows.map(\.label)).count > 1 {
      columns.append(.words("strategy") { NumberText.shortened($0.label, 20) })
    }
    columns.append(Column("n") { .count($0.runs.count) })
    if rows.contains(where: { !$0.isComplete }) {
      columns.append(
        Column("round") { .text($0.isComplete ? "\($0.round)" : "\($0.round)/\($0.trial.rounds)") })
    }
    return Table(
      of: rows, columns: columns + results.front.objectives.map { measured($0.metric, rows) },
      note: "Best first; \(seedNote); * is on the front.")
  }

  /// A column of values for each path that the sweep varies.
  fileprivate static func settings<Row>(_ sweep: Sweep, _ values: @escaping (Row) -> [JSON?])
    -> [Column<Row>]
  {
    sweep.paths.enumerated().map { index, path in
      let name = path.split(separator: ".").last.map(String.init) ?? path
      return .words(String(name.suffix(20))) { NumberText.shortened(value(values($0)[index]), 16) }
    }
  }

  private func measured(_ metric: ComparisonMetric, _ rows: [SweepResults.Entry]) -> Column<
    SweepResults.Entry
  > {
    let decimals = metric.decimals(rows.compactMap { ParetoFront.mean(metric, $0.runs) })
    return Column(metric.name, unit: metric.unitText) { entry in
      guard let mean = ParetoFront.mean(metric, entry.runs) else { return .missing }
      if mean == .infinity { return .infinite }
      // Costs are the same under every seed, or nearly so.
      if metric.unit == .share {
        return .mean(SweepResults.statistics(entry, metric), scale: 1 / metric.scale) {
          metric.text($0, decimals)
        }
      }
      return .number(mean, scale: 1 / metric.scale) { metric.text($0, decimals) }
    }
  }

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
        let corner = front.objectives.map { objective in
          let metric = objective.metric
          let text = metric.text(objective.reference, metric.decimals([objective.reference ?? 0]))
          return text + (metric.unitText.isEmpty ? "" : " " + metric.unitText)
        }
        // In the units of the table, as the corner.
        let scaled = front.objectives.reduce(volume) { $0 / $1.metric.scale }
        lines.append(
          "hypervolume \(NumberText.significant(scaled, 5)) above the reference "
            + "(\(corner.joined(separator: ", ")))")
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

  /// A value of a path: numbers with four digits.
  package static func value(_ json: JSON?) -> String {
    guard let number = json?.double, json?.int == nil else { return SweepTrial.text(json) }
    let text = SweepTrial.text(json)
    guard text.count > 8 else { return text }
    return abs(number) >= 1e-3 && abs(number) < 1e6
      ? NumberText.fixed(number, abs(number) >= 100 ? 1 : abs(number) >= 1 ? 3 : 5) : text
  }
}

extension TerminalLayout {
  /// Rows that nothing names: columns that do not fit are left out.
  fileprivate static func list(_ width: Int) -> TerminalLayout {
    TerminalLayout(width: width, fixed: 0, overflow: .leftOut)
  }
}

extension SweepListing {
  /// The runs as a table, each line at most `width` columns (at least 60, at most 120).
  package func text(_ sweep: Sweep, width: Int) -> String {
    let width = TerminalLayout.readable(width)
    var columns: [Column<Row>] = [
      Column("trial") { .count($0.run.trial) }, Column("seed") { .text("\($0.run.seed)") },
    ]
    columns += SweepTable.settings(sweep) { $0.trial.values }
    columns += [
      .words("hash") { $0.run.hash }, .words("state") { $0.state },
      Column("client rounds") { .number($0.cost.clientRounds, 0) },
      Column("steps") { .number($0.cost.steps, 0) },
      Column("TFLOP") { .number($0.cost.flops.map { $0 / 1e12 }, 3) },
      Column("MB") { .number($0.cost.bytes, scale: 1e-6, NumberText.megabytes) },
    ]
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
      (Table(of: rows, columns: columns).lines(.list(width)) + [""]
      + TextLines.wrapped(notes, width)).joined(separator: "\n")
  }
}

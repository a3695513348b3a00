import Base
import Records

/// The table at the end of a run, for a terminal.
package struct SummaryTable: Sendable {
  /// The scenario's name and conditions, a line each.
  package var header: [String]
  /// The numbers.
  package var summary: Summary
  /// Whether to use bold for the headings.
  package var colour: Bool

  /// A table under a header of conditions.
  package init(header: [String], summary: Summary, colour: Bool = false) {
    self.header = header
    self.summary = summary
    self.colour = colour
  }

  /// One column: a heading, and a cell for each strategy.
  package struct Column {
    package let group: String
    package let title: String
    package let cells: [String]
    package var width: Int { max(title.count, cells.map(\.count).max() ?? 0) }
  }

  /// The lines, each at most `width` columns (at least 60, at most 120): one table if it fits,
  /// else two or three.
  package func text(width: Int) -> String {
    let width = min(max(width, 60), 120)
    var lines = (header + [notes]).flatMap { Self.wrapped($0, width) } + [""]
    // As many groups of columns side by side as fit next to a readable label.
    var groups = [genericColumns, personalColumns, costColumns]
    while let first = groups.first {
      var side = [first]
      while side.count < groups.count, needed(side + [groups[side.count]]) <= width {
        side.append(groups[side.count])
      }
      groups.removeFirst(side.count)
      lines += table(side, width) + (groups.isEmpty ? [] : [""])
    }
    let sentences = SummarySentence.all(summary).flatMap { Self.wrapped($0.text, width) }
    if !sentences.isEmpty { lines += [""] + sentences }
    let targets = TargetTable(summary)
    if !targets.parts.isEmpty {
      lines += [""] + Self.wrapped(TargetTable.note + ":", width) + targets.lines(width: width)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func needed(_ groups: [[Column]]) -> Int {
    groups.reduce(min(labelWidth, 16)) { sum, columns in
      sum + columns.reduce(2) { $0 + $1.width + 2 }
    }
  }

  private var labelWidth: Int {
    max("strategy".count, summary.strategies.map(\.label.count).max() ?? 0)
  }

  private var notes: String {
    let most = summary.strategies.map(\.seeds.count).max() ?? 0
    let seeds =
      most >= 2
      ? "\(most) seeds; mean ± half-width of the 95 % interval" : "single seed: no interval"
    return seeds + "; worst 10 % is the mean of the worst tenth of the clients"
  }

  private var genericColumns: [Column] {
    [
      column("generic accuracy %", "all", "generic.accuracy", interval: true) { percent($0) },
      column("generic accuracy %", "head", "generic.shots.head") { percent($0) },
      column("generic accuracy %", "mid", "generic.shots.middle") { percent($0) },
      column("generic accuracy %", "tail", "generic.shots.tail") { percent($0) },
    ]
  }

  private var personalColumns: [Column] {
    let group = "personal accuracy %"
    return [
      column(group, "mean", "personal.accuracy", interval: true) { percent($0) },
      column(group, "worst 10 %", "personal.fairness.worstDecile") { percent($0) },
      column(group, "helped", "personal.fairness.helped") { NumberText.percent($0, 0) + " %" },
    ]
  }

  private var costColumns: [Column] {
    func has(_ metric: String) -> Bool { summary.strategies.contains { $0.values[metric] != nil } }
    func time(_ title: String, _ metric: String) -> Column {
      column("cost per run", title, metric) { NumberText.duration($0) }
    }
    var columns = has("privacy.epsilon.max") ? [epsilonColumn] : []
    columns += [("up MB", "bytes.up"), ("down MB", "bytes.down")].map { title, metric in
      column("cost per run", title, metric) { NumberText.megabytes($0) }
    }
    if has("time.virtual") { columns.append(time("virtual", "time.virtual")) }
    return columns + [time("wall", "time.wall")]
  }

  /// The largest ε of a run's clients; "none" without a guarantee.
  private var epsilonColumn: Column {
    let cells = summary.strategies.map { strategy -> String in
      guard let bySeed = strategy.values["privacy.epsilon.max"] else { return "-" }
      let largest = bySeed.values.max() ?? .infinity
      return largest.isFinite ? NumberText.epsilon(largest) : "none"
    }
    return Column(group: "cost per run", title: "epsilon", cells: cells)
  }

  private func percent(_ share: Double) -> String { NumberText.percent(share) }

  private func column(
    _ group: String, _ title: String, _ metric: String, interval: Bool = false,
    format: (Double) -> String
  ) -> Column {
    let cells = summary.strategies.map { strategy -> String in
      guard let statistics = strategy.statistics(metric) else { return "-" }
      let mean = format(statistics.mean)
      guard interval, let half = statistics.halfWidth else { return mean }
      return "\(mean) ± \(format(half))"
    }
    return Column(group: group, title: title, cells: cells)
  }

  private func table(_ groups: [[Column]], _ width: Int) -> [String] {
    let gap = "    "
    let body = groups.map { $0.reduce(-2) { $0 + $1.width + 2 } }
    let rest = body.reduce(0) { $0 + $1 + gap.count }
    let first = max(8, min(labelWidth, width - rest))
    var top = padded("", first)
    var titles = padded("strategy", first)
    var rule = String(repeating: "-", count: first)
    var rows = summary.strategies.map { padded(NumberText.shortened($0.label, first), first) }
    for (columns, columnsWidth) in zip(groups, body) {
      top += gap + padded(columns.first?.group ?? "", columnsWidth)
      titles += gap + columns.map { right($0.title, $0.width) }.joined(separator: "  ")
      let rules = columns.map { String(repeating: "-", count: $0.width) }
      rule += gap + rules.joined(separator: "  ")
      for index in rows.indices {
        let cells = columns.map { right($0.cells[index], $0.width) }
        rows[index] += gap + cells.joined(separator: "  ")
      }
    }
    return [bold(trimmed(top)), bold(trimmed(titles)), rule] + rows.map(trimmed)
  }

  private func bold(_ text: String) -> String { colour ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func trimmed(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
  }

  /// Breaks a line at spaces; a word longer than the line is cut.
  package static func wrapped(_ text: String, _ width: Int) -> [String] {
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
}

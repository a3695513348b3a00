import Aggregation
import Base
import Records

/// The headline table of a report: the same cells for HTML, LaTeX and Markdown.
package struct HeadlineTable: Sendable {
  /// Columns under one heading.
  package struct Group: Sendable {
    package let title: String
    let columns: [Column]
  }

  /// One column: a heading, and a cell for each strategy.
  package struct Column: Sendable {
    package let title: String
    package let cells: [String]
  }

  package let labels: [String]
  /// The columns that have a value in some row.
  package let groups: [Group]
  private let summary: Summary

  /// The table of a summary.
  package init(_ summary: Summary) {
    self.summary = summary
    labels = summary.strategies.map(\.label)
    groups = Self.definitions.map { title, columns in
      Group(
        title: title,
        columns: columns.filter { column in
          summary.strategies.contains { $0.statistics(column.metric) != nil }
        }.map { column in
          Column(title: column.title, cells: summary.strategies.map { Self.cell($0, column) })
        })
    }.filter { !$0.columns.isEmpty }
  }

  private struct Definition: Sendable {
    let title: String
    let metric: String
    var interval = false
    var format: @Sendable (Double) -> String = { NumberText.percent($0) }
  }

  private static let definitions: [(title: String, columns: [Definition])] = [
    (
      "generic accuracy %",
      [
        Definition(title: "all", metric: "generic.accuracy", interval: true),
        Definition(title: "head", metric: "generic.shots.head", interval: true),
        Definition(title: "middle", metric: "generic.shots.middle", interval: true),
        Definition(title: "tail", metric: "generic.shots.tail", interval: true),
      ]
    ),
    (
      "personal accuracy %",
      [
        Definition(title: "mean", metric: "personal.accuracy", interval: true),
        Definition(title: "tail", metric: "personal.shots.tail"),
        Definition(title: "all classes", metric: "personal.global"),
        Definition(title: "std", metric: "personal.fairness.std"),
        Definition(title: "worst 10 %", metric: "personal.fairness.worstDecile"),
        Definition(title: "worst", metric: "personal.fairness.worst"),
        Definition(title: "helped", metric: "personal.fairness.helped") {
          NumberText.percent($0, 0) + " %"
        },
      ]
    ),
    (
      "cost per run",
      [
        Definition(title: "up MB", metric: "bytes.up") { NumberText.megabytes($0) },
        Definition(title: "down MB", metric: "bytes.down") { NumberText.megabytes($0) },
        Definition(title: "wall", metric: "time.wall") { NumberText.duration($0) },
      ]
    ),
  ]

  private static func cell(_ strategy: Summary.Strategy, _ column: Definition) -> String {
    guard let statistics = strategy.statistics(column.metric) else { return "-" }
    let mean = column.format(statistics.mean)
    guard column.interval, let half = statistics.halfWidth else { return mean }
    return "\(mean) ± \(column.format(half))"
  }
}

extension HeadlineTable {
  /// Writes the table as HTML.
  package func write(to out: inout Markup) {
    out.inside("table") { table in
      table.inside("thead") { head in
        head.inside("tr") { row in
          row.element("th", [], "")
          for group in groups {
            row.element(
              "th",
              [("colspan", "\(group.columns.count)"), ("scope", "colgroup"), ("class", "start")],
              group.title)
          }
        }
        head.inside("tr") { row in
          row.element("th", [("scope", "col")], "strategy")
          eachColumn { column, start in row.element("th", [("scope", "col")] + start, column.title)
          }
        }
      }
      table.inside("tbody") { body in
        for (index, label) in labels.enumerated() {
          body.inside("tr") { row in
            row.element("th", [("scope", "row")], label)
            eachColumn { column, start in row.element("td", start, column.cells[index]) }
          }
        }
      }
    }
  }

  /// Calls `body` with every column; the first of a group has a mark.
  private func eachColumn(_ body: (Column, [(String, String)]) -> Void) {
    for group in groups {
      for (place, column) in group.columns.enumerated() {
        body(column, place == 0 ? [("class", "start")] : [])
      }
    }
  }
}

extension HeadlineTable {
  /// The table as Markdown: one row of headings, in which a group's name precedes its columns.
  ///
  /// - Parameter notes: lines above it, such as the conditions.
  /// - Returns: the whole file.
  package func markdown(notes: [String]) -> String {
    let titles = groups.flatMap { group in group.columns.map { Self.short(group.title) + $0.title }
    }
    let cells = groups.flatMap(\.columns).map(\.cells)
    func line(_ fields: [String]) -> String {
      "| " + fields.map(Self.markdown).joined(separator: " | ") + " |\n"
    }
    var text = notes.map { Self.markdown($0) + "\n\n" }.joined()
    text += line(["strategy"] + titles)
    text += "|---|" + String(repeating: "---:|", count: titles.count) + "\n"
    for (index, label) in labels.enumerated() { text += line([label] + cells.map { $0[index] }) }
    return text
  }

  /// "generic accuracy %" → "generic %"; the unit stays.
  private static func short(_ title: String) -> String {
    title.hasSuffix(" accuracy %") ? title.dropLast(" accuracy %".count) + " % " : ""
  }

  /// Text in which nothing is markup: a bar would end a cell, a star begin emphasis.
  package static func markdown(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if "\\|*_`<>[]#".unicodeScalars.contains(scalar) { out += "\\" }
      out.unicodeScalars.append(scalar.value < 0x20 ? " " : scalar)
    }
    return out.split(separator: " ").joined(separator: " ")
  }
}

extension HeadlineTable {
  /// The table as a LaTeX `tabular` that needs no package.
  ///
  /// - Parameter notes: lines above it, as comments.
  /// - Returns: the whole file.
  package func latex(notes: [String]) -> String {
    let columns = groups.flatMap(\.columns)
    func line(_ fields: [String]) -> String { fields.joined(separator: " & ") + " \\\\\n" }
    var text = notes.map { "% " + $0.split { $0.isNewline }.joined(separator: " ") + "\n" }.joined()
    text += "% plain tabular: no package is needed; \\input it inside a table environment\n"
    let format = groups.map { String(repeating: "r", count: $0.columns.count) }
    text += "\\begin{tabular}{l|\(format.joined(separator: "|"))}\n\\hline\n"
    let tops = groups.enumerated().map { place, group in
      let bar = place + 1 < groups.count ? "|" : ""
      return "\\multicolumn{\(group.columns.count)}{c\(bar)}{\(Self.latex(group.title))}"
    }
    text += line([""] + tops)
    text += line(["strategy"] + columns.map { Self.latex($0.title) }) + "\\hline\n"
    for (index, label) in labels.enumerated() {
      text += line([Self.latex(label)] + columns.map { Self.latex($0.cells[index]) })
    }
    return text + "\\hline\n\\end{tabular}\n"
  }

  /// Text in which nothing is a command.
  package static func latex(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\textbackslash{}"
      case "~": out += "\\textasciitilde{}"
      case "^": out += "\\textasciicircum{}"
      case "<": out += "\\textless{}"
      case ">": out += "\\textgreater{}"
      case "|": out += "\\textbar{}"
      case "\"": out += "''"
      case "&", "%", "$", "#", "_", "{", "}": out += "\\\(scalar)"
      case "±": out += "$\\pm$"
      case let control where control.value < 0x20: out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

extension HeadlineTable {
  /// The tidy table: one row per number at full precision,
  /// `strategy,metric,statistic,seed,value`; the statistics are `value` of a seed, `n`, `mean`,
  /// `std` and `halfWidth`, as in `summary.json`.
  package var csv: String {
    var out = CSV.line(["strategy", "metric", "statistic", "seed", "value"]) + "\n"
    for strategy in summary.strategies {
      for metric in HeadlineMetric.all {
        guard let bySeed = strategy.values[metric.name] else { continue }
        func add(_ statistic: String, _ value: Double?, seed: UInt64? = nil) {
          guard let value, value.isFinite else { return }
          let fields = [strategy.label, metric.name, statistic, seed.map { "\($0)" } ?? ""]
          out += CSV.line(fields + [CSV.number(value)]) + "\n"
        }
        for seed in strategy.seeds { add("value", bySeed[seed], seed: seed) }
        let statistics = SeedStatistics(strategy.seeds.compactMap { bySeed[$0] })
        add("n", Double(statistics.count))
        add("mean", statistics.mean)
        add("std", statistics.standardDeviation)
        add("halfWidth", statistics.halfWidth)
      }
    }
    return out
  }
}

/// The headline table of the report.
struct HTMLTable {
  let summary: Summary

  private struct Column: Sendable {
    let title: String
    let metric: String
    var interval = true
    let format: @Sendable (Double) -> String
  }

  private static let groups: [(title: String, columns: [Column])] = [
    (
      "generic accuracy %",
      [
        Column(title: "all", metric: "generic.accuracy", format: percent),
        Column(title: "head", metric: "generic.shots.head", format: percent),
        Column(title: "middle", metric: "generic.shots.middle", format: percent),
        Column(title: "tail", metric: "generic.shots.tail", format: percent),
      ]
    ),
    (
      "personal accuracy %",
      [
        Column(title: "mean", metric: "personal.accuracy", format: percent),
        Column(
          title: "tail",
          metric: "personal.shots.tail",
          interval: false,
          format: percent
        ),
        Column(
          title: "all classes",
          metric: "personal.global",
          interval: false,
          format: percent
        ),
        Column(title: "std", metric: "personal.fairness.std", interval: false, format: percent),
        Column(
          title: "worst 10 %",
          metric: "personal.fairness.worstDecile",
          interval: false,
          format: percent
        ),
        Column(title: "worst", metric: "personal.fairness.worst", interval: false, format: percent),
        Column(title: "helped", metric: "personal.fairness.helped", interval: false) {
          NumberText.percent($0, 0) + " %"
        },
      ]
    ),
    (
      "cost per run",
      [
        Column(title: "up MB", metric: "bytes.up", interval: false) { NumberText.megabytes($0) },
        Column(title: "down MB", metric: "bytes.down", interval: false) {
          NumberText.megabytes($0)
        },
        Column(title: "wall", metric: "time.wall", interval: false) { NumberText.duration($0) },
      ]
    ),
  ]

  @Sendable private static func percent(_ share: Double) -> String { NumberText.percent(share) }

  /// Writes the table, without columns that have no value in any row.
  func write(to out: inout Markup) {
    let groups = Self.groups.map { group in
      (
        group.title,
        group.columns.filter { column in
          summary.strategies.contains { $0.statistics(column.metric) != nil }
        }
      )
    }.filter { !$0.1.isEmpty }
    out.inside("table") { table in
      table.inside("thead") { head in
        head.inside("tr") { row in
          row.element("th", [], "")
          for (title, columns) in groups {
            row.element(
              "th",
              [("colspan", "\(columns.count)"), ("scope", "colgroup"), ("class", "start")],
              title
            )
          }
        }
        head.inside("tr") { row in
          row.element("th", [("scope", "col")], "strategy")
          for (_, columns) in groups {
            for (place, column) in columns.enumerated() {
              let start = place == 0 ? [("class", "start")] : []
              row.element("th", [("scope", "col")] + start, column.title)
            }
          }
        }
      }
      table.inside("tbody") { body in
        for strategy in summary.strategies {
          body.inside("tr") { row in
            row.element("th", [("scope", "row")], strategy.label)
            for (_, columns) in groups {
              for (place, column) in columns.enumerated() {
                row.element(
                  "td",
                  place == 0 ? [("class", "start")] : [],
                  cell(strategy, column)
                )
              }
            }
          }
        }
      }
    }
  }

  private func cell(_ strategy: Summary.Strategy, _ column: Column) -> String {
    guard let statistics = strategy.statistics(column.metric) else { return "-" }
    let mean = column.format(statistics.mean)
    guard column.interval, let half = statistics.halfWidth else { return mean }
    return "\(mean) ± \(column.format(half))"
  }
}

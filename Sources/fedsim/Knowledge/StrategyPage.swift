import Aggregation
import Base
import Scenario

/// What `explain` says of a strategy: its info, and what follows from the method's type.
package struct StrategyPage {
  let type: any Strategy.Type

  package init(_ type: any Strategy.Type) { self.type = type }

  private var info: MethodInfo { type.info }

  package var page: ExplainCommand.Page {
    let fields = info.fields.map { field in
      "\(field.name)  (\(field.symbol))  default \(field.initial.json.compact)  \(meaning(field))"
    }
    return ExplainCommand.Page(
      name: info.kind, kind: "strategy",
      parts: [
        ("title", [info.title]), ("summary", [info.summary]), ("source", [info.source]),
        ("equations", info.equations), ("messages", info.messages), ("memory", [info.memory]),
        ("privacy", privacy), ("fields", fields), ("composes with", composes),
        ("notes", info.notes), ("deviations", info.deviations),
      ])
  }

  private func meaning(_ field: AnyHyperparameter) -> String {
    field.summary + (field.isInferred ? "  [inferred: the paper's value is not known]" : "")
  }

  private var composes: [String] {
    let parts: [(MethodInfo.Parts, String)] = [
      (.loss, "loss (default \(info.defaultLoss))"), (.serverOptimizer, "serverOptimizer"),
      (.groups, "private"), (.postHoc, "postHoc"),
    ]
    return parts.filter { info.composes.contains($0.0) }.map(\.1)
  }

  /// What noise in training steps covers of a method's uploads, and what not.
  private var privacy: [String] {
    if type.population == .pooled { return ["one site: nothing is sent"] }
    if type.disclosures.isEmpty { return ["nothing is sent"] }
    return type.disclosures.map { release in
      switch release.origin {
      case .training: "\(release.block): made by training steps, which DP-SGD covers"
      case .size: "\(release.block): reveals the client's number of examples, taken as public"
      case .examples(let what): "\(release.block): \(what): no guarantee at example level"
      }
    }
  }

  /// The facts of a page in `docs/strategies`.
  package var markdown: String {
    let facts =
      [("source", [info.source]), ("messages", info.messages), ("memory", [info.memory])] + [
        ("privacy", privacy), ("composes with", composes),
      ]
    var lines = ["```"] + info.equations + ["```", "", "| | |", "|---|---|"]
    lines += facts.filter { !$0.1.isEmpty }.map { "| \($0.0) | \(cell($0.1)) |" }
    if !info.fields.isEmpty {
      lines += ["", "| field | symbol | values | default | meaning |", "|---|---|---|---|---|"]
      lines += info.fields.map { field in
        let cells = [
          "`\(field.name)`", field.symbol, ScenarioFields.field(field).type.allowed,
          field.initial.json.compact, meaning(field),
        ]
        return "| " + cells.map { cell([$0]) }.joined(separator: " | ") + " |"
      }
    }
    return lines.joined(separator: "\n")
  }

  private func cell(_ texts: [String]) -> String {
    texts.joined(separator: "<br>").replacing("|", with: "\\|")
  }
}

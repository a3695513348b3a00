import Aggregation
import Base
import Scenario

/// What `explain` says of a strategy: its card, and what follows from the method's type.
package struct StrategyPage {
  let type: any Strategy.Type

  package init(_ type: any Strategy.Type) { self.type = type }

  private var card: StrategyCard { type.card }

  package var page: ExplainCommand.Page {
    let fields = card.fields.map { field in
      "\(field.name)  (\(field.symbol))  default \(field.initial.json.compact)  \(meaning(field))"
    }
    return ExplainCommand.Page(
      name: card.kind, kind: "strategy",
      parts: [
        ("title", [card.title]), ("summary", [card.summary]), ("source", [card.source]),
        ("equations", card.equations), ("messages", card.messages), ("memory", [card.memory]),
        ("privacy", privacy), ("fields", fields), ("composes with", composes),
        ("notes", card.notes), ("deviations", card.deviations),
      ])
  }

  private func meaning(_ field: AnyHyperparameter) -> String {
    field.summary + (field.isInferred ? "  [inferred: the paper's value is not known]" : "")
  }

  private var composes: [String] {
    let parts: [(StrategyCard.Parts, String)] = [
      (.loss, "loss (default \(card.defaultLoss))"), (.serverOptimizer, "serverOptimizer"),
      (.groups, "private"), (.postHoc, "postHoc"),
    ]
    return parts.filter { card.composes.contains($0.0) }.map(\.1)
  }

  /// What noise in training steps covers of a method's uploads, and what not.
  private var privacy: [String] {
    if type.population == .pooled { return ["one site: nothing is sent"] }
    if type.releases.isEmpty { return ["nothing is sent"] }
    return type.releases.map { release in
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
      [("source", [card.source]), ("messages", card.messages), ("memory", [card.memory])] + [
        ("privacy", privacy), ("composes with", composes),
      ]
    var lines = ["```"] + card.equations + ["```", "", "| | |", "|---|---|"]
    lines += facts.filter { !$0.1.isEmpty }.map { "| \($0.0) | \(cell($0.1)) |" }
    if !card.fields.isEmpty {
      lines += ["", "| field | symbol | values | default | meaning |", "|---|---|---|---|---|"]
      lines += card.fields.map { field in
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

import Accounting
import Aggregation
import Base
import Scenario

/// `fedsim list`: what a scenario can name.
enum ListCommand {
  /// What can be listed, in the order of the help.
  static let subjects = ["strategies", "models", "datasets", "partitions", "codecs", "accountants"]

  static func run(_ invocation: Invocation) throws -> ExitCode {
    let subject = try invocation.onlyOperand(subjects.joined(separator: ", "))
    guard let rows = rows(subject) else {
      let near = Suggestions.nearest(subject, among: subjects)
      throw Failure(
        .wrongCommandLine, "E2006", "cannot list \"\(subject)\"",
        hint: near.map { "did you mean \($0) ?" } ?? "one of \(subjects.joined(separator: ", "))")
    }
    switch invocation.format {
    case .json:
      let items = rows.map { row -> JSON in
        ["name": .string(row.name), "summary": .string(row.words)]
      }
      Console.answer([("subject", .string(subject)), ("items", .array(items))])
    case .text: Console.print(rows)
    }
    return .done
  }

  private static func rows(_ subject: String) -> [(name: String, words: String)]? {
    switch subject {
    case "strategies": StrategyRegistry.infos.map { ($0.kind, "\($0.title): \($0.summary)") }
    case "models": ScenarioHelp.words(at: "model.kind")
    case "datasets": ScenarioHelp.words(at: "data.dataset.kind")
    case "partitions": ScenarioHelp.words(at: "data.partition.kind")
    case "codecs": ScenarioFields.codecs.map { ($0.name, $0.summary) }
    case "accountants": Accountant.allCases.map { ($0.rawValue, $0.summary) }
    default: nil
    }
  }
}

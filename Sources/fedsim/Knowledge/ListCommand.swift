import Accounting
import Aggregation
import Base
import Report
import Scenario

/// `fedsim list`: what a scenario can name.
enum ListCommand {
  /// What can be listed, in the order of the help.
  static let subjects = [
    "strategies", "models", "datasets", "partitions", "codecs", "accountants", "presets",
  ]

  static func run(_ invocation: Invocation) throws -> ExitCode {
    if invocation.operands.isEmpty { return all(invocation.format) }
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
    case .text where subject == "strategies":
      let blocks = grouped.map { title, kinds -> String in
        let own = rows.filter { kinds.contains($0.name) }.map { ("  " + $0.name, $0.words) }
        return ([title] + Table.terms(own, room: 15).lines(.list)).joined(separator: "\n")
      }
      Console.print(blocks.joined(separator: "\n\n"))
    case .text: Console.print(rows)
    }
    return .done
  }

  /// What can be listed, with how much there is of each.
  private static func all(_ format: OutputFormat) -> ExitCode {
    let counts = subjects.map { ($0, rows($0)?.count ?? 0) }
    switch format {
    case .json: Console.answer([("subjects", .object(counts.map { ($0, .int($1)) }))])
    case .text: Console.print(counts.map { ($0, "\($1): fedsim list \($0)") })
    }
    return .done
  }

  /// Strategies by what they are for; those that no group names come last.
  static var grouped: [(title: String, kinds: [String])] {
    let known = groups.flatMap(\.kinds)
    let others = StrategyRegistry.infos.map(\.kind).filter { !known.contains($0) }
    return groups + (others.isEmpty ? [] : [("others", others)])
  }

  private static let groups: [(title: String, kinds: [String])] = [
    (
      "one model for all: drift, server optimizers",
      [
        "fedavg", "fedprox", "scaffold", "fednova", "feddyn", "moon", "fedavgm", "fedadam",
        "fedyogi", "fedadagrad",
      ]
    ), ("long tails", ["fedloge", "fedrod", "fedetf", "creff", "ccvr"]),
    (
      "a model for each client",
      [
        "fedper", "fedrep", "fedbabu", "fedbn", "lg-fedavg", "ditto", "pfedme", "per-fedavg",
        "apfl",
        "fedavg-ft",
      ]
    ),
    (
      "knowledge instead of weights",
      ["knfu", "fedmd", "feddf", "fedd2s", "feddistill", "fedproto", "fedgen"]
    ), ("parts of a pre-trained model", ["fedins", "fedssf", "linear-probe"]),
    ("without waiting for a cohort", ["fedbuff", "fedasync"]),
    ("references", ["local-only", "centralised"]),
  ]

  private static func rows(_ subject: String) -> [(name: String, words: String)]? {
    switch subject {
    case "strategies": StrategyRegistry.infos.map { ($0.kind, "\($0.title): \($0.summary)") }
    case "models": ScenarioHelp.words(at: "model.kind")
    case "datasets": ScenarioHelp.words(at: "data.dataset.kind")
    case "partitions": ScenarioHelp.words(at: "data.partition.kind")
    case "codecs": ScenarioFields.codecs.map { ($0.name, $0.summary) }
    case "accountants": Accountant.allCases.map { ($0.rawValue, $0.summary) }
    case "presets": Preset.all.map { ($0.name, $0.title) }
    default: nil
    }
  }
}

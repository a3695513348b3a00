import Accounting
import Base

/// How the answers of `fedsim privacy` look.
///
/// No epsilon stands without its delta, unit, neighbours, sampling and accountant.
struct PrivacyPrinter {
  private let options: PrivacyOptions
  private let ledger: PrivacyLedger
  private let answers: [PrivacyCommand.Answer]

  init(_ options: PrivacyOptions, event: PrivacyEvent, _ answers: [PrivacyCommand.Answer]) {
    self.options = options
    ledger = PrivacyLedger([event])
    self.answers = answers
  }

  /// What is asked for, as in files.
  private var key: String {
    switch options.question {
    case .epsilon, .plan: "epsilon"
    case .noise: "noiseMultiplier"
    case .steps: "steps"
    }
  }

  /// What is given: name in files, words, value.
  private var inputs: [(key: String, words: String, value: JSON)] {
    var rows: [(String, String, JSON)] = [("rate", "rate", .number(options.rate))]
    if options.question != .noise {
      rows.append(("noiseMultiplier", "noise", .number(options.noise)))
    }
    if options.question != .steps { rows.append(("steps", "steps", .int(options.steps))) }
    if options.question != .epsilon {
      rows.append(("epsilon", "epsilon", .number(options.epsilon)))
    }
    rows.append(("delta", "delta", .number(options.delta)))
    return rows
  }

  var json: JSON {
    var members: [(String, JSON)] = [
      ("schema", 1), ("status", "ok"), ("question", .string(options.question.rawValue)),
    ]
    for answer in answers {
      let finite = answer.value.flatMap { $0.isFinite ? $0 : nil }
      let value = finite.map {
        options.question == .steps ? JSON.int(Int(clamping: $0)) : .number($0)
      }
      var own: [(String, JSON)] = [(key, value ?? .null), ("isFinite", .bool(finite != nil))]
      if answer.accountant == .rdp {
        own.append(("order", answer.order.map { .number($0) } ?? .null))
        own.append(("isOrderAtEdge", .bool(answer.isOrderAtEdge)))
      }
      if let bracket = answer.bracket { own.append(("bracket", Self.json(bracket))) }
      own.append(("accountant", .string(answer.accountant.title)))
      members.append((answer.accountant.rawValue, .object(own)))
    }
    members += [
      ("default", .string(Accountant.pld.rawValue)),
      ("inputs", .object(inputs.map { ($0.key, $0.value) })),
      ("unit", .string(options.unit.rawValue)),
      ("neighbours", .string(ledger.events.first?.neighbours.rawValue ?? "")),
      ("sampling", .string(options.sampling.rawValue)),
      ("assumptions", .array(ledger.assumptions.map { .string($0) })),
    ]
    return .object(members)
  }

  /// ε from below and from above, in all and in each direction of neighbours.
  private static func json(_ bracket: EpsilonBracket) -> JSON {
    func pair(_ bounds: Bracket) -> JSON {
      [
        "lower": bounds.lower.isFinite ? .number(bounds.lower) : .null,
        "upper": bounds.upper.isFinite ? .number(bounds.upper) : .null,
      ]
    }
    let total = bracket.total
    var members: [(String, JSON)] = [
      ("epsilon", pair(total)), ("relativeWidth", .number(total.relativeWidth)),
    ]
    if let removal = bracket.removal { members.append(("remove", pair(removal))) }
    if let addition = bracket.addition { members.append(("add", pair(addition))) }
    return .object(members)
  }

  /// The bracket in words; how far its ends are apart where that is more than promised.
  private static func words(_ bracket: EpsilonBracket) -> String {
    let total = bracket.total
    if total.relativeWidth < 1e-9 { return "exact, in closed form" }
    let ends = "\(down(total.lower)) to \(up(total.upper)), certified"
    guard total.relativeWidth > EpsilonBracket.promisedWidth else { return ends }
    let percent = NumberText.fixed(100 * total.relativeWidth, 1)
    return ends + "; the ends are \(percent) % apart, the truth may be lower"
  }

  var text: String {
    let title = options.question == .noise ? "noise" : options.question.rawValue
    var lines: [String] = []
    for answer in answers {
      let value = shown(answer.value)
      var line = Self.row(answer.accountant == .pld ? title : "", value)
      line += String(repeating: " ", count: max(2, 26 - line.count))
      line += "\(answer.accountant.rawValue.uppercased()), \(answer.accountant.title)"
      if let order = answer.order { line += ", order \(Self.plain(order))" }
      line += answer.accountant == .pld ? "; the one to report" : "; for comparison"
      lines.append(line)
    }
    for bracket in answers.compactMap(\.bracket) where bracket.upper.isFinite {
      let name = options.question == .epsilon ? "between" : "reached"
      lines.append(Self.row(name, Self.words(bracket)))
    }
    for input in inputs { lines.append(Self.row(input.words, input.value.compact)) }
    for assumption in ledger.assumptions {
      let parts = assumption.split(separator: ": ", maxSplits: 1)
      lines.append(Self.row(String(parts[0]), String(parts.last ?? "")))
    }
    for answer in answers where answer.isOrderAtEdge {
      lines.append("the best order is the first or the last: RDP with others may be lower")
    }
    return lines.joined(separator: "\n")
  }

  /// Budgets and noise are rounded up, so that what is printed still holds.
  private func shown(_ value: Double?) -> String {
    guard let value else { return "none" }
    guard value.isFinite else { return "infinite" }
    return options.question == .steps ? String(Int(clamping: value)) : Self.up(value)
  }

  /// Four decimals, rounded up; small numbers with all their digits.
  static func up(_ value: Double) -> String {
    value < 0.01 || value > 1e9
      ? Self.plain(value) : NumberText.fixed((value * 1e4).rounded(.up) / 1e4, 4)
  }

  /// As `up`, rounded down.
  private static func down(_ value: Double) -> String {
    value < 0.01 || value > 1e9
      ? plain(value) : NumberText.fixed((value * 1e4).rounded(.down) / 1e4, 4)
  }

  private static func plain(_ value: Double) -> String { JSON.number(value).compact }

  private static func row(_ name: String, _ value: String) -> String {
    name + String(repeating: " ", count: max(1, 17 - name.count)) + value
  }
}

/// How the table of `fedsim privacy plan` looks.
struct PlanPrinter {
  private let plan: PrivacyPlan
  private let unit: PrivacyEvent.Unit

  init(_ plan: PrivacyPlan, unit: PrivacyEvent.Unit) {
    self.plan = plan
    self.unit = unit
  }

  private static let warning =
    "TAN is an approximation for planning, not a guarantee; surrogate runs are not private."
  private var lowNoise: String {
    "below \(Int(clamping: TotalNoise.smallestNoise)): a larger batch buys much more than it costs"
  }

  var json: JSON {
    .object([
      ("schema", 1), ("status", "ok"), ("question", "plan"),
      (
        "inputs",
        [
          "examples": .int(plan.examples), "steps": .int(plan.steps),
          "epsilon": .number(plan.epsilon), "delta": .number(plan.delta),
        ]
      ), ("unit", .string(unit.rawValue)), ("neighbours", "add-remove"), ("sampling", "poisson"),
      (
        "rows",
        .array(
          plan.rows.map { row in
            [
              "batch": .int(row.batch), "rate": .number(row.samplingRate),
              "noiseMultiplier": .number(row.noiseMultiplier),
              "isBelowWall": .bool(row.isBelowWall), "pld": ["epsilon": .number(row.pld)],
              "rdp": ["epsilon": .number(row.rdp)],
              "tan": [
                "eta": .number(row.totalNoise), "epsilon": .number(row.approximateEpsilon),
                "isGuarantee": false,
              ],
              "surrogate": [
                "batch": .int(plan.surrogateBatch), "noiseMultiplier": .number(row.surrogateNoise),
                "isPrivate": false,
              ],
            ]
          })
      ), ("note", .string(Self.warning)),
    ])
  }

  var text: String {
    let heads = ["batch", "rate", "noise", "PLD", "RDP", "eta", "TAN", "surrogate noise"]
    let rows = plan.rows.map { row in
      [
        String(row.batch), NumberText.fixed(row.samplingRate, 6),
        PrivacyPrinter.up(row.noiseMultiplier), PrivacyPrinter.up(row.pld),
        PrivacyPrinter.up(row.rdp), NumberText.fixed(row.totalNoise, 4),
        "~" + NumberText.fixed(row.approximateEpsilon, 2), NumberText.fixed(row.surrogateNoise, 4),
      ]
    }
    let widths = heads.indices.map { column in ([heads] + rows).map { $0[column].count }.max() ?? 0
    }
    func line(_ cells: [String]) -> String {
      zip(cells, widths).map { cell, width in
        String(repeating: " ", count: width - cell.count) + cell
      }.joined(separator: "  ")
    }
    let table = zip(plan.rows, rows).map { row, cells in
      line(cells) + (row.isBelowWall ? "  *" : "")
    }
    var lines = [
      "epsilon \(plan.epsilon) at delta \(plan.delta), \(plan.steps) steps of "
        + "\(plan.examples) \(unit.rawValue)s",
      "unit: one \(unit.rawValue); neighbours: one added or removed; sampling: Poisson", "",
      line(heads),
    ]
    lines += table
    lines.append("")
    if plan.rows.contains(where: \.isBelowWall) { lines.append("* noise \(lowNoise)") }
    lines.append("surrogate noise: the same signal and noise at batch \(plan.surrogateBatch).")
    lines.append(Self.warning)
    return lines.joined(separator: "\n")
  }
}

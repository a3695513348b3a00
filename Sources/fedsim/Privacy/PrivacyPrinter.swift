import Accounting
import Base
import Report

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
    case .epsilon, .plan, .local, .shuffle: "epsilon"
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
      if let attack = answer.attack { own += Self.json(attack) }
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
  static func json(_ bracket: EpsilonBracket) -> JSON {
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

  /// The Gaussian mechanism of the same strength, and what the best test of membership finds.
  private static func json(_ attack: PrivacyCommand.Attack) -> [(String, JSON)] {
    let shift = attack.gaussian.shift
    return [
      (
        "gaussian",
        ["mu": shift.isFinite ? .number(shift) : .null, "isExact": .bool(attack.isExact)]
      ),
      (
        "attack",
        .array(
          attack.power.map {
            [
              "falsePositiveRate": .number($0.falsePositives),
              "truePositiveRateAtMost": .number($0.truePositives),
            ]
          })
      ),
    ]
  }

  /// The same in words, rounded up.
  private static func rows(_ attack: PrivacyCommand.Attack) -> [(name: String, words: String)] {
    let found = attack.power.reversed().enumerated().map { index, power in
      let share = percentUp(power.truePositives)
      let rate = "at \(plain(100 * power.falsePositives)) % false positives"
      return index == 0 ? "finds at most \(share) % of members \(rate)" : "\(share) % \(rate)"
    }
    let attacker = (name: "an attacker", words: found.joined(separator: ", "))
    let shift = attack.gaussian.shift
    guard shift.isFinite else { return [attacker] }
    let gaussian =
      attack.isExact
      ? "mu-GDP with mu = \(up(shift)), exact"
      : "about mu-GDP with mu = \(up(shift)), which has this epsilon at this delta"
    return [("gaussian", gaussian), attacker]
  }

  /// Percent, rounded up to two decimals, or three where it is less than 0.1.
  static func percentUp(_ share: Double) -> String {
    let percent = min(100, 100 * share)
    let (scale, decimals) = percent < 0.1 ? (1e3, 3) : (1e2, 2)
    // A rounding of the last bit is no reason for another hundredth.
    return NumberText.fixed((percent * scale * (1 - 1e-12)).rounded(.up) / scale, decimals)
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
    var rows = answers.compactMap(\.bracket).filter(\.upper.isFinite).map { bracket in
      (name: options.question == .epsilon ? "between" : "reached", words: Self.words(bracket))
    }
    rows += answers.compactMap(\.attack).flatMap(Self.rows)
    rows += inputs.map { ($0.words, $0.value.compact) }
    rows += ledger.assumptions.map { assumption in
      let parts = assumption.split(separator: ": ", maxSplits: 1)
      return (String(parts[0]), String(parts.last ?? ""))
    }
    var lines = found.lines(.list) + Table.terms(rows, room: Self.room).lines(.list)
    for answer in answers where answer.isOrderAtEdge {
      lines.append("the best order is the first or the last: RDP with others may be lower")
    }
    return lines.joined(separator: "\n")
  }

  /// What the names of answers and of assumptions need.
  private static let room = 15

  private var found: Table {
    Table(
      of: answers,
      columns: [
        .words("", room: Self.room) { $0.accountant == .pld ? options.question.rawValue : "" },
        .words("", room: 7) { shown($0.value) },
        .words("") { answer in
          "\(answer.accountant.rawValue.uppercased()), \(answer.accountant.title)"
            + (answer.order.map { ", order \(Self.plain($0))" } ?? "")
            + (answer.accountant == .pld ? "; the one to report" : "; for comparison")
        },
      ])
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
}

/// How the table of `fedsim privacy plan` looks.
struct PlanPrinter {
  let plan: PrivacyPlan
  let unit: PrivacyEvent.Unit

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

  private var table: Table {
    func number(_ title: String, _ text: @escaping (PrivacyPlan.Row) -> String) -> Column<
      PrivacyPlan.Row
    > { Column(title) { .text(text($0)) } }
    return Table(
      of: plan.rows,
      columns: [
        Column("batch") { .count($0.batch) },
        number("rate") { NumberText.fixed($0.samplingRate, 6) },
        number("noise") { PrivacyPrinter.up($0.noiseMultiplier) },
        number("PLD") { PrivacyPrinter.up($0.pld) }, number("RDP") { PrivacyPrinter.up($0.rdp) },
        number("eta") { NumberText.fixed($0.totalNoise, 4) },
        number("TAN") { "~" + NumberText.fixed($0.approximateEpsilon, 2) },
        number("surrogate noise") { NumberText.fixed($0.surrogateNoise, 4) },
        .words("") { $0.isBelowWall ? "*" : "" },
      ])
  }

  var text: String {
    var lines = [
      "epsilon \(plan.epsilon) at delta \(plan.delta), \(plan.steps) steps of "
        + "\(plan.examples) \(unit.rawValue)s",
      "unit: one \(unit.rawValue); neighbours: one added or removed; sampling: Poisson", "",
    ]
    lines += table.lines(TerminalLayout(width: .max, head: .titles)) + [""]
    if plan.rows.contains(where: \.isBelowWall) { lines.append("* noise \(lowNoise)") }
    lines.append("surrogate noise: the same signal and noise at batch \(plan.surrogateBatch).")
    lines.append(Self.warning)
    return lines.joined(separator: "\n")
  }
}

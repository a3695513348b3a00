import Accounting
import Base
import Report

/// How an answer about correlated noise looks.
struct CorrelationPrinter {
  let answer: CorrelationAnswer

  private var options: PrivacyOptions { answer.options }
  private var strategy: ToeplitzStrategy { answer.noise.strategy }

  var json: JSON {
    let most = answer.participation
    let bracket = answer.bracket
    func epsilon(_ value: Double) -> JSON { value.isFinite ? .number(value) : .null }
    var members: [(String, JSON)] = [
      ("schema", 1), ("status", "ok"), ("question", .string(options.question.rawValue)),
      ("mechanism", .string(strategy.kind.rawValue)), ("bands", .int(strategy.bands)),
      ("bandsAreBest", .bool(answer.choseBands)), ("rounds", .int(strategy.rounds)),
      ("separation", .int(most.separation)), ("participations", .int(most.most)),
      ("noiseMultiplier", .number(answer.multiplier)),
      ("sensitivity", .number(answer.noise.sensitivity)),
      ("sigma", .number(answer.event.noiseMultiplier)),
      ("rate", .number(answer.event.samplingRate)), ("steps", .int(answer.event.steps)),
      ("prefixError", .number(answer.error)),
      (
        "roundDeviation",
        .number(answer.multiplier * strategy.roundDeviation(strategy.rounds - 1))
      ),
    ]
    if let independent = answer.independent {
      members.append(
        (
          "independent",
          [
            "noiseMultiplier": .number(independent.multiplier),
            "prefixError": .number(independent.error),
          ]
        ))
    } else {
      members.append(("independent", .null))
    }
    members += [
      ("factor", answer.factor.map { .number($0) } ?? .null),
      (
        "pld",
        [
          "epsilon": epsilon(bracket.upper), "isFinite": .bool(bracket.upper.isFinite),
          "bracket": PrivacyPrinter.json(bracket), "accountant": .string(Accountant.pld.title),
        ]
      ),
      (
        "rdp",
        [
          "epsilon": epsilon(answer.rdp), "isFinite": .bool(answer.rdp.isFinite),
          "accountant": .string(Accountant.rdp.title),
        ]
      ), ("default", .string(Accountant.pld.rawValue)), ("delta", .number(options.delta)),
      ("unit", .string(options.unit.rawValue)),
      ("neighbours", .string(answer.event.neighbours.rawValue)),
      ("sampling", .string(answer.asked.sampling.rawValue)),
      ("assumptions", .array(assumptions.map { .string($0.name + ": " + $0.words) })),
    ]
    return .object(members)
  }

  var text: String {
    let room = 15
    let most = answer.participation
    let error = NumberText.fixed(answer.error, 4)
    var rows: [(name: String, words: String)] = []
    let noise = PrivacyPrinter.up(answer.multiplier) + " clip norms on the sum, before correlation"
    let epsilon =
      Self.shown(answer.bracket.upper) + " by PLD, the one to report; "
      + Self.shown(answer.rdp) + " by RDP"
    if options.question == .noise { rows.append(("noise", noise)) }
    rows.append(("epsilon", "\(epsilon); at delta \(JSON.number(options.delta).compact)"))
    if options.question == .epsilon { rows.append(("noise", noise)) }
    let chosen = answer.choseBands ? ", the best of those tried" : ""
    rows += [
      ("mechanism", "\(strategy.kind.rawValue), bands \(strategy.bands)\(chosen)"),
      (
        "participation",
        "at most \(most.most) of \(strategy.rounds) rounds, at least \(most.separation) apart"
      ), ("sensitivity", NumberText.fixed(answer.noise.sensitivity, 6) + " clip norms"),
      (
        "sigma",
        "\(NumberText.fixed(answer.event.noiseMultiplier, 6)), noise over sensitivity, for "
          + "\(answer.event.steps) \(answer.event.steps == 1 ? "step" : "steps") at rate "
          + JSON.number(answer.event.samplingRate).compact
      ), ("prefix sums", "error \(error) clip norms, root mean square over all rounds"),
    ]
    if let independent = answer.independent {
      let factor = answer.factor.map { ", \(NumberText.fixed($0, 2)) times as much" } ?? ""
      rows.append(
        (
          "independent",
          "at the same epsilon noise \(PrivacyPrinter.up(independent.multiplier)), error "
            + NumberText.fixed(independent.error, 4) + factor
        ))
    }
    rows += assumptions
    return Table.terms(rows, room: room).lines(.list).joined(separator: "\n")
  }

  private static func shown(_ value: Double) -> String {
    value.isFinite ? PrivacyPrinter.up(value) : "infinite"
  }

  /// What a reader must grant.
  private var assumptions: [(name: String, words: String)] {
    let unit = options.unit.rawValue
    var rows = [
      ("unit of privacy", "one \(unit)"),
      ("neighbours", "one \(unit) added or removed, in all rounds that it takes part in"),
    ]
    switch answer.noise.scheme {
    case .separated:
      rows.append(
        (
          "sampling",
          "none that hides anybody: the whole run is one Gaussian mechanism, counted once; the "
            + "sampler must keep to separation and participations"
        ))
    case .cyclicPoisson(let groups, _):
      rows.append(
        (
          "sampling",
          "cyclic Poisson: units are split once, independently of their data, into \(groups) "
            + "groups; each round draws from one of them, each unit independently"
        ))
    }
    return rows
  }
}

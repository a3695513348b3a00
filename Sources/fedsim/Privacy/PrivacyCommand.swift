import Accounting
import Base

/// `fedsim privacy`: the accountants as a calculator.
package enum PrivacyCommand {
  /// The answer of one accountant.
  struct Answer {
    let accountant: Accountant
    /// ε, σ or T; infinite or nil when there is none.
    let value: Double?
    /// The Rényi order, and whether it is the first or last of the list.
    var order: Double?
    var isOrderAtEdge = false
    /// ε between two bounds; of what was found, when something else was asked for.
    var bracket: EpsilonBracket?
    /// What attackers gain, of what was found; nil beside the accountant that is no bound on it.
    var attack: Attack?
  }

  /// What the number means for who looks for members.
  struct Attack {
    /// The Gaussian mechanism that is this one, or has the same ε at the same δ.
    let gaussian: GaussianMechanism
    /// Whether it is this one: every step with everybody.
    let isExact: Bool
    let power: [AttackPower]
  }

  package static func run(_ options: PrivacyOptions) throws -> ExitCode {
    do throws(AccountingError) {
      let (text, json) = try answer(options)
      switch options.format {
      case .json: Console.print(json())
      case .text: Console.print(text())
      }
      return .done
    } catch { throw failure(error) }
  }

  /// The answer in both formats.
  private static func answer(_ options: PrivacyOptions) throws(AccountingError) -> (
    text: () -> String, json: () -> JSON
  ) {
    switch options.question {
    case .plan:
      let plan = try PrivacyPlan(
        examples: options.examples, steps: options.steps, epsilon: options.epsilon,
        delta: options.delta, batches: options.batches, unit: options.unit)
      let printer = PlanPrinter(plan: plan, unit: options.unit)
      return ({ printer.text }, { printer.json })
    case .local:
      let printer = LocalPrinter(options)
      return ({ printer.text }, { printer.json })
    case .shuffle:
      let printer = ShufflePrinter(options)
      return ({ printer.text }, { printer.json })
    case .epsilon, .noise, .steps:
      if let asked = options.correlation {
        let printer = CorrelationPrinter(answer: try CorrelationAnswer(options, asked))
        return ({ printer.text }, { printer.json })
      }
      let printer = PrivacyPrinter(options, event: try event(options), try answers(options))
      return ({ printer.text }, { printer.json })
    }
  }

  /// The steps that the options describe; 1 stands where a number is what is asked for.
  private static func event(_ options: PrivacyOptions) throws(AccountingError) -> PrivacyEvent {
    try PrivacyEvent(
      unit: options.unit, sampling: options.sampling,
      neighbours: options.sampling == .poisson ? .addRemove : .replaceOne,
      samplingRate: options.rate, noiseMultiplier: options.question == .noise ? 1 : options.noise,
      steps: options.question == .steps ? 1 : options.steps)
  }

  /// PLD first: it is the one to report.
  private static func answers(_ options: PrivacyOptions) throws(AccountingError) -> [Answer] {
    let event = try event(options)
    var answers: [Answer] = []
    for accountant in Accountant.allCases {
      do throws(AccountingError) { answers.append(try answer(accountant, options, event)) } catch {
        // Rényi divergences may miss a target that the other one meets.
        guard accountant == .rdp, case .unreachable = error else { throw error }
        answers.append(Answer(accountant: .rdp, value: nil))
      }
    }
    return answers
  }

  private static func answer(
    _ accountant: Accountant, _ options: PrivacyOptions, _ event: PrivacyEvent
  ) throws(AccountingError) -> Answer {
    let value: Double?
    var ledger = PrivacyLedger([event])
    switch options.question {
    case .epsilon, .plan, .local, .shuffle: value = nil
    case .noise:
      let noise = try Calibration(accountant, epsilon: options.epsilon, delta: options.delta)
        .noiseMultiplier(for: event)
      value = noise
      ledger = PrivacyLedger([
        try PrivacyEvent(
          unit: event.unit, sampling: event.sampling, neighbours: event.neighbours,
          samplingRate: event.samplingRate, noiseMultiplier: noise, steps: event.steps)
      ])
    case .steps:
      let steps = try Calibration(accountant, epsilon: options.epsilon, delta: options.delta).steps(
        for: event)
      value = Double(steps)
      ledger = PrivacyLedger([try event.repeated(steps)])
    }
    switch accountant {
    case .pld:
      let bracket = PLDAccountant().bracket(ledger, delta: options.delta)
      return Answer(
        accountant: .pld, value: value ?? bracket.upper, bracket: bracket,
        attack: attack(ledger, epsilon: bracket.upper, delta: options.delta))
    case .rdp:
      let rdp = RDPAccountant.standard.epsilon(ledger, delta: options.delta)
      return Answer(
        accountant: .rdp, value: value ?? rdp.value, order: rdp.order, isOrderAtEdge: rdp.isAtEdge)
    }
  }

  private static func attack(_ ledger: PrivacyLedger, epsilon: Double, delta: Double) -> Attack {
    let accountant = PLDAccountant()
    let exact = accountant.gaussian(ledger)
    let same =
      epsilon.isFinite
      ? GaussianMechanism(epsilon: epsilon, delta: delta) : GaussianMechanism(shift: .infinity)
    return Attack(
      gaussian: exact ?? same, isExact: exact != nil,
      power: accountant.attackPower(ledger, falsePositives: AttackPower.usual))
  }

  private static func failure(_ error: AccountingError) -> Failure {
    switch error {
    case .outOfRange: Failure(.wrongCommandLine, "E2004", error.message)
    case .unsupported: Failure(.wrongCommandLine, "E2011", error.message)
    case .unreachable:
      Failure(
        .wrongCommandLine, "E2010", error.message,
        hint: "raise --epsilon or --delta, or lower --rate, --steps or --participations")
    }
  }
}

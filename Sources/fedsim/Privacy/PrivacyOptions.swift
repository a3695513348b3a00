import Accounting
import Base
import Scenario

/// What `fedsim privacy` is asked for.
package enum PrivacyQuestion: String, CaseIterable {
  case epsilon, noise, steps, plan, local, shuffle

  /// Options that must be given.
  var required: [String] {
    switch self {
    case .epsilon: ["rate", "noise", "steps", "delta"]
    case .noise: ["rate", "steps", "epsilon", "delta"]
    case .steps: ["rate", "noise", "epsilon", "delta"]
    case .plan: ["examples", "steps", "epsilon", "delta"]
    case .local: ["epsilon", "delta", "dimension", "cohort"]
    case .shuffle: ["epsilon", "delta", "population"]
    }
  }

  /// Options that may be given.
  var optional: [String] {
    switch self {
    case .epsilon, .noise, .steps: ["sampling", "unit"]
    case .plan: ["batches", "unit"]
    case .local, .shuffle: []
    }
  }

  /// ε that the question takes.
  fileprivate var epsilons: ClosedRange<Double>? {
    switch self {
    case .epsilon, .noise, .steps, .plan: nil
    case .local: LocalPrinter.epsilons
    case .shuffle: Double.leastNormalMagnitude...ShufflePrinter.largestEpsilon
    }
  }
}

/// The options of `fedsim privacy`, checked; numbers that the question does not use are 0.
package struct PrivacyOptions: Equatable {
  package let question: PrivacyQuestion
  package private(set) var rate = 0.0
  package private(set) var noise = 0.0
  package private(set) var steps = 0
  package private(set) var epsilon = 0.0
  package private(set) var delta = 0.0
  package private(set) var examples = 0
  package private(set) var batches: [Int] = []
  /// Numbers of a report, reports of a round, and reports in all.
  package private(set) var dimension = 0
  package private(set) var cohort = 0
  package private(set) var population = 0
  package let sampling: PrivacyEvent.Sampling
  package let unit: PrivacyEvent.Unit
  package let format: OutputFormat
  /// Correlated noise; nil for independent noise.
  package private(set) var correlation: CorrelationOptions?

  /// Most examples of a plan: beyond, counts are no longer exact as floating-point numbers.
  static let mostExamples = 1_000_000_000_000

  package init(_ invocation: Invocation) throws(Failure) {
    question = try Self.question(invocation)
    let (required, optional) = Self.fitting(question, invocation)
    for name in required where invocation.last(name) == nil {
      throw Failure(
        .wrongCommandLine, "E2007", "fedsim privacy \(question.rawValue): --\(name) is missing",
        hint: "fedsim help privacy shows how it is called")
    }
    let known = required + optional
    for name in invocation.options.keys.sorted() where !known.contains(name) {
      throw Failure(
        .wrongCommandLine, "E2007", "fedsim privacy \(question.rawValue): --\(name) does not apply",
        hint: "it takes " + known.map { "--\($0)" }.joined(separator: ", "))
    }
    format = invocation.format
    if required.contains("mechanism") {
      correlation = try CorrelationOptions(invocation)
      sampling = .none
    } else {
      sampling = try Self.word(invocation, "sampling", among: [.poisson, .withoutReplacement])
    }
    unit = try Self.word(invocation, "unit", among: PrivacyEvent.Unit.allCases)
    rate = try Self.number(invocation, "rate", "a number from 0 to 1") { $0 >= 0 && $0 <= 1 }
    noise = try Self.number(invocation, "noise", "a number >= 0") { $0 >= 0 }
    epsilon = try Self.epsilon(invocation, question)
    delta = try Self.number(invocation, "delta", "a number between 0 and 1, both excluded") {
      $0 > 0 && $0 < 1
    }
    steps = try invocation.integer("steps", in: 1...PrivacyEvent.stepLimit) ?? 0
    examples = try invocation.integer("examples", in: 1...Self.mostExamples) ?? 0
    dimension = try invocation.integer("dimension", in: 1...Self.mostExamples) ?? 0
    if question == .local {
      cohort = try invocation.integer("cohort", in: 1...Self.mostExamples) ?? 0
    }
    if question == .shuffle {
      population = try invocation.integer("population", in: 1...ShufflePrinter.mostClients) ?? 0
    }
    if question == .plan { batches = try Self.batches(invocation, examples: examples) }
  }

  private static func epsilon(
    _ invocation: Invocation, _ question: PrivacyQuestion
  ) throws(Failure) -> Double {
    guard let range = question.epsilons else {
      return try number(invocation, "epsilon", "a number above 0") { $0 > 0 }
    }
    let least =
      range.lowerBound < 1e-300 ? "above 0" : "from \(JSON.number(range.lowerBound).compact)"
    let expected = "a number \(least) to \(JSON.number(range.upperBound).compact)"
    return try number(invocation, "epsilon", expected) { range.contains($0) }
  }

  /// Options that must and may be given.
  private static func fitting(_ question: PrivacyQuestion, _ invocation: Invocation) -> (
    required: [String], optional: [String]
  ) {
    guard invocation.last("mechanism") != nil, [.noise, .epsilon].contains(question) else {
      return (question.required, question.optional)
    }
    let isCyclic = CorrelationOptions.isCyclic(invocation)
    return (
      CorrelationOptions.required(question, isCyclic: isCyclic),
      CorrelationOptions.optional(isCyclic: isCyclic)
    )
  }

  /// The word after `privacy`.
  private static func question(_ invocation: Invocation) throws(Failure) -> PrivacyQuestion {
    let words = PrivacyQuestion.allCases.map(\.rawValue)
    guard let word = invocation.operands.first, let question = PrivacyQuestion(rawValue: word)
    else {
      let given = invocation.operands.first
      let near = given.flatMap { Suggestions.nearest($0, among: words) }
      throw Failure(
        .wrongCommandLine, "E2005",
        given.map { "unknown privacy question \"\($0)\"" }
          ?? "fedsim privacy: expected \(words.joined(separator: ", "))",
        hint: near.map { "did you mean \($0) ?" } ?? "one of \(words.joined(separator: ", "))")
    }
    guard invocation.operands.count == 1 else {
      throw Failure(
        .wrongCommandLine, "E2005",
        "fedsim privacy \(word): unexpected argument \"\(invocation.operands[1])\"",
        hint: "fedsim help privacy shows how it is called")
    }
    return question
  }

  private static func number(
    _ invocation: Invocation, _ option: String, _ expected: String, _ isLegal: (Double) -> Bool
  ) throws(Failure) -> Double {
    guard let text = invocation.last(option) else { return 0 }
    guard let number = Double(text), number.isFinite, isLegal(number) else {
      throw Failure(.wrongCommandLine, "E2004", "--\(option) \"\(text)\": expected \(expected)")
    }
    return number
  }

  /// A word of an enumeration; the first one when the option is absent.
  static func word<Word: RawRepresentable<String>>(
    _ invocation: Invocation, _ option: String, among words: [Word]
  ) throws(Failure) -> Word {
    guard let text = invocation.last(option) else { return words[0] }
    guard let word = words.first(where: { $0.rawValue == text }) else {
      let names = words.map(\.rawValue)
      throw Failure(
        .wrongCommandLine, "E2004",
        "--\(option) \"\(text)\": expected \(names.joined(separator: " or "))",
        hint: Suggestions.nearest(text, among: names).map { "did you mean \($0) ?" })
    }
    return word
  }

  private static func batches(_ invocation: Invocation, examples: Int) throws(Failure) -> [Int] {
    guard let text = invocation.last("batches") else {
      return PrivacyPlan.usualBatches(examples: examples)
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let sizes = parts.compactMap { Int($0) }
    guard sizes.count == parts.count, sizes.allSatisfy({ $0 >= 1 && $0 <= examples }),
      sizes.count <= 64
    else {
      throw Failure(
        .wrongCommandLine, "E2004",
        "--batches \"\(text)\": expected at most 64 whole numbers from 1 to \(examples), with "
          + "commas between them")
    }
    return sizes
  }
}

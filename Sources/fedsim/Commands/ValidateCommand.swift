import Aggregation
import Federation
import Tensor

/// `fedsim validate`: every problem of a scenario at once; nothing is run.
enum ValidateCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    let path = try invocation.onlyOperand("SCENARIO.json")
    let bytes = try FileReader.bytes(of: path)
    let reading = ScenarioReader(cards: StrategyRegistry.cards).read(
      bytes: bytes,
      file: path,
      overrides: invocation.options["set"] ?? []
    )
    if invocation.format == .json {
      Console.print(json(reading))
    } else {
      report(reading, isQuiet: invocation.isQuiet)
      if reading.errors.isEmpty { Console.print(summary(reading)) }
    }
    return reading.errors.isEmpty ? .done : .scenarioInvalid
  }

  /// Prints all problems to stderr; `run` uses it too.
  static func report(_ reading: ScenarioReading, isQuiet: Bool) {
    let shown = isQuiet ? reading.errors : reading.problems
    guard !shown.isEmpty else { return }
    var parts: [String] = []
    for (count, word) in [(reading.errors.count, "problem"), (reading.warnings.count, "warning")]
    where count > 0 && !(isQuiet && word == "warning") {
      parts.append("\(count) \(word)\(count == 1 ? "" : "s")")
    }
    let title = "\(reading.file): \(parts.joined(separator: ", "))"
    Console.tell(reading.errors.isEmpty ? title : Console.red(title))
    for problem in shown { Console.tell("\n" + problem.text) }
  }

  /// Says why a scenario cannot be used, in the format that was asked for.
  static func refuse(_ reading: ScenarioReading, _ format: OutputFormat, isQuiet: Bool) {
    switch format {
    case .json: Console.print(json(reading))
    case .text: report(reading, isQuiet: isQuiet)
    }
  }

  /// The result as one object.
  static func json(_ reading: ScenarioReading) -> JSON {
    let isValid = reading.errors.isEmpty
    var members: [(String, JSON)] = [
      ("schema", 1), ("status", isValid ? "ok" : "error"), ("file", .string(reading.file)),
    ]
    if let first = reading.errors.first {
      let count = reading.errors.count
      members += [
        ("code", .string(first.code)), ("exit", .int(Int(ExitCode.scenarioInvalid.rawValue))),
        ("message", .string("\(count) problem\(count == 1 ? "" : "s") in \(reading.file)")),
        ("hint", .string("\(first.path): \(first.message)")),
      ]
    }
    members.append(("hash", reading.hash.map { .string($0) } ?? .null))
    members.append(("problems", .array(reading.problems.map(\.json))))
    return .object(members)
  }

  private static func summary(_ reading: ScenarioReading) -> String {
    guard let scenario = reading.scenario else { return "" }
    let runs = scenario.strategies.count * scenario.seeds.count
    return "\(reading.file): OK  \(scenario.strategies.count) strategies x \(scenario.seeds.count) "
      + "seeds = \(runs) runs  hash \(reading.hash ?? "")"
  }
}

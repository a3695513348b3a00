import Aggregation
import Base
import Federation
import Scenario

/// `fedsim validate`: every problem of a scenario at once; nothing is run.
///
/// First the file alone, then, when nothing is wrong with it, all that a run would find before its
/// first step: data, splits, weights, networks, noise and memory.
enum ValidateCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    let source = try invocation.scenarioOrigin()
    let threads = try invocation.threads() ?? Machine.coreCount
    source.tellDeviations(invocation.format, isQuiet: invocation.isQuiet)
    let reading = ScenarioReader(infos: StrategyRegistry.infos).read(
      bytes: try source.bytes(), file: source.file, overrides: invocation.options["set"] ?? [])
    var failure: Failure?
    var remarks: [String] = []
    if let scenario = reading.scenario, reading.errors.isEmpty, !invocation.has("no-data") {
      do throws(Failure) {
        let experiment = try Experiment(scenario)
        remarks = experiment.warnings
        try experiment.requireRunnable(threads: threads)
      } catch { failure = error }
    }
    if invocation.format == .json {
      Console.print(json(reading, failure, remarks))
      return failure?.exit ?? (reading.errors.isEmpty ? .done : .scenarioInvalid)
    }
    report(reading, isQuiet: invocation.isQuiet)
    if !invocation.isQuiet { for remark in remarks { Console.tell("warning: " + remark) } }
    if let failure { throw failure }
    guard reading.errors.isEmpty else { return .scenarioInvalid }
    Console.print(summary(reading))
    return .done
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
  ///
  /// `failure`: what the data or the machine lack; `remarks`: what is odd about the data.
  static func json(_ reading: ScenarioReading, _ failure: Failure? = nil, _ remarks: [String] = [])
    -> JSON
  {
    let isValid = reading.errors.isEmpty && failure == nil
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
    if let failure {
      members += [
        ("code", .string(failure.code)), ("exit", .int(Int(failure.exit.rawValue))),
        ("message", .string(failure.message)), ("hint", failure.hint.map(JSON.string) ?? .null),
      ]
    }
    members.append(("hash", reading.hash.map { .string($0) } ?? .null))
    members.append(("problems", .array(reading.problems.map(\.json))))
    members.append(("warnings", .array(remarks.map(JSON.string))))
    return .object(members)
  }

  private static func summary(_ reading: ScenarioReading) -> String {
    guard let scenario = reading.scenario else { return "" }
    let runs = scenario.strategies.count * scenario.seeds.count
    return "\(reading.file): OK  \(scenario.strategies.count) strategies x \(scenario.seeds.count) "
      + "seeds = \(runs) runs  hash \(reading.hash ?? "")"
  }
}

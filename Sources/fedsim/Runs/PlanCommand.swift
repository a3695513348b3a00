import Base
import Federation
import Report
import Scenario
import Studies

/// The options of `fedsim plan`.
package struct PlanOptions: Equatable {
  package let source: ScenarioOrigin
  package let overrides: [String]
  package let threads: Int
  /// Seconds of real training per strategy.
  package let probe: Double
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    source = try invocation.scenarioOrigin()
    overrides = try invocation.overrides()
    threads = try invocation.threads() ?? Machine.coreCount
    let text = invocation.last("probe") ?? "2"
    guard let seconds = Double(text), (0...3600).contains(seconds) else {
      throw Failure(
        .wrongCommandLine, "E2004", "--probe \"\(text)\": expected seconds from 0 to 3600",
        hint: "0 measures nothing: no time and no memory is predicted then")
    }
    probe = seconds
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim plan`: what a scenario will cost; nothing is written.
package enum PlanCommand {
  /// Exit 6 when a limit of the scenario will stop the run.
  package static func run(_ options: PlanOptions) throws -> ExitCode {
    let bytes = try options.source.bytes()
    options.source.tellDeviations(options.format, isQuiet: options.isQuiet)
    let reading = ScenarioReader().read(
      bytes: bytes, file: options.source.file, overrides: options.overrides)
    guard let scenario = reading.scenario, let hash = reading.hash, reading.errors.isEmpty else {
      ValidateCommand.refuse(reading, options.format, isQuiet: options.isQuiet)
      return .scenarioInvalid
    }
    if options.format == .text { ValidateCommand.report(reading, isQuiet: options.isQuiet) }
    var settings = Plan.Settings(threads: options.threads)
    settings.probe = options.probe
    let plan = try Plan(try Experiment(scenario), settings)
    let exit: ExitCode = plan.exceedsLimit ? .limitReached : .done
    let table = PlanTable(plan)
    switch options.format {
    case .text: Console.print(table.text(width: Terminal.width(1)))
    case .json:
      Console.answer(
        isOK: exit == .done,
        [
          ("exit", .int(Int(exit.rawValue))), ("file", .string(options.source.file)),
          ("hash", .string(hash)), ("plan", table.json),
        ])
    }
    return exit
  }
}

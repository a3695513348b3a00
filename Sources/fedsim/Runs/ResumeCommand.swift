import Base
import Federation
import Scenario

/// The options of `fedsim resume`.
package struct ResumeOptions: Equatable {
  package let folder: String
  /// `path=value` texts below `limits` and `output`, for this call.
  package let changes: [String]
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    changes = invocation.options["set"] ?? []
    for change in changes where !change.hasPrefix("limits.") && !change.hasPrefix("output.") {
      throw Failure(
        .wrongCommandLine, "E2004",
        "--set \(change): a run that goes on keeps its settings; only limits and output may change",
        hint: "as --set limits.wallTime=2h; for other settings start a new run")
    }
    threads = try invocation.threads()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim resume`: goes on from the last checkpoint of a run folder.
package enum ResumeCommand {
  package static func run(_ options: ResumeOptions) throws -> ExitCode {
    guard
      let folder = try ScenarioOfFolder.read(
        options.folder, changes: options.changes, format: options.format, isQuiet: options.isQuiet)
    else { return .scenarioInvalid }
    try folder.requireUnchanged()
    let runner = ExperimentRunner(
      experiment: try Experiment(folder.scenario), source: folder.source, folder: options.folder,
      threads: options.threads ?? Machine.coreCount,
      warnings: folder.reading.warnings.map { "\($0.path): \($0.message)" }, format: options.format,
      isQuiet: options.isQuiet)
    return try runner.run(continues: true)
  }
}

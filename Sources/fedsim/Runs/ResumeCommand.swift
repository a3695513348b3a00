import Base
import Federation
import Scenario

/// The options of `fedsim resume`.
package struct ResumeOptions: Equatable {
  package let folder: String
  /// `path=value` texts below `limits` and `output`, for this call.
  package let changes: [String]
  /// How many rounds runs shall have in all; nil for those that they have.
  package let rounds: Int?
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    var changes: [String] = []
    var rounds: Int?
    for change in invocation.options["set"] ?? [] {
      if change.hasPrefix("federation.rounds=") {
        let text = change.dropFirst("federation.rounds=".count)
        guard let number = Int(text), (1...1_000_000).contains(number) else {
          throw Failure(
            .wrongCommandLine, "E2004", "--set \(change): expected a whole number of rounds")
        }
        rounds = number
      } else {
        changes.append(change)
      }
    }
    (self.changes, self.rounds) = (changes, rounds)
    for change in changes where !change.hasPrefix("limits.") && !change.hasPrefix("output.") {
      throw Failure(
        .wrongCommandLine, "E2004",
        "--set \(change): a run that goes on keeps its settings; only limits, output and more "
          + "federation.rounds may change",
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
        options.folder, changes: options.changes, rounds: options.rounds, format: options.format,
        isQuiet: options.isQuiet)
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

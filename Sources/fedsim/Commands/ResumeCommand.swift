import Federation
import Tensor

/// The options of `fedsim resume`.
package struct ResumeOptions: Equatable {
  /// The run folder.
  package let folder: String
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    threads = try invocation.integer("threads", in: 1...4096)
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim resume`: goes on from the last checkpoint of a run folder.
package enum ResumeCommand {
  package static func run(_ options: ResumeOptions) throws -> ExitCode {
    let file = FilePath.join(options.folder, "scenario.json")
    guard FileKind(of: options.folder) == .folder, FileKind(of: file) == .file else {
      throw Failure(
        .dataMissingOrCorrupt, "E4095", "\(options.folder) is no run folder: it has no scenario.json",
        hint: "name a folder that fedsim run wrote")
    }
    let bytes = try FileReader.bytes(of: file)
    let overrides = try self.overrides(options.folder)
    let reading = ScenarioReader().read(bytes: bytes, file: file, overrides: overrides)
    guard let scenario = reading.scenario, let resolved = reading.resolved,
      let hash = reading.hash, reading.errors.isEmpty
    else {
      ValidateCommand.report(reading, isQuiet: options.isQuiet)
      return .scenarioInvalid
    }
    let session = ExperimentSession(
      experiment: try Experiment(scenario),
      source: ScenarioSource(
        bytes: bytes, overrides: overrides, resolved: resolved, hash: hash,
        command: "fedsim run " + Shell.quoted(file)),
      folder: options.folder, threads: options.threads ?? MachineFacts.coreCount,
      warnings: reading.warnings.map { "\($0.path): \($0.message)" },
      format: options.format, isQuiet: options.isQuiet)
    return try session.run(continues: true)
  }

  private static func overrides(_ folder: String) throws -> [String] {
    let file = FilePath.join(folder, "overrides.json")
    guard FileKind(of: file) == .file else { return [] }
    let json = try? JSON(parsing: try FileReader.bytes(of: file))
    guard let list = json?.elements else {
      throw Failure(.dataMissingOrCorrupt, "E4096", "\(file): expected a JSON array of strings")
    }
    return list.compactMap(\.text)
  }
}

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
        .dataMissingOrCorrupt,
        "E4095",
        "\(options.folder) is no run folder: it has no scenario.json",
        hint: "name a folder that fedsim run wrote"
      )
    }
    let bytes = try FileReader.bytes(of: file)
    let overrides = try self.overrides(options.folder)
    let reading = ScenarioReader().read(
      bytes: bytes,
      file: file,
      overrides: try name(options.folder) + overrides
    )
    guard let scenario = reading.scenario, let resolved = reading.resolved,
      let hash = reading.hash, reading.errors.isEmpty
    else {
      if options.format == .json {
        Console.print(ValidateCommand.json(reading))
      } else {
        ValidateCommand.report(reading, isQuiet: options.isQuiet)
      }
      return .scenarioInvalid
    }
    let runner = ExperimentRunner(
      experiment: try Experiment(scenario),
      source: ScenarioSource(
        bytes: bytes,
        overrides: overrides,
        resolved: resolved,
        hash: hash,
        command: (["fedsim run", Shell.quoted(file)]
          + overrides.map { "--set " + Shell.quoted($0) }).joined(separator: " ")
      ),
      folder: options.folder,
      threads: options.threads ?? MachineFacts.coreCount,
      warnings: reading.warnings.map { "\($0.path): \($0.message)" },
      format: options.format,
      isQuiet: options.isQuiet
    )
    return try runner.run(continues: true)
  }

  /// The name the run had, as an override: a scenario without one takes that of its file, which is
  /// another one in the run folder.
  private static func name(_ folder: String) throws -> [String] {
    let file = FilePath.join(folder, "scenario.resolved.json")
    guard FileKind(of: file) == .file,
      let name = (try? JSON(parsing: try FileReader.bytes(of: file)))?["name"]
    else { return [] }
    return ["name=" + name.compact]
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

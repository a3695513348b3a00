import Federation
import Tensor

/// The scenario that a run folder holds, read as it was read when the folder was made.
struct ScenarioOfFolder {
  let scenario: Scenario
  let source: ScenarioSource
  let reading: ScenarioReading
  /// The hash that the folder was made for; nil when it does not say.
  let recordedHash: String?
  /// What of program and machine is not as it was when the folder was made; nil for nothing.
  let buildNote: String?

  /// Reads a folder; nil, with all problems told, when its scenario is invalid.
  ///
  /// `changes`: further `path=value` for this call, which the folder does not keep.
  ///
  /// - Throws: E4095 for a folder without a scenario, E4096 for damaged overrides.
  static func read(
    _ folder: String,
    changes: [String] = [],
    format: OutputFormat,
    isQuiet: Bool
  ) throws -> ScenarioOfFolder? {
    let file = FilePath.join(folder, "scenario.json")
    guard FileKind(of: folder) == .folder, FileKind(of: file) == .file else {
      throw Failure(
        .dataMissingOrCorrupt,
        "E4095",
        "\(folder) is no run folder: it has no scenario.json",
        hint: "name a folder that fedsim run wrote"
      )
    }
    let bytes = try FileReader.bytes(of: file)
    let overrides = try overrides(folder)
    let reading = ScenarioReader().read(
      bytes: bytes,
      file: file,
      overrides: try name(folder) + overrides + changes
    )
    guard let scenario = reading.scenario, let resolved = reading.resolved,
      let hash = reading.hash, reading.errors.isEmpty
    else {
      ValidateCommand.refuse(reading, format, isQuiet: isQuiet)
      return nil
    }
    let source = ScenarioSource(
      bytes: bytes,
      overrides: overrides,
      resolved: resolved,
      hash: hash,
      command: (["fedsim run", Shell.quoted(file)]
        + overrides.map { "--set " + Shell.quoted($0) }).joined(separator: " ")
    )
    let environment = try environment(folder)
    return ScenarioOfFolder(
      scenario: scenario,
      source: source,
      reading: reading,
      recordedHash: environment?["scenarioHash"]?.text,
      buildNote: environment.flatMap(note)
    )
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

  private static func environment(_ folder: String) throws -> JSON? {
    let file = FilePath.join(folder, "environment.json")
    guard FileKind(of: file) == .file else { return nil }
    return try? JSON(parsing: try FileReader.bytes(of: file))
  }

  /// What bits depend on besides the scenario, where it was something else.
  private static func note(_ then: JSON) -> String? {
    let now = MachineFacts.current.json
    var changes: [String] = []
    for path in [["version"], ["build"], ["compiledFor"], ["kernels"], ["blas", "coreType"]] {
      let read = { (json: JSON) in path.reduce(Optional(json)) { $0?[$1] }?.text ?? "-" }
      if read(then) != read(now) {
        changes.append("\(path.joined(separator: ".")) was \(read(then)) and is \(read(now))")
      }
    }
    return changes.isEmpty
      ? nil : "bits may differ: " + changes.joined(separator: ", ")
  }
}

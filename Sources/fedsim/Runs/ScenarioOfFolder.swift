import Base
import Federation
import Scenario

/// The scenario that a run folder holds, read as it was read when the folder was made.
struct ScenarioOfFolder {
  let scenario: Scenario
  let source: ScenarioSource
  let reading: ScenarioReading
  /// What of the scenario is not as it was when the folder was made; nil for nothing.
  let change: String?
  /// What of program and machine is not as it was when the folder was made; nil for nothing.
  let buildNote: String?
  private let kept: FolderScenario

  /// Reads a folder; nil, with all problems reported, when its scenario is invalid.
  ///
  /// `changes`: further `path=value` for this call, which the folder does not keep.
  ///
  /// - Throws: E4095 for a folder without a scenario, E4096 for damaged overrides.
  ///
  /// `rounds`: how many the folder's runs shall have from now on; nil for those that they have.
  static func read(
    _ folder: String, changes: [String] = [], rounds: Int? = nil, format: OutputFormat,
    isQuiet: Bool
  ) throws -> ScenarioOfFolder? {
    guard let kept = try FolderScenario(folder) else {
      throw Failure(
        .dataMissingOrCorrupt, "E4095", "\(folder) is no run folder: it has no scenario.json",
        hint: "name a folder that fedsim run wrote; one in which nothing was begun is taken by "
          + "fedsim run SCENARIO.json --out \(folder)")
    }
    let file = FolderScenario.file(folder)
    var reading = ScenarioReader().read(
      bytes: kept.bytes, file: file, overrides: kept.settings + changes)
    var overrides = kept.overrides
    if let rounds, let begun = reading.scenario {
      overrides = try kept.extended(to: rounds, begun)
      reading = ScenarioReader().read(
        bytes: kept.bytes, file: file, overrides: kept.settings(overrides) + changes)
    }
    guard let scenario = reading.scenario, let resolved = reading.resolved, let hash = reading.hash,
      reading.errors.isEmpty
    else {
      ValidateCommand.refuse(reading, format, isQuiet: isQuiet)
      return nil
    }
    let source = ScenarioSource(
      bytes: kept.bytes, overrides: overrides, resolved: resolved, hash: hash,
      command: (["fedsim run", Shell.quoted(file)]
        + overrides.map { "--set " + Shell.quoted($0) }).joined(separator: " "))
    return ScenarioOfFolder(
      scenario: scenario, source: source, reading: reading, change: kept.change(resolved),
      buildNote: kept.environment.flatMap(note), kept: kept)
  }

  /// Refuses a folder whose scenario is not the one that it was made for.
  ///
  /// - Throws: E9005 (exit 9).
  func requireUnchanged() throws { try kept.requireUnchanged(source.resolved) }

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
    return changes.isEmpty ? nil : "bits may differ: " + changes.joined(separator: ", ")
  }
}

import Base
import Records
import Scenario

/// The scenario as a run folder keeps it: the file as it was given, and what was set besides.
package struct FolderScenario {
  private let folder: String
  /// `scenario.json`.
  package let bytes: [UInt8]
  /// The `path=value` texts of `overrides.json`.
  package let overrides: [String]
  /// The name that the run had: a scenario without one takes that of its file, which is another one
  /// in the run folder.
  package let name: String?
  /// `environment.json`; nil without it.
  package let environment: JSON?
  /// The hash that the folder was made for; nil when it does not say.
  package var recordedHash: String? { environment?["scenarioHash"]?.text }

  package static func file(_ folder: String) -> String { FilePath.join(folder, "scenario.json") }

  /// Reads a folder; nil when it has no scenario.
  ///
  /// - Throws: E4096 for damaged overrides, E4125 for a damaged environment, and what a file throws
  ///   that cannot be read (exit 4).
  package init?(_ folder: String) throws(Failure) {
    let what = "the scenario of a run folder"
    guard let bytes = try FileReader.optional(Self.file(folder), what: what) else { return nil }
    self.folder = folder
    self.bytes = bytes
    overrides = try Self.overrides(folder)
    environment = try FolderFacts.read(folder)?.json
    name = environment?["name"]?.text ?? Self.resolved(folder)?["name"]?.text
  }

  /// All `path=value` texts with which the scenario is read again.
  package var settings: [String] { settings(overrides) }

  /// The same with other overrides.
  package func settings(_ overrides: [String]) -> [String] {
    (name.map { ["name=" + JSON.string($0).compact] } ?? []) + overrides
  }

  private static func overrides(_ folder: String) throws(Failure) -> [String] {
    let file = FilePath.join(folder, "overrides.json")
    guard let bytes = try FileReader.optional(file, what: "the settings of a run") else {
      return []
    }
    guard let list = (try? JSON(parsing: bytes))?.elements,
      case let texts = list.compactMap(\.text), texts.count == list.count
    else {
      throw Failure(.dataMissingOrCorrupt, "E4096", "\(file): expected a JSON array of strings")
    }
    return texts
  }

  private static func resolved(_ folder: String) -> JSON? {
    let file = FilePath.join(folder, "scenario.resolved.json")
    return (try? FileReader.bytes(of: file)).flatMap { try? JSON(parsing: $0) }
  }

  /// Says in which fields a reading of the folder's files is not what it was made for; nil when it
  /// is, or when the folder does not tell.
  package func change(_ resolved: JSON) -> String? {
    guard let recordedHash, ScenarioReading.hash(ofResolved: resolved) != recordedHash else {
      return nil
    }
    let before = Self.resolved(folder)
    let isKnown = before.map(ScenarioReading.hash(ofResolved:)) == recordedHash
    let changes = isKnown ? before.map { FieldChange.list($0, resolved) } ?? [] : []
    return changes.isEmpty
      ? "its files now mean \(ScenarioReading.hash(ofResolved: resolved)), and it was made for "
        + recordedHash : FieldChange.sentence(changes)
  }

  /// Refuses a folder whose scenario is not the one that it was made for.
  ///
  /// - Throws: E9005 with the fields that differ (exit 9).
  package func requireUnchanged(_ resolved: JSON?) throws(Failure) {
    let found =
      resolved.map { self.change($0) }
      ?? recordedHash.map { "its files no longer make a scenario; it was made for \($0)" }
    guard let change = found else { return }
    throw Failure(
      .folderInUse, "E9005",
      "\(folder) was made for another scenario than its scenario.json says: \(change)",
      hint: "take the change back to go on; the changed scenario has its own folder: fedsim run "
        + "\(Self.file(folder)) --out OTHER")
  }

  /// Refuses a folder whose files were changed, read as they are now.
  ///
  /// - Throws: E9005 (exit 9).
  package func requireUnchanged() throws(Failure) {
    let reading = ScenarioReader().read(bytes: bytes, file: Self.file(folder), overrides: settings)
    try requireUnchanged(reading.resolved)
  }
}

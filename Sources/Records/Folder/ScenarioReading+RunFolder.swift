import Base
import Scenario

extension ScenarioReading {
  /// The scenario of a run folder, with every default; nothing of its data set is needed.
  ///
  /// - Throws: exit 4: E4095 when it is no run folder, E4098 when its scenario is damaged, E4127
  ///   when it is not the one that the folder was made for.
  package static func ofRunFolder(_ folder: String) throws(Failure) -> (
    scenario: Scenario, reading: ScenarioReading
  ) {
    let file = FilePath.join(folder, "scenario.resolved.json")
    guard try FileReader.isThere(folder), try FileReader.isThere(file) else {
      throw Failure(
        .dataMissingOrCorrupt, "E4095",
        "\(folder) is no run folder: it has no scenario.resolved.json",
        hint: "name a folder that fedsim run wrote")
    }
    let bytes = try FileReader.bytes(of: file)
    // A scenario that was run: what its codecs do not reach was said then.
    let reading = ScenarioReader { _ in [] }.read(bytes: bytes, file: file)
    guard let scenario = reading.scenario, reading.resolved != nil else {
      let first = reading.errors.first
      throw Failure(
        .dataMissingOrCorrupt, "E4098",
        "\(file): \(first.map { "\($0.path): \($0.message)" } ?? "no scenario")",
        hint: "restore the file, or name a folder of this version")
    }
    // Of the file as it is: a version with more defaults reads it as another one.
    if let known = try FolderFacts.read(folder)?.scenarioHash,
      (try? JSON(parsing: bytes)).map(ScenarioReading.hash(ofResolved:)) != known
    {
      throw Failure(
        .dataMissingOrCorrupt, "E4127", "\(file) is not the scenario that \(folder) was made for",
        hint: "restore it; fedsim resume \(folder) writes it again")
    }
    return (scenario, reading)
  }
}

extension ScenarioReading {
  /// The scenario of a run folder, with every default; nothing of its data set is needed.
  ///
  /// - Throws: exit 4: E4095 when it is no run folder, E4098 when its scenario is damaged.
  static func ofRunFolder(
    _ folder: String
  ) throws(Failure) -> (scenario: Scenario, reading: ScenarioReading) {
    let file = FilePath.join(folder, "scenario.resolved.json")
    guard FileKind(of: folder) == .folder, FileKind(of: file) == .file else {
      throw Failure(
        .dataMissingOrCorrupt,
        "E4095",
        "\(folder) is no run folder: it has no scenario.resolved.json",
        hint: "name a folder that fedsim run wrote"
      )
    }
    let reading = ScenarioReader().read(bytes: try FileReader.bytes(of: file), file: file)
    guard let scenario = reading.scenario, reading.resolved != nil else {
      let first = reading.errors.first
      throw Failure(
        .dataMissingOrCorrupt,
        "E4098",
        "\(file): \(first.map { "\($0.path): \($0.message)" } ?? "no scenario")",
        hint: "restore the file, or name a folder of this version"
      )
    }
    return (scenario, reading)
  }
}

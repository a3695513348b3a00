import Base
import Data
import Federation
import Foundation
import Records
import Report
import Scenario
import Testing

/// An experiment on images in memory with the folder that it writes.
package struct RunFixture {
  package let text: ScenarioText
  package let folder: ScratchFolder
  package let partition: PartitionFile
  package let experiment: Experiment
  package let source: ScenarioSource
  package let data: LabelledData

  package static let sizes = [13, 7, 22]

  /// A scenario on three unequal clients: two rounds of FedAvg with some changes.
  package init(_ change: (inout ScenarioText) -> Void) throws {
    partition = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: partition.json)
    text.publicSet = ScenarioText.somePublic.json
    change(&text)
    self.text = text
    folder = try ScratchFolder()
    data = SmallImages.floats(train: Self.sizes.reduce(0, +) + ScenarioText.somePublic.spareImages)
    let reading = try text.reading()
    experiment = try Experiment(try #require(reading.scenario), data: data)
    source = ScenarioSource(
      bytes: Array(text.json.utf8), overrides: [], resolved: try #require(reading.resolved),
      hash: try #require(reading.hash), command: "fedsim run test.json")
  }

  /// Runs in a folder below the scratch folder; stops after so many rounds of all runs together.
  @discardableResult
  package func run(
    _ name: String, stopAfter limit: Int? = nil, threads: Int = 1, continues: Bool = false,
    report: (ProgressState, RoundRecord) -> Void = { _, _ in }
  ) throws -> ExperimentResult {
    var rounds = 0
    return try experiment.run(
      in: folder.at(name), source: source, threads: threads, continues: continues,
      interruption: {
        rounds += 1
        return rounds == limit ? .interrupted : nil
      }, page: RunReport.writePage, report: report)
  }

  /// A file of a folder as bytes.
  package func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: folder.at(name))))
  }

  /// The lines of a file.
  package func lines(_ name: String) throws -> [String] {
    String(decoding: try bytes(name), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// The lines of a `rounds.jsonl` as JSON.
  package func rounds(_ run: String) throws -> [JSON] {
    try lines("\(run)/rounds.jsonl").map { try JSON(parsing: Array($0.utf8)) }
  }

  /// All files below a folder, by their path in it, sorted.
  package func files(_ name: String) throws -> [String] {
    let found = try FileManager.default.subpathsOfDirectory(atPath: folder.at(name))
    return found.filter { path in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(
        atPath: folder.at(name + "/" + path), isDirectory: &isFolder)
      return !isFolder.boolValue
    }.sorted()
  }

  /// Whether a path exists.
  package func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.at(name))
  }

  /// Appends the further lines of another run's table, the last one torn, as a killed process
  /// leaves them; what is there stays, for its times are its own.
  package func continueTable(_ name: String, as other: String) throws {
    let (own, whole) = (try lines(name), try lines(other))
    let text = (own + whole.dropFirst(own.count)).joined(separator: "\n") + "\n"
    try folder.write(name, Array(text.utf8.dropLast(own.count < whole.count ? 7 : 0)))
  }

  /// Copies a file over another one.
  package func copy(_ from: String, to: String) throws { try folder.write(to, try bytes(from)) }
}

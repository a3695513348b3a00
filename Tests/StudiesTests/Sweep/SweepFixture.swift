import Base
import Fixtures
import Foundation
import Scenario
import Studies
import Testing

/// A sweep over a scenario of a few hundredths of a second, and the folder of its test.
struct SweepFixture: Sendable {
  let folder: ScratchFolder
  let sweep: Sweep

  /// Four clients, forty images, a linear model; two seeds unless the sweep says otherwise.
  static func base(
    rounds: Int = 4, more: String = "", strategies: String = #"[ { "kind": "fedavg" } ]"#
  ) -> String {
    """
    { "fedsim": 1, "seeds": [1, 2],
      "data": { "dataset": { "kind": "synthetic", "classes": 4, "trainPerClass": 10,
                             "testPerClass": 5 } },
      "federation": { "clients": 4, "rounds": \(rounds), "participation": 0.5 },
      "model": { "kind": "logistic" },
      "client": { "batch": 5, "optimizer": { "kind": "sgd", "learningRate": 0.04 } },
      \(more)
      "evaluation": { "every": 2 },
      "strategies": \(strategies) }
    """
  }

  /// Reads a sweep file with these members; `base.json` is what it names.
  static func read(_ members: String, base: String = base()) -> SweepReading {
    let text = "{ \"fedsim\": 1, \"kind\": \"sweep\",\n\"base\": \"base.json\",\n\(members) }"
    return SweepReader().read(bytes: Array(text.utf8), file: "test.json") { name throws(Failure) in
      guard name == "base.json" else {
        throw Failure(.dataMissingOrCorrupt, "E4001", "\(name): no such file")
      }
      return (name, Array(base.utf8))
    }
  }

  init(_ members: String, base: String = base()) throws {
    folder = try ScratchFolder()
    let reading = Self.read(members, base: base)
    sweep = try #require(reading.sweep, "\(reading.problems.map(\.text))")
  }

  /// Makes the runs in a folder; stops after so many rounds of all runs together.
  @discardableResult
  func run(
    _ name: String, shard: String? = nil, stopAfter limit: Int? = nil, threads: Int = 1,
    tell: (SweepRunner.Event) -> Void = { _ in }
  ) throws -> SweepRunner.Outcome {
    var rounds = 0
    let runner = SweepRunner(
      sweep, in: SweepFolder(folder.at(name)),
      shard: try shard.map { try #require(SweepShard($0)) }, threads: threads)
    return try runner.run(
      interruption: { limit.map { rounds >= $0 } ?? false ? .interrupted : nil }, tell: tell,
      report: { _, _ in rounds += 1 })
  }

  /// A file as text.
  func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: folder.at(name))), as: UTF8.self)
  }

  /// All files below a folder with their bytes and times of change.
  func tree(_ name: String) throws -> [String: String] {
    let manager = FileManager.default
    var files: [String: String] = [:]
    for path in try manager.subpathsOfDirectory(atPath: folder.at(name)) {
      let file = folder.at(name + "/" + path)
      let facts = try manager.attributesOfItem(atPath: file)
      guard facts[.type] as? FileAttributeType == .typeRegular else { continue }
      let bytes = manager.contents(atPath: file) ?? Data()
      files[path] = "\(facts[.modificationDate] ?? "") \(bytes.hashValue)"
    }
    return files
  }
}

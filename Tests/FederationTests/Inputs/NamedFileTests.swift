import Base
import Client
import Data
import Federation
import Fixtures
import Foundation
import Scenario
import Studies
import Testing

/// Files that a user names: what they are, how large, and in which encoding.
@Suite("Named files")
struct NamedFileTests {
  @Test("devices, pipes and sockets are refused at once, not read and not waited for")
  func special() throws {
    let folder = try ScratchFolder()
    #expect(mkfifo(folder.at("pipe"), 0o600) == 0)
    for path in ["/dev/zero", "/dev/null", folder.at("pipe")] {
      expectDataFailure("E4002", ["not a regular file", path]) {
        _ = try FileReader.bytes(of: path)
      }
      expectDataFailure("E4002", [path]) { _ = try FileReader.scenario(path) }
      expectDataFailure("E4002", [path]) { _ = try AvailabilityTrace(path: path, clients: 2) }
      var settings = SystemSettings()
      settings.compute = .table(path: path)
      expectDataFailure("E4002", [path]) { _ = try SystemFiles(settings, clients: 2) }
      let pool = Pool(kept: [0, 1], labelOf: [0, 1], classes: 2, clients: 1, seed: 1)
      expectDataFailure("E4002", [path]) { _ = try pool.file(path, trainingImages: 2) }
    }
  }

  @Test("a file of more bytes than its kind can need is refused before it is read")
  func sizes()
    throws
  {
    let folder = try ScratchFolder()
    let path = try folder.write("huge.json", [])
    // A hole: the file system says 200 GB and keeps none of them.
    #expect(truncate(path, 200_000_000_000) == 0)
    expectDataFailure("E4011", ["huge.json"]) { _ = try FileReader.scenario(path) }
    expectDataFailure("E4011", ["huge.json"]) { _ = try FileReader.bytes(of: path) }
    #expect(truncate(path, 70_000_000) == 0)
    expectDataFailure("E4011", ["67108864 bytes"]) { _ = try FileReader.scenario(path) }
  }

  private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// A text as UTF-16 with its mark.
  private func utf16(_ text: String) -> [UInt8] {
    [0xFF, 0xFE] + text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
  }

  @Test("a byte-order mark of UTF-8 is passed over in every text, UTF-16 is named")
  func encodings()
    throws
  {
    let folder = try ScratchFolder()
    func marked(_ name: String, _ text: String) throws -> String {
      try folder.write(name, Self.mark + Array(text.utf8))
    }
    func wide(_ name: String, _ text: String) throws -> String {
      try folder.write(name, utf16(text))
    }
    let trace = "client,from,to\n0,1,2\n"
    #expect(try AvailabilityTrace(path: marked("t.csv", trace), clients: 1).opening(after: 0) == 1)
    expectDataFailure("E4006", ["UTF-16", "iconv"]) {
      _ = try AvailabilityTrace(path: wide("t16.csv", trace), clients: 1)
    }
    var settings = SystemSettings()
    settings.compute = .table(path: try marked("s.txt", "# speeds\r\n5\r\n2 kFLOP/s\r\n"))
    #expect(try SystemFiles(settings, clients: 2).speeds == [5, 2000])
    settings.compute = .table(path: try wide("s16.txt", "5\n"))
    expectDataFailure("E4006", ["UTF-16"]) { _ = try SystemFiles(settings, clients: 1) }

    let pool = Pool(kept: [0, 1], labelOf: [0, 1], classes: 2, clients: 1, seed: 1)
    let partition = #"{"clients": [[1, 0]]}"#
    #expect(try pool.file(marked("p.json", partition), trainingImages: 2) == [[1, 0]])
    expectDataFailure("E4006", ["UTF-16"]) {
      _ = try pool.file(wide("p16.json", partition), trainingImages: 2)
    }
    let leaf = #"{"users":["a"],"num_samples":[2],"user_data":{"a":{"x":[[1],[2]],"y":[0,1]}}}"#
    for part in ["train", "test"] { _ = try marked("leaf/\(part)/all.json", leaf) }
    let data = try DatasetReader.load(.leaf(path: folder.at("leaf")))
    #expect(data.train.labels == [0, 1])
    _ = try wide("leaf/train/all.json", leaf)
    expectDataFailure("E4006", ["UTF-16"]) {
      _ = try DatasetReader.load(.leaf(path: folder.at("leaf")))
    }
  }

  @Test("scenarios and sweeps with a mark are read; UTF-16 and UTF-32 are named, with or without")
  func scenarios() throws {
    let text = #"{ "fedsim": 1, "data": { "dataset": "synthetic" }, "strategies": [] }"#
    func first(_ bytes: [UInt8]) -> String? {
      ScenarioReader().read(bytes: bytes, file: "s.json").errors.first?.message
    }
    let plain = first(Array(text.utf8))
    #expect(plain != nil && first(Self.mark + Array(text.utf8)) == plain)
    #expect(first(utf16(text))?.contains("UTF-16") == true)
    #expect(first(Array(utf16(text).dropFirst(2)))?.contains("UTF-16") == true)
    let wide: [UInt8] = text.utf8.flatMap { [$0, 0, 0, 0] as [UInt8] }
    #expect(first(wide)?.contains("UTF-32") == true)
    #expect(first([0xFF, 0xFE, 0, 0] + wide)?.contains("UTF-32") == true)
    let sweep = SweepReader().read(bytes: Self.mark + Array("{}".utf8), file: "s.json") {
      (path) throws(Failure) in (path, [])
    }
    #expect(sweep.problems.allSatisfy { $0.code != "E3001" })
  }

  @Test("a number in quotes is suggested only where JSON has such a number")
  func suggestions()
    throws
  {
    for (text, meant) in [
      ("0.5", "0.5"), ("1e-2", "1e-2"), ("inf", nil), ("nan", nil), ("0x10", "16"), ("+2", "2"),
    ] as [(String, String?)] {
      let scenario = """
        { "fedsim": 1, "data": { "dataset": "synthetic" }, "strategies": [ { "kind": "fedavg" } ],
          "client": { "optimizer": { "kind": "sgd", "learningRate": "\(text)" } } }
        """
      let problems = ScenarioReader().read(bytes: Array(scenario.utf8), file: "s.json").errors
      let problem = try #require(problems.first { $0.path.hasSuffix("learningRate") })
      #expect(problem.suggestion == meant, "\(text)")
    }
  }
}

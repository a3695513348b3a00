import Base
import Federation
import Fixtures
import Foundation
import Testing

@Suite("TensorBoard files of runs")
struct EventFileTests {
  static let file = "tensorboard/events.out.tfevents.0.fedsim"

  private func fixture(_ output: String? = nil) throws -> RunFixture {
    try RunFixture {
      $0.strategies = ["fedavg", "fedper"].map { ScenarioText.strategy($0) }
      $0.federation = #"{ "clients": 3, "rounds": 5, "participation": 0.67 }"#
      $0.evaluation = #"{ "every": 2 }"#
      if let output { $0.output = output }
    }
  }

  /// Every number below a value, by its path; null counts as a number.
  private func numbers(_ json: JSON, _ path: [String] = []) -> [String: Double?] {
    if let members = json.members {
      return members.reduce(into: [:]) { all, member in
        all.merge(numbers(member.value, path + [member.key])) { $1 }
      }
    }
    if json.double == nil, !json.isNull { return [:] }
    return [path.joined(separator: "."): json.double]
  }

  @Test("hold every number of rounds.jsonl, and clients.csv as histograms")
  func content() throws {
    let fixture = try fixture()
    try fixture.run("out")
    for run in ["fedavg-s1", "fedper-s1"] {
      let events = try EventReader.events(try fixture.bytes("out/\(run)/\(Self.file)"))
      #expect(events.map(\.version) == ["brain.Event:2", nil, nil, nil, nil, nil])
      let rounds = try fixture.rounds("out/\(run)")
      #expect(events.dropFirst().map(\.step) == [1, 2, 3, 4, 5])
      var seconds = 0.0
      for (event, round) in zip(events.dropFirst(), rounds) {
        var expected = numbers(round)
        expected["round"] = nil
        #expect(Set(event.scalars.keys) == Set(expected.keys))
        for (tag, value) in expected {
          let scalar = try #require(event.scalar(tag))
          if let value { #expect(scalar == Float(value)) } else { #expect(scalar.isNaN) }
        }
        seconds += round["time"]?["wall"]?.double ?? .nan
        #expect(event.time == seconds)
        let rows = try fixture.lines("out/\(run)/clients.csv").dropFirst().map {
          $0.split(separator: ",", omittingEmptySubsequences: false)
        }.filter { $0[0] == "\(event.step)" }.compactMap { Double($0[4]) }
        let histogram = event.histograms["clients.accuracy"]
        #expect((histogram == nil) == rows.isEmpty)
        #expect(histogram?.count ?? 0 == Double(rows.count))
        #expect(histogram?.sum ?? 0 == rows.reduce(0, +))
        #expect(histogram?.counts.reduce(0, +) ?? 0 == Double(rows.count))
      }
      #expect(events.contains { $0.histograms["clients.accuracy"] != nil })
      #expect(events.contains { $0.histograms["personal.perClass"] != nil })
    }
  }

  @Test(
    "a file that is torn, missing, too long or of another run is the right one after a resume",
    arguments: ["torn", "missing", "long", "other"])
  func repaired(_ damage: String) throws {
    let fixture = try fixture()
    try fixture.run("out")
    let whole = try fixture.bytes("out/fedavg-s1/\(Self.file)")
    let name = "out/fedavg-s1/\(Self.file)"
    switch damage {
    case "torn": try fixture.folder.write(name, Array(whole.dropLast(5)))
    case "missing": try removeFile(fixture.folder.at(name))
    case "long": try fixture.folder.write(name, whole + whole.prefix(40))
    default: try fixture.copy("out/fedper-s1/\(Self.file)", to: name)
    }
    #expect(try fixture.run("out", continues: true).exit == .done)
    #expect(try fixture.bytes(name) == whole)
  }

  @Test("going on appends to the rounds that are kept, in the file that is there")
  func appended()
    throws
  {
    let fixture = try fixture()
    try fixture.run("out", stopAfter: 3)
    let name = "out/fedavg-s1/\(Self.file)"
    let before = try fixture.bytes(name)
    #expect(try EventReader.events(before).count == 4)
    // As a kill in the fourth round leaves it: a line that is not in the trace.
    let open = try FileHandle(forWritingTo: URL(filePath: fixture.folder.at(name)))
    try open.seekToEnd()
    try open.write(contentsOf: before.suffix(30))
    let place = try inode(fixture.folder.at(name))
    #expect(try fixture.run("out", continues: true).exit == .done)
    let after = try fixture.bytes(name)
    #expect(after.starts(with: before))
    #expect(try EventReader.events(after).map(\.step) == [0, 1, 2, 3, 4, 5])
    #expect(try inode(fixture.folder.at(name)) == place)
  }

  private func inode(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
  }

  @Test("can be left out")
  func none() throws {
    let fixture = try fixture(#"{ "tensorboard": false }"#)
    try fixture.run("out")
    #expect(try !fixture.files("out").contains { $0.contains("tensorboard") })
  }
}

import Aggregation
import Base
import Fixtures
import Foundation
import Records
import Report
import Scenario
import Synchronization
import Testing

@testable import Federation

@Suite("Going on with an experiment")
struct ResumeTests {
  static let kinds = StrategyRegistry.infos.map(\.kind)

  private final class Counter: Sendable { let count = Atomic<Int>(0) }

  /// Six rounds, a checkpoint every two.
  private func fixture(_ kinds: [String]) throws -> RunFixture {
    try RunFixture {
      $0.strategies = kinds.map { ScenarioText.registered($0) }
      $0.federation = #"{ "clients": 3, "rounds": 6, "participation": 0.67 }"#
      $0.evaluation = #"{ "every": 2 }"#
      $0.order = "shuffled"
      $0.optimizer = ScenarioText.Optimizers.momentum
    }
  }

  /// Expects two folders with the same files and the same bytes, but for wall times and machines.
  private func expectEqual(
    _ fixture: RunFixture, _ a: String, _ b: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let names = try fixture.files(a)
    #expect(try fixture.files(b) == names, sourceLocation: sourceLocation)
    for name in names {
      // Times of day, of rounds and of whole runs.
      if ["environment.json", "report.html", "summary.json", "results.csv", ".lock"].contains(name)
      {
        continue
      }
      // The record of tables knows the times in one of them.
      if name.hasSuffix("tables.json") { continue }
      if name.hasSuffix("rounds.jsonl") {
        let run = name.split(separator: "/").dropLast().joined(separator: "/")
        #expect(
          try timeless(fixture.rounds("\(a)/\(run)")) == timeless(fixture.rounds("\(b)/\(run)")),
          "\(name)", sourceLocation: sourceLocation)
      } else if name.contains("tfevents") {
        let events = try [a, b].map {
          try EventReader.events(fixture.bytes("\($0)/\(name)")).map(timeless)
        }
        #expect(events[0] == events[1], "\(name)", sourceLocation: sourceLocation)
      } else {
        #expect(
          try fixture.bytes("\(a)/\(name)") == fixture.bytes("\(b)/\(name)"), "\(name)",
          sourceLocation: sourceLocation)
      }
    }
  }

  private func timeless(_ rounds: [JSON]) -> [String] {
    rounds.map { round in
      var copy = round
      copy["time"] = nil
      return copy.compact
    }
  }

  private func timeless(_ event: EventReader.Event) -> EventReader.Event {
    var copy = event
    copy.time = 0
    copy.scalars["time.wall"] = nil
    return copy
  }

  @Test(
    "a run that is interrupted and resumed leaves the same bytes as one that never stopped",
    arguments: kinds, [1, 3, 4])
  func interrupted(_ kind: String, _ stop: Int) throws {
    let fixture = try fixture([kind])
    try fixture.run("whole")
    let first = try fixture.run("cut", stopAfter: stop)
    #expect(first.exit == .interrupted)
    #expect(first.troubles.count == 1)
    #expect(try fixture.rounds("cut/\(kind)-s1").count == stop)
    #expect(!fixture.exists("cut/\(kind)-s1/final"))
    // The report of the part that is there.
    #expect(fixture.exists("cut/report.html"))
    let second = try fixture.run("cut", threads: 2, continues: true)
    #expect(second.exit == .done)
    #expect(second.results.first?.runs.first?.records.count == 6)
    try expectEqual(fixture, "whole", "cut")
  }

  @Test("an experiment stopped in its second run keeps the first and its reference")
  func secondRun() throws {
    let fixture = try fixture(["fedavg", "local-only", "fedper"])
    try fixture.run("whole")
    #expect(try fixture.run("cut", stopAfter: 9).exit == .interrupted)
    #expect(try fixture.run("cut", stopAfter: 4, continues: true).exit == .interrupted)
    #expect(try fixture.run("cut", continues: true).exit == .done)
    try expectEqual(fixture, "whole", "cut")
  }

  @Test("a resume that runs nothing leaves environment.json alone; one that runs writes it")
  func provenance() throws {
    let fixture = try fixture(["fedavg", "fedper"])
    #expect(try fixture.run("cut", stopAfter: 3).exit == .interrupted)
    let begun = try fixture.bytes("cut/environment.json")
    #expect(try fixture.run("cut", threads: 2, continues: true).exit == .done)
    let done = try fixture.bytes("cut/environment.json")
    #expect(done != begun)
    #expect(try JSON(parsing: done)["threads"]?.int == 2)
    #expect(try fixture.run("cut", threads: 3, continues: true).exit == .done)
    #expect(try fixture.bytes("cut/environment.json") == done)
    // A run whose checkpoint is lost is made again, and that is noted.
    try removeFile(fixture.folder.at("cut/fedper-s1/checkpoints/last.safetensors"))
    #expect(try fixture.run("cut", threads: 3, continues: true).exit == .done)
    #expect(
      try JSON(parsing: fixture.bytes("cut/environment.json"))["threads"]?.int == 3)
  }

  @Test("progress goes on where an earlier process stopped: bytes, accuracy and all")
  func progress() throws {
    let fixture = try fixture(["fedavg"])
    func states(_ folder: String, stopAfter: Int? = nil, continues: Bool = false) throws
      -> [ProgressState]
    {
      var states: [ProgressState] = []
      try fixture.run(folder, stopAfter: stopAfter, continues: continues) { state, _ in
        states.append(state)
      }
      return states
    }
    let whole = try states("whole")
    let cut = try states("cut", stopAfter: 3) + states("cut", continues: true)
    #expect(cut == whole)
    #expect(cut.last?.bytesUp ?? 0 > cut.first?.bytesUp ?? 0)
  }

  @Test("lines after the last checkpoint, torn ones too, are written anew after a kill")
  func killed() throws {
    let fixture = try fixture(["scaffold"])
    try fixture.run("whole")
    try fixture.run("cut", stopAfter: 4)
    // As a process leaves it that is killed in round 6: lines are there, the checkpoint is old.
    for name in ["rounds.jsonl", "classes.csv", "clients.csv", "messages.csv", "digest.txt"] {
      try fixture.continueTable("cut/scaffold-s1/\(name)", as: "whole/scaffold-s1/\(name)")
    }
    #expect(try fixture.run("cut", continues: true).exit == .done)
    try expectEqual(fixture, "whole", "cut")
  }

  @Test("a checkpoint that the record of tables does not reach is refused")
  func mismatched() throws {
    let fixture = try fixture(["fedavgm"])
    try fixture.run("whole")
    try fixture.run("cut", stopAfter: 2)
    // As if tables had been put back from an older copy: the tensors are those of a later round.
    try fixture.copy(
      "whole/fedavgm-s1/checkpoints/last.safetensors",
      to: "cut/fedavgm-s1/checkpoints/last.safetensors")
    expectFailure(.dataMissingOrCorrupt, "E4122", ["round 6", "cut/fedavgm-s1"]) {
      try fixture.run("cut", continues: true)
    }
    // What the hint says is possible.
    try FileManager.default.removeItem(atPath: fixture.folder.at("cut/fedavgm-s1"))
    #expect(try fixture.run("cut", continues: true).exit == .done)
    try expectEqual(fixture, "whole", "cut")
  }

  @Test("a run that was killed between its record and its checkpoint goes on from the older one")
  func between() throws {
    let fixture = try fixture(["scaffold"])
    try fixture.run("whole")
    try fixture.run("cut", stopAfter: 2)
    let old = try fixture.bytes("cut/scaffold-s1/checkpoints/last.safetensors")
    #expect(try fixture.run("cut", stopAfter: 2, continues: true).exit == .interrupted)
    try fixture.folder.write("cut/scaffold-s1/checkpoints/last.safetensors", old)
    let result = try fixture.run("cut", continues: true)
    #expect(result.exit == .done && result.notes.isEmpty)
    try expectEqual(fixture, "whole", "cut")
    // Before the first checkpoint there is none.
    try fixture.run("none", stopAfter: 2)
    try removeFile(fixture.folder.at("none/scaffold-s1/checkpoints/last.safetensors"))
    let again = try fixture.run("none", continues: true)
    #expect(again.exit == .done)
    #expect(again.notes.count == 1 && again.notes[0].contains("2 rounds"))
    try expectEqual(fixture, "whole", "none")
  }

  @Test(
    "a long round is left when somebody asks, and goes on as if it had never begun",
    arguments: ["scaffold", "fedavg-ft", "fedbuff"], [0, 7, 25])
  func left(
    _ kind: String, _ batches: Int
  ) throws {
    let fixture = try fixture([kind])
    try fixture.run("whole")
    let asked = Counter()
    let first = try fixture.experiment.run(
      in: fixture.folder.at("cut"), source: fixture.source, threads: 2,
      interruption: { asked.count.load(ordering: .relaxed) > batches ? .terminated : nil },
      leaves: { asked.count.wrappingAdd(1, ordering: .relaxed).oldValue >= batches }, patience: 0,
      page: RunReport.writePage, report: { _, _ in })
    #expect(first.exit == .terminated)
    #expect(first.troubles.count == 1)
    let records = try fixture.lines("cut/\(kind)-s1/rounds.jsonl").count
    #expect(records < 6)
    let checkpoint = fixture.exists("cut/\(kind)-s1/checkpoints/last.safetensors")
    #expect(checkpoint == (records > 0))
    #expect(try fixture.run("cut", continues: true).notes.isEmpty)
    try expectEqual(fixture, "whole", "cut")
  }

  @Test("a finished experiment that is continued changes nothing")
  func finished() throws {
    let fixture = try fixture(["fedavg", "local-only"])
    try fixture.run("whole")
    try fixture.run("again")
    var rounds = 0
    let result = try fixture.run("again", continues: true) { _, _ in rounds += 1 }
    #expect(result.exit == .done)
    #expect(rounds == 0)
    try expectEqual(fixture, "whole", "again")
  }

  @Test("a folder that is in use, not empty, or another scenario's is refused with exit 9")
  func refused() throws {
    let fixture = try fixture(["fedavg"])
    var tried = 0
    try fixture.run("out") { _, _ in
      tried += 1
      expectFailure(.folderInUse, "E9001") { try fixture.run("out", continues: true) }
      expectFailure(.folderInUse, "E9003") { try fixture.run("out") }
    }
    #expect(tried == 6)
    let before = try fixture.files("out").map { try fixture.bytes("out/" + $0) }
    expectFailure(.folderInUse, "E9003") { try fixture.run("out") }
    let reading = try fixture.text.reading()
    let other = ScenarioSource(
      bytes: [], overrides: [], resolved: try #require(reading.resolved), hash: "0123456789abcdef",
      command: "")
    expectFailure(.folderInUse, "E9002") {
      _ = try fixture.experiment.run(
        in: fixture.folder.at("out"), source: other, threads: 1, continues: true,
        page: RunReport.writePage, report: { _, _ in })
    }
    #expect(try fixture.files("out").map { try fixture.bytes("out/" + $0) } == before)
  }

  @Test("a checkpoint of another scenario or another run is refused, a broken one named")
  func checkpoints() throws {
    let folder = try ScratchFolder()
    var server = ServerState(model: [1, -0.0, .leastNonzeroMagnitude])
    server.memory["u"] = [3]
    var memory = ClientMemory()
    memory["head/with a slash"] = [4, 5]
    memory["empty"] = []
    let state = Checkpoint(round: 7, digest: 0xAB, server: server, memories: [12: memory])
    try state.write(to: folder.path, scenarioHash: "s", run: "r")
    #expect(try Checkpoint.read(from: folder.path, scenarioHash: "s", run: "r") == state)
    for (hash, run) in [("s", "other"), ("other", "r")] {
      expectFailure(.folderInUse, "E9002") {
        _ = try Checkpoint.read(from: folder.path, scenarioHash: hash, run: run)
      }
    }
    let whole = try FileReader.bytes(of: folder.at("last.safetensors"))
    // The last byte is a value, the first one the header's length.
    for damage in [whole.count - 1, 0] {
      var bytes = whole
      bytes[damage] ^= 1
      try AtomicFile.write(bytes, to: folder.at("last.safetensors"))
      expectFailure(.dataMissingOrCorrupt, "E4090", ["last.safetensors"]) {
        _ = try Checkpoint.read(from: folder.path, scenarioHash: "s", run: "r")
      }
    }
    let empty = try ScratchFolder()
    #expect(try Checkpoint.read(from: empty.path, scenarioHash: "s", run: "r") == nil)
  }

  @Test("data that are missing are reported before anything is written")
  func missingData() throws {
    let folder = try ScratchFolder()
    let path = folder.at("nowhere")
    let json = """
      { "fedsim": 1, "data": { "dataset": { "kind": "cifar10", "path": "\(path)" } },
        "strategies": [{ "kind": "fedavg" }] }
      """
    let reading = ScenarioReader().read(bytes: Array(json.utf8), file: "x.json")
    let scenario = try #require(reading.scenario)
    let thrown = #expect(throws: Failure.self) { _ = try Experiment(scenario) }
    #expect(thrown?.exit == .dataMissingOrCorrupt)
    #expect(thrown?.message.contains(path) == true)
  }
}

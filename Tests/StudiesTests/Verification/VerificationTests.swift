import Base
import Federation
import Fixtures
import Studies
import Testing

@Suite("Verifying run folders")
struct VerificationTests {
  private func fixture(_ change: (inout ScenarioText) -> Void = { _ in }) throws -> RunFixture {
    try RunFixture {
      $0.strategies = ["local-only", "scaffold", "fedrep"].map { ScenarioText.registered($0) }
      $0.federation = #"{ "clients": 3, "rounds": 6, "participation": 0.67 }"#
      $0.output = #"{ "checkpointEvery": 2, "keepCheckpoints": 2 }"#
      $0.order = "shuffled"
      change(&$0)
    }
  }

  private func verify(_ fixture: RunFixture, _ rounds: ClosedRange<Int>? = nil, threads: Int = 2)
    throws -> [Verification]
  {
    try fixture.experiment.verify(
      fixture.folder.at("out"), rounds: rounds, scenarioHash: fixture.source.hash, threads: threads,
      report: { _ in })
  }

  @Test("a folder is what its scenario gives, for any number of threads")
  func same() throws {
    let fixture = try fixture()
    try fixture.run("out", threads: 1)
    let before = try fixture.files("out").map { try fixture.bytes("out/\($0)") }
    let results = try verify(fixture, threads: 3)
    #expect(results.map(\.label) == ["local-only", "scaffold", "fedrep"])
    #expect(results.allSatisfy { $0.compared == 6 && $0.start == 1 && $0.mismatch == nil })
    #expect(try fixture.files("out").map { try fixture.bytes("out/\($0)") } == before)
  }

  @Test("a range starts at the newest checkpoint before it")
  func range() throws {
    let fixture = try fixture()
    try fixture.run("out")
    // Of rounds 2, 4 and 6 the last two stay.
    for (range, start, count) in [(5...6, 5, 2), (6...6, 5, 1), (4...5, 1, 2), (7...9, 7, 0)] {
      let results = try verify(fixture, range)
      #expect(results.allSatisfy { $0.start == start }, "\(range)")
      #expect(results.allSatisfy { $0.compared == count && $0.mismatch == nil }, "\(range)")
    }
  }

  @Test("a changed digest or number is found, with its round and path")
  func changed() throws {
    let fixture = try fixture()
    try fixture.run("out")
    let file = "out/scaffold-s1/rounds.jsonl"
    let lines = try fixture.rounds("out/scaffold-s1")
    func write(_ change: (inout JSON) -> Void) throws {
      var all = lines
      change(&all[3])
      let text = all.map { $0.compact + "\n" }.joined()
      try fixture.folder.write(file, Array(text.utf8))
    }
    try write { $0["digest"] = "0123456789abcdef" }
    var found = try verify(fixture)
    #expect(found.map { $0.mismatch?.round } == [nil, 4, nil])
    #expect(found[1].mismatch?.path == "digest")
    #expect(found[1].mismatch?.recorded == "\"0123456789abcdef\"")
    try write { $0["bytes"] = ["up": 1, "down": 2] }
    found = try verify(fixture)
    #expect(found[1].mismatch?.path == "bytes.up" && found[1].mismatch?.recorded == "1")
    // How long it took is not repeated, but it is not what was written.
    try write { $0["time"] = ["wall": 1e6] }
    found = try verify(fixture)
    #expect(found.map { $0.mismatch?.path } == [nil, "tables.json", nil])
  }

  @Test("a folder that another process has is left alone")
  func inUse() throws {
    let fixture = try fixture()
    try fixture.run("out")
    let lock = try FolderLock(fixture.folder.at("out"))
    expectFailure(.folderInUse, "E9001") { _ = try verify(fixture) }
    withExtendedLifetime(lock) {}
  }

  @Test("a checkpoint of another version is refused by name, what is none as damaged")
  func versions() throws {
    let fixture = try fixture()
    try fixture.run("out", stopAfter: 8)
    let path = "out/scaffold-s1/checkpoints/last.safetensors"
    let bytes = try fixture.bytes(path)
    func replace(_ text: String) throws {
      let old = Array("fedsim-checkpoint-2".utf8)
      var changed = bytes
      let place = try #require(changed.indices.first { changed[$0...].starts(with: old) })
      changed.replaceSubrange(place..<place + old.count, with: Array(text.utf8))
      try fixture.folder.write(path, changed)
    }
    try replace("fedsim-checkpoint-9")
    expectFailure(.dataMissingOrCorrupt, "E4091", ["fedsim-checkpoint-9", "fedsim-checkpoint-2"]) {
      _ = try fixture.run("out", continues: true)
    }
    try replace("something-different")
    expectFailure(.dataMissingOrCorrupt, "E4090", ["no checkpoint"]) {
      _ = try fixture.run("out", continues: true)
    }
  }

  @Test("a power cut between writing and renaming leaves nothing behind a resume")
  func leftovers()
    throws
  {
    let fixture = try fixture()
    try fixture.run("whole")
    try fixture.run("out", stopAfter: 9)
    for name in ["checkpoints/.last.safetensors.4711.tmp", "final/.generic.safetensors.1.tmp"] {
      try fixture.folder.write("out/scaffold-s1/\(name)", [1, 2, 3])
    }
    try fixture.run("out", continues: true)
    #expect(try fixture.files("out") == fixture.files("whole"))
  }
}

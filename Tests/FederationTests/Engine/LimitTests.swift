import Base
import Federation
import Fixtures
import Scenario
import Report
import Testing

@Suite("Limits of time, memory and disk")
struct LimitTests {
  /// Seconds and bytes that a test sets.
  private final class Machine {
    var seconds = 1000.0
    var bytes = 0
  }

  private func watch(
    _ machine: Machine, folder: String = "/nonexistent", pending: Int = 0,
    _ change: (inout LimitSettings) -> Void
  ) -> LimitWatch {
    var limits = LimitSettings()
    change(&limits)
    return LimitWatch(
      limits, folder: folder, pending: pending, now: { machine.seconds }, memory: { machine.bytes })
  }

  @Test("time stops a run while the longest round still fits")
  func time() {
    let machine = Machine()
    let watch = watch(machine) { $0.wallTime = 10 }
    for (length, stops) in [(3.0, false), (1, false), (2, false), (1.5, true)] {
      machine.seconds += length
      // Behind 3, 4, 6 and 7.5 seconds; a round takes up to 3.
      #expect(watch.isReached() == stops, "\(machine.seconds)")
    }
    #expect(watch.reason?.contains("limits.wallTime 0:00:10") == true)
  }

  @Test("memory stops it when it was passed")
  func memory() {
    let machine = Machine()
    let watch = watch(machine) { $0.memory = 2_000_000 }
    machine.bytes = 2_000_000
    #expect(!watch.isReached())
    machine.bytes += 1
    #expect(watch.isReached())
    #expect(watch.reason?.contains("limits.memory") == true)
  }

  @Test("disk counts what is still to come, and is looked at every two seconds")
  func disk() throws {
    let folder = try ScratchFolder()
    try folder.write("a/b", [UInt8](repeating: 0, count: 700))
    let machine = Machine()
    let watch = watch(machine, folder: folder.at(""), pending: 200) { $0.disk = 1000 }
    #expect(!watch.isReached())
    try folder.write("c", [UInt8](repeating: 0, count: 101))
    machine.seconds += 1.9
    #expect(!watch.isReached())
    machine.seconds += 0.1
    #expect(watch.isReached())
  }

  @Test("a run stopped by a limit has exit 6 and a checkpoint, and goes on without it")
  func run()
    throws
  {
    let free = try RunFixture {
      $0.strategies = ["fedavgm", "fedper"].map { ScenarioText.strategy($0) }
      $0.federation = #"{ "clients": 3, "rounds": 4 }"#
    }
    var text = free.text
    text.limits = #"{ "wallTime": 1e-9 }"#
    let reading = try text.reading()
    let bound = try Experiment(try #require(reading.scenario), data: free.data)
    let source = ScenarioSource(
      bytes: Array(text.json.utf8), overrides: [], resolved: try #require(reading.resolved),
      hash: try #require(reading.hash), command: "")
    // Limits are no part of what a folder belongs to.
    #expect(free.source.hash == source.hash)
    try free.run("whole")
    let result = try bound.run(
      in: free.folder.at("cut"), source: source, threads: 1, page: RunReport.writePage,
      report: { _, _ in })
    #expect(result.exit == .limitReached)
    #expect(result.troubles.first?.contains("limits.wallTime") == true)
    #expect(result.troubles.first?.contains("checkpoint written") == true)
    #expect(try free.rounds("cut/fedavgm-s1").count == 1)
    #expect(free.exists("cut/fedavgm-s1/checkpoints/last.safetensors"))
    #expect(try free.run("cut", continues: true).exit == .done)
    for run in ["fedavgm-s1", "fedper-s1"] {
      #expect(try free.bytes("cut/\(run)/digest.txt") == free.bytes("whole/\(run)/digest.txt"))
    }
  }

  @Test("a limit that the arithmetic passes stops a run before anything is written")
  func before()
    throws
  {
    let fixture = try RunFixture { $0.limits = #"{ "memory": "1 kB" }"# }
    expectFailure(.limitReached, "E6001", ["limits.memory 1000 B"]) { try fixture.run("out") }
    #expect(!fixture.exists("out"))
  }
}

import Base
import Federation
import Fixtures
import Records
import TestSupport
import Testing

@Suite("The clock in a run's folder")
struct ClockFilesTests {
  private func fixture(_ kind: String) throws -> RunFixture {
    try RunFixture {
      $0.strategies = [ScenarioText.strategy(kind)]
      $0.federation = #"{ "clients": 3, "rounds": 6, "perRound": 2 }"#
      $0.order = "shuffled"
      $0.system = """
        { "compute": { "kind": "lognormal", "speed": 20000, "sigma": 1 }, "dropout": 0.2,
          "energy": { "computeWatts": 2, "sendWatts": 3, "receiveWatts": 5 },
          "cost": { "perGigabyteUp": 1e6, "perGigabyteDown": 1e3, "perDeviceHour": 7 } }
        """
    }
  }

  @Test(
    "events, times and energies are the same after a stop, a kill and a resume",
    arguments: ["fedavg", "fedbuff", "fedasync"])
  func resume(_ kind: String) throws {
    let fixture = try fixture(kind)
    try fixture.run("whole")
    try fixture.run("cut", stopAfter: 4)
    let run = "\(kind)-s1"
    // As a process leaves it that is killed in a later round.
    for name in ["events.jsonl", "rounds.jsonl"] {
      try fixture.continueTable("cut/\(run)/\(name)", as: "whole/\(run)/\(name)")
    }
    #expect(try fixture.run("cut", threads: 2, continues: true).exit == .done)
    #expect(
      try fixture.bytes("cut/\(run)/events.jsonl") == fixture.bytes("whole/\(run)/events.jsonl"))
    #expect(try fixture.bytes("cut/\(run)/digest.txt") == fixture.bytes("whole/\(run)/digest.txt"))
    let pairs = zip(try fixture.rounds("whole/\(run)"), try fixture.rounds("cut/\(run)"))
    for (a, b) in pairs {
      for key in ["clock", "energy", "cost", "train", "sampled"] { #expect(a[key] == b[key]) }
      #expect(a["time"]?["virtual"]?.double == b["time"]?["virtual"]?.double)
    }
  }

  @Test("a record has what its events, bytes and prices make")
  func record() throws {
    let fixture = try fixture("fedavg")
    try fixture.run("out")
    let rounds = try fixture.rounds("out/fedavg-s1")
    let events = try fixture.lines("out/fedavg-s1/events.jsonl").map {
      try JSON(parsing: Array($0.utf8))
    }
    var last = 0.0
    var dropped = 0
    for json in rounds {
      let record = try #require(RoundRecord(json))
      #expect(record.json.compact == json.compact)
      let clock = try #require(record.clock)
      dropped += clock.dropped.count
      let own = events.filter { $0["round"]?.int == record.round }
      let arrivals = own.filter { $0["kind"]?.text == "arrive" }.compactMap { $0["client"]?.int }
      #expect(arrivals.sorted() == clock.completed)
      let time = try #require(record.time.virtual)
      #expect(time > last)
      last = time
      let energy = try #require(record.energy)
      // Sending 10 and receiving 50 Mbit/s by default.
      expectClose(energy.send, 3 * Double(8 * record.bytes.up) / 10e6)
      expectClose(energy.receive, 5 * Double(8 * record.bytes.down) / 50e6)
      #expect(energy.compute > 0)
      expectClose(energy.joules, energy.compute + energy.send + energy.receive)
      let cost = try #require(record.cost)
      expectClose(cost.up, Double(record.bytes.up) / 1e3)
      expectClose(cost.down, Double(record.bytes.down) / 1e6)
      // Each message waits for its latency.
      let latencies = 0.04 * Double(2 * clock.completed.count + clock.dropped.count)
      let working = energy.compute / 2 + energy.send / 3 + energy.receive / 5 + latencies
      #expect(abs(cost.devices - 7 * working / 3600) < 1e-9 * cost.devices)
      expectClose(cost.total, cost.up + cost.down + cost.devices)
      let train = try #require(record.train)
      #expect(try #require(train.flops) > 0)
    }
    #expect(dropped > 0)
    #expect(events.count { $0["kind"]?.text == "drop" } == dropped)
  }

  @Test("without a clock there is no file of events, and no such key")
  func without() throws {
    let fixture = try RunFixture { _ in }
    try fixture.run("out")
    #expect(!fixture.exists("out/fedavg-s1/events.jsonl"))
    for json in try fixture.rounds("out/fedavg-s1") {
      for key in ["clock", "energy", "cost"] { #expect(json[key] == nil) }
      #expect(json["time"]?["virtual"] == nil)
      #expect(try #require(json["train"]?["flops"]?.double) > 0)
    }
  }
}

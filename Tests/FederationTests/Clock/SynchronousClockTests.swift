import Federation
import Fixtures
import Records
import Tensor
import TestSupport
import Testing

@Suite("Synchronous rounds on the clock")
struct SynchronousClockTests {
  /// Speeds of 1, 1/2 and 1/5 of 1 kFLOP/s; links that take a hundredth of a second per byte down.
  private static let devices = """
    "compute": { "kind": "table", "values": [1000, 500, 200] },
    "network": { "up": 400, "down": 800, "latency": 0.5 }
    """

  /// By hand: latency + down/100 + FLOPs/speed + latency + up/50, bytes per second.
  private func times(_ fixture: ClockFixture, _ speeds: [Double] = [1000, 500, 200]) throws
    -> [Double]
  {
    let (flops, bytes) = try fixture.work()
    return zip(fixture.sizes, speeds).map { size, speed in
      0.5 + Double(bytes) / 100 + Double(size * flops) / speed + 0.5 + Double(bytes) / 50
    }
  }

  @Test("a round lasts until its slowest client, and models are those without a clock")
  func plain()
    throws
  {
    let fixture = try ClockFixture(system: "{ \(Self.devices) }")
    let trial = try fixture.trial()
    let without = try ClockFixture(system: nil).trial()
    #expect(trial.digests == without.digests)
    #expect(trial.bytesUp == without.bytesUp)
    #expect(without.clock.allSatisfy { $0 == nil })
    let times = try times(fixture)
    let longest = try #require(times.max())
    for (index, clock) in trial.clock.enumerated() {
      let clock = try #require(clock)
      expectClose(clock.end, Double(index + 1) * longest)
      #expect(clock.completed.sorted() == [0, 1, 2])
      #expect(clock.dropped + clock.late + clock.lost == [])
    }
    // The first round, event by event.
    let events = try #require(trial.clock[0]).timeline
    #expect(events.map(\.kind) == [.start, .start, .start, .arrive, .arrive, .arrive, .step])
    let order = [0, 1, 2].sorted { times[$0] < times[$1] }
    #expect(events[3..<6].map(\.client) == order)
    for (event, client) in zip(events[3..<6], order) { expectClose(event.time, times[client]) }
    expectClose(events[6].time, longest)
    #expect(trial.flops == [Int](repeating: 20 * (try fixture.work().flops), count: 3))
    #expect(without.flops == trial.flops)
  }

  @Test("methods that look twice do more operations, and a frozen body fewer")
  func operations()
    throws
  {
    let fixture = try ClockFixture(
      strategies: ["fedavg", "moon", "linear-probe"].map { ScenarioText.strategy($0) }, system: nil
    ) { $0.model = #"{ "kind": "mlp", "hidden": [6, 5] }"# }
    let network = try fixture.experiment().network
    let flops = try (0..<3).map { try fixture.trial($0).flops[1] }
    #expect(flops[0] == 20 * network.trainingFLOPs)
    // From its second round on MOON compares with the model received and with its own last one.
    #expect(flops[1] > flops[0])
    #expect((flops[1] - flops[0]) % network.forwardFLOPs == 0)
    // The whole network forward, its classifier's weights backward.
    #expect(flops[2] == 20 * (network.forwardFLOPs + 2 * 5 * 3))
  }

  @Test("at the deadline the round ends without those who are late; shares are of those who came")
  func deadline() throws {
    let probe = try ClockFixture(system: "{ \(Self.devices) }")
    let times = try times(probe)
    let (sorted, slow) = (times.sorted(), times.firstIndex(of: times.max() ?? 0) ?? 0)
    let deadline = (sorted[1] + sorted[2]) / 2
    let fixture = try ClockFixture(system: #"{ \#(Self.devices), "deadline": \#(deadline) }"#) {
      $0.federation = #"{ "clients": 3, "rounds": 1 }"#
    }
    let trial = try fixture.trial()
    let clock = try #require(trial.clock[0])
    #expect(clock.late == [slow])
    #expect(clock.completed.sorted() == [0, 1, 2].filter { $0 != slow })
    #expect(clock.end == deadline)
    // All bytes count.
    #expect(trial.bytesUp == (try probe.trial()).bytesUp.prefix(1).map { $0 })
    #expect(clock.timeline.last?.kind == .late)
    expectClose(try #require(clock.timeline.last).time, times[slow])
    // The model is that of the other two alone, whose shares are their sizes'.
    let images = probe.partition.clients.enumerated().map { $0 == slow ? [] : $1 }
    let others = try PartitionFile(clients: images)
    var text = fixture.text
    (text.partition, text.system) = (others.json, nil)
    let expected = try text.experiment(fixture.data).trial()
    #expect(bits(trial.model) == bits(expected.model))
    #expect(trial.model != (try probe.trial()).model)
  }

  @Test("if nobody comes in time the round ends at the deadline and the model stays")
  func nobody()
    throws
  {
    let trial = try ClockFixture(system: #"{ \#(Self.devices), "deadline": 1.5 }"#).trial()
    #expect(trial.model == trial.initial)
    #expect(trial.clock.map { $0?.end } == [1.5, 3, 4.5])
    #expect(trial.clock.allSatisfy { $0?.late.count == 3 && $0?.completed == [] })
    #expect(trial.clock.allSatisfy { $0?.events.contains { $0.kind == .step } == false })
    #expect(trial.bytesUp.allSatisfy { $0 > 0 })
  }

  @Test("clients that were late keep what they learned")
  func memories() throws {
    let late = try ClockFixture(
      strategies: [ScenarioText.strategy("fedper")],
      system: #"{ \#(Self.devices), "deadline": 1.5 }"#
    ).trial()
    #expect(late.model == late.initial)
    #expect(late.clientMemories.keys.sorted() == [0, 1, 2])
  }

  @Test("stragglers make as many steps as fit, and no more")
  func partial() throws {
    let fast = #""compute": { "speed": 1000 }, "network": { "latency": 0 }"#
    var fixture = try ClockFixture(sizes: [24, 12, 12], system: nil) {
      $0.federation = #"{ "clients": 3, "rounds": 1 }"#
    }
    func trial(_ more: String, work: String = #"{ "epochs": 1 }"#) throws -> Trial {
      fixture.text.system = "{ \(fast) \(more) }"
      fixture.text.work = work
      return try fixture.trial()
    }
    let (flops, bytes) = try fixture.work()
    // Client 0 has six batches of 4, the others three; time for messages and three and a half.
    let messages = 8 * Double(bytes) * (1 / 10e6 + 1 / 50e6)
    let deadline = messages + 14 * Double(flops) / 1000
    let partial = try trial(#", "deadline": \#(deadline), "stragglers": "partial""#)
    let clock = try #require(partial.clock[0])
    #expect(clock.completed.sorted() == [0, 1, 2])
    #expect(partial.flops == [3 * 12 * flops])
    expectClose(clock.end, messages + 12 * Double(flops) / 1000)
    // It is the training that is cut short, not another one.
    let short = try trial("", work: #"{ "steps": 3 }"#)
    #expect(bits(partial.model) == bits(short.model))
    let dropped = try trial(#", "deadline": \#(deadline)"#)
    #expect(dropped.clock[0]?.late == [0])
    #expect(dropped.flops == [48 * flops])
    #expect(dropped.model != partial.model)
  }

  @Test("of more clients than a cohort the first to arrive are taken")
  func overSelection() throws {
    let sizes = [Int](repeating: 8, count: 12)
    let speeds = (0..<12).map { Double(100 + 10 * ((7 * $0) % 12)) }
    let fixture = try ClockFixture(
      sizes: sizes,
      system: """
        { "compute": { "kind": "table", "values": \(speeds) }, "overSelection": 2,
          "network": { "latency": 0 } }
        """
    ) { $0.federation = #"{ "clients": 12, "rounds": 4, "perRound": 4 }"# }
    let trial = try fixture.trial()
    let (flops, bytes) = try fixture.work()
    var start = 0.0
    for (round, clock) in trial.clock.enumerated() {
      let clock = try #require(clock)
      let cohort = trial.cohorts[round]
      #expect(cohort.count == 8)
      let order = cohort.sorted { speeds[$0] > speeds[$1] }
      #expect(clock.completed.sorted() == order.prefix(4).sorted())
      #expect(clock.late.sorted() == order.suffix(4).sorted())
      let slowest = speeds[order[3]]
      let messages = 8 * Double(bytes) * (1 / 10e6 + 1 / 50e6)
      start += messages + Double(8 * flops) / slowest
      expectClose(clock.end, start)
      #expect(trial.bytesUp[round] == 8 * bytes)
    }
  }

  @Test("who vanishes is counted down, costs time and sends nothing; who is lost is counted up")
  func coins() throws {
    let sizes = [Int](repeating: 8, count: 20)
    let fixture = try ClockFixture(
      sizes: sizes, system: #"{ "compute": { "speed": 1000 }, "dropout": 0.3, "loss": 0.2 }"#
    ) { $0.federation = #"{ "clients": 20, "rounds": 5 }"# }
    let trial = try fixture.trial()
    let (flops, bytes) = try fixture.work()
    var fates = [0, 0, 0]
    for (round, clock) in trial.clock.enumerated() {
      let clock = try #require(clock)
      let all = clock.completed + clock.dropped + clock.lost
      #expect(all.sorted() == Array(0..<20))
      #expect(clock.late.isEmpty)
      #expect(trial.bytesDown[round] == 20 * bytes)
      #expect(trial.bytesUp[round] == (20 - clock.dropped.count) * bytes)
      #expect(trial.flops[round] == 8 * flops * (20 - clock.dropped.count))
      fates[0] += clock.completed.count
      fates[1] += clock.dropped.count
      fates[2] += clock.lost.count
      // Where one comes later than it could, a drop is in the middle of its work.
      for event in clock.events where event.kind == .drop {
        let start = round == 0 ? 0 : trial.clock[round - 1]?.end ?? 0
        #expect(event.time > start)
        #expect(event.time < start + 0.04 + 8 * Double(bytes) / 50e6 + Double(8 * flops) / 1000)
      }
    }
    #expect(fates.allSatisfy { $0 > 5 }, "\(fates)")
    // The same coins without a method's help: another one meets the same fates.
    var text = fixture.text
    text.strategies = [ScenarioText.strategy("fedprox")]
    let other = try text.experiment(fixture.data).trial()
    #expect(other.clock.map { $0?.completed } == trial.clock.map { $0?.completed })
    #expect(other.model != trial.model)
  }

  @Test("a client whose window closes is dropped then; with nobody there time goes on")
  func trace()
    throws
  {
    let folder = try ScratchFolder()
    let base = #""compute": { "speed": 1000 }, "network": { "latency": 0 }"#
    let probe = try ClockFixture(system: "{ \(base) }")
    let first = try #require(probe.trial().clock[0]).end
    try folder.write(
      "trace.csv",
      text: "client,from,to\n0,10,1e9\n1,10,\(10 + first / 100)\n2,\(10 + first / 2),1e9\n")
    let trial = try ClockFixture(
      system:
        #"{ \#(base), "availability": { "kind": "trace", "path": "\#(folder.at("trace.csv"))" } }"#
    ).trial()
    #expect(trial.cohorts == [[0, 1], [0, 2], [0, 2]])
    let clock = try #require(trial.clock[0])
    #expect(clock.completed == [0])
    #expect(clock.dropped == [1])
    expectClose(clock.end, 10 + first)
    let drop = try #require(clock.timeline.first { $0.kind == .drop })
    expectClose(drop.time, 10 + first / 100)
    #expect(trial.bytesUp[0] * 2 == trial.bytesDown[0])
  }

  @Test(
    "digests, times and events are the same for any number of threads, and through a checkpoint",
    arguments: ["fedavg", "scaffold", "fedmd", "fedper"])
  func threads(_ kind: String) throws {
    let sizes = [9, 3, 14, 6, 5, 11, 8]
    let partition = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: partition.json)
    text.publicSet = ScenarioText.somePublic.json
    text.federation = #"{ "clients": 7, "rounds": 4, "participation": 0.7 }"#
    text.order = "shuffled"
    text.strategies = [ScenarioText.registered(kind)]
    text.system = """
      { "compute": { "kind": "lognormal", "speed": 20000, "sigma": 1 }, "deadline": "1 s",
        "network": { "latency": "1 ms", "sigma": 0.5 }, "stragglers": "partial",
        "availability": { "kind": "rate", "rate": 0.9 }, "overSelection": 1.3,
        "dropout": 0.1, "loss": 0.1 }
      """
    let images = sizes.reduce(0, +) + ScenarioText.somePublic.spareImages
    let experiment = try text.experiment(SmallImages.floats(train: images))
    let one = try experiment.trial()
    #expect(one.clock.contains { !($0?.late.isEmpty ?? true) || !($0?.dropped.isEmpty ?? true) })
    let folder = try ScratchFolder()
    for trial in [
      try experiment.trial(threads: 2), try experiment.trial(threads: 4),
      try experiment.trial(threads: 3, interruptedAfter: 2, folder: folder.path),
    ] {
      #expect(trial.digests == one.digests)
      #expect(trial.flops == one.flops)
      #expect(trial.bytesUp == one.bytesUp)
      #expect(trial.clock.map { $0?.events } == one.clock.map { $0?.events })
      #expect(trial.clock.map { $0?.end } == one.clock.map { $0?.end })
    }
  }
}

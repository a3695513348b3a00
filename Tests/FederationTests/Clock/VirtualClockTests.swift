import Base
import Federation
import Fixtures
import Records
import Scenario
import Testing

@Suite("The virtual clock")
struct VirtualClockTests {
  @Test("events come out by time, and those of one time as they went in")
  func order() {
    var stream = RandomStream(seed: 5, .test)
    var queue = EventQueue<Int>()
    var expected: [(Double, Int)] = []
    for number in 0..<500 {
      // Few different times, so that most are shared.
      let time = Double(stream.below(20))
      queue.push(number, at: time)
      expected.append((time, number))
      if number % 3 == 2, let entry = queue.pop() {
        let first = expected.enumerated().min { ($0.1.0, $0.1.1) < ($1.1.0, $1.1.1) }
        #expect(entry.value == first?.element.1)
        if let first { expected.remove(at: first.offset) }
      }
    }
    expected.sort { ($0.0, $0.1) < ($1.0, $1.1) }
    #expect(queue.count == expected.count)
    for (time, number) in expected {
      let entry = queue.pop()
      #expect(entry?.time == time)
      #expect(entry?.value == number)
    }
    #expect(queue.isEmpty)
    #expect(queue.pop() == nil)
  }

  @Test("a client's time is two latencies, two messages and its operations")
  func timing() {
    var settings = SystemSettings()
    settings.compute = .constant(speed: 50)
    settings.network.up = 80
    settings.network.down = 400
    settings.network.latency = 0.25
    let clock = VirtualClock(settings, seed: 1, clients: 2)
    let timing = clock.timing(of: 1, down: 100, flops: 75, up: 30)
    #expect(timing.receive == 0.25 + 2)
    #expect(timing.compute == 1.5)
    #expect(timing.send == 0.25 + 3)
    #expect(timing.total == 7)
    // What is not sent takes no time.
    #expect(clock.timing(of: 0, down: 0, flops: 75, up: 0).total == 1.5)
    let cut = timing.cut(after: 3)
    #expect((cut.receive, cut.compute, cut.send) == (2.25, 0.75, 0))
    #expect(cut.total == 3)
    #expect(timing.cut(after: 100) == timing)
  }

  @Test("speeds follow their law, and links are spread alike in both directions")
  func traits()
    throws
  {
    var settings = SystemSettings()
    settings.compute = .logNormal(median: 100, sigma: 0.5)
    settings.network.sigma = 0.3
    let count = 4000
    let clock = VirtualClock(settings, seed: 3, clients: count)
    let traits = (0..<count).map { clock.traits(of: $0) }
    #expect(
      traits == (0..<count).map { VirtualClock(settings, seed: 3, clients: 9).traits(of: $0) })
    let speeds = traits.map(\.speed).sorted()
    // Quantiles of a normal law at 16 %, 50 % and 84 %, in logarithms; 4 standard errors of a
    // quantile, √(q(1 − q)/n)/density, are below 0.07 standard deviations here.
    for (share, z) in [(0.158655, -1.0), (0.5, 0), (0.841345, 1)] {
      let found = logarithm(speeds[Int(share * Double(count))] / 100) / 0.5
      #expect(abs(found - z) < 0.1, "\(share)")
    }
    for trait in traits { #expect(abs(trait.down / trait.up - 5) < 1e-9) }
    #expect(Set(traits.map(\.up)).count == count)
  }

  /// ln by Newton's method on a series: this file imports no mathematics.
  private func logarithm(_ x: Double) -> Double {
    var (y, rest) = (0.0, x)
    while rest > 1.5 { (rest, y) = (rest / 1.5, y + 0.4054651081081644) }
    while rest < 1 / 1.5 { (rest, y) = (rest * 1.5, y - 0.4054651081081644) }
    let u = (rest - 1) / (rest + 1)
    var (power, sum) = (u, 0.0)
    for k in stride(from: 1, to: 41, by: 2) {
      (sum, power) = (sum + power / Double(k), power * u * u)
    }
    return y + 2 * sum
  }

  @Test("Zipf gives each rank once, and the middle client the speed named")
  func zipf() {
    var settings = SystemSettings()
    settings.compute = .zipf(median: 8, exponent: 1)
    let clock = VirtualClock(settings, seed: 4, clients: 5)
    let speeds = (0..<5).map { clock.traits(of: $0).speed }.sorted()
    for (found, expected) in zip(speeds, [4.8, 6, 8, 12, 24]) {
      #expect(abs(found - expected) < 1e-12 * expected)
    }
    let other = VirtualClock(settings, seed: 5, clients: 5)
    #expect(
      (0..<5).map { other.traits(of: $0).speed } != (0..<5).map { clock.traits(of: $0).speed })
  }

  @Test("coins fall as often as they should, and alike for equal addresses")
  func coins() {
    var settings = SystemSettings()
    settings.dropout = 0.2
    settings.loss = 0.1
    settings.availability = .rate(0.7)
    let clock = VirtualClock(settings, seed: 6, clients: 100)
    let again = VirtualClock(settings, seed: 6, clients: 100)
    var (dropped, lost, there) = (0, 0, 0)
    for round in 1...100 {
      for client in 0..<100 {
        let share = clock.vanishes(client, round: round)
        #expect(share == again.vanishes(client, round: round))
        if let share { #expect(share >= 0 && share < 1) }
        dropped += share == nil ? 0 : 1
        lost += clock.loses(client, round: round) ? 1 : 0
        there += clock.isAvailable(client, at: 0, round: round) ? 1 : 0
      }
    }
    // 4 standard deviations of 10,000 coins: at most 4·√(0.25·10⁴) = 200.
    #expect(abs(dropped - 2000) < 160)
    #expect(abs(lost - 1000) < 120)
    #expect(abs(there - 7000) < 184)
    let plain = VirtualClock(seed: 6, clients: 100)
    #expect(plain.vanishes(0, round: 1) == nil)
    #expect(!plain.loses(0, round: 1))
    #expect(plain.isAvailable(0, at: 0, round: 1))
  }

  @Test("a trace's windows are half open, sorted for each client, and say who comes next")
  func trace() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "trace.csv", text: "# phones at night\nclient,from,to\n1,10,20\n\n0,5,7.5\n1,0,4\n1,4,5\n")
    let trace = try AvailabilityTrace(path: folder.at("trace.csv"), clients: 3)
    #expect(trace.departure(of: 1, after: 0) == 4)
    #expect(trace.departure(of: 1, after: 4) == 5)
    #expect(trace.departure(of: 1, after: 5) == nil)
    #expect(trace.departure(of: 1, after: 19.5) == 20)
    #expect(trace.departure(of: 0, after: 4.9) == nil)
    #expect(trace.departure(of: 2, after: 5) == nil)
    #expect(trace.opening(after: 0) == 4)
    #expect(trace.opening(after: 5) == 10)
    #expect(trace.opening(after: 10) == nil)
  }

  @Test(
    "a broken trace is named with its line",
    arguments: [
      ("", "E4006", "empty"), ("client;from;to\n", "E4006", "line 1"),
      ("client,from,to\n0,1\n", "E4006", "line 2"), ("client,from,to\n0,1,x\n", "E4006", "line 2"),
      ("client,from,to\n\n-1,1,2\n", "E4006", "line 3"),
      ("client,from,to\n0,2,1\n", "E4006", "line 2"),
      ("client,from,to\n0,-2,1\n", "E4006", "line 2"),
      ("client,from,to\n0,1,inf\n", "E4006", "line 2"),
      ("client,from,to\n3,1,2\n", "E4005", "line 2"),
      ("client,from,to\n0,1,5\n0,4,6\n", "E4005", "line 3"),
    ])
  func brokenTrace(_ text: String, _ code: String, _ words: String) throws {
    let folder = try ScratchFolder()
    try folder.write("trace.csv", text: text)
    expectFailure(.dataMissingOrCorrupt, code, ["trace.csv", words]) {
      _ = try AvailabilityTrace(path: folder.at("trace.csv"), clients: 3)
    }
  }

  @Test("a table of speeds has one for each client, with or without units")
  func table() throws {
    let folder = try ScratchFolder()
    try folder.write("speeds.txt", text: "# measured\n2 GFLOP/s\n5e8\n\n1 TFLOP/s")
    var settings = SystemSettings()
    settings.compute = .table(path: folder.at("speeds.txt"))
    let files = try SystemFiles(settings, clients: 3)
    let clock = VirtualClock(settings, files: files, seed: 1, clients: 3)
    #expect((0..<3).map { clock.traits(of: $0).speed } == [2e9, 5e8, 1e12])
    expectFailure(.dataMissingOrCorrupt, "E4005", ["speeds.txt", "3", "4"]) {
      _ = try SystemFiles(settings, clients: 4)
    }
    try folder.write("speeds.txt", text: "1 GFLOP/s\nfast\n")
    expectFailure(.dataMissingOrCorrupt, "E4006", ["speeds.txt", "line 2"]) {
      _ = try SystemFiles(settings, clients: 2)
    }
  }
}

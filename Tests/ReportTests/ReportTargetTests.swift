import Base
import Fixtures
import Records
import Report
import Scenario
import Testing

/// Every expected number here was added up by hand.
@Suite("Cost to a target, and accuracy against cost")
struct ReportTargetTests {
  /// One round that sends 3 MB up and 5 MB down; 7 MB before the first.
  static func record(
    _ round: Int, _ generic: Double?, personal: Double? = nil, flops: Double? = nil,
    clock: Double? = nil
  ) -> RoundRecord {
    var record = RoundRecord(
      round: round, sampled: [0],
      bytes: .init(up: 3_000_000, down: 5_000_000, setup: round == 1 ? 7_000_000 : 0),
      train: .init(loss: 1, examples: 10, steps: 1, flops: flops),
      time: .init(wall: 1, virtual: clock), digest: "0")
    record.generic = generic.map {
      .init(accuracy: $0, loss: 1, balancedAccuracy: $0, macroF1: $0, perClass: [])
    }
    record.personal = personal.map {
      .init(accuracy: $0, model: .own, fairness: .init(std: 0, p10: 0, worst: 0))
    }
    return record
  }

  static func run(_ seed: UInt64, _ accuracies: [Double?], flops: Double? = 2e12) -> StrategyRun {
    StrategyRun(
      seed: seed,
      records: accuracies.enumerated().map { index, accuracy in
        record(index + 1, accuracy, flops: flops, clock: Double(10 * (index + 1)))
      })
  }

  /// Reaches one half in round 3, in round 5 and never.
  static let partly = StrategyResult(
    label: "a",
    runs: [
      run(1, [0.1, nil, 0.5, nil, 0.4]), run(2, [0.1, nil, 0.49, nil, 0.6]),
      run(3, [0.1, nil, 0.2, nil, 0.3]),
    ])
  static let half = AccuracyTarget(.generic, 0.5)

  @Test("the first evaluated round that reaches it, and totals up to and with it")
  func first() {
    let cost = TargetCost(Self.partly.runs[0], reaching: Self.half)
    #expect(cost?.round == 3)
    #expect(cost?.bytesUp == 9e6)
    #expect(cost?.bytesDown == 15e6)
    #expect(cost?.bytesSetup == 7e6)
    #expect(cost?.flops == 6e12)
    #expect(cost?.seconds == 30)
    #expect(TargetCost(Self.partly.runs[1], reaching: Self.half)?.round == 5)
    #expect(TargetCost(Self.partly.runs[2], reaching: Self.half) == nil)
    #expect(TargetCost(Self.partly.runs[0], reaching: AccuracyTarget(.personal, 0.1)) == nil)
    let own = StrategyRun(
      seed: 1, records: [Self.record(1, 0.9, personal: 0.3), Self.record(2, nil, personal: 0.4)])
    #expect(TargetCost(own, reaching: AccuracyTarget(.personal, 0.4))?.round == 2)
  }

  @Test("operations are unknown as soon as one round's are; the clock is absent without one")
  func unknown() {
    var run = Self.run(1, [0.1, 0.2, 0.6])
    run.records[1].train?.flops = nil
    run.records[2].time.virtual = nil
    let cost = TargetCost(run, reaching: Self.half)
    #expect(cost?.round == 3)
    #expect(cost?.flops == nil)
    #expect(cost?.seconds == nil)
    // A round in which nobody trained costs nothing.
    run.records[1].train = nil
    #expect(TargetCost(run, reaching: Self.half)?.flops == 4e12)
    #expect(TargetCost(run, reaching: AccuracyTarget(.generic, 0.1))?.flops == 2e12)
  }

  @Test("means are over the seeds that reached it, and say how many did")
  func means() throws {
    let summary = TargetSummary(Self.partly.runs, Self.half)
    #expect(summary.reached == 2)
    #expect(summary.mean("round") == 4)
    #expect(summary.mean("bytes.up") == 12e6)
    #expect(summary.mean("bytes.down") == 20e6)
    #expect(summary.mean("bytes.setup") == 7e6)
    #expect(summary.mean("train.flops") == 8e12)
    #expect(summary.mean("time.virtual") == 40)
    let json = Summary([Self.partly], targets: [Self.half]).json(name: "x")
    let entry = try #require(json["strategies"]?.elements?[0]["targets"]?.elements?[0])
    #expect(
      entry.compact
        == #"{"model":"generic","accuracy":0.5,"seeds":3,"reached":2,"mean":{"round":4,"#
        + #""bytes.up":12000000,"bytes.down":20000000,"bytes.setup":7000000,"#
        + #""train.flops":8000000000000,"time.virtual":40},"values":[{"round":3,"#
        + #""bytes.up":9000000,"bytes.down":15000000,"bytes.setup":7000000,"#
        + #""train.flops":6000000000000,"time.virtual":30},{"round":5,"bytes.up":15000000,"#
        + #""bytes.down":25000000,"bytes.setup":7000000,"train.flops":10000000000000,"#
        + #""time.virtual":50},null]}"#)
    let none = TargetSummary(Self.partly.runs, AccuracyTarget(.generic, 0.9))
    #expect(none.reached == 0)
    #expect(none.mean("round") == nil)
  }

  @Test("results.csv says of each seed whether it got there")
  func csv() {
    let csv = ResultsTable.csv([Self.partly], targets: [Self.half, AccuracyTarget(.personal, 1)])
    #expect(
      csv.contains("\na,1,3,target.generic.0.5.reached,1\na,1,3,target.generic.0.5.round,3\n"))
    #expect(csv.contains("\na,2,5,target.generic.0.5.bytes.up,15000000\n"))
    #expect(csv.hasSuffix("\na,3,5,target.generic.0.5.reached,0\n"))
    #expect(!csv.contains("personal,1,"))
    #expect(!ResultsTable.csv([Self.partly]).contains("target"))
  }

  @Test("the printed table", arguments: [60, 80, 120])
  func table(width: Int) {
    var never = Self.partly
    never.label = "never-there-and-with-a-long-name"
    never.runs = never.runs.map { run in Self.run(run.seed, [0.1, 0.2]) }
    let none = StrategyResult(
      label: "no-generic",
      runs: [StrategyRun(seed: 1, records: [Self.record(1, nil, personal: 0.2)])])
    let summary = Summary(
      [Self.partly, never, none], targets: [Self.half, AccuracyTarget(.personal, 0.125)])
    let text = SummaryTable(header: [], summary: summary).text(width: width)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.count <= width })
    #expect(lines.contains("generic accuracy 50 %"))
    #expect(lines.contains("personal accuracy 12.5 %"))
    func words(_ start: String) -> [[String]] {
      let from = lines.firstIndex(of: "generic accuracy 50 %") ?? 0
      return lines[from...].filter { $0.hasPrefix(start) }.map {
        $0.split(separator: " ").map(String.init)
      }
    }
    let full = ["a", "2", "of", "3", "4.0", "12.0", "20.0", "7.0", "8.000", "40.00"]
    let all = words("a ").prefix(width == 60 ? 2 : 1).enumerated().flatMap {
      $0.offset == 0 ? $0.element : Array($0.element.dropFirst(4))
    }
    #expect(all == full)
    #expect(words("never-th…ng-name ")[0].dropFirst().prefix(4) == ["0", "of", "3", "-"])
    #expect(words("no-generic")[0].prefix(3) == ["no-generic", "-", "-"])
    #expect(
      !SummaryTable(header: [], summary: Summary([Self.partly])).text(width: 80).contains(
        "Up to the first"))
  }

  @Test("the report has the table only when targets were given")
  func html() {
    var input = ReportSample.input()
    #expect(!input.page.html.contains("Cost to a target"))
    input.targets = [AccuracyTarget(.generic, 0.3), AccuracyTarget(.personal, 0.999)]
    let html = input.page.html
    #expect(html.contains("<h2>Cost to a target</h2>"))
    #expect(html.contains("<h3>generic accuracy 30 %</h3>"))
    #expect(html.contains("<td>0 of 3</td>"))
    #expect(TagBalance.problem(html) == nil)
  }

  @Test("curves over cost: totals and means by hand")
  func curve() {
    // Seed 2 lacks round 1, so round 1 is seed 1's alone.
    var second = Self.run(2, [nil, 0.4])
    second.records[1].bytes.up = 5_000_000
    let points = CurveAxis.megabytes.points([Self.run(1, [0.1, 0.2]), second]) {
      $0.generic.map { 100 * $0.accuracy }
    }
    #expect(points.map(\.x) == [15, 24])
    #expect(points.map { ($0.mean * 1000).rounded() } == [10_000, 30_000])
    // The lesser of two seeds, 30 - t(0.975; 1) * 14.142 / sqrt(2) with t = 12.7062 when asked for;
    // one seed alone has no interval.
    #expect(points.map { ($0.low * 1000).rounded() } == [10_000, 20_000])
    let intervals = CurveAxis.megabytes.points(
      [Self.run(1, [0.1, 0.2]), second], spread: .ci95
    ) { $0.generic.map { 100 * $0.accuracy } }
    #expect(intervals.map { ($0.low * 1000).rounded() } == [10_000, -97_062])
    let clock = CurveAxis.seconds.points([Self.run(1, [0.1, 0.2])]) { $0.generic?.accuracy }
    #expect(clock.map(\.x) == [10, 20])
  }

  @Test(
    "figures: logarithmic when costs are far apart, silent strategies named, no clock no figure")
  func figures() {
    let html = ReportSample.input().page.html
    #expect(html.contains("Generic accuracy against megabytes"))
    #expect(html.contains("Generic accuracy against simulated seconds"))
    // 3.2 MB to 320 MB.
    #expect(html.contains(">200<") && html.contains(">5<"))
    #expect(html.contains("accuracy % at the end: fedavg") && html.contains(" after 320 MB,"))
    var input = ReportSample.input(rounds: 10)
    for strategy in input.strategies.indices {
      for run in input.strategies[strategy].runs.indices {
        for record in input.strategies[strategy].runs[run].records.indices {
          input.strategies[strategy].runs[run].records[record].time.virtual = nil
          input.strategies[strategy].runs[run].records[record].bytes = .init(
            up: strategy == 0 ? 0 : 1, down: 0)
        }
      }
    }
    let quiet = input.page.html
    #expect(quiet.contains("because they send nothing: fedavg."))
    #expect(!quiet.contains("simulated seconds"))
    #expect(TagBalance.problem(quiet) == nil)
  }

  @Test("a logarithmic scale: equal ratios, few ticks with short words")
  func logarithmic() {
    let scale = Scale.logarithmic(0.02...20_000_000)
    #expect(scale.ticks.map(\.label) == ["1", "100", "10k", "1e6"])
    #expect(abs(scale.share(0.02)) < 1e-12)
    #expect(abs(scale.share(20_000_000) - 1) < 1e-12)
    #expect(abs(scale.share(2) - scale.share(0.2) - 1.0 / 9) < 1e-12)
    #expect(Scale.logarithmic(3...70).ticks.map(\.label) == ["5", "10", "20", "50"])
  }
}

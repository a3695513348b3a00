import Base
import Records
import Report
import Testing

@Suite("Comparison of strategies")
struct ComparisonTests {
  /// A run of ten rounds, evaluated in every second one; accuracy rises by a hundredth a round.
  private func part(
    _ seed: UInt64, accuracy: Double, bytes: Int = 1000, rounds: Int = 10, generic: Bool = true,
    clients: [Double] = [], virtual: Double? = nil
  ) -> RunFolder.Part {
    var records: [RoundRecord] = []
    for round in 1...rounds {
      let isEvaluated = round % 2 == 0 || round == 1
      let value = accuracy + 0.01 * Double(round - rounds)
      records.append(
        RoundRecord(
          round: round, sampled: [0],
          bytes: .init(up: bytes, down: bytes, setup: round == 1 ? bytes : 0),
          train: .init(loss: 1, examples: 20, steps: 5, flops: 2e9),
          generic: isEvaluated && generic
            ? .init(
              accuracy: value, loss: 1 - value, balancedAccuracy: value, macroF1: value,
              perClass: []) : nil,
          personal: isEvaluated ? Metrics.personal([value, value], model: .generic) : nil,
          time: .init(wall: 1, virtual: virtual.map { $0 * Double(round) }),
          digest: "\(seed)-\(round)"))
    }
    let scores = Dictionary(clients.enumerated().map { ($0, $1) }) { first, _ in first }
    return RunFolder.Part(
      folder: "run", run: StrategyRun(seed: seed, records: records), clients: [rounds: scores])
  }

  private func strategy(
    _ label: String, _ accuracies: [Double], bytes: Int = 1000, generic: Bool = true,
    virtual: Double? = nil
  ) -> ComparedStrategy {
    var runs: [UInt64: RunFolder.Part] = [:]
    for (index, accuracy) in accuracies.enumerated() {
      runs[UInt64(index + 1)] = part(
        UInt64(index + 1), accuracy: accuracy, bytes: bytes, generic: generic, virtual: virtual)
    }
    return ComparedStrategy(label: label, runs: runs)
  }

  private let base = [0.50, 0.52, 0.48, 0.51, 0.49]
  private let better = [0.525, 0.516, 0.492, 0.541, 0.498]

  @Test("each strategy is paired with the first one; p and verdicts are Holm's")
  func paired()
    throws
  {
    let worse = base.map { $0 - 0.1 - ($0 - 0.5) / 10 }
    let comparison = try Comparison([
      strategy("a", base), strategy("b", better), strategy("c", worse),
    ])
    #expect(comparison.metric.name == "generic.accuracy")
    #expect(comparison.baseline == "a")
    #expect(comparison.rows[0].versus == nil)
    let b = try #require(comparison.rows[1].versus)
    // The differences are those of PairedStatisticsTests.five but for rounding.
    #expect(abs(try #require(b.studentP) - 0.08149693212184388) < 1e-9)
    #expect(b.signFlip.p == 0.125)
    #expect(b.seeds.text == "4/0/1")
    let c = try #require(comparison.rows[2].versus)
    let smallest = try #require(c.studentP)
    #expect(smallest < 1e-4)
    #expect(c.holm.student == 2 * smallest)
    #expect(b.holm.student == b.studentP)
    #expect(c.isSeparated == true)
    #expect(b.isSeparated == false)
    #expect(c.seeds.text == "0/0/5")
    #expect(comparison.sentences.count == 3)
    #expect(comparison.sentences[0].contains("+1.44 points [-0.29, +3.17]: not separated"))
    #expect(comparison.sentences[1].contains("separated at 95 % after Holm over 2 comparisons"))
    #expect(
      comparison.sentences[2]
        == "5 seeds cannot reach p < 0.0625 by sign flips; 6 seeds reach 0.05, 7 after Holm over "
        + "2 comparisons")
  }

  @Test("six seeds reach 0.05 by sign flips against one rival, but not after Holm over two")
  func sixSeeds() throws {
    let a = strategy("a", base + [0.5])
    let rivals = [strategy("b", better + [0.6]), strategy("c", better + [0.7])]
    #expect(try Comparison([a, rivals[0]]).sentences.count == 1)
    #expect(
      try Comparison([a] + rivals).sentences.last
        == "6 seeds cannot reach 0.05 by sign flips after Holm over 2 comparisons; 7 seeds can")
  }

  @Test("three seeds cannot reach p < 0.25 by sign flips")
  func threeSeeds() throws {
    let comparison = try Comparison([
      strategy("a", Array(base.prefix(3))), strategy("b", Array(better.prefix(3))),
    ])
    #expect(
      comparison.sentences.last == "3 seeds cannot reach p < 0.25 by sign flips; 6 seeds reach 0.05"
    )
  }

  @Test("another baseline turns the sign; a metric where less is better turns the wins")
  func baseline() throws {
    var settings = Comparison.Settings()
    settings.baseline = "b"
    settings.metric = "generic.loss"
    let strategies = [strategy("a", base), strategy("b", better)]
    let comparison = try Comparison(strategies, settings)
    let tests = try #require(comparison.rows[0].versus)
    // Loss is one minus accuracy: a loses on the four seeds on which b was better.
    #expect(tests.seeds.text == "1/0/4")
    #expect(tests.difference.statistics.mean > 0)
    #expect(comparison.rows[1].versus == nil)
    settings.tieMargin = 0.0095
    #expect(try Comparison(strategies, settings).rows[0].versus?.seeds.text == "0/2/3")
  }

  @Test("personal accuracy is compared where one strategy has no generic model")
  func metrics()
    throws
  {
    let strategies = [strategy("alone", base, generic: false), strategy("b", better)]
    #expect(try Comparison(strategies).metric.name == "personal.accuracy")
    var settings = Comparison.Settings()
    settings.metric = "generic.accuracy"
    let comparison = try Comparison(strategies, settings)
    #expect(comparison.baseline == "b")
    #expect(comparison.rows[0].values.isEmpty)
    #expect(comparison.sentences.contains("no generic.accuracy: alone"))
    #expect(
      comparison.leftOut == ["left out: alone has no generic.accuracy under seeds 1, 2, 3, 4, 5"])
    settings.baseline = "alone"
    expect("E7003", .mismatch) { _ = try Comparison(strategies, settings) }
    settings.metric = "privacy.epsilon.max"
    expect("E7003", .mismatch) { _ = try Comparison(strategies, settings) }
    settings.metric = "generic.acuracy"
    expect("E2012", .wrongCommandLine) { _ = try Comparison(strategies, settings) }
    expect("E4100", .dataMissingOrCorrupt) { _ = try Comparison([]) }
  }

  private func expect(_ code: String, _ exit: ExitCode, _ body: () throws -> Void) {
    let failure = #expect(throws: Failure.self) { try body() }
    #expect(failure?.code == code)
    #expect(failure?.exit == exit)
  }

  @Test(
    "metrics have a unit and a better side",
    arguments: [
      ("generic.shots.tail", .share, false), ("personal.fairness.std", .share, true),
      ("bytes.total", .bytes, true), ("train.flops", .operations, true),
      ("time.virtual", .seconds, true), ("privacy.epsilon.max", .plain, true),
      ("target.generic.0.4.round", .plain, true), ("target.personal.1.bytes.up", .bytes, true),
    ] as [(String, ComparisonMetric.Unit, Bool)])
  func units(
    name: String, unit: ComparisonMetric.Unit, lower: Bool
  ) throws {
    let metric = try #require(ComparisonMetric(name))
    #expect(metric.unit == unit)
    #expect(metric.lowerIsBetter == lower)
  }

  @Test(
    "what is no metric is none",
    arguments: [
      "", "generic", "target.", "target.generic.0.round", "target.generic.2.round",
      "target.generic.nan.round", "target.mine.0.5.round", "target.generic.0.5.rounds",
    ])
  func noMetric(name: String) { #expect(ComparisonMetric(name) == nil) }

  @Test("every name that is offered is a metric")
  func names() {
    for name in ComparisonMetric.names { #expect(ComparisonMetric(name) != nil, "\(name)") }
  }

  @Test("totals and costs to a target are read from the records")
  func totals() throws {
    var settings = Comparison.Settings()
    func mean(_ metric: String) throws -> Double {
      settings.metric = metric
      return try Comparison([strategy("a", [0.5], virtual: 2)], settings).rows[0].statistics.mean
    }
    #expect(try mean("bytes.total") == 21_000)
    #expect(try mean("train.steps") == 50)
    #expect(try mean("train.examples") == 200)
    #expect(try mean("train.flops") == 20e9)
    #expect(try mean("time.virtual") == 20)
    // 0.41 in the first round; 0.45 is reached in round 5, which is not evaluated.
    #expect(try mean("target.generic.0.45.round") == 6)
    #expect(try mean("target.generic.0.45.bytes.up") == 6000)
    #expect(try mean("target.generic.0.45.reached") == 1)
    #expect(try mean("target.personal.0.9.reached") == 0)
  }

  @Test("at equal bytes the dearer run is read earlier")
  func budget() throws {
    var settings = Comparison.Settings()
    settings.budget = .bytes
    // a spends 21,000 bytes, b 2,500 + 5,000 a round: three rounds fit, the second is evaluated.
    let comparison = try Comparison(
      [strategy("a", base), strategy("b", better, bytes: 2500)], settings)
    #expect(comparison.limit == 21_000)
    #expect(comparison.rows[0].readings[1]?.round == 10)
    #expect(comparison.rows[0].readings[1]?.spent == 21_000)
    #expect(comparison.rows[1].readings[1]?.round == 2)
    #expect(comparison.rows[1].readings[1]?.spent == 12_500)
    #expect(abs(try #require(comparison.rows[1].values[1]) - 0.445) < 1e-12)
    #expect(
      comparison.budgetLines == [
        "equal budget: at most 0.021 MB, the smallest total of all runs",
        "read at round: a 10, b 2",
      ])
    // Who sends nothing stays within any budget, and does not set it.
    let free = try Comparison([strategy("a", base), strategy("alone", better, bytes: 0)], settings)
    #expect(free.limit == 21_000)
    #expect(free.rows[1].readings[5]?.round == 10)
  }

  @Test("a budget that a run does not know is refused; one too small leaves the run out")
  func unknownBudget() throws {
    var settings = Comparison.Settings()
    let strategies = [strategy("a", base, virtual: 1), strategy("b", better)]
    for budget in [RunBudget.seconds, .epsilon] {
      settings.budget = budget
      expect("E7003", .mismatch) { _ = try Comparison(strategies, settings) }
    }
    settings.budget = .seconds
    let slow = strategy("b", better, virtual: 100)
    // Nothing of b is left to choose a metric by.
    expect("E7003", .mismatch) { _ = try Comparison([strategies[0], slow], settings) }
    settings.metric = "generic.accuracy"
    let comparison = try Comparison([strategies[0], slow], settings)
    #expect(comparison.limit == 10)
    #expect(comparison.rows[1].values.isEmpty)
    #expect(comparison.leftOut.first?.contains("not evaluated within the budget") == true)
    for (budget, limit) in [(RunBudget.rounds, 10.0), (.steps, 50), (.flops, 20e9)] {
      settings.budget = budget
      #expect(try Comparison(strategies, settings).limit == limit)
    }
  }

  @Test("clients are paired inside seeds, and only common seeds count")
  func clients() throws {
    let a = ComparedStrategy(
      label: "a",
      runs: [
        1: part(1, accuracy: 0.5, clients: [0.5, 0.6, 0.7]),
        2: part(2, accuracy: 0.5, clients: [0.5, 0.5, .nan]),
      ])
    let b = ComparedStrategy(
      label: "b",
      runs: [
        1: part(1, accuracy: 0.6, clients: [0.6, 0.6, 0.6]),
        2: part(2, accuracy: 0.5, clients: [0.7, 0.6, 0.9]),
        7: part(7, accuracy: 0.9, clients: [0.7, 0.6, 0.9]),
      ])
    let comparison = try Comparison([a, b])
    let tests = try #require(comparison.rows[1].versus)
    #expect(tests.clients?.text == "3/1/1")
    var settings = Comparison.Settings()
    settings.metric = "bytes.up"
    let bytes = try Comparison([a, b], settings)
    #expect(bytes.rows[1].versus?.clients == nil)
    #expect(bytes.rows[1].versus?.seeds.text == "0/2/0")
    #expect(tests.difference.seeds == [1, 2])
    #expect(comparison.sentences.last == "b - a is over the 2 common seeds: b has 3, a 2")
  }

  @Test("the table fits its width, in pieces where it must", arguments: [60, 80, 120])
  func table(
    width: Int
  ) throws {
    let comparison = try Comparison([
      strategy("fedavg", base), strategy("a-method-with-a-very-long-label", better),
    ])
    let text = try ComparisonTable(comparison, folders: ["runs/one"]).text(width: width)
    let lines = text.split(separator: "\n")
    for line in lines { #expect(line.count <= width, "\(line)") }
    for title in ["difference", "seeds", "t Holm", "sign flip", "least", "Wilcoxon", "d_z"] {
      #expect(lines.contains { $0.contains(title) }, "\(title)")
    }
    #expect((lines.count { $0.hasPrefix("strategy ") } == 1) == (width == 120))
    #expect(text.contains("50.00 ± 1.96"))
    #expect(!text.contains("~"))
  }

  @Test("JSON and CSV tell the same numbers")
  func files() throws {
    let comparison = try Comparison([strategy("a", base), strategy("b", better)])
    let versus = try #require(comparison.json["strategies"]?.elements?.last?["versus"])
    #expect(versus["signFlip"]?["p"]?.double == 0.125)
    #expect(versus["signFlip"]?["attainable"]?.double == 0.0625)
    #expect(versus["wilcoxon"]?["method"]?.text == "exact")
    #expect(versus["wins"]?["seeds"]?["wins"]?.int == 4)
    let lines = comparison.csv.split(separator: "\n").map(String.init)
    #expect(lines[0] == "strategy,baseline,metric,statistic,seed,value")
    #expect(lines.contains("a,a,generic.accuracy,value,2,0.52"))
    #expect(lines.contains("b,a,generic.accuracy,signFlip.p,,0.125"))
    #expect(lines.contains("b,a,generic.accuracy,seeds.losses,,1"))
    let mean = try #require(versus["mean"])
    #expect(lines.contains("b,a,generic.accuracy,difference.mean,,\(mean.compact)"))
  }
}

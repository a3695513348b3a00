import Aggregation
import Base
import Federation
import Fixtures
import Records
import Studies
import Testing

@Suite("Plans")
struct PlanTests {
  static let kinds = StrategyRegistry.infos.map(\.kind)

  /// A plan that measures no speed.
  private func plan(_ fixture: RunFixture, seconds: Double = 60) throws -> Plan {
    var settings = Plan.Settings(threads: 2)
    settings.probe = 0
    settings.dryRunSeconds = seconds
    return try Plan(fixture.experiment, settings)
  }

  /// Expects bytes, operations and virtual time of every run to be those of a plan.
  private func expectExact(_ fixture: RunFixture) throws {
    let plan = try plan(fixture)
    for (index, label) in plan.labels.enumerated() {
      for (place, run) in plan.runs.filter({ $0.label == label }).enumerated() {
        let trial = try fixture.experiment.trial(strategy: index, seed: place)
        #expect(run.doubts == [], "\(label)")
        #expect(run.flops == Double(trial.flops.reduce(0, +)), "\(label): operations")
        #expect(run.bytesUp == Double(trial.bytesUp.reduce(0, +)), "\(label): up")
        #expect(run.bytesDown == Double(trial.bytesDown.reduce(0, +)), "\(label): down")
        #expect(run.bytesSetup == Double(trial.bytesSetup), "\(label): setup")
        #expect(run.virtualSeconds == trial.clock.last??.end, "\(label): virtual time")
        #expect(run.clientRounds > 0 && run.steps > 0, "\(label)")
      }
    }
  }

  @Test("operations and bytes are those of the run, for every method", arguments: kinds)
  func exact(
    _ kind: String
  ) throws {
    try expectExact(
      RunFixture {
        $0.strategies = [ScenarioText.registered(kind)]
        $0.federation = #"{ "clients": 3, "rounds": 4, "participation": 0.67 }"#
        $0.seeds = "[3, 5]"
        $0.order = "shuffled"
        $0.optimizer = ScenarioText.Optimizers.momentum
      })
  }

  @Test("Poisson batches, codecs of fixed length and slow devices too")
  func sections() throws {
    try expectExact(
      RunFixture {
        $0.strategies = [
          """
          { "kind": "fedavg", "label": "private",
            "privacy": { "unit": "example", "mechanism": "dp-sgd", "clip": 1,
                         "noiseMultiplier": 1, "delta": 1e-3 } }
          """,
          """
          { "kind": "fedavg", "label": "coded", "compression": { "uplink":
            { "kind": "topk", "ratio": 0.1, "indices": "packed", "feedback": "ef-sgd" } } }
          """,
        ]
        $0.federation = #"{ "clients": 3, "rounds": 5, "participation": 0.67 }"#
        $0.system = """
          { "compute": { "kind": "lognormal", "speed": "1 MFLOP/s", "sigma": 1 },
            "network": { "up": "1 Mbit/s", "down": "2 Mbit/s" } }
          """
      })
  }

  @Test("rounds that a dry run passes over are spread to the end, in the time that there is")
  func strides() {
    var stream = RandomStream(seed: 1, .test)
    for _ in 0..<2000 {
      let (wanted, each) = (1 + stream.below(3000), 0.01 + stream.uniform())
      let most = 10 * stream.uniform()
      var (sampled, covered, seconds, last) = (0, 0, 0.0, 1)
      while covered < wanted, seconds <= most {
        let step = DryRun.stride(
          sampled: sampled, left: wanted - covered, seconds: seconds, most: most)
        #expect(step >= 1 && covered + step <= wanted)
        last = step
        covered += step
        sampled += 1
        seconds += each
      }
      // All rounds where there is time, else a sample that reaches the end.
      if Double(wanted) * each < most / 4 { #expect(sampled == wanted && last == 1) }
      if most > 8 * each { #expect(covered == wanted) }
      #expect(seconds <= most + each || sampled <= 2)
    }
  }

  @Test("what a method sends late in a run counts in a plan that does not see every round")
  func lateRounds() throws {
    // FedD2S sends features of shallower layers the later it is.
    let fixture = try RunFixture {
      $0.strategies = [ScenarioText.registered("fedd2s")]
      $0.federation = #"{ "clients": 3, "rounds": 300 }"#
      $0.model = #"{ "kind": "mlp", "hidden": [40, 4, 2] }"#
    }
    let whole = try plan(fixture, seconds: .infinity).runs[0]
    let part = try plan(fixture, seconds: 0.1).runs[0]
    #expect(whole.isExact && whole.sampled == 300 && whole.covered == 300)
    #expect(part.sampled <= part.covered && part.covered <= 300)
    if part.sampled >= 20, part.covered == 300 {
      #expect(abs(part.bytesUp / whole.bytesUp - 1) < 0.2)
      #expect(abs(part.steps / whole.steps - 1) < 0.01)
    }
  }

  @Test("nothing is trained: a plan takes no step of its networks")
  func untouched() throws {
    let fixture = try RunFixture { $0.strategies = [ScenarioText.strategy("scaffold")] }
    let before = try fixture.experiment.trial().digests
    _ = try plan(fixture)
    #expect(try fixture.experiment.trial().digests == before)
    #expect(try fixture.files("").isEmpty)
  }

  @Test("what depends on values, and what was extrapolated, is said to be about")
  func doubts()
    throws
  {
    let fixture = try RunFixture {
      $0.strategies = [
        """
        { "kind": "fedavg", "compression": { "uplink": { "kind": "topk", "ratio": 0.1,
          "indices": "rice" } } }
        """, ScenarioText.strategy("fedprox"),
      ]
      $0.federation = #"{ "clients": 3, "rounds": 400 }"#
    }
    let plan = try plan(fixture, seconds: 0)
    let coded = try #require(plan.runs.first)
    #expect(coded.doubts.contains { $0.contains("lengths of uploads depend on values") })
    let plain = try #require(plan.runs.last)
    // A twentieth of a second is the least; whoever is quicker needs no extrapolation.
    let whole = 400.0 * plain.flops / 400
    #expect(plain.rounds == 400 || plain.doubts.contains { $0.contains("of 400 rounds") })
    #expect(plain.wanted == 400)
    // All clients take part in every round: each round costs the same, so the sum is exact.
    let trial = try fixture.experiment.trial(strategy: 1)
    #expect(abs(whole - Double(trial.flops.reduce(0, +))) < 1e-9 * whole)
  }

  @Test("the spread of work over workers is that of one queue")
  func makespan() {
    // Worker 1: 5, then 2; worker 2: 4, then 3, then 1 (tie at 7 goes to the first).
    #expect(Experiment.makespan([5, 4, 3, 2, 1], workers: 2) == 8)
    #expect(Experiment.makespan([5, 4, 3], workers: 1) == 12)
    #expect(Experiment.makespan([5, 4], workers: 8) == 5)
    #expect(Experiment.makespan([], workers: 2) == 0)
  }

  @Test("seeds that are too few are told in advance")
  func seeds() throws {
    func sentence(_ seeds: Int, _ strategies: Int) throws -> String {
      let fixture = try RunFixture {
        $0.seeds = "[" + (1...seeds).map(String.init).joined(separator: ", ") + "]"
        $0.strategies = ["fedavg", "fedprox", "scaffold", "fednova", "fedavgm"].prefix(strategies)
          .map { ScenarioText.strategy($0) }
        $0.federation = #"{ "clients": 3, "rounds": 1 }"#
      }
      return try plan(fixture).seedSentence
    }
    // 2 / 2^5 = 0.0625; 4 rivals: 2 / 2^n * 4 <= 0.05 from n = 8 on.
    #expect(try sentence(5, 5).contains("below p = 0.0625; 0.05 after Holm over 4 comparisons"))
    #expect(try sentence(5, 5).hasSuffix("needs 8 seeds"))
    #expect(try sentence(6, 2).hasSuffix("below p = 0.0313, enough for 0.05"))
    #expect(try sentence(1, 2).contains("no interval"))
    #expect(try sentence(3, 1).contains("nothing to compare"))
  }

  @Test("epsilon, memory of clients, disk and limits are in the plan")
  func contents() throws {
    let fixture = try RunFixture {
      $0.strategies = [
        """
        { "kind": "fedavg", "privacy": { "unit": "example", "mechanism": "dp-sgd", "clip": 1,
          "noiseMultiplier": 2, "delta": 1e-3 } }
        """
      ]
      $0.federation = #"{ "clients": 3, "rounds": 5 }"#
      $0.limits = #"{ "wallTime": "2 h", "disk": "1 kB", "memory": "4 GiB" }"#
    }
    let plan = try plan(fixture)
    let run = try #require(plan.runs.first)
    let privacy = try #require(try fixture.experiment.trial().privacyLine)
    let recorded = (privacy["clients"]?.elements ?? []).compactMap { $0["pld"]?.double }.sorted()
    #expect(run.epsilons == recorded && recorded.count == 3)
    try fixture.run("out")
    let bytes = try fixture.files("out").reduce(0) { try $0 + fixture.bytes("out/\($1)").count }
    // Files beside the run's own count as 100 kB, whatever they are.
    #expect(abs(run.diskBytes + 100_000 - Double(bytes)) < 100_000)
    #expect(plan.limits.map(\.name) == ["wallTime", "memory", "disk"])
    // Nothing was measured, so only the disk is known.
    #expect(plan.limits.map(\.isExceeded) == [false, false, true])
    #expect(plan.exceedsLimit)
    let text = PlanTable(plan).text(width: 80)
    #expect(text.contains("limits.disk 1000 B: too low"))
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("a probe gives time and memory")
  func probe() throws {
    let fixture = try RunFixture {
      $0.strategies = Self.kinds.prefix(3).map { ScenarioText.registered($0) }
    }
    var settings = Plan.Settings(threads: 2)
    settings.probe = 0.05
    let plan = try Plan(fixture.experiment, settings)
    #expect(plan.runs.allSatisfy { ($0.seconds ?? 0) > 0 })
    #expect((plan.memory ?? 0) > 1e6)
    #expect((plan.seconds ?? 0) > 0)
  }

  @Test("a thousand million steps are planned by a formula: so many times the operations of one")
  func manySteps() throws {
    func planned(_ work: String, _ strategy: String = "fedavg") throws -> DryRun {
      let fixture = try RunFixture {
        $0.work = work
        $0.batch = 50  // all of a client's images: every step is an epoch like the others
        $0.strategies = [ScenarioText.strategy(strategy)]
      }
      return try #require(try plan(fixture).runs.first)
    }
    for strategy in ["fedavg", "centralised", "fedprox"] {
      let one = try planned(#"{ "steps": 1 }"#, strategy)
      let all = try planned(#"{ "steps": 1000000000 }"#, strategy)
      #expect(one.isExact && !all.isExact)
      #expect(abs(all.steps / one.steps / 1e9 - 1) < 1e-6, "\(strategy): \(all.steps)")
      #expect(abs(all.flops / one.flops / 1e9 - 1) < 1e-6, "\(strategy): \(all.flops)")
      #expect(all.bytesUp == one.bytesUp && all.rounds == one.rounds)
    }
    let epochs = try planned(#"{ "epochs": 1000000 }"#)
    let one = try planned(#"{ "epochs": 1 }"#)
    #expect(abs(epochs.flops / one.flops / 1e6 - 1) < 1e-9)
  }
}

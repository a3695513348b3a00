import Aggregation
import Fixtures
import Testing

@testable import Accounting
@testable import Base
@testable import Federation
@testable import Records
@testable import Report
@testable import Scenario

/// The ε of a run: the largest of its clients' own, and their median, by the accountant that is
/// named.
@Suite("Epsilon of runs")
struct EpsilonOfRunsTests {
  private static let section = #"{ "unit": "example", "noiseMultiplier": 1, "clip": 1 }"#

  @Test("largest and median over clients' own values by privacy loss distributions")
  func ownValues() throws {
    for rounds in [1, 4] {
      let experiment = try PrivateFederation.experiment(
        [Self.section], participation: 1, rounds: rounds)
      let trial = try experiment.trial()
      let privacy = try #require(trial.privacy)
      // Batches of 4, two epochs a round, by hand.
      let own = try PrivateFederation.sizes.filter { $0 > 0 }.map { size in
        let event = try PrivacyEvent.poisson(
          unit: .example, rate: 4 / Double(size), noiseMultiplier: 1,
          steps: 2 * ((size + 3) / 4) * rounds)
        return PLDAccountant().epsilon(PrivacyLedger([event]), delta: 1e-5)
      }.sorted()
      #expect(privacy.epsilonMax == own[3])
      #expect(privacy.epsilonMedian == own[1] + (own[2] - own[1]) / 2)
      #expect(own[1] < own[2])
      let rows = try #require(trial.privacyLine?["clients"]?.elements)
      #expect(rows.compactMap { $0["pld"]?.double }.sorted() == own)
      #expect(rows.allSatisfy { $0["rdp"]?.double ?? 0 >= ($0["pld"]?.double ?? .infinity) })
    }
  }

  @Test("local noise: each client's own messages count")
  func localNoise() throws {
    let experiment = try PrivateFederation.experiment(
      [#"{ "unit": "client", "noiseMultiplier": 2, "clip": 0.1, "placement": "local" }"#],
      participation: 0.4, rounds: 5)
    let trial = try experiment.trial()
    let privacy = try #require(trial.privacy)
    var counts = [Int](repeating: 0, count: 5)
    for client in trial.cohorts.joined() { counts[client] += 1 }
    counts[3] = 0  // it has no images
    // Neighbours replace a message: twice the clip over twice the clip, in closed form.
    let own = counts.filter { $0 > 0 }.map { count in
      GaussianMechanism(shift: Double(count).squareRoot()).epsilon(delta: 1e-5)
    }.sorted()
    #expect(Set(own).count > 1)
    #expect(abs(privacy.epsilonMax - own[own.count - 1]) < 1e-9 * privacy.epsilonMax)
    let (low, high) = (own[(own.count - 1) / 2], own[own.count / 2])
    #expect(abs(privacy.epsilonMedian - (low + high) / 2) < 1e-9 * privacy.epsilonMax)
  }

  @Test("a budget of local noise stops clients one by one")
  func localBudget() throws {
    let experiment = try PrivateFederation.experiment(
      [
        """
        { "unit": "client", "noiseMultiplier": 8, "clip": 0.1, "placement": "local",
          "target": { "epsilon": 1.9 } }
        """
      ], participation: 0.6, rounds: 6)
    let trial = try experiment.trial()
    let privacy = try #require(trial.privacy)
    #expect(privacy.epsilonMax <= 1.9 && privacy.epsilonMax > 1)
    var sent = [Int](repeating: 0, count: 5)
    for client in trial.cohorts.joined() { sent[client] += 1 }
    for row in trial.privacyLine?["clients"]?.elements ?? [] {
      #expect(row["releases"]?.int == sent[row["client"]?.int ?? 0])
    }
    #expect(trial.stopped.contains { !$0.isEmpty })
    #expect(try experiment.trial(threads: 2, interruptedAfter: 3).digests == trial.digests)
  }

  @Test("a budget of all together has to pay for all rounds", arguments: ["server", "distributed"])
  func commonBudget(placement: String) throws {
    let section = { (epsilon: Double) in
      """
      { "unit": "client", "noiseMultiplier": 4, "clip": 0.1, "placement": "\(placement)",
        "target": { "epsilon": \(epsilon) } }
      """
    }
    let poor = try PrivateFederation.experiment([section(2)], participation: 1, rounds: 6)
    let failure = #expect(throws: Failure.self) { try poor.trial() }
    #expect(failure?.code == "E3371")
    let rich = try PrivateFederation.experiment([section(50)], participation: 1, rounds: 6)
    #expect(try rich.trial().privacy?.epsilonMax ?? .infinity <= 50)
  }

  @Test("a client that was not planned to take part has a budget, too")
  func unplanned() throws {
    let federation = FederationSettings(
      clients: 2, rounds: 50, participation: 0.5, sampling: .uniform, weighting: .uniform)
    let settings = PrivacySettings(
      unit: .example(PrivacySettings.ExampleMechanism()), clip: 1, noiseMultiplier: 1,
      target: PrivacySettings.Target(epsilon: 4, isPerClient: true), delta: 1e-5)
    let plan = try NoisePlan(
      settings,
      NoisePlan.Facts(
        federation: federation, sizes: [40, 40], participations: [50, 0], exchanges: 1,
        work: { _ in PrivateWork(batches: 10) }, batch: 4, cohortsMayDiffer: true))
    let limit = try #require(plan.shares[0]?.limit)
    #expect(plan.shares[1]?.limit == limit && limit > 0 && limit < 500)
    func epsilon(_ steps: Int) throws -> Double {
      let event = try PrivacyEvent.poisson(
        unit: .example, rate: 0.1, noiseMultiplier: 1, steps: steps)
      return PLDAccountant().epsilon(PrivacyLedger([event]), delta: 1e-5)
    }
    #expect(try epsilon(limit) <= 4)
    #expect(try epsilon(limit + 1) > 4)
  }

  @Test("no method draws more than its noise was planned for", arguments: RandomFederation.kinds)
  func plannedWork(kind: String) throws {
    let experiment = try PrivateFederation.experiment([nil], participation: 1, rounds: 2) {
      $0.strategies = [
        PrivateRunTests.with(#""privacy": \#(Self.section)"#, ScenarioText.registered(kind))
      ]
      $0.optimizer = ScenarioText.Optimizers.plain
      $0.evaluation = #"{ "every": 2 }"#
    }
    let choice = experiment.scenario.strategies[0]
    let type = try #require(StrategyRegistry[kind])
    let context = try experiment.adapted(experiment.context(0, threads: 1), to: choice)
    let shares = try #require(context.privacy).plan.shares
    let trial = try experiment.trial()
    for (client, share) in shares.enumerated() {
      guard let share, let drawn = trial.clientMemories[client]?[RunPrivacy.batchesName] else {
        continue
      }
      #expect(drawn.count <= share.gradientsPerBatch)
      // A server that waits for nobody takes more of the fast ones; its budget stops them.
      guard !type.needs.contains(.clock) else { continue }
      #expect(Int(drawn.reduce(0, +)) <= share.plannedBatches)
    }
  }

  @Test("one site with everybody's examples keeps its target and its budget")
  func pooled() throws {
    for (noise, participation) in [("", 0.6), (#""noiseMultiplier": 0.8, "#, 1.0)] {
      let experiment = try PrivateFederation.experiment(
        [#"{ "unit": "example", "clip": 1, \#(noise)"target": { "epsilon": 4, "delta": 1e-4 } }"#],
        kind: "centralised", participation: participation, rounds: 6
      ) { $0.work = #"{ "steps": 12 }"# }
      let trial = try experiment.trial()
      let privacy = try #require(trial.privacy)
      #expect(privacy.hasGuarantee && privacy.epsilonMax <= 4 && privacy.epsilonMax > 2)
      #expect(trial.stopped.contains { !$0.isEmpty } == !noise.isEmpty)
    }
  }

  @Test("what was told once stays told, through a checkpoint and rounds with nobody")
  func leaksStay() throws {
    let experiment = try PrivateFederation.experiment([Self.section])
    let context = try experiment.adapted(
      experiment.context(0, threads: 1), to: experiment.scenario.strategies[0])
    func simulation() -> Simulation {
      Simulation(FedAvg(context.problem), context)
    }
    let first = simulation()
    _ = try first.runRound()
    first.privacy?.leaks.note("secret")
    let second = simulation()
    second.restore(first.checkpoint)
    let trace = try #require(second.privacy).trace(exact: false)
    #expect(!trace.record.hasGuarantee && !trace.record.epsilonMax.isFinite)
    #expect(trace.line["leaks"]?.elements?.first?["name"]?.text == "secret")
  }

  @Test("small epsilon keeps two digits that count")
  func digits() {
    let cases: [(Double, Int, String)] = [
      (5.864, 2, "5.86"), (0.5, 2, "0.50"), (0.05, 2, "0.050"), (0.00244, 2, "0.0024"),
      (0.00996, 2, "0.0100"), (1.23e-7, 2, "1.2e-07"), (9.99e-6, 2, "1.0e-05"), (0, 2, "0"),
      (.infinity, 2, "-"), (1.0681, 3, "1.068"), (1e-300, 2, "1.0e-300"),
    ]
    for (value, decimals, text) in cases { #expect(NumberText.epsilon(value, decimals) == text) }
    #expect(Metrics.median(ofSorted: [1, 2, 4, 9]) == 3)
    #expect(Metrics.median(ofSorted: [1, 2, 9]) == 2)
    #expect(Metrics.median(ofSorted: []) == nil)
  }

  @Test("between evaluations there is a bound, and it says so")
  func bounds() throws {
    let experiment = try PrivateFederation.experiment([Self.section], rounds: 1)
    let context = try experiment.adapted(
      experiment.context(0, threads: 1), to: experiment.scenario.strategies[0])
    let simulation = Simulation(FedAvg(context.problem), context)
    _ = try simulation.runRound()
    let bound = try #require(simulation.privacy).trace(exact: false).record
    let exact = try #require(simulation.privacy).trace(exact: true).record
    #expect(bound.accountant == "rdp" && exact.accountant == "pld")
    #expect(bound.epsilonMax > exact.epsilonMax && bound.epsilonMedian > exact.epsilonMedian)
    var state = ProgressState(run: 1, runs: 1, strategy: "a", seed: 1, round: 0, rounds: 1)
    var record = RoundRecord(
      round: 1, sampled: [], bytes: .init(up: 0, down: 0), time: .init(wall: 0), digest: "")
    record.privacy = bound
    state.add(record)
    #expect(Progress.plainLine(state, perRound: nil, now: 0).contains(" eps<="))
    record.privacy = exact
    state.add(record)
    #expect(Progress.plainLine(state, perRound: nil, now: 0).contains(" eps="))
    var between = record
    between.privacy = bound
    let value = exact.epsilonMax
    #expect(RunBudget.epsilon.spent([between, record, between]) == [0, value, value])
  }
}

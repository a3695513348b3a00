import Accounting
import Aggregation
import Base
import Fixtures
import Records
import Tensor
import Testing

@testable import Federation
@testable import Scenario

@Suite("Private runs")
struct PrivateRunTests {
  @Test(
    "no noise and a clip that clips nothing: the run without privacy, bit for bit",
    arguments: ["example", "client"])
  func inert(unit: String) throws {
    let section = #"{ "unit": "\#(unit)", "noiseMultiplier": 0, "clip": 1e30 }"#
    let experiment = try PrivateFederation.experiment([nil, section])
    let plain = try experiment.trial(strategy: 0)
    let inert = try experiment.trial(strategy: 1)
    #expect(inert.digests == plain.digests)
    #expect(inert.privacy == nil)
  }

  @Test(
    "digests are the same for any number of threads and through a checkpoint",
    arguments: PrivateFederation.sections)
  func determinism(section: String) throws {
    for kind in ["fedavg", "scaffold"] {
      let experiment = try PrivateFederation.experiment([section], kind: kind)
      let reference = try experiment.trial()
      #expect(Set(reference.digests).count == 5)
      for threads in [2, 3] {
        #expect(try experiment.trial(threads: threads).digests == reference.digests)
      }
      for round in [1, 3] {
        let folder = try ScratchFolder()
        let resumed = try experiment.trial(threads: 2, interruptedAfter: round, folder: folder.path)
        #expect(resumed.digests == reference.digests)
        #expect(resumed.serverMemory == reference.serverMemory)
        #expect(resumed.clientMemories == reference.clientMemories)
        #expect(resumed.privacy?.epsilonMax == reference.privacy?.epsilonMax)
      }
    }
  }

  @Test("every strategy trains under example-level privacy", arguments: RandomFederation.kinds)
  func everyStrategy(kind: String) throws {
    let experiment = try PrivateFederation.experiment(
      [#"{ "unit": "example", "noiseMultiplier": 0.5, "clip": 1 }"#], kind: kind, rounds: 2
    ) {
      $0.strategies = [
        Self.with(
          #""privacy": { "unit": "example", "noiseMultiplier": 0.5, "clip": 1 }"#,
          ScenarioText.registered(kind))
      ]
      $0.optimizer = ScenarioText.Optimizers.plain
    }
    let trial = try experiment.trial()
    #expect(try experiment.trial(threads: 3).digests == trial.digests)
  }

  /// A strategy's object with one more member.
  static func with(_ member: String, _ strategy: String) -> String {
    var text = strategy
    while let last = text.last, last != "}" { text.removeLast() }
    text.removeLast()
    return text + ", \(member) }"
  }

  @Test("a target per client gives every client its epsilon, and not more")
  func targetPerClient()
    throws
  {
    let experiment = try PrivateFederation.experiment(
      [#"{ "unit": "example", "clip": 1, "target": { "epsilon": 3, "delta": 1e-4 } }"#],
      participation: 1)
    let trial = try experiment.trial()
    let privacy = try #require(trial.privacy)
    #expect(privacy.hasGuarantee)
    #expect(privacy.epsilonMax <= 3 && privacy.epsilonMax > 2.97)
    #expect(privacy.epsilonMedian > 2.9)
    let clients = try #require(trial.privacyLine?["clients"]?.elements)
    #expect(clients.count == 4)
    let noise = clients.compactMap { $0["noiseMultiplier"]?.double }
    #expect(Set(noise).count == 4, "clients of other sizes have other noise")
    let allTook = trial.stopped.allSatisfy { $0.isEmpty }
    #expect(allTook)
  }

  @Test("a common target gives all the same noise, enough for the largest epsilon")
  func commonTarget() throws {
    let experiment = try PrivateFederation.experiment(
      [
        """
        { "unit": "example", "clip": 1,
          "target": { "epsilon": 3, "delta": 1e-4, "per": "common" } }
        """
      ], participation: 1)
    let trial = try experiment.trial()
    let privacy = try #require(trial.privacy)
    #expect(privacy.epsilonMax <= 3 && privacy.epsilonMax > 2.97)
    let clients = try #require(trial.privacyLine?["clients"]?.elements)
    #expect(Set(clients.compactMap { $0["noiseMultiplier"]?.double }).count == 1)
  }

  @Test("a client whose budget is used up stops taking part, and is recorded")
  func budget() throws {
    let experiment = try PrivateFederation.experiment(
      [
        """
        { "unit": "example", "clip": 1, "noiseMultiplier": 1,
          "target": { "epsilon": 5, "delta": 1e-4 } }
        """
      ], participation: 1, rounds: 8)
    let trial = try experiment.trial()
    let privacy = try #require(trial.privacy)
    #expect(privacy.epsilonMax <= 5)
    #expect(trial.stopped.contains { !$0.isEmpty })
    for round in 1..<8 {
      #expect(Set(trial.stopped[round - 1]).isSubset(of: trial.stopped[round]))
      #expect(Set(trial.cohorts[round]).isDisjoint(with: trial.stopped[round]))
    }
  }

  @Test(
    "what leaves besides training steps leaves no guarantee",
    arguments: ["knfu", "fedproto", "fedgen", "ccvr", "fedmd", "creff", "fedrod"])
  func leaks(
    kind: String
  ) throws {
    let experiment = try PrivateFederation.experiment([nil], rounds: 2) {
      $0.strategies = [
        Self.with(
          #""privacy": { "unit": "example", "noiseMultiplier": 1, "clip": 1 }"#,
          ScenarioText.registered(kind))
      ]
      $0.optimizer = ScenarioText.Optimizers.plain
    }
    let trial = try experiment.trial()
    let privacy = try #require(trial.privacy)
    #expect(!privacy.hasGuarantee)
    #expect(!privacy.epsilonMax.isFinite)
    #expect(RoundRecord.Privacy.keys.json(privacy)["epsilon"]?["max"]?.isNull == true)
    #expect(trial.privacyLine?["leaks"]?.elements?.isEmpty == false)
    #expect(
      trial.privacyLine?["clients"]?.elements?.allSatisfy { $0["rdp"]?.isNull == true } == true)
  }

  @Test("no strategy sends a block that it does not declare", arguments: RandomFederation.kinds)
  func declared(kind: String) throws {
    let type = try #require(StrategyRegistry[kind])
    let experiment = try PrivateFederation.experiment([nil], rounds: 2) {
      $0.strategies = [
        Self.with(
          #""privacy": { "unit": "example", "noiseMultiplier": 1, "clip": 1 }"#,
          ScenarioText.registered(kind))
      ]
      $0.optimizer = ScenarioText.Optimizers.plain
    }
    let leaks = try experiment.trial().privacyLine?["leaks"]?.elements ?? []
    let undeclared = leaks.filter { $0["what"]?.text == "not declared by the method" }.compactMap {
      $0["name"]?.text
    }
    // Blocks per class have names of their own, after one that is declared.
    #expect(undeclared.isEmpty, "\(undeclared) beside \(type.disclosures.map(\.block))")
  }
}

@Suite("Client-level privacy")
struct ClientLevelTests {
  private func trial(
    _ section: String, kind: String = "fedavg", sampling: String = "uniform",
    participation: Double = 1, rounds: Int = 1
  ) throws -> Trial {
    try PrivateFederation.experiment(
      [section], kind: kind, sampling: sampling, participation: participation, rounds: rounds
    ).trial()
  }

  @Test("without noise the server moves by at most the clip, and by the mean of clipped updates")
  func clip() throws {
    let trial = try trial(#"{ "unit": "client", "noiseMultiplier": 0, "clip": 0.01 }"#)
    let moved = VectorArithmetic.difference(trial.model.span, trial.initial.span)
    // Five clients, one of them without examples: it counts as an update of zero.
    #expect(VectorArithmetic.norm(moved.span) <= 0.01 * 4 / 5 * 1.001)
    #expect(VectorArithmetic.norm(moved.span) > 0.003)
    #expect(trial.privacy?.clipped == 1)
  }

  @Test(
    "the noise of the mean has the deviation sigma·S/m, whoever adds it",
    arguments: ["server", "distributed"], ["gaussian", "discrete"])
  func noise(
    placement: String, noise: String
  ) throws {
    let section = { (sigma: Double) in
      """
      { "unit": "client", "noiseMultiplier": \(sigma), "clip": 0.5,
        "placement": "\(placement)", "noise": "\(noise)" }
      """
    }
    let quiet = try trial(section(0))
    let loud = try trial(section(3))
    let difference = VectorArithmetic.difference(loud.model.span, quiet.model.span)
    let count = Double(difference.count)
    let deviation = VectorArithmetic.norm(difference.span) / count.squareRoot()
    #expect(count > 100)
    #expect(abs(deviation / (3 * 0.5 / 5) - 1) < 5 / (2 * count).squareRoot() + 1e-3)
  }

  @Test("an empty cohort gets its noise like any other")
  func emptyCohort() throws {
    let trial = try trial(
      #"{ "unit": "client", "noiseMultiplier": 1, "clip": 0.5 }"#, sampling: "poisson",
      participation: 0.05, rounds: 5)
    let someEmpty = trial.cohorts.contains { $0.isEmpty }
    #expect(someEmpty)
    #expect(Set(trial.digests).count == 6)
    let moved = VectorArithmetic.difference(trial.model.span, trial.initial.span)
    #expect(VectorArithmetic.norm(moved.span) > 1)
  }

  @Test("client error feedback sends later what the clip took: sums telescope")
  func clientMemory()
    throws
  {
    let trial = try trial(
      """
      { "unit": "client", "mechanism": "error-feedback", "noiseMultiplier": 0, "clip": 0.01 }
      """, rounds: 3)
    for client in [0, 1, 2, 4] {
      let error = try #require(trial.clientMemories[client]?[ClientRelease.errorName("model")])
      #expect(VectorArithmetic.norm(error.span) > 0.01)
    }
  }

  @Test("an adaptive clip follows the norms")
  func adaptive() throws {
    let small = try trial(
      """
      { "unit": "client", "noiseMultiplier": 0, "clip": 1e-4, "clipping": "adaptive",
        "clipRate": 1 }
      """, rounds: 6)
    let large = try trial(
      """
      { "unit": "client", "noiseMultiplier": 0, "clip": 1000, "clipping": "adaptive",
        "clipRate": 1 }
      """, rounds: 6)
    // All are clipped: b̃ = 1/5·0 + …, so S grows by e^(rate·(γ − b̃)); none is: it falls.
    let clips = [small, large].map { $0.serverMemory[RunPrivacy.clipName]?[0] ?? .nan }
    #expect(clips[0] > 1e-4 && clips[1] < 1000)
  }

  @Test(
    "methods that look at single uploads take local noise alone, and one site has no clients",
    arguments: [
      ("fedmd", "server", true), ("fedmd", "local", false), ("centralised", "local", true),
    ])
  func fit(kind: String, placement: String, isRefused: Bool) {
    let text = """
      { "fedsim": 1, "data": { "dataset": { "kind": "synthetic" }, "public": { "size": 100 } },
        "privacy": { "unit": "client", "noiseMultiplier": 1, "placement": "\(placement)" },
        "strategies": [ { "kind": "\(kind)" } ] }
      """
    let reading = ScenarioReader().read(bytes: Array(text.utf8), file: "fit.json")
    #expect(reading.errors.map(\.code) == (isRefused ? ["E3332"] : []))
  }

  @Test("the multiplier that an adaptive clip leaves for updates")
  func adaptiveMultiplier() {
    let cases: [(z: Double, m: Double, expected: Double)] = [
      (1, 100, 1.0050378), (0.5, 50, 0.50251891),
    ]
    for one in cases {
      let found = CountNoise.updateMultiplier(one.z, countDeviation: one.m / 20)
      #expect(abs((found ?? .nan) - one.expected) < 1e-7)
    }
    #expect(CountNoise.updateMultiplier(11, countDeviation: 5) == nil)
  }

  @Test("control variates and updates are clipped as one vector")
  func jointVector() throws {
    let trial = try trial(
      #"{ "unit": "client", "noiseMultiplier": 0, "clip": 0.01 }"#, kind: "scaffold")
    let moved = VectorArithmetic.difference(trial.model.span, trial.initial.span)
    let control = try #require(trial.serverMemory["control"])
    let joint =
      (VectorArithmetic.dot(moved.span, moved.span)
      + VectorArithmetic.dot(control.span, control.span)).squareRoot()
    #expect(joint <= 0.01 * 1.001)
  }
}

import Accounting
import Aggregation
import Base
import Client
import Fixtures
import Records
import Tensor
import Testing

@testable import Federation
@testable import Scenario

@Suite("Correlated noise in runs")
struct CorrelatedRunTests {
  private static let separated = #"{ "kind": "separated", "separation": 2 }"#
  private static let cyclic = #"{ "kind": "cyclic-poisson", "groups": 2 }"#

  private static func experiment(
    _ fields: [String], sampling: String = separated, kind: String = "fedavg", rounds: Int = 4,
    _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> Experiment {
    let sections = fields.map { #"{ "unit": "client", "clip": 0.3, \#($0) }"# }
    return try PrivateFederation.experiment(sections, kind: kind) { text in
      text.federation = """
        { "clients": 5, "rounds": \(rounds), "participation": 0.4, "sampling": \(sampling) }
        """
      change(&text)
    }
  }

  // MARK: - Bits

  @Test(
    "digests are the same for any number of threads and through a checkpoint",
    arguments: [
      (#""banded""#, separated), (#"{ "kind": "banded-inverse", "bands": 3 }"#, separated),
      (#"{ "kind": "banded", "bands": 2 }"#, cyclic),
    ])
  func determinism(correlation: String, sampling: String) throws {
    for kind in ["fedavg", "scaffold"] {
      let experiment = try Self.experiment(
        [#""noiseMultiplier": 0.4, "correlation": \#(correlation)"#], sampling: sampling,
        kind: kind)
      let reference = try experiment.trial()
      #expect(Set(reference.digests).count == 5)
      #expect(reference.serverMemory[RunPrivacy.clipName] == nil)
      for threads in [2, 3] {
        #expect(try experiment.trial(threads: threads).digests == reference.digests)
      }
      for round in [1, 3] {
        let folder = try ScratchFolder()
        let resumed = try experiment.trial(threads: 2, interruptedAfter: round, folder: folder.path)
        #expect(resumed.digests == reference.digests)
        #expect(resumed.privacy?.epsilonMax == reference.privacy?.epsilonMax)
      }
    }
  }

  @Test("one band is independent noise, bit for bit, and costs as much")
  func oneBand() throws {
    for (sampling, kinds) in [
      (Self.separated, ["banded", "banded-inverse"]), (Self.cyclic, ["banded"]),
    ] {
      for kind in kinds {
        let experiment = try Self.experiment(
          [
            #""noiseMultiplier": 2"#,
            #""noiseMultiplier": 2, "correlation": { "kind": "\#(kind)", "bands": 1 }"#,
          ], sampling: sampling)
        let (plain, one) = (try experiment.trial(strategy: 0), try experiment.trial(strategy: 1))
        #expect(plain.digests == one.digests)
        let epsilons = [plain, one].compactMap { $0.privacy?.epsilonMax }
        #expect(epsilons.count == 2 && abs(epsilons[0] / epsilons[1] - 1) < 1e-9)
        #expect(epsilons[0] > 0.1 && epsilons[0].isFinite)
      }
    }
  }

  @Test("without noise nothing is correlated; with everybody in every round nothing is separated")
  func ends() throws {
    let quiet = try Self.experiment([
      #""noiseMultiplier": 0"#, #""noiseMultiplier": 0, "correlation": "banded""#,
    ])
    #expect(try quiet.trial(strategy: 0).digests == quiet.trial(strategy: 1).digests)
    let everybody = try Self.experiment([#""noiseMultiplier": 4, "correlation": "banded""#]) {
      $0.federation = #"{ "clients": 5, "rounds": 4 }"#
    }
    let found = try #require(try everybody.trial().privacy?.epsilonMax)
    let pattern = try ParticipationPattern(separation: 1)
    let bands = try BandChoice.best(.banded, rounds: 4, pattern: pattern)
    let column = try ToeplitzStrategy(.banded, bands: bands, rounds: 4).coefficients
    let moved = pattern.sensitivities(of: column)[4]
    let expected = GaussianMechanism(shift: moved / 4).epsilon(delta: 1e-5)
    #expect(abs(found / expected - 1) < 1e-9)
  }

  // MARK: - The noise

  @Test("the noise of a round is the inverse's row times all noise so far", arguments: [1, 3])
  func rows(workers: Int) throws {
    let count = 40_003
    let pool = WorkerPool(workers: workers)
    for strategy in [
      try ToeplitzStrategy(.banded, bands: 3, rounds: 9),
      try ToeplitzStrategy(.bandedInverse, bands: 4, rounds: 9),
    ] {
      let streams: @Sendable (Int, Int) -> RandomStream = { round, block in
        RandomStream(seed: 7, .test, round: round, client: block)
      }
      let release = CorrelatedRelease(strategy: strategy, streams: streams)
      var rounds: [[Float]] = []
      for round in 1...9 {
        let found = release.noise(round: round, block: 2, count: count, deviation: 0.7, pool)
        #expect(found.count == count)
        rounds.append(found)
        for i in [0, 7, 8, 15, 16, 16_383, 16_384, 30_001, count - 1] {
          var sum = 0.0
          for j in 0..<round {
            sum += strategy.inverse[j] * GaussianNoise(streams(round - j, 2)).value(i)
          }
          #expect(abs(Double(found[i]) - 0.7 * sum) < 1e-6)
        }
      }
      // Cov(w_s, w_t) = s²·Σ_j r_j r_{j + t − s}.
      for (s, t) in [(0, 0), (1, 2), (4, 4), (4, 8)] {
        let expected = (0...s).reduce(0.0) {
          $0 + strategy.inverse[$1] * strategy.inverse[$1 + t - s]
        }
        let mean =
          zip(rounds[s], rounds[t]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
          / Double(count)
        #expect(abs(mean - 0.49 * expected) < 0.49 * 10 / Double(count).squareRoot())
      }
    }
  }

  @Test("what rounds add is taken back: the model is off by the error of the prefix sum")
  func prefixSum() throws {
    let rounds = 12
    for (fields, strategy) in [
      ("", try ToeplitzStrategy(.banded, bands: 1, rounds: rounds)),
      (
        #", "correlation": { "kind": "banded", "bands": 6 }"#,
        try ToeplitzStrategy(.banded, bands: 6, rounds: rounds)
      ),
      (
        #", "correlation": { "kind": "banded-inverse", "bands": 4 }"#,
        try ToeplitzStrategy(.bandedInverse, bands: 4, rounds: rounds)
      ),
    ] {
      let experiment = try Self.experiment(
        [#""noiseMultiplier": 2\#(fields)"#], rounds: rounds
      ) {
        // Nobody moves: the model is the sum of the noise.
        $0.optimizer = #"{ "kind": "sgd", "learningRate": 1e-12, "momentum": 0 }"#
      }
      let trial = try experiment.trial()
      let difference = VectorArithmetic.difference(trial.model.span, trial.initial.span)
      let count = Double(difference.count)
      let found = VectorArithmetic.norm(difference.span) / count.squareRoot()
      // σ·S/m with two clients a round.
      let expected = 2 * 0.3 / 2 * strategy.prefixVariances[rounds - 1].squareRoot()
      #expect(abs(found / expected - 1) < 5 / (2 * count).squareRoot(), "\(fields)")
    }
  }

  // MARK: - Epsilon

  @Test("epsilon is that of one Gaussian mechanism")
  func epsilon() throws {
    // c = (1, 1/2), rounds 1 and 3: the sensitivity is √(2·1.25).
    let trial = try Self.experiment([
      #""noiseMultiplier": 3, "correlation": { "kind": "banded", "bands": 2 }"#
    ]).trial()
    let expected = GaussianMechanism(shift: 2.5.squareRoot() / 3).epsilon(delta: 1e-5)
    let privacy = try #require(trial.privacy)
    #expect(abs(privacy.epsilonMax / expected - 1) < 1e-9)
    #expect(privacy.hasGuarantee)
    #expect(trial.privacyLine?["noiseMultiplier"]?.double == 3)
    #expect(trial.privacyLine?["releases"]?.int == 2)
  }

  @Test(
    "in groups epsilon is that of DP-SGD at the rate b·m/N, in ⌈T/b⌉ steps",
    arguments: [("", 0.8), (#", "assumedPopulation": 50"#, 0.08)])
  func cyclicEpsilon(field: String, rate: Double) throws {
    let trial = try Self.experiment(
      [#""noiseMultiplier": 3, "correlation": { "kind": "banded", "bands": 2 }\#(field)"#],
      sampling: Self.cyclic, rounds: 5
    ).trial()
    // Two of five clients a round, two groups; ‖(1, 1/2)‖² = 1.25.
    let event = try PrivacyEvent.poisson(
      unit: .client, rate: rate, noiseMultiplier: 3 / 1.25.squareRoot(), steps: 3)
    let expected = Accountant.pld.epsilon(PrivacyLedger([event]), delta: 1e-5)
    let found = try #require(trial.privacy?.epsilonMax)
    #expect(abs(found / expected - 1) < 1e-6)
    #expect(trial.privacyLine?["releases"]?.int == 3)
    for (round, cohort) in trial.cohorts.enumerated() where round >= 2 {
      #expect(Set(cohort).isDisjoint(with: trial.cohorts[round - 1]))
    }
  }

  @Test("a target is met, and hardly more; correlated noise has less error for it")
  func target() throws {
    let rounds = 20
    var errors: [Double] = []
    for (fields, strategy) in [
      ("", try ToeplitzStrategy(.banded, bands: 1, rounds: rounds)),
      (
        #", "correlation": { "kind": "banded", "bands": 2 }"#,
        try ToeplitzStrategy(.banded, bands: 2, rounds: rounds)
      ),
    ] {
      for sampling in [Self.separated, Self.cyclic] {
        let trial = try Self.experiment(
          [#""target": { "epsilon": 3 }\#(fields)"#], sampling: sampling, rounds: rounds
        ).trial()
        let privacy = try #require(trial.privacy)
        #expect(privacy.epsilonMax <= 3 && privacy.epsilonMax > 2.99)
        let sigma = try #require(trial.privacyLine?["noiseMultiplier"]?.double)
        errors.append(sigma * strategy.prefixError)
      }
    }
    #expect(errors[2] < errors[0])
  }

  @Test("after the first rounds epsilon is that of the first rounds")
  func early() throws {
    let mechanism = PrivacySettings.ClientMechanism()
    let settings = PrivacySettings(unit: .client(mechanism), clip: 1, delta: 1e-5)
    let pattern = try ParticipationPattern(separation: 5)
    for correlation in [
      nil, PrivacySettings.ClientMechanism.Correlation(.banded, bands: 4),
      PrivacySettings.ClientMechanism.Correlation(.bandedInverse, bands: 3),
    ] {
      var accounting = ClientAccounting(settings, mechanism, .separated(pattern), exchanges: 2)
      if let correlation { accounting = try accounting.correlated(correlation, rounds: 20) }
      #expect(accounting.epsilon(6, releases: 0).pld == 0)
      var last = 0.0
      for round in 1...20 {
        let found = accounting.epsilon(6, releases: 2 * round).pld
        // Of rounds alone: what comes later cannot make what came before more expensive.
        var shorter = ClientAccounting(settings, mechanism, .separated(pattern), exchanges: 2)
        if let correlation, (correlation.bands ?? 0) <= round {
          shorter = try shorter.correlated(correlation, rounds: round)
          #expect(abs(shorter.epsilon(6, releases: 2 * round).pld / found - 1) < 1e-9)
        }
        #expect(found >= last)
        last = found
      }
      let twice = accounting.epsilon(6, releases: 40).pld
      let once = ClientAccounting(settings, mechanism, .separated(pattern))
      let single = try correlation.map { try once.correlated($0, rounds: 20) } ?? once
      // Two exchanges are two mechanisms: σ/√2.
      let joint = single.epsilon(6 / 2.0.squareRoot(), releases: 20).pld
      #expect(abs(twice / joint - 1) < 1e-9)
    }
  }

  // MARK: - Refusals

  private static let banded = #""correlation": { "kind": "banded", "bands": 2 }"#

  @Test(
    "what has no theorem is refused, with the place",
    arguments: [
      (banded, #""uniform""#, "$.strategies[0]"), (banded, #""poisson""#, "$.strategies[0]"),
      (#""correlation": "banded-inverse""#, cyclic, "$.strategies[0]"),
      (#""correlation": "banded""#, cyclic, "$.strategies[0]"),
      (#""correlation": { "kind": "banded", "bands": 3 }"#, cyclic, "$.strategies[0]"),
      (#""correlation": { "kind": "banded", "bands": 5 }"#, separated, "$.strategies[0]"),
      (#"\#(banded), "placement": "local""#, separated, "$.privacy.placement"),
      (#"\#(banded), "placement": "distributed""#, separated, "$.privacy.placement"),
      (#"\#(banded), "noise": "discrete""#, separated, "$.privacy.noise"),
      (#"\#(banded), "clipping": "adaptive""#, separated, "$.privacy.clipping"),
      (#"\#(banded), "mechanism": "dice-sgd""#, separated, "$.privacy.mechanism"),
      (#""mechanism": "dice-sgd""#, separated, "$.strategies[0]"),
      (#""mechanism": "dice-sgd""#, cyclic, "$.strategies[0]"),
    ])
  func refused(fields: String, sampling: String, path: String) throws {
    let reading = Self.reading(
      #""noiseMultiplier": 1, \#(fields)"#,
      federation: """
        { "clients": 10, "rounds": 4, "perRound": 2, "sampling": \(sampling) }
        """)
    let found = reading.errors.first { $0.code == "E3336" }
    #expect(found?.path == path, "\(reading.errors)")
  }

  @Test("an asynchronous method has no schedule to count on")
  func asynchronous() {
    let reading = Self.reading(
      #""noiseMultiplier": 1, "placement": "server", \#(Self.banded)"#,
      federation: #"{ "clients": 10, "rounds": 4, "perRound": 2, "sampling": \#(Self.separated) }"#,
      kind: "fedbuff")
    #expect(!reading.errors.isEmpty)
  }

  @Test(
    "schedules that the clients are too few for",
    arguments: [
      (#"{ "kind": "separated", "separation": 6 }"#, "separation"),
      (#"{ "kind": "separated", "separation": 2, "participations": 1 }"#, "participations"),
      (#"{ "kind": "cyclic-poisson", "groups": 6 }"#, "groups"),
    ])
  func tooFew(sampling: String, field: String) {
    let reading = Self.reading(
      #""noiseMultiplier": 1"#,
      federation: """
        { "clients": 10, "rounds": 8, "perRound": 2, "sampling": \(sampling) }
        """)
    #expect(reading.errors.map(\.code) == ["E3211"])
    #expect(reading.errors.first?.path == "$.federation.sampling.\(field)")
  }

  private static func reading(_ fields: String, federation: String, kind: String = "fedavg")
    -> ScenarioReading
  {
    let text = """
      { "fedsim": 1, "data": { "dataset": { "kind": "synthetic" } },
        "federation": \(federation),
        "privacy": { "unit": "client", \(fields) },
        "strategies": [ { "kind": "\(kind)" } ] }
      """
    return ScenarioReader().read(bytes: Array(text.utf8), file: "refused.json")
  }
}

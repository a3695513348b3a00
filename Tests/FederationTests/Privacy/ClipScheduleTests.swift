import Federation
import Fixtures
import Records
import Scenario
import Testing

@Suite("Clips that move by a schedule")
struct ClipScheduleTests {
  private static let step = #""clipSchedule": { "kind": "step", "every": 2, "factor": 0.5 }"#
  private static let sections = [
    #"{ "unit": "example", "noiseMultiplier": 1, "clip": 0.4, \#(step) }"#,
    #"{ "unit": "example", "noiseMultiplier": 1, "clip": 0.4, "clipping": "per-layer", \#(step) }"#,
    #"{ "unit": "client", "noiseMultiplier": 0.4, "clip": 0.4, \#(step) }"#,
    #"{ "unit": "client", "noiseMultiplier": 0.4, "clip": 0.4, "placement": "local", \#(step) }"#,
    """
    { "unit": "client", "noiseMultiplier": 0.4, "clip": 0.4, "placement": "distributed",
      "noise": "discrete", \(step) }
    """,
  ]

  @Test("the clip is that of the round, and epsilon that without a schedule", arguments: sections)
  func rounds(section: String) throws {
    let plain = section.replacing(", " + Self.step, with: "")
    for (rounds, factor) in [(1, 1.0), (2, 1), (3, 0.5), (4, 0.5), (5, 0.25)] {
      let moved = try PrivateFederation.experiment([section], rounds: rounds).trial()
      let still = try PrivateFederation.experiment([plain], rounds: rounds).trial()
      let (one, other) = (try #require(moved.privacy), try #require(still.privacy))
      #expect(one.clip == 0.4 * factor && other.clip == 0.4)
      #expect(one.epsilonMax == other.epsilonMax && one.epsilonMedian == other.epsilonMedian)
      // Nothing moves before the first step, everything after it.
      #expect((moved.model == still.model) == (rounds <= 2))
    }
  }

  @Test("half a clip from the start is a clip of half the size")
  func constant() throws {
    // A warm-up of one round: 1/2 in the first.
    let warm = try PrivateFederation.experiment(
      [
        """
        { "unit": "example", "noiseMultiplier": 1, "clip": 0.4,
          "clipSchedule": { "kind": "constant", "warmup": 1 } }
        """
      ], rounds: 1
    ).trial()
    let half = try PrivateFederation.experiment(
      [#"{ "unit": "example", "noiseMultiplier": 1, "clip": 0.2 }"#], rounds: 1
    ).trial()
    #expect(warm.model == half.model && warm.digests == half.digests)
  }

  @Test("the same bits on any number of threads and through a checkpoint", arguments: sections)
  func resume(section: String) throws {
    let experiment = try PrivateFederation.experiment([section])
    let whole = try experiment.trial()
    #expect(try experiment.trial(threads: 2, interruptedAfter: 2).digests == whole.digests)
  }

  @Test("clips that move otherwise, or whose remainder comes back, take no schedule")
  func refused() {
    for (section, code) in [
      (
        #"{ "unit": "example", "mechanism": "dice-sgd", "noiseMultiplier": 1, \#(Self.step) }"#,
        true
      ),
      (
        #"{ "unit": "client", "mechanism": "dice-sgd", "noiseMultiplier": 1, \#(Self.step) }"#, true
      ),
      (
        #"{ "unit": "client", "mechanism": "error-feedback", "noiseMultiplier": 1, \#(Self.step) }"#,
        true
      ),
      (#"{ "unit": "client", "clipping": "adaptive", "noiseMultiplier": 1, \#(Self.step) }"#, true),
      (#"{ "unit": "client", "noiseMultiplier": 1, \#(Self.step) }"#, false),
    ] {
      var text = ScenarioText()
      text.strategies = [ScenarioText.strategy("fedavg", #""privacy": \#(section)"#)]
      let found = text.problems.contains {
        $0.code == "E3332" && $0.path == "$.strategies[0].privacy.clipSchedule"
      }
      #expect(found == code, "\(section)")
    }
  }

  @Test("a cosine knows the end, a step does not")
  func whatKnowsTheEnd() throws {
    func scenario(_ schedule: String) throws -> Scenario {
      var text = ScenarioText()
      text.strategies = [
        ScenarioText.strategy(
          "fedavg",
          #""privacy": { "unit": "example", "noiseMultiplier": 1, "clipSchedule": \#(schedule) }"#)
      ]
      return try #require(try text.reading().scenario)
    }
    #expect(try scenario(#"{ "kind": "step", "every": 1 }"#).whatKnowsTheEnd.isEmpty)
    #expect(try scenario(#"{ "kind": "cosine" }"#).whatKnowsTheEnd.count == 1)
  }
}

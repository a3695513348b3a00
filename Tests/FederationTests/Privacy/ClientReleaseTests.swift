import Aggregation
import Base
import Client
import Data
import Fixtures
import Records
import Scenario
import Tensor
import Testing

@testable import Federation

/// What client-level noise makes of every method's uploads.
@Suite("What client-level noise covers")
struct ClientReleaseTests {
  /// How a method with its default fields fares under local noise.
  enum Fate: Equatable {
    /// All its numbers are clipped and noised.
    case noised
    /// Its floats are; whole numbers leave as they are and are named.
    case named
    /// Nothing is sent.
    case silent
    case refused(String)
  }

  private static let special: [String: Fate] = [
    "centralised": .refused("E3332"), "fednova": .refused("E3370"), "ccvr": .refused("E3370"),
    "creff": .refused("E3370"), "fedd2s": .refused("E3370"), "fedasync": .refused("E3363"),
    "fedbuff": .refused("E3363"), "fedproto": .named, "feddistill": .named, "fedgen": .named,
    "local-only": .silent,
  ]

  private static func text(_ kind: String, _ fields: String = "", _ placement: String) throws -> (
    ScenarioText, PartitionFile
  ) {
    let file = try PartitionFile(sizes: PrivateFederation.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 5, "rounds": 2, "weighting": "uniform" }"#
    text.publicSet = ScenarioText.somePublic.json
    text.strategies = [
      PrivateRunTests.with(
        """
        \(fields)"privacy": { "unit": "client", "noiseMultiplier": 1, "clip": 1,
          "placement": "\(placement)" }
        """, ScenarioText.registered(kind))
    ]
    return (text, file)
  }

  @Test(
    "each tensor is noised, or left out and named, or its method is refused; nothing traps",
    arguments: RandomFederation.kinds)
  func everyStrategy(kind: String) throws {
    let expected = Self.special[kind] ?? .noised
    let (text, file) = try Self.text(kind, "", "local")
    defer { withExtendedLifetime(file) {} }
    let problems = text.problems
    if case .refused(let code) = expected {
      #expect(problems.filter { $0.severity == .error }.map(\.code) == [code])
      return
    }
    #expect(problems.contains { $0.code == "W3037" } == (expected == .silent))
    #expect(problems.contains { $0.code == "W3032" } == (expected == .named))
    let images = PrivateFederation.sizes.reduce(0, +) + ScenarioText.somePublic.spareImages
    let experiment = try text.experiment(SmallImages.floats(train: images))
    try Self.checkTensors(experiment, expected)
    let trial: Trial
    do { trial = try experiment.trial() } catch is Divergence { return }
    let privacy = try #require(trial.privacy)
    #expect(privacy.hasGuarantee == (expected != .named))
    #expect((privacy.epsilonMax == 0) == (expected == .silent))
    #expect(try experiment.trial(threads: 3, interruptedAfter: 1).digests == trial.digests)
  }

  /// The same upload with and without noise.
  private static func checkTensors(_ experiment: Experiment, _ expected: Fate) throws {
    let choice = experiment.scenario.strategies[0]
    let context = try experiment.adapted(experiment.context(0, threads: 1), to: choice)
    let simulation = try Experiment.simulation(of: choice, context)
    do { _ = try simulation.runRound() } catch { return }  // noise may make it diverge
    let privacy = try #require(context.privacy)
    let mechanism = try #require(privacy.settings.clientLevel)
    var seen = 0
    // The first exchange: in the second ones of methods that are not refused nothing goes up.
    let job = RoundJobs.Job(client: 2, examples: context.split.clients[2], weight: 1)
    let uploads = try [0.0, 1].map { deviation in
      let release = ClientRelease(
        settings: privacy.settings, mechanism: mechanism, clip: 1, deviation: deviation)
      let streams = NoiseStreams(seed: context.seed, round: simulation.round, exchange: 0)
      return try ClientTask(
        context: context, method: simulation.method, server: simulation.server,
        stages: [ClippedMessage(release: release, streams: streams)]
      ).run(
        job, context.problem.settings,
        ClientTurn(client: 2, round: simulation.round, number: 0, worker: 0),
        simulation.state.clients[2] ?? ClientState()
      ).get().update.upload.materialised
    }
    for (quiet, loud) in zip(uploads[0].blocks, uploads[1].blocks) {
      var start = 0
      for tensor in quiet.tensors {
        let range = start..<start + tensor.count
        start = range.upperBound
        let same = range.count { quiet.values[$0] == loud.values[$0] }
        if tensor.element == .float32 {
          #expect(same * 100 <= range.count, "\(quiet.name)/\(tensor.name) has no noise")
        } else {
          #expect(same == range.count, "\(quiet.name)/\(tensor.name) was changed")
          #expect(privacy.declares(loud))
          let leak = privacy.audit.leaks.first { $0.name == quiet.name }
          #expect(leak?.what.contains(tensor.name) == true)
        }
        seen += tensor.count
      }
    }
    #expect((seen > 0) == (expected != .silent))
  }

  @Test(
    "what has no common scale is refused with the name of the tensor, wherever the noise is",
    arguments: [
      ("fednova", "", "server", "steps"), ("fednova", "", "distributed", "steps"),
      ("fednova", "", "local", "steps"), ("ccvr", "", "local", "class"),
      ("creff", "", "local", "gradient"), ("fedd2s", "", "local", "representations"),
      ("knfu", #""estimate": "labelHistogram", "#, "local", "label-distribution"),
    ])
  func refused(kind: String, fields: String, placement: String, tensor: String) throws {
    let (text, _) = try Self.text(kind, fields, placement)
    let errors = text.problems.filter { $0.severity == .error }
    #expect(errors.map(\.code) == ["E3370"])
    #expect(errors.first?.message.contains("\"\(tensor)\"") == true)
  }

  @Test("control variates share the clip of updates, which is said")
  func control() throws {
    for placement in ["server", "distributed", "local"] {
      let problems = try Self.text("scaffold", "", placement).0.problems
      #expect(problems.map(\.code) == ["W3001", "W3021", "W3036"])
    }
  }

  @Test(
    "a method that sends nothing spends nothing", arguments: ["server", "distributed", "local"])
  func silence(placement: String) throws {
    let (text, file) = try Self.text("local-only", "", placement)
    defer { withExtendedLifetime(file) {} }
    #expect(text.problems.map(\.code) == ["W3001", "W3021", "W3021", "W3037"])
    let images = PrivateFederation.sizes.reduce(0, +) + ScenarioText.somePublic.spareImages
    let trial = try text.experiment(SmallImages.floats(train: images)).trial()
    #expect(trial.privacy?.epsilonMax == 0 && trial.privacy?.epsilonMedian == 0)
    #expect(trial.privacyLine?["releases"]?.int == 0)
  }

  @Test(
    "warnings name what is sent under a scenario's fields, and nothing else",
    arguments: [
      ("knfu", "", "label-distribution", false),
      ("knfu", #""estimate": "labelHistogram", "#, "label-distribution", true),
      ("fedproto", "", "counts", true),
      ("fedproto", #""prototypeMean": "uniform", "#, "counts", false),
      ("local-only", #""loss": "balanced-softmax", "#, "class counts", false),
    ])
  func named(kind: String, fields: String, word: String, isNamed: Bool) throws {
    var (text, _) = try Self.text(kind, fields, "local")
    text.strategies = [
      PrivateRunTests.with(
        fields + #""privacy": { "unit": "example", "noiseMultiplier": 1, "clip": 1 }"#,
        ScenarioText.registered(kind))
    ]
    let said = text.problems.filter { $0.code == "W3032" }.map(\.message)
    #expect(said.contains { $0.contains(word) } == isNamed, "\(said)")
  }
}

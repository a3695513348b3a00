import Aggregation
import Federation
import Fixtures
import Testing

@testable import Scenario

@Suite("Settings without effect")
struct InertFieldTests {
  /// A scenario in which a field changes nothing, and one in which it does something.
  struct Case: CustomTestStringConvertible, Sendable {
    let path: String
    let says: String
    let inert: @Sendable (inout ScenarioText) -> Void
    let alive: @Sendable (inout ScenarioText) -> Void
    var testDescription: String { "\(path): \(says)" }

    init(
      _ path: String, _ says: String, _ inert: @escaping @Sendable (inout ScenarioText) -> Void,
      alive: @escaping @Sendable (inout ScenarioText) -> Void
    ) {
      self.path = path
      self.says = says
      self.inert = inert
      self.alive = alive
    }

    /// Two strategies' entries in place of changes.
    init(_ path: String, _ says: String, _ inert: String, alive: String) {
      self.init(path, says, { $0.strategies = [inert] }, alive: { $0.strategies = [alive] })
    }

    /// Two links of FedAvg's uplink.
    init(link field: String, _ says: String, _ inert: String, alive: String) {
      func entry(_ link: String) -> String {
        #"{ "kind": "fedavg", "compression": { "uplink": { \#(link) } } }"#
      }
      self.init(
        "strategies[0].compression.uplink.\(field)", says, entry(inert), alive: entry(alive))
    }
  }

  private static func clipSchedule(_ schedule: String) -> String {
    """
    { "kind": "fedavg",
      "privacy": { "unit": "example", "noiseMultiplier": 1, "clipSchedule": \(schedule) } }
    """
  }

  private static let uniform = #"{ "clients": 3, "rounds": 2, "weighting": "uniform" }"#
  private static func weighting(_ kind: String, _ says: String) -> Case {
    Case(
      "federation.weighting", says,
      {
        $0.federation = uniform
        $0.strategies = [ScenarioText.registered(kind)]
      }, alive: { $0.federation = uniform })
  }

  private static let resting = """
    { "clients": 3, "rounds": 2, "perRound": 1,
      "sampling": { "kind": "separated", "separation": 2 } }
    """
  private static func clientPrivacy(_ sigma: Int, _ field: String) -> String {
    """
    { "kind": "fedavg", "privacy": { "unit": "client", "clip": 1, "noiseMultiplier": \(sigma),
      \(field) } }
    """
  }

  private static func listed(_ layer: String, _ fields: String) -> String {
    let layers = [
      "dense": #"{ "kind": "dense", "units": 4 }"#,
      "conv": #"{ "kind": "conv", "channels": 4, "kernel": 1 }"#,
      "pool": #"{ "kind": "max-pool", "kernel": 1 }"#,
    ]
    return #"{ "kind": "sequential", "layers": [\#(layers[layer, default: ""])]\#(fields) }"#
  }

  private static let copies = """
    { "kind": "fedavg", "privacy": { "unit": "example", "noiseMultiplier": 1,
      "augmentationMultiplicity": 2 } }
    """
  private static let pretrained =
    #"{ "kind": "mlp", "hidden": [6], "pretrain": { "images": 6, "epochs": 1 } }"#

  static let cases: [Case] = [
    weighting("centralised", "there is one site"), weighting("scaffold", "uploads count alike"),
    weighting("fedins", "uploads count alike"),
    Case(
      "federation.weighting", "client-level privacy",
      {
        $0.federation = uniform
        $0.strategies = [
          """
          { "kind": "fedavg", "privacy": { "unit": "client", "clip": 1, "noiseMultiplier": 1,
            "delta": 1e-3 } }
          """
        ]
      }, alive: { $0.federation = uniform }),
    Case(
      "federation.sampling", "there is one site",
      {
        $0.federation = #"{ "clients": 3, "rounds": 2, "sampling": "oort" }"#
        $0.strategies = [#"{ "kind": "centralised" }"#]
      }, alive: { $0.federation = #"{ "clients": 3, "rounds": 2, "sampling": "oort" }"# }),
    Case(
      "federation.sampling", "an asynchronous method",
      {
        $0.federation = #"{ "clients": 3, "rounds": 2, "sampling": "poisson" }"#
        $0.strategies = [#"{ "kind": "fedasync" }"#]
      }, alive: { $0.federation = #"{ "clients": 3, "rounds": 2, "sampling": "poisson" }"# }),
    Case(
      "federation.sampling", "an asynchronous method",
      {
        $0.federation = resting
        $0.strategies = [#"{ "kind": "fedasync" }"#]
      }, alive: { $0.federation = resting }),
    Case(
      "strategies[0].privacy.assumedPopulation", "amplifies nothing",
      {
        $0.federation = resting
        $0.strategies = [clientPrivacy(1, #""assumedPopulation": 9"#)]
      }, alive: { $0.strategies = [clientPrivacy(1, #""assumedPopulation": 9"#)] }),
    Case(
      "strategies[0].privacy.correlation", "there is no noise to correlate",
      clientPrivacy(0, #""correlation": "banded""#),
      alive: clientPrivacy(1, #""correlation": "banded""#)),
    Case(
      "strategies[0].pretrained", "there is no model.pretrain",
      #"{ "kind": "fedavg", "pretrained": false }"#, alive: #"{ "kind": "fedavg" }"#),
    Case(
      "model.pretrain", "pretrained is false",
      {
        $0.partition = #"{ "kind": "iid" }"#
        $0.model = pretrained
        $0.strategies = [#"{ "kind": "fedavg", "pretrained": false }"#]
      },
      alive: {
        $0.partition = #"{ "kind": "iid" }"#
        $0.model = pretrained
        $0.strategies = [
          #"{ "kind": "fedavg", "pretrained": false }"#, #"{ "kind": "fedavg", "label": "b" }"#,
        ]
      }),
    Case(
      "system", "there is one site",
      {
        $0.system = "{}"
        $0.strategies = [#"{ "kind": "centralised" }"#]
      }, alive: { $0.system = "{}" }),
    Case(
      "system.network", "nothing is sent",
      {
        $0.system = #"{ "network": { "up": "1 kbit/s" } }"#
        $0.strategies = [#"{ "kind": "local-only" }"#]
      }, alive: { $0.system = #"{ "network": { "up": "1 kbit/s" } }"# }),
    Case(
      "strategies[0].private", "no parameters of the group \"norm\"",
      #"{ "kind": "fedavg", "private": ["norm"] }"#,
      alive: #"{ "kind": "fedavg", "private": ["head"] }"#),
    Case(
      "strategies[0].buffer", "6 arrivals", #"{ "kind": "fedbuff", "buffer": 7 }"#,
      alive: #"{ "kind": "fedbuff", "buffer": 6 }"#),
    Case(
      "evaluation.every", "there are 2 rounds", { $0.evaluation = #"{ "every": 3 }"# },
      alive: { $0.evaluation = #"{ "every": 2 }"# }),
    Case(
      "model.weightStandardisation", "none of model.layers has a place for it",
      { $0.model = listed("dense", #", "weightStandardisation": true"#) },
      alive: { $0.model = listed("conv", #", "weightStandardisation": true"#) }),
    Case(
      "model.norm", "none of model.layers has a place for it",
      { $0.model = listed("dense", #", "norm": "group""#) },
      alive: { $0.model = listed("conv", #", "norm": "group""#) }),
    Case(
      "model.activation", "none of model.layers has a place for it",
      { $0.model = listed("pool", #", "activation": "tanh""#) },
      alive: { $0.model = listed("dense", #", "activation": "tanh""#) }),
    Case(
      "evaluation.ema", "with 0 the average is the model of the last round",
      { $0.evaluation = #"{ "ema": 0 }"# }, alive: { $0.evaluation = #"{ "ema": 0.5 }"# }),
    Case(
      "strategies[0].privacy.augmentationMultiplicity", "all copies of an example are the same",
      { $0.strategies = [copies] },
      alive: {
        $0.strategies = [copies]
        $0.model = #"{ "kind": "mlp", "hidden": [6], "dropout": [0.2] }"#
      }),
    Case(
      "strategies[0].privacy.clipSchedule", "the clip is the same in all 2 rounds",
      clipSchedule(#"{ "kind": "step", "every": 2 }"#),
      alive: clipSchedule(#"{ "kind": "step", "every": 1 }"#)),
    Case(
      "client.schedule.every", "the rate never steps",
      { $0.schedule = #"{ "kind": "step", "every": 2 }"# },
      alive: { $0.schedule = #"{ "kind": "step", "every": 1 }"# }),
    Case(
      "output.keepCheckpoints", "checkpointEvery is 0",
      { $0.output = #"{ "checkpointEvery": 0, "keepCheckpoints": 2 }"# },
      alive: { $0.output = #"{ "checkpointEvery": 1, "keepCheckpoints": 2 }"# }),
    Case(
      "strategies[0].loss.beta", "classes are never weighted",
      #"{ "kind": "fedavg", "loss": { "kind": "ldam", "reweightFrom": 1, "beta": 0.9 } }"#,
      alive: #"{ "kind": "fedavg", "loss": { "kind": "ldam", "beta": 0.9 } }"#),
    Case(
      link: "fading", "errorFeedback is false", #""kind": "quantize", "fading": 0.5"#,
      alive: #""kind": "topk", "fading": 0.5"#),
    Case(
      link: "fading", "ef21's estimates never fade",
      #""kind": "topk", "feedback": "ef21", "fading": 0.5"#, alive: #""kind": "dgc", "fading": 0.5"#
    ),
    Case(
      link: "feedback", "errorFeedback is false", #""kind": "quantize", "feedback": "ef21""#,
      alive: #""kind": "quantize", "feedback": "ef21", "errorFeedback": true"#),
    Case(
      link: "errorFeedback", "always keep their errors",
      #""kind": "low-rank", "sums": "factors", "errorFeedback": false"#,
      alive: #""kind": "low-rank", "errorFeedback": false"#),
    Case(
      link: "smoothing", "ef21", #""kind": "topk", "smoothing": 0.5"#,
      alive: #""kind": "topk", "smoothing": 0.5, "feedback": "ef21""#),
    Case(
      link: "errorUnits", "ef-sgd",
      #""kind": "topk", "errorUnits": "gradient", "errorFeedback": false"#,
      alive: #""kind": "topk", "errorUnits": "gradient""#),
    Case(
      link: "errorReference", "factors", #""kind": "low-rank", "errorReference": "own""#,
      alive: #""kind": "low-rank", "errorReference": "own", "sums": "factors""#),
    Case(
      link: "warmupStages", "geometric", #""kind": "dgc", "warmup": "quarters", "warmupStages": 3"#,
      alive: #""kind": "dgc", "warmup": "geometric", "warmupStages": 3"#),
    Case(
      link: "warmupRounds", "no warmup", #""kind": "dgc", "warmupRounds": 3"#,
      alive: #""kind": "dgc", "warmup": "quarters", "warmupRounds": 3"#),
    Case(
      link: "nesterov", "momentum is 0", #""kind": "dgc", "momentum": 0, "nesterov": true"#,
      alive: #""kind": "dgc", "nesterov": true"#),
  ]

  private func warnings(_ change: (inout ScenarioText) -> Void) throws -> [Problem] {
    let file = try PartitionFile(sizes: RunFixture.sizes)
    var text = ScenarioText(partition: file.json)
    text.publicSet = ScenarioText.somePublic.json
    change(&text)
    return try text.reading().warnings.filter { $0.code == "W3021" }
  }

  @Test("what changes nothing is said, what changes something is not", arguments: cases)
  func table(
    one: Case
  ) throws {
    let told = try warnings(one.inert)
    #expect(told.map(\.path) == ["$." + one.path])
    #expect(told.first?.message.hasPrefix("no effect: ") ?? false)
    #expect(told.first?.message.contains(one.says) ?? false, "\(told)")
    let alive = try warnings(one.alive).map(\.path)
    #expect(!alive.contains("$." + one.path), "\(alive)")
  }

  @Test("every row of the table has a case")
  func rows() {
    for row in InertField.table {
      #expect(Self.cases.contains { $0.path.hasSuffix(row.path) }, "\(row.path)")
    }
  }

  @Test("what a method says that it ignores leaves its digests alone")
  func ignored() throws {
    for type in StrategyRegistry.all {
      for field in type.ignores {
        let kind = type.info.kind
        let digests = try [false, true].map { isOther in
          let fixture = try RunFixture { text in
            text.strategies = [ScenarioText.registered(kind)]
            switch field.field {
            case "client.work": text.work = isOther ? #"{ "steps": 7 }"# : #"{ "epochs": 1 }"#
            case "federation.weighting": if isOther { text.federation = Self.uniform }
            case "model.dropout":
              text.model = #"{ "kind": "mlp", "hidden": [6], "dropout": [\#(isOther ? 0.5 : 0)] }"#
            default: Issue.record("no other value for \(field.field)")
            }
          }
          return try fixture.experiment.trial().digests
        }
        #expect(digests[0] == digests[1], "\(kind): \(field.field)")
      }
    }
  }

  @Test("strategies that share a reason are named together, and not where all have it")
  func labels() throws {
    let told = try warnings {
      $0.federation = Self.uniform
      $0.strategies = ["fedavg", "scaffold", "knfu", "fedadam"].map(ScenarioText.registered)
    }
    #expect(
      told.map(\.message) == [
        "no effect for scaffold, fedadam: uploads count alike, as in the paper",
        "no effect for knfu: the method weighs clients' knowledge itself",
      ])
  }
}

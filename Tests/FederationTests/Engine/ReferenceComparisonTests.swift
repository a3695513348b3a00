import Aggregation
import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

/// One federation that the engine and the reference both run.
struct ReferenceCase: CustomTestStringConvertible, Sendable {
  let name: String
  let kind: String
  var fields = ""
  let method: @Sendable () -> ReferenceFederation.Method
  var optimizer = ScenarioText.Optimizers.plain
  var sgd = ReferenceSGD()
  /// Floats per participating client and direction, in units of all and of the head's parameters.
  var sent = (whole: 1, head: 0)

  var testDescription: String { name }

  private static let momentum = ReferenceSGD(rate: 0.05, momentum: 0.9, decay: 0.01)
  private static let nesterov = ReferenceSGD(rate: 0.05, momentum: 0.8, nesterov: true, decay: 0.02)

  /// A case with momentum and weight decay.
  private func withMomentum() -> Self {
    var copy = self
    (copy.optimizer, copy.sgd) = (ScenarioText.Optimizers.momentum, Self.momentum)
    return copy
  }

  /// A case with Nesterov's momentum and weight decay.
  private func withNesterov() -> Self {
    var copy = self
    (copy.optimizer, copy.sgd) = (ScenarioText.Optimizers.nesterov, Self.nesterov)
    return copy
  }

  static let all: [ReferenceCase] = [
    ReferenceCase(name: "FedAvg", kind: "fedavg", method: { .fedAvg }),
    ReferenceCase(name: "FedAvg, momentum", kind: "fedavg", method: { .fedAvg }).withMomentum(),
    ReferenceCase(name: "FedAvg, Nesterov", kind: "fedavg", method: { .fedAvg }).withNesterov(),
    ReferenceCase(
      name: "FedProx", kind: "fedprox", fields: #""proximalWeight": 0.7"#,
      method: { .fedProx(mu: 0.7) }),
    ReferenceCase(
      name: "FedProx, Nesterov", kind: "fedprox", fields: #""proximalWeight": 0.7"#,
      method: { .fedProx(mu: 0.7) }
    ).withNesterov(),
    ReferenceCase(
      name: "SCAFFOLD", kind: "scaffold", fields: #""serverLearningRate": 0.8"#,
      method: { .scaffold(serverRate: 0.8) }, sent: (2, 0)),
    ReferenceCase(
      name: "SCAFFOLD, momentum", kind: "scaffold", method: { .scaffold(serverRate: 1) },
      sent: (2, 0)
    ).withMomentum(),
    ReferenceCase(name: "FedPer", kind: "fedper", method: { .fedPer }, sent: (1, -1)),
    ReferenceCase(name: "FedPer, momentum", kind: "fedper", method: { .fedPer }, sent: (1, -1))
      .withMomentum(),
    ReferenceCase(
      name: "FedAvgM", kind: "fedavgm",
      fields: #""serverMomentum": 0.9, "serverLearningRate": 0.7"#,
      method: { .fedAvgM(beta: 0.9, serverRate: 0.7) }),
    ReferenceCase(
      name: "FedAvgM, momentum", kind: "fedavgm", method: { .fedAvgM(beta: 0.9, serverRate: 1) }
    ).withMomentum(),
    ReferenceCase(name: "local only", kind: "local-only", method: { .localOnly }, sent: (0, 0))
      .withMomentum(),
    ReferenceCase(name: "centralised", kind: "centralised", method: { .centralised }, sent: (0, 0))
      .withMomentum(),
  ]
}

/// A shape of federation: who takes part how long, and how updates are weighted.
struct ReferenceSetting: CustomTestStringConvertible, Sendable {
  var rounds = 3
  var participation = 1.0
  var bySamples = true
  var hidden = 6
  var rateDecay = 1.0

  var testDescription: String {
    "\(rounds) rounds, participation \(participation), \(bySamples ? "samples" : "uniform"), "
      + "\(hidden) hidden, rate × \(rateDecay)"
  }

  static let all = [
    ReferenceSetting(), ReferenceSetting(rounds: 2, participation: 0.67),
    ReferenceSetting(participation: 0.67, bySamples: false, rateDecay: 0.5),
    ReferenceSetting(rounds: 2, participation: 0.34, hidden: 0),
  ]
}

@Suite("Methods against a federation written from their papers")
struct ReferenceComparisonTests {
  static let sizes = [13, 7, 22]

  @Test(
    "the engine agrees with the reference to rounding: models, memories and bytes",
    arguments: ReferenceCase.all, ReferenceSetting.all)
  func agrees(
    _ item: ReferenceCase, _ setting: ReferenceSetting
  ) throws {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    let experiment = try text(item, setting, file).experiment(data)
    let layout = experiment.network.layout
    let trial = try experiment.trial()

    let examples = ReferenceExample.all(data.train)
    let model = ReferenceModel(
      inputs: data.train.shape.count, hidden: setting.hidden, classes: data.train.classes)
    let initial = layout.torchOrder(trial.initial).map(Double.init)
    try #require(initial.count == model.count)
    var reference = ReferenceFederation(
      model, clients: file.clients.map { $0.map { examples[$0] } }, batch: 4, epochs: 2,
      sgd: item.sgd, method: item.method(), initial: initial)
    reference.rateDecay = setting.rateDecay
    reference.bySamples = setting.bySamples
    for (index, cohort) in trial.cohorts.enumerated() { reference.run(index + 1, cohort) }

    let bound = Bound(reference, initial: initial, rounds: setting.rounds)
    bound.check(layout.torchOrder(trial.model), reference.server, "server's model")
    try checkMemories(item, trial, reference, layout, bound)
    let floats = item.sent.whole * model.count + item.sent.head * model.headCount
    let bytes = trial.cohorts.map { 4 * floats * $0.count }
    #expect(trial.bytesUp == bytes)
    #expect(trial.bytesDown == bytes)
  }

  private func text(_ item: ReferenceCase, _ setting: ReferenceSetting, _ file: PartitionFile)
    -> ScenarioText
  {
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": 3, "rounds": \(setting.rounds), "participation": \(setting.participation),
        "weighting": "\(setting.bySamples ? "samples" : "uniform")" }
      """
    if setting.hidden == 0 { text.model = #"{ "kind": "logistic" }"# }
    if setting.rateDecay != 1 {
      text.schedule = #"{ "kind": "step", "every": 1, "factor": \#(setting.rateDecay) }"#
    }
    text.optimizer = item.optimizer
    text.strategies = [ScenarioText.strategy(item.kind, item.fields)]
    return text
  }

  private func checkMemories(
    _ item: ReferenceCase, _ trial: Trial, _ reference: ReferenceFederation,
    _ layout: ParameterLayout, _ bound: Bound
  ) throws {
    switch reference.method {
    case .fedAvg, .fedProx, .centralised:
      #expect(trial.serverMemory.isEmpty)
      #expect(trial.clientMemories.isEmpty)
    case .fedAvgM:
      let momentum = try #require(trial.serverMemory["momentum"])
      bound.check(layout.torchOrder(momentum), reference.serverMemory, "momentum")
    case .scaffold:
      let control = try #require(trial.serverMemory["control"])
      // c and c_k divide differences of models by a·η.
      let smallest = trial.cohorts.joined().map { reference.displacement(reference.stepCount($0)) }
        .min()
      let scale = 1 / ((smallest ?? 1) * reference.rate(trial.cohorts.count))
      bound.check(layout.torchOrder(control), reference.serverMemory, "c", scaledBy: scale)
      try checkClients(trial, reference, "control", bound, scaledBy: scale) {
        layout.torchOrder($0)
      }
    case .fedPer:
      let body = reference.model.count - reference.model.headCount
      // With one layer the head is everything, and its columns are in the engine's order.
      try checkClients(trial, reference, ModelExchange.privatePart, bound, scaledBy: 1) {
        body == 0 ? layout.torchOrder($0) : $0
      }
    case .localOnly:
      try checkClients(trial, reference, "model", bound, scaledBy: 1) { layout.torchOrder($0) }
    }
  }

  private func checkClients(
    _ trial: Trial, _ reference: ReferenceFederation, _ name: String, _ bound: Bound,
    scaledBy scale: Double, _ ordered: ([Float]) -> [Float]
  ) throws {
    #expect(trial.clientMemories.keys.sorted() == reference.memories.keys.sorted())
    for (client, expected) in reference.memories {
      let memory = try #require(trial.clientMemories[client]?[name])
      bound.check(ordered(memory), expected, "\(name) of client \(client)", scaledBy: scale)
    }
  }

  /// How far single precision may be from the reference, in the 2-norm over all parameters.
  ///
  /// Every one of S local steps and three server operations a round round each weight once, by at
  /// most u·|w|, with signs at random: √(S + 3R)·u·‖w‖. Gradients are sums of n products, so what
  /// they moved is off by √n·u of itself. Two of these in series pass errors on at about their
  /// size. Four standard deviations of the sum are allowed.
  struct Bound {
    let allowed: Double

    init(_ reference: ReferenceFederation, initial: [Double], rounds: Int) {
      let models = [reference.server] + reference.modelMemories
      let size = models.map { norm($0, minus: nil) }.max() ?? 0
      let moved = models.map { norm($0, minus: initial) }.max() ?? 0
      let roundings = Double(reference.steps + 3 * rounds).squareRoot()
      let longest = Double(max(reference.model.inputs, reference.batch)).squareRoot()
      allowed = 4 * Rounding.unit * (roundings * size + longest * moved)
    }

    func check(
      _ observed: [Float], _ expected: [Double], _ what: String, scaledBy scale: Double = 1,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      guard observed.count == expected.count else {
        Issue.record(
          "\(what): [\(observed.count)] instead of [\(expected.count)]",
          sourceLocation: sourceLocation)
        return
      }
      let error = norm(observed.map(Double.init), minus: expected)
      #expect(
        error <= allowed * scale, "\(what) is \(error) away; allowed are \(allowed * scale)",
        sourceLocation: sourceLocation)
    }
  }
}

extension ReferenceFederation {
  /// The memories that are whole models.
  fileprivate var modelMemories: [[Double]] {
    if case .localOnly = method { return Array(memories.values) }
    return []
  }
}

/// ‖x − y‖₂, y being zero when nil.
func norm(_ x: [Double], minus y: [Double]?) -> Double {
  var sum = 0.0
  for i in x.indices {
    let difference = x[i] - (y?[i] ?? 0)
    sum += difference * difference
  }
  return sum.squareRoot()
}

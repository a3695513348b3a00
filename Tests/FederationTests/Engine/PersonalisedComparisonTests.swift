import Aggregation
import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

/// One personalised federation that the engine and the reference both run.
struct PersonalisedCase: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let kind: String
  let fields: String
  let method: @Sendable () -> PersonalisedReference.Method
  /// Floats per participating client and direction, of all parameters w and the head's h.
  var sent: @Sendable (_ w: Int, _ h: Int) -> Int = { w, _ in w }
  /// By how much the method enlarges rounding errors of gradients and weights.
  var gain = 1.0
  /// α_k at the end lies strictly between its bounds and off its start.
  var movesShare = false

  static let all: [PersonalisedCase] = [
    PersonalisedCase(
      testDescription: "FedRep", kind: "fedrep", fields: #""headEpochs": 1.5, "bodyEpochs": 1"#,
      method: { .fedRep(headEpochs: 1.5, bodyEpochs: 1) }, sent: { w, h in w - h }),
    PersonalisedCase(
      testDescription: "FedRep, two epochs on the body alone", kind: "fedrep",
      fields: #""headEpochs": 0, "bodyEpochs": 2"#,
      method: { .fedRep(headEpochs: 0, bodyEpochs: 2) }, sent: { w, h in w - h }),
    PersonalisedCase(
      testDescription: "FedBABU, everything tuned", kind: "fedbabu", fields: #""epochs": 1.5"#,
      method: { .fedBABU(epochs: 1.5, tuned: (true, true)) }, sent: { w, h in w - h }),
    PersonalisedCase(
      testDescription: "FedBABU, body tuned", kind: "fedbabu",
      fields: #""epochs": 2, "tune": "body""#,
      method: { .fedBABU(epochs: 2, tuned: (true, false)) }, sent: { w, h in w - h }),
    PersonalisedCase(
      testDescription: "FedBABU, head tuned", kind: "fedbabu",
      fields: #""epochs": 2, "tune": "head""#,
      method: { .fedBABU(epochs: 2, tuned: (false, true)) }, sent: { w, h in w - h }),
    PersonalisedCase(
      testDescription: "LG-FedAvg", kind: "lg-fedavg", fields: #""sharedLayers": 1"#,
      method: { .lgFedAvg }, sent: { _, h in h }),
    PersonalisedCase(
      testDescription: "Ditto", kind: "ditto",
      fields: #""proximalWeight": 0.7, "personalEpochs": 1.5, "personalRateFactor": 0.6"#,
      method: { .ditto(lambda: 0.7, epochs: 1.5, rateFactor: 0.6) }),
    // Gain: errors of θ reach w times η·λ, over 1 − ρ with momentum: 0.1·4, 0.05·4/0.1.
    PersonalisedCase(
      testDescription: "pFedMe", kind: "pfedme",
      fields: #""proximalWeight": 4, "innerSteps": 3, "innerRate": 0.1, "serverMixing": 0.8"#,
      method: { .pFedMe(lambda: 4, innerSteps: 3, innerRate: 0.1, warm: true, beta: 0.8) },
      gain: 2),
    PersonalisedCase(
      testDescription: "pFedMe, cold starts", kind: "pfedme",
      fields: #""proximalWeight": 4, "innerSteps": 2, "innerRate": 0.1, "warmStart": false"#,
      method: { .pFedMe(lambda: 4, innerSteps: 2, innerRate: 0.1, warm: false, beta: 1) }, gain: 2),
    PersonalisedCase(
      testDescription: "Per-FedAvg, first order", kind: "per-fedavg",
      fields: #""variant": "fo", "adaptationRate": 0.1, "adaptationSteps": 3"#,
      method: { .perFedAvg(alpha: 0.1, delta: nil, steps: 3) }),
    // Gain: two gradients with independent errors, times α/(2δ).
    PersonalisedCase(
      testDescription: "Per-FedAvg, finite differences", kind: "per-fedavg",
      fields: #""variant": "hf", "adaptationRate": 0.2, "finiteDifference": 0.05"#,
      method: { .perFedAvg(alpha: 0.2, delta: 0.05, steps: 1) },
      gain: 1 + 0.2 / (2 * 0.05) * 2.0.squareRoot()),
    PersonalisedCase(
      testDescription: "APFL", kind: "apfl", fields: #""alpha": 0.5"#,
      method: { .apfl(alpha: 0.5, adaptive: true, everyStep: false) }, movesShare: true),
    PersonalisedCase(
      testDescription: "APFL, share moved at every step", kind: "apfl",
      fields: #""alpha": 0.3, "adaptEvery": "step""#,
      method: { .apfl(alpha: 0.3, adaptive: true, everyStep: true) }, movesShare: true),
    PersonalisedCase(
      testDescription: "APFL, fixed share", kind: "apfl",
      fields: #""alpha": 0.25, "adaptive": false"#,
      method: { .apfl(alpha: 0.25, adaptive: false, everyStep: false) }),
  ]
}

@Suite("Personalised methods against a federation written from their papers")
struct PersonalisedComparisonTests {
  static let sizes = [13, 7, 22]
  static let settings = [
    ReferenceSetting(rounds: 2),
    ReferenceSetting(participation: 0.67, bySamples: false, rateDecay: 0.5),
    // A client that never takes part.
    ReferenceSetting(rounds: 1, participation: 0.34),
  ]

  @Test(
    "the engine agrees with the reference to rounding: both kinds of models, shares and bytes",
    arguments: PersonalisedCase.all, settings)
  func agrees(
    _ item: PersonalisedCase, _ setting: ReferenceSetting
  ) throws { try compare(item, setting, ScenarioText.Optimizers.plain, ReferenceSGD()) }

  @Test("the same with momentum and weight decay", arguments: PersonalisedCase.all)
  func agreesWithMomentum(_ item: PersonalisedCase) throws {
    try compare(
      item, ReferenceSetting(rounds: 2), ScenarioText.Optimizers.momentum,
      ReferenceSGD(rate: 0.05, momentum: 0.9, decay: 0.01))
  }

  private func compare(
    _ item: PersonalisedCase, _ setting: ReferenceSetting, _ optimizer: String, _ sgd: ReferenceSGD
  ) throws {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": 3, "rounds": \(setting.rounds), "participation": \(setting.participation),
        "weighting": "\(setting.bySamples ? "samples" : "uniform")" }
      """
    if setting.rateDecay != 1 {
      text.schedule = #"{ "kind": "step", "every": 1, "factor": \#(setting.rateDecay) }"#
    }
    text.optimizer = optimizer
    text.strategies = [ScenarioText.strategy(item.kind, item.fields)]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let layout = experiment.network.layout

    let examples = ReferenceExample.all(data.train)
    let model = ReferenceModel(
      inputs: data.train.shape.count, hidden: setting.hidden, classes: data.train.classes)
    let initial = layout.torchOrder(trial.initial).map(Double.init)
    try #require(initial.count == model.count)
    var reference = PersonalisedReference(
      model, clients: file.clients.map { $0.map { examples[$0] } }, batch: 4, epochs: 2, sgd: sgd,
      method: item.method(), initial: initial)
    (reference.rateDecay, reference.bySamples) = (setting.rateDecay, setting.bySamples)
    for (index, cohort) in trial.cohorts.enumerated() { reference.run(index + 1, cohort) }
    let personal = Self.sizes.indices.map { reference.personal($0, after: setting.rounds) }

    // As for the methods without personal models: each gradient moves every weight once, with a
    // rounding of u·|w|; the server takes three; a gradient is off by √n·u of itself.
    let models = personal + [reference.server]
    let size = models.map { norm($0, minus: nil) }.max() ?? 0
    let moved = models.map { norm($0, minus: initial) }.max() ?? 0
    let roundings = Double(reference.gradients + 3 * setting.rounds).squareRoot()
    let longest = Double(max(model.inputs, 4)).squareRoot()
    let allowed = 4 * Rounding.unit * (roundings * size + longest * moved) * item.gain
    func check(_ observed: [Float], _ expected: [Double], _ what: String) {
      let error = norm(layout.torchOrder(observed).map(Double.init), minus: expected)
      #expect(error <= allowed, "\(what) is \(error) away; allowed are \(allowed)")
      #expect(allowed < 0.01 * moved, "the bound says nothing")
    }
    check(trial.model, reference.server, "the server's model")
    for (client, expected) in personal.enumerated() {
      check(try #require(trial.clientModels[client]), expected, "the model of client \(client)")
    }
    for (client, expected) in reference.shares {
      let share = try #require(trial.clientMemories[client]?["alpha"])
      #expect(share.count == 1)
      #expect(abs(Double(share[0]) - expected) <= allowed)
    }
    if item.movesShare, setting.rounds > 1 {
      let start = try #require(reference.startShare)
      #expect(reference.shares.values.contains { abs($0 - start) > 1e-3 && $0 > 0 && $0 < 1 })
    }
    let floats = item.sent(model.count, model.headCount)
    let bytes = trial.cohorts.map { 4 * floats * $0.count }
    #expect(trial.bytesUp == bytes)
    #expect(trial.bytesDown == bytes)
    #expect(trial.bytesSetup == 0)
  }
}

extension PersonalisedReference {
  /// Where shares start, of the method that has them.
  fileprivate var startShare: Double? {
    if case .apfl(let alpha, _, _) = method { return alpha }
    return nil
  }
}

import Aggregation
import Base
import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

@Suite("Methods against client drift, and optimizers at the server")
struct DriftMethodTests {
  private typealias Optimizers = ScenarioText.Optimizers

  private static let momentum = ReferenceSGD(rate: 0.05, momentum: 0.9, decay: 0.01)

  /// Trials on the same clients; cohorts of two of three, shuffled batches, momentum.
  private func trials(
    _ strategies: [String], sizes: [Int] = [13, 7, 22],
    _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> [Trial] {
    let file = try PartitionFile(sizes: sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = """
      { "clients": \(sizes.count), "rounds": 3, "participation": 0.67, "weighting": "uniform" }
      """
    text.order = "shuffled"
    text.optimizer = Optimizers.momentum
    text.strategies = strategies
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: sizes.reduce(0, +)))
    return try strategies.indices.map { try experiment.trial(strategy: $0) }
  }

  // MARK: Adaptive servers

  @Test(
    "adaptive servers agree with a federation written from the paper",
    arguments: ["fedadagrad", "fedadam", "fedyogi"])
  func adaptive(_ kind: String) throws {
    // η_g = τ: an error of the mean update is not amplified.
    var both = try SlowComparison(
      ScenarioText.strategy(kind, #""serverLearningRate": 0.1, "tau": 0.1"#))
    var u = both.initial.map { _ in 0.0 }
    var v = both.initial.map { _ in 0.01 }
    for (index, cohort) in both.trial.cohorts.enumerated() {
      both.reference.adaptiveRound(kind, index + 1, cohort, rate: 0.1, tau: 0.1, &u, &v)
    }
    both.check(kind)
    let moment = try #require(both.trial.serverMemory["second-moment"])
    both.bound.check(both.layout.torchOrder(moment), v, "v")
  }

  @Test(
    "a server optimizer composed with FedAvg is the method of its name, in every digest",
    arguments: [("fedadagrad", "adagrad"), ("fedadam", "adam"), ("fedyogi", "yogi")])
  func composed(
    _ kind: String, _ rule: String
  ) throws {
    for (fields, composed) in [
      ("", ""), (#""serverLearningRate": 0.3, "tau": 0.2"#, #", "learningRate": 0.3, "tau": 0.2"#),
    ] {
      let server = #""serverOptimizer": { "kind": "\#(rule)"\#(composed) }"#
      let pair = try trials([
        ScenarioText.strategy(kind, fields), ScenarioText.strategy("fedavg", server),
      ])
      #expect(pair[0].digests == pair[1].digests)
      #expect(pair[0].bytesUp == pair[1].bytesUp)
    }
  }

  @Test("means are unweighted whatever the scenario says")
  func unweighted() throws {
    for kind in ["fedadam", "fedyogi", "fedadagrad", "feddyn"] {
      let runs = try ["samples", "uniform"].map { weighting in
        try trials([ScenarioText.strategy(kind)]) {
          $0.federation = #"{ "clients": 3, "rounds": 2, "weighting": "\#(weighting)" }"#
        }[0]
      }
      #expect(runs[0].digests == runs[1].digests)
    }
  }

  @Test("FedAdam with β₂ = 1 and τ = 1 is FedAvgM with (1 − β₁)/2 of the step size")
  func adamIsMomentum() throws {
    let pair = try trials([
      ScenarioText.strategy("fedadam", #""serverLearningRate": 1, "beta2": 1, "tau": 1"#),
      ScenarioText.strategy("fedavgm", #""serverMomentum": 0.9, "serverLearningRate": 0.05"#),
    ])
    let expected = pair[1].model.map(Double.init)
    let size = norm(expected, minus: nil)
    // A handful of roundings of the update, one of the model, in each of three rounds.
    #expect(norm(pair[0].model.map(Double.init), minus: expected) <= 4 * Rounding.unit * 3 * size)
    #expect(pair[0].model != pair[0].initial)
  }

  @Test(
    "batch norm's running statistics are FedAvg's means under every server",
    arguments: ["fedadam", "fedyogi", "fedadagrad", "fednova", "feddyn"])
  func runningStatistics(
    _ kind: String
  ) throws {
    let file = try PartitionFile(sizes: [12, 8, 12])
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 1, "weighting": "uniform" }"#
    text.model = #"{ "kind": "resnet8", "width": 4, "norm": "batch" }"#
    // FedDyn's penalty acts from the second step on: one step leaves its statistics FedAvg's.
    text.work = kind == "feddyn" ? #"{ "steps": 1 }"# : #"{ "epochs": 1 }"#
    text.strategies = ["fedavg", kind].map { ScenarioText.strategy($0) }
    let experiment = try text.experiment(SmallImages.bytes(train: 32))
    let pair = try (0..<2).map { try experiment.trial(strategy: $0) }
    let trained = experiment.network.layout.trainedCount
    #expect(pair[0].model[trained...] == pair[1].model[trained...])
    #expect(pair[0].model[..<trained] != pair[1].model[..<trained])
  }

  // MARK: FedNova

  @Test(
    "FedNova agrees with a federation written from the paper",
    arguments: [(0.0, 0.0), (0.9, 0.0), (0.0, 2.0)])
  func fedNova(_ rho: Double, _ mu: Double)
    throws
  {
    var both = try SlowComparison(
      ScenarioText.strategy("fednova", #""proximalWeight": \#(mu)"#),
      optimizer: rho > 0 ? Optimizers.momentum : Optimizers.plain,
      sgd: rho > 0 ? Self.momentum : ReferenceSGD())
    let pull = both.reference.sgd.rate * mu
    for (index, cohort) in both.trial.cohorts.enumerated() {
      both.reference.normalisedRound(index + 1, cohort, mu: mu) { tau in
        var sum = 0.0
        // Gradient s of τ counts (1 − ρ^n)/(1 − ρ) or (1 − ημ)^(n − 1), n = τ − s.
        for n in 1...tau {
          var (a, b) = (0.0, 1.0)
          for power in 0..<n { a += (0..<power).reduce(1.0) { p, _ in p * rho } }
          for _ in 1..<max(n, 1) { b *= 1 - pull }
          sum += mu > 0 ? b : a
        }
        return sum
      }
    }
    both.check("FedNova")
    let floats = both.layout.count
    #expect(both.trial.bytesUp == both.trial.cohorts.map { $0.count * (4 * floats + 4) })
    #expect(both.trial.bytesDown == both.trial.cohorts.map { $0.count * 4 * floats })
    #expect(both.trial.serverMemory.isEmpty && both.trial.clientMemories.isEmpty)
  }

  @Test("FedNova's normalisation is the paper's closed form, and counts Nesterov's steps")
  func normalisation() throws {
    func method(_ mu: Double, _ rho: Double, nesterov: Bool = false) throws -> FedNova {
      let network = try Network(
        ModelSpec(kind: .logistic, width: 1), input: FeatureShape(features: 2), classes: 2)
      return FedNova(
        StrategySettings(FedNova.info, ["proximalWeight": .number(mu)]),
        LearningProblem(
          network: network, clients: 1,
          settings: LocalSettings(
            work: .steps(1), batch: 1,
            optimizer: OptimizerSpec(learningRate: 0.25, momentum: rho, nesterov: nesterov)),
          initial: [Float](repeating: 0, count: network.layout.count), seed: 1))
    }
    #expect(try method(0, 0).normalisation(7, rate: 0.25) == 7)
    #expect(try method(0, 0).normalisation(0, rate: 0.25) == 0)
    // [5 − ½(1 − 2⁻⁵)/½]/½ and [1 − (1 − ½)⁴]/½.
    #expect(try method(0, 0.5).normalisation(5, rate: 0.25) == (5 - (1 - 0x1p-5)) / 0.5)
    #expect(try method(2, 0).normalisation(4, rate: 0.25) == (1 - 0x1p-4) / 0.5)
    // Nesterov, ρ = ½: a gradient moves 1 + ½, then ¼, then ⅛: 3/2, 7/4, 15/8 after n steps.
    #expect(try method(0, 0.5, nesterov: true).normalisation(3, rate: 0.25) == 5.125)
    // A pull beyond the start counts as distance: weights 1 and 1 − ημ = −1 add up to 2.
    #expect(try method(8, 0).normalisation(2, rate: 0.25) == 2)
  }

  @Test("FedNova with equal numbers of steps is FedAvg to rounding, and not with unequal ones")
  func equalSteps() throws {
    for rho in [Optimizers.plain, Optimizers.momentum, Optimizers.nesterov] {
      let pair = try trials([ScenarioText.strategy("fedavg"), ScenarioText.strategy("fednova")]) {
        $0.federation = #"{ "clients": 3, "rounds": 1 }"#
        $0.work = #"{ "steps": 5 }"#
        $0.optimizer = rho
      }
      let expected = pair[0].model.map(Double.init)
      let start = pair[0].initial.map(Double.init)
      let moved = norm(expected, minus: start)
      // The sum of three and the last addition round in both; the quotient, the scale and their
      // product once more.
      let allowed = 4 * Rounding.unit * (2 * norm(expected, minus: nil) + 6 * moved)
      #expect(norm(pair[1].model.map(Double.init), minus: expected) <= allowed)
    }
    let unequal = try trials([ScenarioText.strategy("fedavg"), ScenarioText.strategy("fednova")])
    #expect(
      norm(unequal[1].model.map(Double.init), minus: unequal[0].model.map(Double.init)) > 1e-3)
  }

  // MARK: FedDyn

  @Test(
    "FedDyn agrees with a federation written from the paper",
    arguments: [(false, 0.1, 0.0), (true, 0.05, 0.0), (false, 0.1, 0.4)])
  func fedDyn(
    _ withMomentum: Bool, _ alpha: Double, _ clip: Double
  ) throws {
    var both = try SlowComparison(
      ScenarioText.strategy("feddyn", #""alpha": \#(alpha), "gradientClip": \#(clip)"#),
      optimizer: withMomentum ? Optimizers.momentum : Optimizers.plain,
      sgd: withMomentum ? Self.momentum : ReferenceSGD())
    var lambdas: [Int: [Double]] = [:]
    var h = both.initial.map { _ in 0.0 }
    var clipped = 0
    for (index, cohort) in both.trial.cohorts.enumerated() {
      both.reference.dynamicRound(
        index + 1, cohort, alpha: alpha, clip: clip, lambdas: &lambdas, h: &h, clipped: &clipped)
    }
    #expect((clipped > 0) == (clip > 0))
    both.check("FedDyn")
    let order = both.layout.torchOrder
    both.bound.check(order(try #require(both.trial.serverMemory["h"])), h, "h")
    #expect(both.trial.clientMemories.keys.sorted() == lambdas.keys.sorted())
    for (k, lambda) in lambdas {
      let memory = try #require(both.trial.clientMemories[k]?["lambda"])
      both.bound.check(order(memory), lambda, "λ of \(k)")
    }
    let bytes = both.trial.cohorts.map { $0.count * 4 * both.layout.count }
    #expect(both.trial.bytesUp == bytes && both.trial.bytesDown == bytes)
  }

  @Test("FedDyn's first round goes 1 + m/K times as far as FedProx with μ = α")
  func firstRound()
    throws
  {
    let pair = try trials([
      ScenarioText.strategy("fedprox", #""proximalWeight": 0.5"#),
      ScenarioText.strategy("feddyn", #""alpha": 0.5, "gradientClip": 0"#),
    ]) {
      $0.federation = """
        { "clients": 3, "rounds": 1, "participation": 0.67, "weighting": "uniform" }
        """
    }
    try #require(pair[0].cohorts[0].count == 2)
    let start = pair[0].initial.map(Double.init)
    let expected = zip(start, pair[0].model).map { $0 + (Double($1) - $0) * (1 + 2.0 / 3) }
    let size = norm(expected, minus: nil)
    #expect(norm(pair[1].model.map(Double.init), minus: expected) <= 16 * Rounding.unit * size)
  }

  // MARK: MOON

  @Test("MOON agrees with a federation whose gradients are central differences")
  func moon() throws {
    var both = try SlowComparison(
      ScenarioText.strategy("moon", #""weight": 2, "temperature": 0.4"#), rounds: 3,
      participation: 1)
    var previous: [Int: [Double]] = [:]
    for (index, cohort) in both.trial.cohorts.enumerated() {
      both.reference.contrastiveRound(
        index + 1, cohort, mu: 2, temperature: 0.4, previous: &previous)
    }
    both.check("MOON")
    for (k, model) in previous {
      let memory = try #require(both.trial.clientMemories[k]?["previous"])
      both.bound.check(both.layout.torchOrder(memory), model, "last model of \(k)")
    }
    let bytes = both.trial.cohorts.map { $0.count * 4 * both.layout.count }
    #expect(both.trial.bytesUp == bytes && both.trial.bytesDown == bytes)
  }

  @Test("MOON with μ = 0 is FedAvg in every digest; with μ > 0 only its first round is")
  func moonSwitchedOff() throws {
    let off = try trials([
      ScenarioText.strategy("fedavg"), ScenarioText.strategy("moon", #""weight": 0"#),
    ])
    #expect(off[0].digests == off[1].digests)
    for rounds in [1, 2] {
      let on = try trials([ScenarioText.strategy("fedavg"), ScenarioText.strategy("moon")]) {
        $0.federation = #"{ "clients": 3, "rounds": \#(rounds) }"#
      }
      #expect((bits(on[0].model) == bits(on[1].model)) == (rounds == 1))
      #expect(on[1].clientMemories.count == 3)
    }
  }

  @Test("MOON leaves batch norm's statistics to the local model and needs features")
  func moonNetworks() throws {
    let settings = StrategySettings(MOON.info)
    func network(_ kind: ModelSpec.Kind) throws -> Network {
      try Network(
        ModelSpec(kind: kind, width: 2, hidden: [4]), input: FeatureShape(features: 5), classes: 3)
    }
    #expect(MOON.objection(settings, to: try network(.logistic)) != nil)
    #expect(MOON.objection(settings, to: try network(.mlp)) == nil)
    // A tiny weight changes no statistic by more than rounding: the other models' passes, which
    // see the same images, must not move them.
    let file = try PartitionFile(sizes: [12, 12])
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 2, "rounds": 2 }"#
    text.model = #"{ "kind": "resnet8", "width": 4, "norm": "batch" }"#
    text.strategies = [
      ScenarioText.strategy("fedavg"), ScenarioText.strategy("moon", #""weight": 1e-12"#),
    ]
    let experiment = try text.experiment(SmallImages.bytes(train: 24))
    let pair = try (0..<2).map { try experiment.trial(strategy: $0) }
    #expect(bits(pair[0].model) == bits(pair[1].model))
  }

  @Test("the contrastive term's gradient is that of central differences", arguments: [0.1, 0.5, 2])
  func contrast(_ temperature: Double) {
    var stream = RandomStream(seed: 9, .test, step: 2)
    let (rows, width) = (5, 7)
    func draw() -> [Float] { (0..<rows * width).map { _ in Float(stream.normal()) } }
    var (z, g, p) = (draw(), draw(), draw())
    for i in 0..<width { z[i] = 0 }  // a feature without direction
    for i in width..<2 * width { p[i] = 0 }
    for i in 2 * width..<3 * width { g[i] = z[i] }
    let contrast = ModelContrast(temperature: temperature)
    var gradient = [Float](repeating: 0.5, count: rows * width)
    let loss = z.withUnsafeBufferPointer { z in
      gradient.withUnsafeMutableBufferPointer {
        contrast.evaluate(
          features: z, globals: g, previous: p, width: width, weight: 3, addingTo: $0)
      }
    }
    let reference = ContrastRows(globals: g, previous: p, width: width, temperature: temperature)
    let start = z.map(Double.init)
    expectClose(Float(loss), reference.value(start), ulps: 1)
    let expected = start.indices.map { i in
      guard i >= width else { return 0.5 }
      var (up, down) = (start, start)
      up[i] += 1e-5
      down[i] -= 1e-5
      return 0.5 + 3 * (reference.value(up) - reference.value(down)) / 2e-5
    }
    // One rounding of the result; differences are good to 1e-10 of the largest slope, 3/τ.
    expectClose(gradient, expected, bound: 2 * Rounding.unit + 1e-8)
  }
}

/// Σ −log(e^a/(e^a + e^b)) over rows, by plain loops.
private struct ContrastRows {
  let globals: [Float]
  let previous: [Float]
  let width: Int
  let temperature: Double

  func value(_ z: [Double]) -> Double {
    var total = 0.0
    for start in stride(from: 0, to: z.count, by: width) {
      let row = start..<start + width
      let a = exp(cosine(z[row], globals[row]) / temperature)
      let b = exp(cosine(z[row], previous[row]) / temperature)
      total -= log(a / (a + b))
    }
    return total
  }

  private func cosine(_ x: ArraySlice<Double>, _ y: ArraySlice<Float>) -> Double {
    let y = y.map(Double.init)
    let lengths = norm(Array(x), minus: nil) * norm(y, minus: nil)
    return lengths > 0 ? zip(x, y).map(*).reduce(0, +) / lengths : 0
  }
}

import Client
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

/// Methods on a frozen network against slow computations from their equations.
@Suite("Frozen networks against references")
struct FrozenReferenceTests {
  static let sizes = [13, 7, 22]
  private let data = SmallImages.floats(train: 42)
  private let file: PartitionFile

  init() throws { file = try PartitionFile(sizes: Self.sizes) }

  private func text(_ kind: String, _ fields: String, rounds: Int = 2) -> ScenarioText {
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": \#(rounds) }"#
    text.strategies = [ScenarioText.strategy(kind, fields)]
    return text
  }

  /// Four deviations of one rounding of each weight per step and server operation, and of √n
  /// roundings of what gradients moved, n the longest sum; over all values.
  private func bound(_ expected: [Double], _ initial: [Double], steps: Int, rounds: Int) -> Double {
    let roundings = Double(steps + 3 * rounds).squareRoot() * norm(expected, minus: nil)
    let longest = Double(data.train.shape.count).squareRoot()
    return 4 * Rounding.unit * (roundings + longest * norm(expected, minus: initial))
  }

  @Test(
    "FedIns: two rounds are those of the equations",
    arguments: [
      (4, 2, 0.1, false, true), (4, 2, 0.1, false, false), (5, 1, 0.6, false, true),
      (3, 3, 0.1, false, true), (4, 2, 0.1, true, true), (4, 2, 0, false, true),
    ])
  func fedIns(_ item: (Int, Int, Double, Bool, Bool)) throws {
    let (poolSize, matched, weight, batchAveraged, uniform) = item
    let rate = 0.02
    var text = text(
      "fedins",
      """
      "poolSize": \(poolSize), "matched": \(matched), "matchingWeight": \(weight),
      "batchAveraged": \(batchAveraged), "weighting": "\(uniform ? "uniform" : "scenario")"
      """)
    text.optimizer = """
      { "kind": "sgd", "learningRate": \(rate), "momentum": 0, "weightDecay": 0 }
      """
    let trial = try text.experiment(data).trial()
    let network = trial.network
    let first = try #require(network.layout["fc1.weight"])
    let constants = try #require(network.layout["fc1.bias"])
    let weights = network.layout.exported(first, from: trial.initial).map(Double.init)
    var reference = ReferencePool(
      rows: (0..<6).map { Array(weights[$0 * 24..<($0 + 1) * 24]) },
      constants: trial.initial[constants.range].map(Double.init), classes: 3, matched: matched,
      matchingWeight: weight, batchAveraged: batchAveraged)
    let initial = try ReferencePool.Entries(network, trial.initial, layer: "fc1")
    var pool = initial
    let examples = ReferenceExample.all(data.train)
    for _ in 0..<2 {
      var next = pool.zeros
      for client in file.clients {
        let own = reference.train(
          pool, client.map { examples[$0] }, batch: 4, epochs: 2, rate: rate)
        next.add(uniform ? 1.0 / 3 : Double(client.count) / 42, own)
      }
      pool = next
    }
    let trained = try ReferencePool.Entries(network, trial.model, layer: "fc1")
    let observed = trained.flat
    #expect(observed.count == poolSize * (6 + 2 * 6 + 3 * 7))
    let allowed = bound(pool.flat, initial.flat, steps: reference.steps, rounds: 2)
    #expect(norm(observed, minus: pool.flat) <= allowed)
    #expect(norm(pool.flat, minus: initial.flat) > 1000 * allowed)
    #expect((trained.keys == initial.keys) == (weight == 0))
  }

  @Test(
    "Linear probing is FedAvg of logistic regression on the frozen features",
    arguments: [
      (ScenarioText.Optimizers.plain, ReferenceSGD()),
      (
        ScenarioText.Optimizers.nesterov,
        ReferenceSGD(rate: 0.05, momentum: 0.8, nesterov: true, decay: 0.02)
      ),
    ])
  func linearProbe(_ optimizer: String, _ sgd: ReferenceSGD) throws {
    var text = text("linear-probe", "", rounds: 3)
    text.optimizer = optimizer
    let trial = try text.experiment(data).trial()
    let layout = trial.network.layout
    func tensor(_ name: String, _ vector: [Float]) throws -> [Double] {
      layout.exported(try #require(layout[name]), from: vector).map(Double.init)
    }
    func classifier(_ vector: [Float]) throws -> [Double] {
      try tensor("fc2.weight", vector) + tensor("fc2.bias", vector)
    }
    let (weights, constants) = (
      try tensor("fc1.weight", trial.initial), try tensor("fc1.bias", trial.initial)
    )
    func features(_ x: [Double]) -> [Double] {
      (0..<6).map { row in
        var sum = constants[row]
        for i in x.indices { sum += weights[row * 24 + i] * x[i] }
        return max(0, sum)
      }
    }
    let examples = ReferenceExample.all(data.train).map {
      ReferenceExample(values: features($0.values), label: $0.label)
    }
    let initial = try classifier(trial.initial)
    var reference = ReferenceFederation(
      ReferenceModel(inputs: 6, hidden: 0, classes: 3),
      clients: file.clients.map { $0.map { examples[$0] } }, batch: 4, epochs: 2, sgd: sgd,
      method: .fedAvg, initial: initial)
    for round in 1...3 { reference.run(round, [0, 1, 2]) }
    let observed = try classifier(trial.model)
    let allowed = bound(reference.server, initial, steps: reference.steps, rounds: 3)
    #expect(norm(observed, minus: reference.server) <= allowed)
    #expect(norm(observed, minus: initial) > 1000 * allowed)
    #expect(try tensor("fc1.weight", trial.model) == weights)
    #expect(trial.bytesUp == [Int](repeating: 3 * 4 * 3 * 7, count: 3))
    #expect(trial.bytesDown == trial.bytesUp)
  }
}

import Aggregation
import Client
import Data
import Federation
import Fixtures
import Foundation
import Tensor
import TestSupport
import Testing

/// FedETF's model on six hidden neurons and three classes, straight from the paper, in double
/// precision; gradients are central differences.
private struct ReferenceETF {
  static let (inputs, hidden, classes) = (24, 6, 3)
  /// W₁, b₁; the projection; V; β, each after the other.
  static let places = (body: 0..<150, projection: 150..<171, frame: 171..<180, scale: 180..<181)

  /// Mean of CE(z + offsets, y), z = β·V·f/‖f‖.
  static func loss(_ w: [Double], _ examples: [ReferenceExample], offsets: [Double] = [0, 0, 0])
    -> Double
  {
    var sum = 0.0
    for example in examples {
      let h = (0..<hidden).map { j in
        max(
          0,
          (0..<inputs).reduce(w[inputs * hidden + j]) {
            $0 + w[j * inputs + $1] * example.values[$1]
          })
      }
      let f = (0..<classes).map { p in
        (0..<hidden).reduce(w[places.projection.lowerBound + 18 + p]) {
          $0 + w[places.projection.lowerBound + p * hidden + $1] * h[$1]
        }
      }
      let length = f.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let z = (0..<classes).map { c in
        (0..<classes).reduce(offsets[c]) {
          $0 + w[180] * w[places.frame.lowerBound + c * classes + $1] * f[$1] / length
        }
      }
      let largest = z.max() ?? 0
      sum += log(z.map { exp($0 - largest) }.reduce(0, +)) + largest - z[example.label]
    }
    return sum / Double(examples.count)
  }

  /// One SGD step on some places.
  static func step(
    _ w: inout [Double], _ moved: [Range<Int>], rate: Double, _ loss: ([Double]) -> Double
  ) {
    var next = w
    for i in moved.joined() {
      var (above, below) = (w, w)
      above[i] += 1e-6
      below[i] -= 1e-6
      next[i] -= rate * (loss(above) - loss(below)) / 2e-6
    }
    w = next
  }
}

@Suite("FedETF")
struct FedETFTests {
  static let sizes = [9, 7, 12]

  private func experiment(
    _ fields: String, rounds: Int = 2, _ change: (inout ScenarioText) -> Void = { _ in }
  ) throws -> (Experiment, PartitionFile, LabelledData) {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": \#(rounds) }"#
    text.strategies = [ScenarioText.strategy("fedetf", fields)]
    change(&text)
    return (try text.experiment(data), file, data)
  }

  /// The network's parameters in PyTorch's order.
  private func torch(_ model: [Float]) throws -> [Double] {
    var spec = ModelSpec(kind: .mlp, width: 1, hidden: [6])
    spec.classifier = .frame(width: 3)
    let network = try Network(
      spec, input: FeatureShape(height: 3, width: 4, channels: 2), classes: 3)
    return network.layout.torchOrder(model).map(Double.init)
  }

  @Test("a round and the personal models agree with the paper's formulas in double precision")
  func reference() throws {
    let fields = #""alternations": 2, "frameEpochs": 1, "projectionEpochs": 2"#
    let (experiment, file, data) = try experiment(fields, rounds: 1) { $0.batch = 5 }
    let trial = try experiment.trial()
    let examples = ReferenceExample.all(data.train)
    let start = try torch(trial.initial)
    let places = ReferenceETF.places
    var mean = start.map { _ in 0.0 }
    func batches(_ client: Int) -> [[ReferenceExample]] {
      let own = file.clients[client].map { examples[$0] }
      return stride(from: 0, to: own.count, by: 5).map { Array(own[$0..<min($0 + 5, own.count)]) }
    }
    for client in 0..<3 {
      let labels = batches(client).joined().map(\.label)
      let offsets = (0..<3).map { c in
        log(max(Double(labels.count { $0 == c }), LossSpec.absentCount))
      }
      var w = start
      for _ in 0..<2 {
        for batch in batches(client) {
          ReferenceETF.step(&w, [places.body, places.projection, places.scale], rate: 0.1) {
            ReferenceETF.loss($0, batch, offsets: offsets)
          }
        }
      }
      for i in w.indices { mean[i] += w[i] * Double(labels.count) / 28 }
    }
    // Central differences are good to about 1e-9; the rest is single precision.
    let server = try torch(trial.model)
    #expect(norm(server, minus: mean) <= 1e-6 * norm(mean, minus: nil))
    #expect(norm(server, minus: start) > 1e-2)
    #expect(Array(server[places.frame]) == Array(start[places.frame]))
    for client in 0..<3 {
      var w = mean
      for _ in 0..<2 {
        for batch in batches(client) {
          ReferenceETF.step(&w, [places.frame], rate: 0.1) { ReferenceETF.loss($0, batch) }
        }
        for batch in batches(client) + batches(client) {
          ReferenceETF.step(&w, [places.projection], rate: 0.05) { ReferenceETF.loss($0, batch) }
        }
      }
      let own = try torch(try #require(trial.clientModels[client]))
      #expect(norm(own, minus: w) <= 1e-6 * norm(w, minus: nil), "client \(client)")
      #expect(norm(own, minus: server) > 1e-2)
      #expect(own[places.body] == server[places.body] && own[180] == server[180])
    }
  }

  @Test("the frame is equiangular, a function of the seed, and never moves or travels")
  func frame()
    throws
  {
    let (experiment, _, _) = try experiment(#""alternations": 0"#)
    let trial = try experiment.trial()
    let (start, end) = (try torch(trial.initial), try torch(trial.model))
    let rows = (0..<3).map { Array(start[171 + 3 * $0..<174 + 3 * $0]) }
    for i in 0..<3 {
      for j in 0..<3 {
        let product = zip(rows[i], rows[j]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(product - (i == j ? 1 : -0.5)) < 4 * Rounding.unit)
      }
    }
    #expect(start[171..<180] == end[171..<180])
    #expect(start[180] == 1 && end[180] != 1)
    // The body starts as that of every other method.
    let plain = experiment.network.layout.initialParameters(.pytorch, seed: 1)
    #expect(bits(Array(trial.initial[..<150])) == bits(Array(plain[..<150])))
    // Body, projection and scale, each way; the seed of the frame once.
    #expect(trial.bytesUp == [3, 3].map { $0 * 4 * (150 + 21 + 1) })
    #expect(trial.bytesDown == trial.bytesUp)
    #expect(trial.bytesSetup == 3 * 8)
    for model in trial.clientModels { #expect(bits(try #require(model)) == bits(trial.model)) }
  }

  @Test("fields: width, scale, traffic, turns; the loss by default is balanced softmax")
  func fields() throws {
    let (wide, _, _) = try experiment(
      #""projectionWidth": 5, "initialScale": 3, "frameTraffic": "dense", "alternations": 1"#)
    let trial = try wide.trial()
    #expect(trial.initial.count == 150 + 35 + 15 + 1)
    #expect(trial.initial.last == 3)
    #expect(trial.bytesSetup == 3 * 4 * 15)
    #expect(trial.bytesUp == [3, 3].map { $0 * 4 * (150 + 35 + 1) })
    #expect(trial.clientModels[0] != trial.clientModels[1])
    let losses = try ["", #", "loss": "balanced-softmax""#, #", "loss": "cross-entropy""#].map {
      try experiment(#""alternations": 0\#($0)"#).0.trial()
    }
    #expect(losses[0].digests == losses[1].digests)
    #expect(losses[0].model != losses[2].model)
  }

  @Test("composes with a server optimizer and with private groups")
  func composes() throws {
    let (yogi, _, _) = try experiment(#""alternations": 0, "serverOptimizer": "yogi""#)
    #expect(try yogi.trial().serverMemory["momentum"]?.count == 172)
    let (bodies, _, _) = try experiment(#""alternations": 0, "private": ["body"]"#)
    let trial = try bodies.trial()
    #expect(trial.genericModel == nil)
    #expect(trial.bytesUp == [3, 3].map { $0 * 4 })
  }
}

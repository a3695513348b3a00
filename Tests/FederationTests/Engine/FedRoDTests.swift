import Aggregation
import Data
import Federation
import Fixtures
import Tensor
import TestSupport
import Testing

@Suite("FedRoD")
struct FedRoDTests {
  static let sizes = [13, 7, 22]
  static let (inputs, width, classes) = (24, 6, 3)
  static let bodyCount = (inputs + 1) * width

  private func trials(_ strategies: [String], _ change: (inout ScenarioText) -> Void = { _ in })
    throws -> (Experiment, [Trial])
  {
    let file = try PartitionFile(sizes: Self.sizes)
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 3, "participation": 0.67 }"#
    text.order = "shuffled"
    text.optimizer = ScenarioText.Optimizers.momentum
    text.strategies = strategies.enumerated().map { index, fields in
      #"{ "label": "s\#(index)", \#(fields) }"#
    }
    change(&text)
    let experiment = try text.experiment(SmallImages.floats(train: Self.sizes.reduce(0, +)))
    return (experiment, try strategies.indices.map { try experiment.trial(strategy: $0) })
  }

  static let compositions = [
    #""loss": "cross-entropy""#, #""loss": "balanced-softmax""#,
    #""loss": { "kind": "logit-adjustment", "prior": "global" }, "serverOptimizer": "yogi""#,
    #""loss": "class-balanced", "serverOptimizer": { "kind": "sgd", "momentum": 0.5 }"#,
  ]

  @Test(
    "the generic model is FedAvg's under the same composition, bit for bit",
    arguments: compositions, [ScenarioText.Optimizers.plain, ScenarioText.Optimizers.momentum])
  func generic(_ composed: String, _ optimizer: String) throws {
    let (_, pair) = try trials([
      #""kind": "fedavg", \#(composed)"#, #""kind": "fedrod", \#(composed)"#,
    ]) { $0.optimizer = optimizer }
    #expect(pair[0].model != pair[0].initial)
    #expect(bits(pair[0].model) == bits(pair[1].model))
    #expect(pair[0].serverMemory == pair[1].serverMemory)
    #expect(pair[0].trainLoss == pair[1].trainLoss)
    #expect(pair[0].bytesUp == pair[1].bytesUp && pair[0].bytesDown == pair[1].bytesDown)
    #expect(pair[0].bytesSetup == pair[1].bytesSetup)
    #expect(bits(try #require(pair[1].genericModel)) == bits(pair[1].model))
  }

  @Test("the default loss is balanced softmax with the client's own counts")
  func defaultLoss()
    throws
  {
    let (_, trials) = try trials([
      #""kind": "fedrod""#, #""kind": "fedrod", "loss": "balanced-softmax""#,
      #""kind": "fedrod", "loss": "cross-entropy""#,
    ])
    #expect(trials[0].digests == trials[1].digests)
    #expect(bits(trials[0].model) != bits(trials[2].model))
  }

  @Test("private heads start as they are told, and never change the generic model")
  func starts()
    throws
  {
    let (_, all) = try trials(
      ["shared", "zero", "own"].map { #""kind": "fedrod", "privateStart": "\#($0)""# }
    ) { $0.federation = #"{ "clients": 3, "rounds": 1, "participation": 0.34 }"# }
    let drawn = try #require(all[0].cohorts.first)
    let resting = try #require((0..<3).first { !drawn.contains($0) })
    let heads = try all.map { trial in
      // Personal minus generic is P_k.
      let model = try #require(trial.clientModels[resting])
      return zip(model, trial.model).map { $0 - $1 }[Self.bodyCount...]
    }
    #expect(heads[1].allSatisfy { $0 == 0 })
    let first = all[0].initial[Self.bodyCount...]
    for (a, b) in zip(heads[0], first) { #expect(abs(a - b) <= 4e-7) }
    let bound = 1 / Float(Self.width).squareRoot() + 1e-6
    #expect(heads[2].allSatisfy { abs($0) <= bound && $0 != 0 })
    for trial in all { #expect(bits(trial.model) == bits(all[0].model)) }
    #expect(all[0].clientMemories != all[1].clientMemories)
  }

  @Test("the private head agrees with a reference on what the generic head lacks")
  func reference()
    throws
  {
    let file = try PartitionFile(sizes: Self.sizes)
    let data = SmallImages.floats(train: Self.sizes.reduce(0, +))
    var text = ScenarioText(partition: file.json)
    text.federation = #"{ "clients": 3, "rounds": 1 }"#
    text.strategies = [#"{ "kind": "fedrod", "loss": "cross-entropy" }"#]
    let experiment = try text.experiment(data)
    let trial = try experiment.trial()
    let layout = experiment.network.layout
    let examples = ReferenceExample.all(data.train)
    let model = ReferenceModel(inputs: Self.inputs, hidden: Self.width, classes: Self.classes)
    for (client, images) in file.clients.enumerated() {
      var w = layout.torchOrder(trial.initial).map(Double.init)
      var head = Array(w[Self.bodyCount...])
      let start = head
      var steps = 0
      for _ in 0..<2 {
        for first in stride(from: 0, to: images.count, by: 4) {
          let batch = images[first..<min(first + 4, images.count)].map { examples[$0] }
          // The gradient of a classifier W + P with respect to P is that with respect to W.
          var sum = w
          for i in head.indices { sum[Self.bodyCount + i] += head[i] }
          let slopes = model.gradient(sum, batch)[Self.bodyCount...]
          let generic = model.gradient(w, batch)
          for (i, slope) in slopes.enumerated() { head[i] -= 0.1 * slope }
          for i in w.indices { w[i] -= 0.1 * generic[i] }
          steps += 1
        }
      }
      let observed = try #require(trial.clientMemories[client]?["head"]).map(Double.init)
      let roundings = Double(steps).squareRoot() * norm(head, minus: nil)
      let moved = Double(Self.inputs).squareRoot() * norm(head, minus: start)
      #expect(norm(observed, minus: head) <= 4 * Rounding.unit * (roundings + moved))
      // G + P_k is one head.
      let own = try #require(trial.clientModels[client])
      for i in head.indices {
        let parts = trial.model[Self.bodyCount + i] + Float(observed[i])
        #expect(own[Self.bodyCount + i] == parts)
      }
      #expect(bits(Array(own[..<Self.bodyCount])) == bits(Array(trial.model[..<Self.bodyCount])))
    }
  }

  @Test("with private groups there is no generic model, and bodies are the clients' own")
  func privateGroups() throws {
    let (_, trials) = try trials([
      #""kind": "fedrod", "private": ["body"]"#, #""kind": "fedavg", "private": ["body"]"#,
    ])
    #expect(trials[0].genericModel == nil)
    #expect(trials[0].bytesUp == trials[1].bytesUp)
  }
}

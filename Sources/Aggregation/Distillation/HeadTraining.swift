import Base
import Client
import Tensor

/// A model that continues the clients' networks from a cut, trained on what they uploaded.
///
/// L = CE(softmax g(h), y) + λ·τ²·KL(p ‖ σ_τ(g(h))), a mean over the rows of a batch by their
/// weights. The optimizer is new in every round.
package struct HeadTraining {
  /// g_s.
  package let network: Network
  /// λ ≥ 0.
  let distillationWeight: Float
  /// τ.
  let distillation: Distillation
  private let workspace: Workspace
  private let batch: Int
  private var optimizer: Optimizer

  /// A head with its parameters, [network.layout.count], ready to train.
  ///
  /// `batch`: B_s, rows per step.
  package init(
    _ network: Network, parameters: [Float], optimizer: OptimizerSpec, batch: Int,
    distillationWeight: Float, temperature: Float
  ) {
    self.network = network
    self.batch = batch
    self.distillationWeight = distillationWeight
    distillation = Distillation(temperature: temperature)
    workspace = Workspace(
      network, capacity: max(batch, network.evaluationBatch), training: true,
      moments: Optimizer.momentCount(optimizer))
    workspace.load(parameters)
    self.optimizer = Optimizer(optimizer, workspace)
  }

  /// All parameters as they are now.
  package var parameters: [Float] { workspace.currentParameters }

  /// Trains on the rows, each epoch in an order of its own.
  ///
  /// `seed`, `round`, `client`: address of the orders and of dropout masks; `client` is K.
  ///
  /// - Returns: the mean loss of each epoch, as seen in training.
  /// - Throws: ``Divergence`` when a loss is not finite.
  /// - Complexity: O(epochs · rows) passes of the head.
  package mutating func train(_ rows: HeadRows, epochs: Int, seed: UInt64, round: Int, client: Int)
    throws(Divergence) -> [Double]
  {
    var losses: [Double] = []
    var steps = 0
    for epoch in 0..<(rows.count > 0 ? epochs : 0) {
      var stream = RandomStream(seed: seed, .server, round: round, step: epoch)
      let order = stream.permutation(rows.count)
      var (sum, weight) = (0.0, 0.0)
      for start in stride(from: 0, to: order.count, by: batch) {
        let chosen = order[start..<min(start + batch, order.count)]
        let dropout = RandomStream(seed: seed, .dropout, round: round, client: client, step: steps)
        let (loss, total) = gradient(rows, chosen, dropoutKey: dropout.key)
        guard loss.isFinite else { throw Divergence(round: round) }
        optimizer.step(
          workspace, learningRate: optimizer.spec.learningRate,
          ranges: [0..<network.layout.trainedCount])
        sum += loss
        weight += total
        steps += 1
      }
      losses.append(sum / weight)
    }
    return losses
  }

  /// The gradient of some rows' mean loss, and Σ w·L and Σ w.
  package func gradient(_ rows: HeadRows, _ chosen: ArraySlice<Int>, dropoutKey: UInt64 = 0) -> (
    loss: Double, weight: Double
  ) {
    var total = 0.0
    for row in chosen { total += weight(rows, row) }
    fill(rows, chosen)
    network.forward(workspace, batch: chosen.count, training: true, dropoutKey: dropoutKey)
    guard let logits = workspace.logits.baseAddress, let labels = workspace.labels.baseAddress,
      let slopes = workspace.logitsGradient.baseAddress
    else { preconditionFailure("HeadTraining: the workspace has no memory") }
    var sum = 0.0
    let loss = SoftmaxCrossEntropy()
    for (i, row) in chosen.enumerated() {
      let own = weight(rows, row)
      let at = i * network.classes
      sum +=
        own
        * loss.evaluate(
          logits: logits + at, labels: labels + i, batch: 1, classes: network.classes,
          gradient: slopes + at, totalWeight: total / own
        ).lossSum
      guard distillationWeight > 0 else { continue }
      let (part, place) = rows.place(row)
      part.softLabels.withUnsafeBufferPointer { targets in
        guard let targets = targets.baseAddress else { return }
        sum +=
          own * Double(distillationWeight)
          * distillation.evaluate(
            logits: logits + at, targets: targets + place * network.classes, rows: 1,
            classes: network.classes, weight: distillationWeight * Float(own / total),
            addingTo: slopes + at)
      }
    }
    network.backward(workspace, batch: chosen.count)
    return (sum, total)
  }

  /// The gradient of the last batch, [trainedCount].
  package var lastGradient: [Float] { Array(workspace.gradient) }

  /// q = σ_τ(g(h)) of every row in evaluation mode, [rows × C] for each part.
  package func softLabels(_ rows: HeadRows) -> [[Float]] {
    var all = rows.parts.map { [Float](repeating: 0, count: $0.softLabels.count) }
    let size = min(network.evaluationBatch, workspace.capacity)
    for (index, part) in rows.parts.enumerated() {
      for start in stride(from: 0, to: part.labels.count, by: size) {
        let range = start..<min(start + size, part.labels.count)
        let width = network.input.count
        part.representations.withUnsafeBufferPointer { source in
          guard let source = source.baseAddress, let input = workspace.input.baseAddress else {
            return
          }
          input.update(from: source + range.lowerBound * width, count: range.count * width)
        }
        network.forward(workspace, batch: range.count, training: false)
        all[index].withUnsafeMutableBufferPointer { result in
          guard let logits = workspace.logits.baseAddress, let result = result.baseAddress else {
            return
          }
          Distillation.softmax(
            logits, rows: range.count, classes: network.classes,
            temperature: distillation.temperature, into: result + range.lowerBound * network.classes
          )
        }
      }
    }
    return all
  }

  private func weight(_ rows: HeadRows, _ row: Int) -> Double {
    let (part, place) = rows.place(row)
    return part.weights.isEmpty ? 1 : Double(part.weights[place])
  }

  private func fill(_ rows: HeadRows, _ chosen: ArraySlice<Int>) {
    let width = network.input.count
    for (i, row) in chosen.enumerated() {
      let (part, place) = rows.place(row)
      workspace.labels[i] = part.labels[place]
      part.representations.withUnsafeBufferPointer { source in
        guard let source = source.baseAddress, let input = workspace.input.baseAddress else {
          return
        }
        (input + i * width).update(from: source + place * width, count: width)
      }
    }
  }
}

import Tensor

/// A slow, obviously right interpreter of a network's operations: nested loops in double
/// precision, straight from each layer's definition, sharing no code with the fast layers.
package struct ReferenceNetwork {
  /// The network that is interpreted.
  package let network: Network
  /// All parameters in the order of the flat vector.
  package var parameters: [Double]
  /// Batch statistics instead of running ones; dropout by `masks`.
  package var training = true
  /// Dropout factors by mask slot, as the fast network drew them.
  package var masks: [Int: [Double]] = [:]
  /// λ: the loss gets λ·(1 − r) on top, r being how well a pool's keys match.
  package var matchWeight = 0.0

  /// A copy of a network's state.
  package init(_ network: Network, _ parameters: [Float]) {
    self.network = network
    self.parameters = parameters.map(Double.init)
  }

  /// What one forward pass gives.
  package struct Outcome {
    /// Every slot's values.
    package var slots: [[Double]]
    /// The decisions of all ReLUs and max-pools: two passes with equal patterns lie on one smooth
    /// piece of the loss.
    package var pattern: [Int32] = []
    /// Mean and biased variance per channel of each batch norm, by the place of its running mean.
    package var statistics: [Int: (mean: [Double], variance: [Double])] = [:]
  }

  /// Runs `batch` examples, channels last.
  package func forward(_ input: [Double], batch: Int) -> Outcome {
    var outcome = Outcome(slots: network.slots.map { _ in [] })
    outcome.slots[network.inputSlot] = input
    for operation in network.operations { apply(operation, &outcome, batch) }
    return outcome
  }

  /// Logits of `batch` examples.
  package func logits(_ input: [Double], batch: Int) -> [Double] {
    forward(input, batch: batch).slots[network.logitsSlot]
  }

  /// Mean softmax cross-entropy, and the pattern of decisions.
  package func loss(_ input: [Double], labels: [Int], batch: Int) -> (
    loss: Double, pattern: [Int32]
  ) {
    let outcome = forward(input, batch: batch)
    let loss = ReferenceLoss.crossEntropy(
      outcome.slots[network.logitsSlot], labels: labels, classes: network.classes)
    guard let match = network.pool?.match else { return (loss, outcome.pattern) }
    let r = outcome.slots[match].reduce(0, +) / Double(batch)
    return (loss + matchWeight * (1 - r), outcome.pattern)
  }

  private func apply(_ operation: any Operation, _ outcome: inout Outcome, _ batch: Int) {
    let x = outcome.slots[operation.input]
    switch operation {
    case let layer as Dense: outcome.slots[layer.output] = dense(layer, x, batch)
    case let layer as CosineClassifier: outcome.slots[layer.output] = cosine(layer, x, batch)
    case let layer as Convolution: outcome.slots[layer.output] = convolution(layer, x, batch)
    case let layer as StandardisedConvolution:
      outcome.slots[layer.output] = convolution(layer, x, batch)
    case let layer as GroupNorm: outcome.slots[layer.output] = groupNorm(layer, x, batch)
    case let layer as BatchNorm: outcome.slots[layer.output] = batchNorm(layer, x, batch, &outcome)
    case let layer as LayerNorm: outcome.slots[layer.output] = layerNorm(layer, x, batch)
    case let layer as ReLU:
      outcome.pattern += x.map { $0 > 0 ? 1 : 0 }
      outcome.slots[layer.output] = x.map { max($0, 0) }
    case let layer as GELU: outcome.slots[layer.output] = x.map(ReferenceLoss.gelu)
    case let layer as TemperedSigmoid:
      let (s, t, o) = (layer.scale, layer.inverseTemperature, layer.offset)
      outcome.slots[layer.output] = x.map {
        ReferenceLoss.temperedSigmoid($0, Double(s), Double(t), Double(o))
      }
    case let layer as Pooling:
      outcome.slots[layer.output] = pooling(layer, x, batch, &outcome.pattern)
    case let layer as GlobalAveragePool:
      outcome.slots[layer.output] = globalMean(layer.shape, x, batch)
    case let layer as Dropout:
      guard training else {
        outcome.slots[layer.output] = x
        return
      }
      guard let mask = masks[layer.mask] else {
        preconditionFailure("ReferenceNetwork: no mask for slot \(layer.mask)")
      }
      outcome.slots[layer.output] = zip(x, mask).map { $0 * $1 }
    case let layer as PositionLinear: outcome.slots[layer.output] = positionLinear(layer, x, batch)
    case let layer as Attention: outcome.slots[layer.output] = attention(layer, x, batch)
    case let layer as ClassToken: outcome.slots[layer.output] = classToken(layer, x, batch)
    case let layer as FirstPosition:
      outcome.slots[layer.output] = (0..<batch).flatMap { n in
        x[n * layer.shape.count..<n * layer.shape.count + layer.shape.channels]
      }
    case let layer as PoolMatch: poolMatch(layer, x, batch, &outcome)
    case let layer as PoolScale: outcome.slots[layer.output] = poolScale(layer, x, batch, outcome)
    case let layer as PoolHead: outcome.slots[layer.output] = poolHead(layer, x, batch, outcome)
    case let layer as Residual:
      outcome.slots[layer.sum] = zip(outcome.slots[layer.sum], x).map { $0 + $1 }
    default: preconditionFailure("ReferenceNetwork: unknown operation \(operation.summary)")
    }
  }
}

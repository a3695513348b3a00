import Client
import Tensor

/// A step of local training with heads besides the network's classifier, all on the features of
/// the one forward pass, and none with a gradient into them.
///
/// With h = f_θ(x), the network's loss moves what its phase moves, and each head its own weight and
/// bias by ∇ CE(P(sg(h)), y), where sg stops gradients. The gradients of a batch are complete
/// before anything moves, so that all see the same h. What the network learns has the same bits
/// whatever the heads are.
package struct StoppedHeads: LocalRule {
  package let loss: SoftmaxCrossEntropy?
  /// The heads' loss; nil for the network's.
  package let headLoss: SoftmaxCrossEntropy?
  /// The heads with their optimizers.
  package var heads: [LinearHead]
  /// Whether the network's logits, held constant, are added to those of each head: a head then
  /// learns what the network's classifier lacks.
  package let addsNetworkLogits: Bool

  package static var adjustsGradient: Bool { false }

  /// A rule with heads at their places of the round.
  package init(
    loss: SoftmaxCrossEntropy?, headLoss: SoftmaxCrossEntropy?, heads: [LinearHead],
    addsNetworkLogits: Bool = false
  ) {
    self.loss = loss
    self.headLoss = headLoss
    self.heads = heads
    self.addsNetworkLogits = addsNetworkLogits
  }

  /// Adds nothing to the network's gradient or loss, but for a NaN when a head diverged.
  package mutating func addTerms(_ part: BatchPart) -> Double {
    guard let features = part.workspace.features.baseAddress,
      let logits = part.workspace.logits.baseAddress,
      let labels = part.workspace.labels.baseAddress, let loss = headLoss ?? loss
    else { return 0 }
    let total = headLoss == nil ? part.totalWeight : Double(part.batch)
    var sum = 0.0
    for index in heads.indices {
      sum +=
        heads[index].accumulate(
          features: features, labels: labels, count: part.count, loss: loss, totalWeight: total,
          fixedLogits: addsNetworkLogits ? UnsafePointer(logits) : nil
        ).lossSum
    }
    return sum.isFinite ? 0 : .nan
  }

  package mutating func endBatch(learningRate: Double) {
    for index in heads.indices { heads[index].step(learningRate: learningRate) }
  }
}

import Client
import Tensor

/// λ·τ²·KL(q_i ‖ σ_τ(z_i)) for examples whose soft labels a client received.
package struct SoftLabelTerm: Sendable {
  /// q, [rows × C].
  package let targets: [Float]
  /// The row of each of the client's examples, by its place; nil where it has none.
  package let rows: [Int?]
  /// λ > 0.
  package let weight: Float
  /// τ.
  let distillation: Distillation

  package init(targets: [Float], rows: [Int?], weight: Float, distillation: Distillation) {
    self.targets = targets
    self.rows = rows
    self.weight = weight
    self.distillation = distillation
  }

  /// Adds the term's gradient λ·τ·(σ_τ(z) − q)/B to the logits' gradient.
  ///
  /// - Returns: λ·τ²·Σ KL over these examples.
  package func add(_ part: BatchPart) -> Double {
    let classes = part.network.classes
    guard let logits = part.workspace.logits.baseAddress,
      let slopes = part.workspace.logitsGradient.baseAddress
    else { return 0 }
    return targets.withUnsafeBufferPointer { targets in
      guard let targets = targets.baseAddress else { return 0 }
      var sum = 0.0
      for (i, place) in part.places.enumerated() {
        guard let row = rows[place] else { continue }
        sum += distillation.evaluate(
          logits: logits + i * classes, targets: targets + row * classes, rows: 1, classes: classes,
          weight: weight / Float(part.batch), addingTo: slopes + i * classes)
      }
      return Double(weight) * sum
    }
  }
}

/// A loss with a soft-label term that trains the whole model.
package struct SoftLabelRule: LocalRule {
  package let loss: SoftmaxCrossEntropy?
  /// Nil before anything was received.
  let term: SoftLabelTerm?

  /// A rule; a loss of nil leaves the term alone.
  package init(loss: SoftmaxCrossEntropy?, term: SoftLabelTerm?) {
    self.loss = loss
    self.term = term
  }

  package static var adjustsGradient: Bool { false }

  package mutating func addTerms(_ part: BatchPart) -> Double { term?.add(part) ?? 0 }
}

/// A loss that trains the whole model with a soft-label term that trains some layers only.
///
/// The term's gradient takes a sweep of its own, whose result is kept for those layers and
/// forgotten for the others: theirs is the loss's to the bit.
struct PartialSoftLabelRule: LocalRule {
  let loss: SoftmaxCrossEntropy?
  let term: SoftLabelTerm?
  /// The trained parameters that the term reaches.
  let ranges: [Range<Int>]
  /// The term's gradient over the parts of a batch so far, [trainedCount]; empty between batches.
  private var kept: [Float] = []

  init(loss: SoftmaxCrossEntropy?, term: SoftLabelTerm?, ranges: [Range<Int>]) {
    self.loss = loss
    self.term = term
    self.ranges = ranges
  }

  mutating func addTerms(_ part: BatchPart) -> Double {
    guard let term else { return 0 }
    let space = part.workspace
    let count = part.count * part.network.classes
    // Both gradients are the loss's so far: put aside, and put back.
    let slopes = Array(space.logitsGradient.prefix(count))
    let gradient = part.examples.lowerBound > 0 ? Array(space.gradient) : []
    for i in 0..<count { space.logitsGradient[i] = 0 }
    let sum = term.add(part)
    part.network.backward(space, batch: part.count)
    if kept.isEmpty { kept = [Float](repeating: 0, count: space.gradient.count) }
    for range in ranges { for i in range { kept[i] += space.gradient[i] } }
    for (i, value) in gradient.enumerated() { space.gradient[i] = value }
    for (i, value) in slopes.enumerated() { space.logitsGradient[i] = value }
    return sum
  }

  mutating func adjust(_ gradient: inout MutableSpan<Float>, at parameters: Span<Float>) {
    guard !kept.isEmpty else { return }
    for range in ranges { for i in range { gradient[i] += kept[i] } }
    kept = []
  }
}

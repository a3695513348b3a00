import Tensor

/// Distillation from soft targets that belong to a device's examples, and nothing else.
///
/// The loss of a batch is τ²·mean KL(q ‖ σ_τ(z)). Hinton, Vinyals and Dean 2015, arXiv:1503.02531.
public struct DistillationRule: LocalRule, Sendable {
  /// None on labels.
  public let loss: SoftmaxCrossEntropy? = nil
  /// The loss on the logits.
  public let distillation: Distillation
  /// q of each of the device's examples, [n × C].
  public let targets: [Float]

  /// `targets`: [n × C] in the order of the device's examples, probabilities at this temperature.
  public init(targets: [Float], temperature: Float) {
    self.targets = targets
    distillation = Distillation(temperature: temperature)
  }

  /// Targets that are softmax(z/τ) of somebody's logits, [n × C].
  public init(logits: [Float], classes: Int, temperature: Float) {
    var targets = logits
    targets.withUnsafeMutableBufferPointer { q in
      guard let start = q.baseAddress else { return }
      Distillation.softmax(
        start, rows: q.count / classes, classes: classes, temperature: temperature, into: start)
    }
    self.init(targets: targets, temperature: temperature)
  }

  /// Targets that are probabilities at temperature 1, [n × C], brought to τ; as they are for 1.
  public init(probabilities: [Float], classes: Int, temperature: Float) {
    var targets = probabilities
    targets.withUnsafeMutableBufferPointer { q in
      guard let start = q.baseAddress, temperature != 1 else { return }
      Distillation.temper(
        start, rows: q.count / classes, classes: classes, temperature: temperature, into: start)
    }
    self.init(targets: targets, temperature: temperature)
  }

  /// τ²·Σ KL over some examples; its gradient is divided by the batch's size.
  public mutating func addTerms(_ part: BatchPart) -> Double {
    let classes = part.network.classes
    guard let logits = part.workspace.logits.baseAddress,
      let gradient = part.workspace.logitsGradient.baseAddress
    else { return 0 }
    var total = 0.0
    targets.withUnsafeBufferPointer { targets in
      guard let q = targets.baseAddress else { return }
      for (row, place) in part.places.enumerated() {
        total += distillation.evaluate(
          logits: logits + row * classes, targets: q + place * classes, rows: 1, classes: classes,
          weight: 1 / Float(part.batch), addingTo: gradient + row * classes)
      }
    }
    return total
  }

  /// Nothing to adjust.
  public static var adjustsGradient: Bool { false }
}

import Base
import Client
import Federation
import Records
import Tensor

/// Which images look as if the model had seen them: those with a low loss.
struct MembershipAttack {
  let model: [Float]
  let sample: MembershipSample

  /// One row for all classes, and one per group of classes where some are rarer than others.
  ///
  /// `bounds`: what the accountant allows at 0.1 % and 1 % false positives; nil without a claim.
  func rows(bounds: [Double?]) -> [MembershipRow] {
    func losses(_ loader: BatchLoader, _ images: [Int]) -> [Double] {
      sample.confidences(model, loader, images).map(Self.loss)
    }
    return sample.rows(
      "loss", members: losses(sample.context.train, sample.members),
      others: losses(sample.context.test, sample.others), bounds: bounds)
  }

  /// ln(1 + e^{−φ}), the cross-entropy.
  static func loss(_ phi: Double) -> Double {
    phi > 0 ? log1p(exp(-phi)) : log1p(exp(phi)) - phi
  }
}

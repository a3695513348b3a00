import Base
import Tensor

/// A correction of a trained classifier for classes that were rare in training; it needs no further
/// training.
public enum PostHoc: Sendable, Equatable {
  /// The classifier as it is.
  case none
  /// w_c ← w_c/‖w_c‖^τ: Kang et al., ICLR 2020, arXiv:1910.09217.
  ///
  /// τ in [0, 2]: 0 changes no weight, 1 makes unit rows. The paper drops the bias; `keepsBias`
  /// leaves it as it is.
  case tauNormalised(tau: Double, keepsBias: Bool)
  /// b_c ← b_c − τ·log π_c, so that argmax z_c − τ·log π_c wins: Menon et al., ICLR 2021,
  /// arXiv:2007.07314, equation 9; τ ≥ 0.
  ///
  /// For models trained with cross-entropy: together with the loss of the same name it would
  /// correct twice. A class without examples counts as one with a single example.
  case logitAdjustment(tau: Double)

  /// Changes a classifier of C classes on d features.
  ///
  /// Rows of length 0 stay. Without any example, logit adjustment changes nothing.
  ///
  /// - Parameters:
  ///   - weight: [C × d], one row per class.
  ///   - bias: [C].
  ///   - counts: [C], training examples of each class.
  /// - Complexity: O(C·d).
  public func apply(weight: inout [Float], bias: inout [Float], counts: [Int]) {
    let classes = bias.count
    precondition(
      counts.count == classes && classes > 0 && weight.count % classes == 0,
      "PostHoc: weight [\(weight.count)], bias [\(classes)], counts [\(counts.count)]")
    switch self {
    case .none: return
    case .tauNormalised(let tau, let keepsBias):
      let width = weight.count / classes
      for c in 0..<classes {
        let row = c * width..<(c + 1) * width
        let norm = VectorArithmetic.norm(weight.span.extracting(row))
        guard norm > 0 else { continue }
        let factor = pow(norm, -tau)
        for i in row { weight[i] = Float(Double(weight[i]) * factor) }
      }
      if !keepsBias { for c in 0..<classes { bias[c] = 0 } }
    case .logitAdjustment(let tau):
      let total = counts.reduce(0, +)
      guard total > 0 else { return }
      for c in 0..<classes {
        bias[c] -= Float(tau * log(Double(max(counts[c], 1)) / Double(total)))
      }
    }
  }
}

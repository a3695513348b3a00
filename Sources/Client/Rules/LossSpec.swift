import Base
import Tensor

/// Whose class counts a loss knows.
public enum Prior: String, Sendable, CaseIterable {
  /// The client's own, n_k.
  case local
  /// Those of all clients together; each must have sent its counts once.
  case global
}

/// The loss on the logits, as the scenario says it.
///
/// Below, n_c are class counts, N = Σ n_c and π_c = n_c/N.
public enum LossSpec: Sendable, Equatable {
  /// −log p_y.
  case crossEntropy
  /// CE(z + log n, y): Ren et al., NeurIPS 2020, arXiv:2007.10740, equation 3.
  case balancedSoftmax(prior: Prior)
  /// CE(z + τ·log π, y), τ ≥ 0: Menon et al., ICLR 2021, arXiv:2007.07314, equation 10.
  ///
  /// τ = 1 has the gradients of balanced softmax.
  case logitAdjustment(tau: Double, prior: Prior)
  /// −(1 − p_y)^γ·log p_y, γ ≥ 0: Lin et al., ICCV 2017, arXiv:1708.02002, equation 4.
  case focal(gamma: Double)
  /// CE(s·(z − Δ_y·e_y), y) with Δ_c ∝ n_c^(−1/4): Cao et al., NeurIPS 2019, arXiv:1906.07413.
  ///
  /// `maxMargin` ≥ 0 is the rarest class's margin. `scale` s > 0 is meant for logits that are
  /// cosines. From the share `reweightFrom` in [0, 1] of the rounds on, examples weigh as in
  /// `classBalanced` with `beta` (the paper's DRW); 1 is never. Counts are the client's own.
  case ldam(maxMargin: Double, scale: Double, reweightFrom: Double, beta: Double)
  /// −w_y·log p_y with w_c ∝ (1 − β)/(1 − β^n_c), β in [0, 1): Cui et al., CVPR 2019,
  /// arXiv:1901.05555; counts are the client's own.
  case classBalanced(beta: Double)

  /// What stands for the count of a class without examples where its logarithm is taken.
  ///
  /// Not 0, so that the loss of an example that appears only in an evaluation stays finite.
  public static let absentCount = 1e-8

  /// Whether `loss` reads the pooled counts.
  public var needsPooledCounts: Bool {
    switch self {
    case .balancedSoftmax(let prior), .logitAdjustment(_, let prior): prior == .global
    case .crossEntropy, .focal, .ldam, .classBalanced: false
    }
  }

  /// Whether `loss` reads the client's own class counts, which are private data.
  public var readsOwnCounts: Bool {
    switch self {
    case .balancedSoftmax(let prior), .logitAdjustment(_, let prior): prior == .local
    case .ldam, .classBalanced: true
    case .crossEntropy, .focal: false
    }
  }

  /// The loss of a client in a round.
  ///
  /// A prior without any example, such as that of a client without data, gives cross-entropy.
  ///
  /// - Parameters:
  ///   - own: [C], the client's class counts.
  ///   - pooled: [C], those of all clients; read only where `needsPooledCounts`.
  ///   - round: from 1.
  ///   - rounds: R, the length of the run.
  /// - Returns: the loss with all constants [C] filled in.
  public func loss(own: [Int], pooled: [Int], round: Int, rounds: Int) -> SoftmaxCrossEntropy {
    switch self {
    case .crossEntropy: return SoftmaxCrossEntropy()
    case .balancedSoftmax(let prior):
      return SoftmaxCrossEntropy(
        offsets: Self.offsets(prior == .local ? own : pooled, tau: 1, isShare: false))
    case .logitAdjustment(let tau, let prior):
      return SoftmaxCrossEntropy(
        offsets: Self.offsets(prior == .local ? own : pooled, tau: tau, isShare: true))
    case .focal(let gamma): return SoftmaxCrossEntropy(focus: Float(gamma))
    case .ldam(let maxMargin, let scale, let reweightFrom, let beta):
      // The product of a share and a number of rounds may miss an integer by a rounding.
      let isLate = Double(round - 1) + 1e-6 >= reweightFrom * Double(rounds)
      return SoftmaxCrossEntropy(
        weights: isLate && round <= rounds && reweightFrom < 1
          ? Self.classBalancedWeights(own, beta: beta) : nil,
        margins: Self.margins(own, largest: maxMargin),
        // A positive scale may be too small for a Float.
        scale: max(Float(scale), .leastNonzeroMagnitude))
    case .classBalanced(let beta):
      return SoftmaxCrossEntropy(weights: Self.classBalancedWeights(own, beta: beta))
    }
  }

  /// τ·log n_c, or τ·log π_c; nil when there are no examples.
  private static func offsets(_ counts: [Int], tau: Double, isShare: Bool) -> [Float]? {
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    let shift = isShare ? log(Double(total)) : 0
    return counts.map { Float(tau * (log(max(Double($0), absentCount)) - shift)) }
  }

  /// Δ_c = largest·(n_c/n_min)^(−1/4), n_min being the smallest count above 0.
  ///
  /// Classes without examples get the largest. Nil when there are no examples.
  static func margins(_ counts: [Int], largest: Double) -> [Float]? {
    guard let least = counts.filter({ $0 > 0 }).min() else { return nil }
    return counts.map { Float(largest * pow(Double(max($0, least)) / Double(least), -0.25)) }
  }

  /// w_c ∝ (1 − β)/(1 − β^n_c), scaled so that they sum to C; classes without examples weigh 0.
  ///
  /// Nil when there are no examples. The loss is Σ w·ℓ / Σ w over a batch, so the scale shows only
  /// where gradients of batches are compared.
  static func classBalancedWeights(_ counts: [Int], beta: Double) -> [Float]? {
    // (1 − β^n)/(1 − β) = 1 + β + … is the effective number of n examples; n itself when β is 1.
    let inverse = counts.map { count in
      guard count > 0 else { return 0.0 }
      guard beta < 1 else { return 1 / Double(count) }
      return (1 - beta) / -expm1(Double(count) * log(beta))
    }
    let total = inverse.reduce(0, +)
    guard total > 0 else { return nil }
    return inverse.map { Float($0 / total * Double(counts.count)) }
  }
}

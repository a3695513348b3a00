/// How one client's training steps are made private, example by example.
///
/// A step on a Poisson batch B, in which each example takes part with probability q:
///
///     S = Σ_{i∈B} c_i·g_i + N(0, σ²C²),   step direction S / B̂,
///
/// with g_i the gradient of example i's own loss over everything the step moves, and c_i chosen so
/// that ‖c_i·g_i‖ ≤ C. B̂ is a constant of the scenario: the size of the drawn batch is private.
/// What follows (weight decay, momentum, proximal terms, control variates) reads S alone.
///
/// - Source: Abadi et al., CCS 2016, arXiv:1607.00133, algorithm 1.
public struct ExamplePrivacy: Sendable, Equatable {
  /// C > 0, the most that one example can move the sum, in the units of its gradient.
  public var clip: Double
  /// How c_i is chosen.
  public var clipping: Clipping
  /// σ ≥ 0: the noise's standard deviation on the sum, divided by C.
  public var noiseMultiplier: Double
  /// B̂ ≥ 1: what the noisy sum is divided by, and B̂/n_k is the sampling rate.
  public var batch: Int
  /// K ≥ 1 augmented copies of each example in a batch; their mean gradient is clipped once.
  ///
  /// - Source: De et al. 2022, arXiv:2204.13650.
  public var copies: Int
  /// What becomes of the clipped part; nil forgets it.
  public var errorFeedback: ErrorFeedback?
  /// Whether batches are Poisson; if not, they are those of training without privacy, which no
  /// accountant covers: for measuring speed alone.
  public var drawsBatches = true

  /// Rules for c_i.
  public enum Clipping: String, Sendable, CaseIterable {
    /// min(1, C/‖g_i‖) over all parameters.
    case flat
    /// min(1, C_l/‖g_il‖) layer by layer, C_l = C/√L, so that the whole stays within C.
    case perLayer = "per-layer"
    /// C/(‖g_i‖ + 0.01): every example is scaled (Bu et al. 2022, arXiv:2206.07136).
    case automatic
  }

  /// DiceSGD: the clipped part goes into a hidden vector e, and a clipped part of e into each step.
  ///
  ///     v = Σ clip(g_i, C) + clip(e, ρC);   step (v + N(0, σ²C²))/B̂;   e ← e + Σ g_i − v.
  ///
  /// In units of the sum over the batch; in units of the mean the second threshold is ρ·C/B̂.
  ///
  /// - Source: Zhang, Bu, Wu and Hong, ICLR 2024, arXiv:2311.14632, algorithm 1.
  public struct ErrorFeedback: Sendable, Equatable {
    /// ρ ≥ 0: the threshold of e divided by C.
    public var ratio: Double
    /// G ≥ C: gradients are first clipped to this norm, so that one example's part of e is bounded;
    /// nil leaves them as they are.
    public var cap: Double?
    /// β in [0, 1]: e at the start of a client's round is β times what it was at its end: 1 keeps
    /// it, 0 forgets it.
    public var decay: Double

    /// Settings with every entry given.
    public init(ratio: Double = 1, cap: Double? = nil, decay: Double = 1) {
      self.ratio = ratio
      self.cap = cap
      self.decay = decay
    }
  }

  /// Settings.
  public init(
    clip: Double, clipping: Clipping = .flat, noiseMultiplier: Double, batch: Int, copies: Int = 1,
    errorFeedback: ErrorFeedback? = nil
  ) {
    self.clip = clip
    self.clipping = clipping
    self.noiseMultiplier = noiseMultiplier
    self.batch = batch
    self.copies = copies
    self.errorFeedback = errorFeedback
  }

  /// q of a client with n examples: min(1, B̂/n).
  public func samplingRate(examples: Int) -> Double {
    examples == 0 ? 0 : min(1, Double(batch) / Double(examples))
  }

  /// c_i for a gradient of norm `norm`, within `bound`.
  ///
  /// 0 when the norm is not finite: such an example contributes nothing, and nothing reports it.
  public func factor(norm: Double, bound: Double) -> Double {
    guard norm.isFinite else { return 0 }
    switch clipping {
    case .automatic: return bound / (norm + 0.01)
    case .flat, .perLayer: return norm <= bound ? 1 : bound / norm
    }
  }
}

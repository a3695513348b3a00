/// Which optimizer a client uses, with PyTorch's parameters and PyTorch's update rules.
public struct OptimizerSpec: Sendable, Equatable {
  /// The update rules that can be chosen.
  public enum Kind: String, Sendable, CaseIterable { case sgd, adam, adamw }

  /// The rule.
  public var kind: Kind
  /// Step size η > 0.
  public var learningRate: Double
  /// Momentum ρ in [0, 1), for `sgd`.
  public var momentum: Double
  /// Nesterov's form of momentum, for `sgd`; needs momentum > 0.
  public var nesterov: Bool
  /// Weight decay λ ≥ 0: added to the gradient (`sgd`, `adam`) or decoupled (`adamw`).
  public var weightDecay: Double
  /// Decay of the first moment, for `adam` and `adamw`.
  public var beta1: Double
  /// Decay of the second moment.
  public var beta2: Double
  /// Added to the root of the second moment.
  public var epsilon: Double

  /// An optimizer; the defaults are PyTorch's where PyTorch has one.
  public init(
    kind: Kind = .sgd, learningRate: Double, momentum: Double = 0, nesterov: Bool = false,
    weightDecay: Double = 0, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8
  ) {
    self.kind = kind
    self.learningRate = learningRate
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
  }

  /// w ← w − η·g and nothing else.
  public var isPlain: Bool { kind == .sgd && momentum == 0 && weightDecay == 0 }
}

/// The learning rate over the rounds: η(t) = η₀ · factor(t).
public struct LearningRateSchedule: Sendable, Equatable {
  /// The shape after warm-up.
  public enum Shape: Sendable, Equatable {
    /// 1 throughout.
    case constant
    /// factor^⌊t / every⌋: PyTorch's StepLR with rounds for epochs.
    case step(every: Int, factor: Double)
    /// floor + (1 − floor)·(1 + cos(π·t/T))/2 with T the number of rounds after warm-up.
    case cosine(floor: Double)
  }

  /// The shape after warm-up.
  public var shape: Shape
  /// Rounds over which the rate rises linearly: round r of them has factor r / (warmup + 1).
  public var warmupRounds: Int

  /// A schedule.
  public init(_ shape: Shape = .constant, warmupRounds: Int = 0) {
    self.shape = shape
    self.warmupRounds = warmupRounds
  }
}

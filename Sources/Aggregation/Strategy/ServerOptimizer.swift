import Tensor

/// How the server turns the mean update Δ = Σ p_k·(w_k − w) into its step.
///
/// | rule | update |
/// |---|---|
/// | sgd | u ← β·u + Δ;  w ← w + η_g·u |
/// | adagrad | v ← v + Δ²;  w ← w + η_g·Δ/(√v + τ) |
/// | adam | u ← β₁·u + (1 − β₁)·Δ;  v ← β₂·v + (1 − β₂)·Δ²;  w ← w + η_g·u/(√v + τ) |
/// | yogi | u as adam;  v ← v − (1 − β₂)·Δ²·sign(v − Δ²);  w as adam |
///
/// sgd: Hsu et al. 2019, arXiv:1909.06335; the adaptive ones: Reddi et al., ICLR 2021,
/// arXiv:2003.00295, algorithm 2, without bias correction, v starting at τ².
public struct ServerOptimizer: Sendable, Equatable {
  /// The rules.
  public enum Kind: String, Sendable, CaseIterable { case sgd, adagrad, adam, yogi }

  /// The rule.
  public var kind: Kind
  /// η_g > 0.
  public var learningRate: Double
  /// β of sgd, in [0, 1).
  public var momentum: Double
  /// β₁ in [0, 1); adagrad has none.
  public var beta1: Double
  /// β₂ in [0, 1].
  public var beta2: Double
  /// τ > 0, the degree of adaptivity.
  public var tau: Double

  /// FedAvg's server, unless something else is given.
  public init(
    _ kind: Kind = .sgd, learningRate: Double = 1, momentum: Double = 0, beta1: Double = 0.9,
    beta2: Double = 0.99, tau: Double = 1e-3
  ) {
    self.kind = kind
    self.learningRate = learningRate
    self.momentum = momentum
    self.beta1 = beta1
    self.beta2 = beta2
    self.tau = tau
  }

  /// Names of what is kept at the server.
  static let momentumName = "momentum"
  static let secondName = "second-moment"

  /// Whether w ← w + η_g·Δ is all that happens.
  package var isPlain: Bool { kind == .sgd && momentum == 0 }

  /// The step for trained parameters, to be scaled by η_g; moves the moments in `memory`.
  ///
  /// - Complexity: O(values).
  package func step(for mean: [Float], _ memory: inout StateTensors) -> [Float] {
    if isPlain { return mean }
    var u = take(Self.momentumName, mean.count, initial: 0, &memory)
    if kind == .sgd {
      VectorArithmetic.scale(&u, by: Float(momentum))
      VectorArithmetic.addScaled(&u, 1, mean)
      memory[Self.momentumName] = u
      return u
    }
    let first = kind == .adagrad ? 0 : Float(beta1)
    let second = Float(beta2)
    let tau = Float(tau)
    var v = take(Self.secondName, mean.count, initial: tau * tau, &memory)
    var step = [Float](repeating: 0, count: mean.count)
    for i in mean.indices {
      let square = mean[i] * mean[i]
      u[i] = first * u[i] + (1 - first) * mean[i]
      switch kind {
      case .adagrad: v[i] += square
      case .adam: v[i] = second * v[i] + (1 - second) * square
      default:
        let sign: Float = v[i] > square ? 1 : v[i] < square ? -1 : 0
        v[i] -= (1 - second) * square * sign
      }
      step[i] = u[i] / (v[i].squareRoot() + tau)
    }
    if kind != .adagrad { memory[Self.momentumName] = u }
    memory[Self.secondName] = v
    return step
  }

  /// A moment out of the memory, so that it has one owner and nothing is copied.
  private func take(_ name: String, _ count: Int, initial: Float, _ memory: inout StateTensors)
    -> [Float]
  {
    let values = memory[name] ?? [Float](repeating: initial, count: count)
    memory[name] = nil
    return values
  }
}

/// The fields of methods that are FedAvg with a server optimizer of their own.
extension Hyperparameter<Double> {
  /// η_g, the server's step size.
  static func serverLearningRate(_ initial: Double, inferred: Bool = false) -> Hyperparameter {
    Hyperparameter(
      "serverLearningRate", "η_g", above: 0, to: 1e6, default: initial,
      "step size of the server; the paper tunes it on a grid of powers of 10", inferred: inferred)
  }

  /// β₁, of the first moment.
  static let serverBeta1 = Hyperparameter(
    "beta1", "β₁", in: 0...0.9999, default: 0.9, "decay of the first moment of the server's updates"
  )

  /// β₂, of the second moment.
  static let serverBeta2 = Hyperparameter(
    "beta2", "β₂", in: 0...1, default: 0.99, "decay of the second moment; 0.999 in some libraries")

  /// τ, the degree of adaptivity.
  static let adaptivity = Hyperparameter(
    "tau", "τ", above: 0, to: 1e6, default: 1e-3,
    "added to the root of the second moment, which starts at τ²; larger adapts less")
}

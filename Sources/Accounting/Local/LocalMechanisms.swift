import Base

/// PrivUnitG: a vector of length 1 reported with ε-local differential privacy by one sample of a
/// Gaussian that leans towards it.
///
/// With p in (0, 1), q = 1/(1 + e^ε·(1 − p)/p) and γ with P(Z > γ) = q, t ~ N(0, 1) is drawn above
/// γ with probability p, else below; g ~ N(0, I). The report is
///
///     σ·(g − ⟨g, x⟩·x + t·x),   1/σ = φ(γ)·(p/q − (1 − p)/(1 − q)),
///
/// which is unbiased, and whose densities for two x differ by e^ε at most, because t's density
/// relative to N(0, 1) has two values, p/q and (1 − p)/(1 − q), with that quotient. p is the one
/// that makes σ least; an error has about σ² in each coordinate. Neighbours replace the vector.
///
/// - Source: Asi, Feldman and Talwar, ICML 2022, arXiv:2205.02466.
public struct PrivUnitG: Sendable, Equatable {
  /// ε > 0.
  public let epsilon: Double
  /// p, the probability to lean towards the vector.
  public let probability: Double
  /// q = P(Z > γ).
  public let share: Double
  /// γ.
  public let threshold: Double
  /// σ: a coordinate of the report deviates by about so much.
  public let scale: Double

  /// The best report of an ε, from 10⁻³ to 100.
  public init(epsilon: Double) {
    precondition(epsilon >= 1e-3 && epsilon <= 100, "PrivUnitG: epsilon \(epsilon)")
    self.epsilon = epsilon
    // σ has one minimum in ln(p/(1 − p)), between 0 and ε.
    let best = GoldenSection.smallest(from: 0, to: epsilon, steps: 80) {
      Self.sizes(epsilon, $0).scale
    }
    (probability, share, threshold, scale) = Self.sizes(epsilon, best.point)
  }

  private static func sizes(_ epsilon: Double, _ logit: Double) -> (
    probability: Double, share: Double, threshold: Double, scale: Double
  ) {
    let p = 1 / (1 + exp(-logit))
    // q = 1/(1 + e^{ε − logit}).
    let q = 1 / (1 + exp(epsilon - logit))
    let gamma = NormalTail.quantile(q)
    let lean = NormalTail.density(gamma) * (p / q - (1 - p) / (1 - q))
    return (p, q, gamma, 1 / lean)
  }
}

/// Other reports that are private by themselves, where one client's vector is replaced.
public enum LocalReports {
  /// Deviation of Laplace noise for ε on a vector of ℓ1 length at most `clip`: √2·b, b = 2·clip/ε.
  public static func laplaceDeviation(epsilon: Double, clip: Double) -> Double {
    2.0.squareRoot() * 2 * clip / epsilon
  }

  /// Probability of the true answer in k-ary randomised response: e^ε/(e^ε + k − 1).
  public static func keepProbability(epsilon: Double, answers: Int) -> Double {
    1 / (1 + Double(answers - 1) * exp(-epsilon))
  }

  /// ‖error‖/S of the mean of m reports in d dimensions with variance `variance` per coordinate, in
  /// units of the largest length S of a report: √(d·variance/m).
  public static func meanError(dimension: Int, variance: Double, clients: Int) -> Double {
    (Double(dimension) * variance / Double(clients)).squareRoot()
  }
}

import Base

/// The Rényi divergence of one step of the Gaussian mechanism with Poisson sampling.
///
/// With P = (1−q) N(0, σ²) + q N(1, σ²) and Q = N(0, σ²), for neighbours by addition:
///
///     D_α = ln A_α / (α − 1),   A_α = E_{z∼Q} (1 + q u)^α,   u = e^{(2z−1)/(2σ²)} − 1
///
/// The other direction is never larger. What is computed is A − 1, as a sum of positive terms: for
/// small q or large σ it is many digits below 1, and sums near 1 would lose it.
///
/// - Source: Mironov, Talwar and Zhang 2019, arXiv:1908.10530, §3.3 (their A_α); the forms without
///   cancellation use that Σ_k C(α,k) (1−q)^{α−k} q^k = 1 and that E u = 0.
struct SampledGaussianDivergence {
  /// Probability of taking part, in (0, 1).
  let rate: Double
  /// Standard deviation of the noise over the sensitivity, > 0.
  let noise: Double

  /// D_α for every order; whole orders above 1 by the sum, the others by quadrature.
  ///
  /// - Complexity: O(Σ α) for whole orders, O(nodes · orders) for the others; nodes are about
  ///   16 (10 + α/(2σ)) for σ ≥ 0.32 and grow as 1/σ² below.
  func divergences(_ orders: [Double]) -> [Double] {
    let fractional = orders.filter { $0 != $0.rounded() }
    let isInterpolated = noise < Self.smallestNoiseForQuadrature
    var quadrature = isInterpolated ? [] : logExcess(fractional: fractional)[...]
    return orders.map { order in
      let excess: Double
      if order == order.rounded() {
        excess = logExcess(whole: Int(order))
      } else if isInterpolated {
        return Interpolation.chord(order) { logMoment(whole: $0) } / (order - 1)
      } else {
        excess = quadrature.popFirst() ?? .infinity
      }
      return LogSum.onePlus(excess) / (order - 1)
    }
  }

  /// Below this the nodes would be many; ε is in the hundreds there, and a chord will do.
  static let smallestNoiseForQuadrature = 0.05

  /// ln A_α of a whole order.
  private func logMoment(whole order: Int) -> Double {
    order < 2 ? 0 : LogSum.onePlus(logExcess(whole: order))
  }

  /// ln(A_α − 1) = ln Σ_{k=2}^{α} C(α,k) (1−q)^{α−k} q^k (e^{(k²−k)/(2σ²)} − 1).
  private func logExcess(whole order: Int) -> Double {
    let (logIn, logOut) = (log(rate), log1p(-rate))
    let inverse = 0.5 / (noise * noise)
    var logBinomial = log(Double(order))
    var terms: [Double] = []
    terms.reserveCapacity(order)
    for k in stride(from: 2, through: order, by: 1) {
      logBinomial += log(Double(order - k + 1) / Double(k))
      let weight = logBinomial + Double(order - k) * logOut + Double(k) * logIn
      terms.append(weight + LogSum.minusOne(Double(k) * Double(k - 1) * inverse))
    }
    return LogSum.all(terms)
  }

  /// ln(A_α − 1) for each order, by the trapezoidal rule on one set of nodes.
  ///
  /// A − 1 = ∫ φ(z/σ)/σ · f dz with f = (1+qu)^α − 1 − αqu ≥ 0. The integrand is analytic where
  /// |Im z| < πσ², where 1 + qu meets zero, so the error falls as e^{−2π·πσ²/h}: with
  /// h ≤ 0.4 σ² it is e^{−49}, and with h ≤ σ/8 the Gaussian factor gives as much. Beyond 10σ on
  /// the left of 0 and on the right of α less than 10⁻²⁰ of the integral is left.
  private func logExcess(fractional orders: [Double]) -> [Double] {
    guard let largest = orders.max() else { return [] }
    let step = min(noise / 8, 0.4 * noise * noise)
    let start = -10 * noise
    let nodeCount = ((largest + 10 * noise - start) / step).rounded(.up)
    // A σ beyond the range of its own square, where no order helps.
    guard nodeCount < 1e8 else { return orders.map { _ in .infinity } }
    let count = Int(nodeCount) + 1
    let nodes = (0..<count).map { node(at: start + Double($0) * step) }
    let logFactor = log(step / noise) - 0.918938533204672741780329736406
    var terms = [Double](repeating: 0, count: count)
    return orders.map { order in
      for i in 0..<count { terms[i] = nodes[i].logDensity + nodes[i].logTerm(order) }
      return LogSum.all(terms) + logFactor
    }
  }

  /// What all orders share at one z.
  private struct Node {
    /// −z²/(2σ²).
    let logDensity: Double
    /// qu, infinite where it does not fit.
    let change: Double
    /// ln |qu|.
    let logChange: Double
    /// ln(1 + qu).
    let logRatio: Double

    /// ln f = ln((1+qu)^α − 1 − αqu).
    func logTerm(_ order: Double) -> Double {
      if abs(order * change) < 0.1 {
        // α(α−1)/2 (qu)² [1 + (α−2)/3 qu (1 + (α−3)/4 qu (1 + …))]; a factor is below 0.034.
        var tail = 1.0
        for k in stride(from: 13.0, through: 3.0, by: -1) {
          tail = 1 + (order - k + 1) / k * change * tail
        }
        return 2 * logChange + log(order * (order - 1) / 2 * tail)
      }
      let power = order * logRatio
      if power <= 1 { return log(expm1(power) - order * change) }
      // (1 + αqu) e^{−y}, on logarithms where qu does not fit.
      let linear =
        change < 1e100 ? (1 + order * change) * exp(-power) : exp(log(order) + logChange - power)
      return power + log1p(-linear)
    }
  }

  private func node(at z: Double) -> Node {
    let exponent = (2 * z - 1) / (2 * noise * noise)
    let isLarge = exponent > 600
    let change = isLarge ? .infinity : rate * expm1(exponent)
    let logChange = isLarge ? log(rate) + exponent : log(abs(change))
    return Node(
      logDensity: -0.5 * (z / noise) * (z / noise), change: change, logChange: logChange,
      logRatio: isLarge ? LogSum.pair(log1p(-rate), log(rate) + exponent) : log1p(change))
  }
}

/// Values between whole orders.
enum Interpolation {
  /// A bound on a function that is convex in the order and known at whole ones.
  ///
  /// ln A_α is convex in α (Hölder), so a chord is above it; ln A_1 = 0.
  static func chord(_ order: Double, of value: (Int) -> Double) -> Double {
    let low = order.rounded(.down)
    let share = order - low
    let left = low <= 1 ? 0 : value(Int(low))
    return share == 0 ? left : (1 - share) * left + share * value(Int(low) + 1)
  }
}

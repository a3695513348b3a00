import Base

/// What shuffling does for reports that are private by themselves: n clients, each with a report
/// that is (ε₀, 0)-differentially private when one client's data are replaced, sent without names.
///
/// Whatever the mechanism, the shuffled reports are at most as far apart as
///
///     C ~ Bin(n − 1, e^{−ε₀}),  A ~ Bin(C, ½),  α = e^{ε₀}/(1 + e^{ε₀}):
///     (A + Bern(α), C)  and  (A + Bern(1 − α), C)
///
/// because each other client's report looks like a clone of the client's own with probability
/// e^{−ε₀}, of either kind alike. Both directions are equal. Neighbours replace one client.
///
/// - Source: Feldman, McMillan and Talwar, FOCS 2021, arXiv:2012.12803, theorems 3.1 and 3.2. What
///   their later work claims for more than this has been withdrawn in part and is not used.
public struct ShuffleAmplification: Sendable {
  /// n ≥ 1.
  public let clients: Int
  /// ε₀ > 0 of one report.
  public let localEpsilon: Double

  /// C.
  private let clones: BinomialTail

  /// n clients with reports of ε₀; at most 10⁶ and 40.
  public init(clients: Int, localEpsilon: Double) {
    precondition(clients >= 1 && localEpsilon > 0, "ShuffleAmplification: nothing to shuffle")
    self.clients = clients
    self.localEpsilon = localEpsilon
    // e^{−ε₀}/(1 − e^{−ε₀}).
    clones = BinomialTail(clients - 1, odds: 1 / expm1(localEpsilon))
  }

  /// δ(ε) of the shuffled reports, for ε ≥ 0.
  ///
  /// - Complexity: O(n) at most.
  public func delta(epsilon: Double) -> Double {
    guard epsilon < localEpsilon else { return 0 }
    let alpha = 1 / (1 + exp(-localEpsilon))
    let factor = exp(epsilon)
    // For C = c the likelihood ratio exceeds e^ε where a is above (c + 1)·threshold.
    let threshold = (factor * alpha - (1 - alpha)) / ((2 * alpha - 1) * (1 + factor))
    var mass = CoinMass()
    var total = 0.0
    for c in 0..<clones.first + clones.masses.count {
      let cut = Int(clamping: Double(c + 1) * threshold) + 1
      mass.move(to: c, cut - 1)
      guard c >= clones.first else { continue }
      let below = mass.value
      let above = mass.tail()
      let gain =
        alpha * (above + below) + (1 - alpha) * above
        - factor * ((1 - alpha) * (above + below) + alpha * above)
      total += clones.masses[c - clones.first] * max(0, gain)
    }
    return min(1, total)
  }

  /// The least ε with δ(ε) ≤ δ, rounded up; ε₀ where shuffling gains nothing.
  ///
  /// `delta` in (0, 1).
  public func epsilon(delta: Double) -> Double {
    guard self.delta(epsilon: 0) > delta else { return 0 }
    var (low, high) = (0.0, localEpsilon)
    while high - low > 1e-10 * (1 + high) {
      let middle = low + (high - low) / 2
      if self.delta(epsilon: middle) <= delta { high = middle } else { low = middle }
    }
    return high
  }

  /// The published closed form, which is never below the true value; nil where it does not hold,
  /// for ε₀ above ln(n/(16·ln(4/δ))).
  public func closedForm(delta: Double) -> Double? {
    let n = Double(clients)
    let logTerm = log(4 / delta)
    guard localEpsilon <= log(n / (16 * logTerm)) else { return nil }
    let e = exp(localEpsilon)
    let a = 8 * (e * logTerm / n).squareRoot() + 8 * e / n
    return log1p((1 - 1 / e) / (1 + 1 / (e * (1 + a))) * a)
  }
}

/// P(A = k) and P(A > k) for A ~ Bin(c, ½), followed from one c and k to the next.
private struct CoinMass {
  private var c = 0
  private var k = 0
  /// P(A = k), 0 for k > c.
  private(set) var value = 1.0
  /// P(A > k) by additions to one that was summed up, and how many they were.
  private var followed: (tail: Double, steps: Int)?

  /// Additions after which a tail is summed up anew: its roundings stay below 10⁻¹⁴.
  private static let mostSteps = 64

  /// Goes on to larger c and k, each by any number of steps.
  mutating func move(to newC: Int, _ newK: Int) {
    while c < newC {
      follow(0.5 * value)
      c += 1
      // P_c(k) = P_{c−1}(k)·c/(2·(c − k)); at k = c it is 2^{−c}.
      value = k > c ? 0 : k == c ? pow(0.5, Double(c)) : value * Double(c) / Double(2 * (c - k))
    }
    while k < newK {
      value = k >= c ? 0 : value * Double(c - k) / Double(k + 1)
      k += 1
      follow(-value)
    }
  }

  private mutating func follow(_ change: Double) {
    guard let (tail, steps) = followed else { return }
    followed = steps < Self.mostSteps ? (tail + change, steps + 1) : nil
  }

  /// P(A > k).
  mutating func tail() -> Double {
    // Where it is small next to nothing may be lost, and its sum is short.
    let isShort = Double(c - k) < 0.85 * Double(k + 1)
    if !isShort, let (tail, _) = followed { return tail }
    var (term, sum, at) = (value, 0.0, k)
    while at < c {
      term *= Double(c - at) / Double(at + 1)
      sum += term
      at += 1
      if term < 1e-17 * sum, 2 * at > c { break }
    }
    followed = (sum, 0)
    return sum
  }
}

import Base

/// The probabilities of Binomial(n, p) that matter, from the likeliest outward.
struct BinomialTail {
  /// What is left out of all sums together is below this.
  static let cut = 1e-28

  /// The outcome of the first probability.
  let first: Int
  /// The probabilities from `first` on.
  let masses: [Double]

  /// The distribution of n trials.
  ///
  /// - Parameters:
  ///   - n: trials ≥ 0.
  ///   - odds: p/(1 − p) of a success, above 0; infinite for p = 1.
  init(_ n: Int, odds: Double) {
    let p = odds == .infinity ? 1 : odds / (1 + odds)
    if p == 1 {
      (first, masses) = (n, [1])
      return
    }
    let mode = min(n, Int(clamping: Double(n + 1) * p))
    // Beyond, neighbours fall at least as fast as the last ratio: what is left is less than 10⁻²⁸.
    let least = 1e-36
    var above: [Double] = []
    var weight = 1.0
    var k = mode
    while k < n {
      weight *= Double(n - k) / Double(k + 1) * odds
      if weight < least { break }
      above.append(weight)
      k += 1
    }
    var below: [Double] = []
    weight = 1
    k = mode
    while k > 0 {
      weight *= Double(k) / Double(n - k + 1) / odds
      if weight < least { break }
      below.append(weight)
      k -= 1
    }
    // The smallest first, so that roundings stay small.
    let total = above.reversed().reduce(0, +) + (below.reversed().reduce(0, +) + 1)
    first = mode - below.count
    masses = (below.reversed() + [1] + above).map { $0 / total }
  }

  /// P(B ≥ k).
  func atLeast(_ k: Int) -> Double {
    guard k < first + masses.count else { return 0 }
    return masses[max(0, k - first)...].reversed().reduce(0, +)
  }

  /// max over 1 ≤ i ≤ k of P(k − i ≤ B < k)/i: the largest mean of probabilities that end below k.
  ///
  /// Masses have one peak, so the mean ends to rise at the first that is not above it.
  func largestMean(below k: Int) -> Double {
    var (sum, largest) = (0.0, 0.0)
    // Places without a mass count in the mean, too.
    var place = min(k, first + masses.count) - 1
    guard place >= first else { return 0 }
    while place >= first {
      sum += masses[place - first]
      let mean = sum / Double(k - place)
      if mean <= largest { break }
      largest = mean
      place -= 1
    }
    return largest
  }
}

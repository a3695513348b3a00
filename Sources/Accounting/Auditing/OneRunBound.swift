import Base

/// What guesses about many canaries in one run say about the mechanism's ε.
///
/// Each of m canaries is in the training data or not by a fair coin of its own. After the run an
/// attacker says of G of them whether they were in, abstains of the others, and is right v times.
/// With V the number of right guesses, every (ε, δ)-differentially private mechanism has
///
///     P(V ≥ v) ≤ β + 2mδ·a,   β = P(B ≥ v),   a = max over 1 ≤ i ≤ v of P(v − i ≤ B < v) / i,
///
/// B ∼ Binomial(G, e^ε/(1 + e^ε)). An ε for which this is at most 0.05 is contradicted by what
/// happened with 95 % confidence, and so is every smaller one. G must not depend on the scores.
///
/// - Source: Steinke, Nasr and Jagielski, NeurIPS 2023, arXiv:2305.08846, theorem 5.2;
///   `gaussianShift` is the recursion of Mahloujifar, Melis and Chaudhuri 2024, arXiv:2410.22235.
public struct OneRunBound: Sendable, Equatable {
  /// m ≥ 0.
  public let canaries: Int
  /// G, from 0 to m.
  public let guesses: Int
  /// v, from 0 to G.
  public let correct: Int

  /// A run's outcome.
  ///
  /// - Throws: when the counts are not in their ranges.
  public init(canaries: Int, guesses: Int, correct: Int) throws(AccountingError) {
    guard canaries >= 0, canaries <= PrivacyEvent.stepLimit else {
      throw .outOfRange("\(canaries) canaries; expected 0 to \(PrivacyEvent.stepLimit)")
    }
    guard guesses >= 0, guesses <= canaries else {
      throw .outOfRange("\(guesses) guesses about \(canaries) canaries")
    }
    guard correct >= 0, correct <= guesses else {
      throw .outOfRange("\(correct) of \(guesses) guesses are right")
    }
    self.canaries = canaries
    self.guesses = guesses
    self.correct = correct
  }

  /// The bound on P(V ≥ v) under (ε, δ), in [0, 1], rounded up.
  ///
  /// - Parameters:
  ///   - epsilon: ε ≥ 0.
  ///   - delta: δ in [0, 1].
  /// - Returns: β + 2mδ·a, at most 1.
  /// - Complexity: O(√G) for large G.
  public func probability(epsilon: Double, delta: Double) -> Double {
    if correct == 0 { return 1 }
    let tail = BinomialTail(guesses, odds: exp(max(0, epsilon)))
    let beta = tail.atLeast(correct)
    let extra = 2 * Double(canaries) * max(0, delta)
    let share = extra > 0 ? tail.largestMean(below: correct) : 0
    return min(1, (beta + extra * share) * (1 + 1e-11) + BinomialTail.cut)
  }

  /// The largest ε that is contradicted with confidence 1 − `error`, rounded down; 0 when none is.
  ///
  /// - Parameters:
  ///   - delta: δ in [0, 1].
  ///   - error: the probability that the answer is above the true ε, in (0, 1).
  /// - Returns: a lower bound on ε; it says nothing about how much larger ε may be.
  public func epsilon(delta: Double, error: Double = 0.05) -> Double {
    func isContradicted(_ epsilon: Double) -> Bool {
      probability(epsilon: epsilon, delta: delta) <= error
    }
    guard isContradicted(0) else { return 0 }
    var (low, high) = (0.0, 1.0)
    while isContradicted(high), high < 1e3 { (low, high) = (high, 2 * high) }
    // Any ε that is contradicted is a bound; halving finds where that ends.
    for _ in 0..<60 {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { break }
      if isContradicted(middle) { low = middle } else { high = middle }
    }
    return low
  }

  /// The largest μ such that the guesses contradict μ-GDP with confidence 1 − `error`; 0 when none
  /// is.
  ///
  /// It tests one hypothesis only, that the mechanism's trade-off curve is no worse than that of a
  /// Gaussian with this shift, and is therefore larger than `epsilon`; no lower bound on the ε of a
  /// mechanism of another kind.
  ///
  /// - Complexity: O(v) about fifty times.
  public func gaussianShift(error: Double = 0.05) -> Double {
    guard correct > 0 else { return 0 }
    guard isShiftContradicted(1e-9, error) else { return 0 }
    var (low, high) = (1e-9, 0.5)
    while isShiftContradicted(high, error), high < 1e3 { (low, high) = (high, 2 * high) }
    for _ in 0..<60 {
      let middle = low + (high - low) / 2
      if middle <= low || middle >= high { break }
      if isShiftContradicted(middle, error) { low = middle } else { high = middle }
    }
    return low
  }

  /// The recursion: r bounds the probability of more than i right guesses weighted by them, h that
  /// of wrong ones; together they must reach G/m.
  private func isShiftContradicted(_ shift: Double, _ error: Double) -> Bool {
    let m = Double(canaries)
    var right = error * Double(correct) / m
    var wrong = error * Double(guesses - correct) / m
    var left = correct - 1
    while left >= 0 {
      let next = max(wrong, GaussianMechanism.unlikely(right, shift: shift))
      if next == wrong { break }
      right = min(1, right + Double(left) / Double(guesses - left) * (next - wrong))
      wrong = next
      left -= 1
    }
    return right + wrong > Double(guesses) / m
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The accountant of privacy loss distributions: the one to report.
///
/// The loss of each step is put on a grid so that δ(ε) can only grow, sums are formed by Fourier
/// transforms, and the grid is refined until ε stands still: the answer is an upper bound, above
/// the truth by about 5·10⁻⁵ of itself. Releases without sampling are one Gaussian, in closed
/// form where nothing else is composed with them.
///
/// - Source: Koskela, Jälkö and Honkela 2020, arXiv:1906.03049; Doroshenko et al. 2022,
///   arXiv:2207.04380; Balle and Wang 2018, arXiv:1805.06530 (closed form).
public struct PLDAccountant: Sendable {
  /// On which side of the truth an answer lies.
  public enum Estimate: Sendable {
    /// An upper bound: what may be claimed.
    case pessimistic
    /// A lower bound, to see how far the other can be off; losses are rounded down.
    case optimistic
  }

  /// On which side of the truth answers lie.
  public let estimate: Estimate
  /// A fixed grid interval `h`; nil refines the grid, and is 10⁻⁴ for optimistic answers.
  public let interval: Double?

  /// An accountant; give an interval only to compare with programs whose grid is fixed.
  public init(_ estimate: Estimate = .pessimistic, interval: Double? = nil) {
    self.estimate = estimate
    self.interval = interval.map { max(1e-12, $0) }
  }

  /// ε of a ledger at δ in (0, 1); infinity when nothing bounds it.
  ///
  /// - Complexity: about 10 ms for typical DP-SGD; O(n log n) for grids of n ≤ 2²² points.
  public func epsilon(_ ledger: PrivacyLedger, delta: Double) -> Double {
    solve(ledger, delta: delta).value
  }

  /// δ of a ledger at ε ≥ 0.
  public func delta(_ ledger: PrivacyLedger, epsilon: Double) -> Double {
    guard let mixture = StepMixture(ledger) else { return 1 }
    if let gaussian = mixture.gaussian { return gaussian.delta(epsilon: epsilon) }
    // The tail that may be cut depends on δ: first a bound by the other accountant, then a coarse
    // answer of this one.
    let guess = RDPAccountant.standard.delta(ledger, epsilon: epsilon).value
    let first = mixture.reach(delta: guess * 1e-4)
    let coarse = PLDAccountant(estimate, interval: mixture.firstInterval(reach: first))
      .direct(mixture, reach: first, relative: 1, absolute: 1) { $0.delta(epsilon: epsilon) }
    let reach = mixture.reach(delta: min(guess, coarse.value) * 1e-2)
    return direct(mixture, reach: reach, relative: 3e-4, absolute: 1e-300) {
      $0.delta(epsilon: epsilon)
    }.value
  }

  /// An answer and the interval of the grid it was found on; 0 for the closed form.
  struct Solution {
    let value: Double
    let interval: Double
  }

  /// ε with its grid.
  func solve(_ ledger: PrivacyLedger, delta: Double) -> Solution {
    guard let mixture = StepMixture(ledger) else { return Solution(value: .infinity, interval: 0) }
    if let gaussian = mixture.gaussian {
      return Solution(value: gaussian.epsilon(delta: delta), interval: 0)
    }
    if delta <= 0 { return Solution(value: .infinity, interval: 0) }
    if delta >= 1 { return Solution(value: 0, interval: 0) }
    let reach = mixture.reach(delta: delta)
    return direct(mixture, reach: reach, relative: 5e-5, absolute: 5e-7) {
      $0.epsilon(delta: delta)
    }
  }

  /// The larger of the two directions.
  private func direct(
    _ mixture: StepMixture,
    reach: Double,
    relative: Double,
    absolute: Double,
    answer: (LossComposition) -> Double?
  ) -> Solution {
    let isOptimistic = estimate == .optimistic
    func value(_ direction: SampledGaussianPair.Direction, _ h: Double) -> Double? {
      mixture.composition(direction, interval: h, reach: reach, isOptimistic: isOptimistic)
        .flatMap(answer)
    }
    let refinement = GridRefinement(relative: relative, absolute: absolute)
    func solution(_ direction: SampledGaussianPair.Direction) -> Solution {
      if let interval = interval ?? (isOptimistic ? 1e-4 : nil) {
        return refinement.first(from: interval) { value(direction, $0) }
      }
      return refinement.run(from: mixture.firstInterval(reach: reach)) { value(direction, $0) }
    }
    let removed = solution(.remove)
    if mixture.isSymmetric || removed.value == .infinity { return removed }
    // Additions mostly give less; a coarse bound on them is enough to see it.
    let coarse = mixture.firstInterval(reach: reach)
    if !isOptimistic, interval.map({ $0 < coarse }) ?? true {
      if refinement.first(from: coarse, value: { value(.add, $0) }).value <= removed.value {
        return removed
      }
    }
    let added = solution(.add)
    return added.value > removed.value ? added : removed
  }
}

/// Makes a grid finer until an upper bound on it stands still.
///
/// The error falls as h², so two grids tell the error of the finer one.
struct GridRefinement {
  /// Accepted error, as a share of the value.
  let relative: Double
  /// Accepted error of values near zero.
  let absolute: Double

  /// The value on the finest grid that is not too long, at or above an interval.
  func first(
    from interval: Double,
    value: (Double) -> Double?
  ) -> PLDAccountant.Solution {
    var h = interval
    // 2⁶⁰ times the interval is beyond any loss.
    for _ in 0..<60 {
      if let found = value(h) { return PLDAccountant.Solution(value: found, interval: h) }
      h *= 2
    }
    return PLDAccountant.Solution(value: .infinity, interval: h)
  }

  /// The value after refinement.
  func run(
    from interval: Double,
    value: (Double) -> Double?
  ) -> PLDAccountant.Solution {
    var best = first(from: interval, value: value)
    var next = best.interval / 2
    for _ in 0..<10 {
      if best.value == 0 || best.value == .infinity { break }
      guard let finer = value(next) else { break }
      let ratio = best.interval / next
      let error = abs(best.value - finer) / (ratio * ratio - 1)
      let accepted = max(absolute, relative * finer)
      best = PLDAccountant.Solution(value: min(finer, best.value), interval: next)
      if error <= accepted { break }
      next *= max(1.0 / 16, min(0.5, (0.6 * accepted / error).squareRoot()))
    }
    return best
  }
}

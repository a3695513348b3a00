import Base

/// The accountant of privacy loss distributions: the one to report.
///
/// Every answer is a pair of bounds. The losses of a step are put on a grid twice, once so that
/// δ(ε) can only grow and once so that it can only shrink; both are composed by Fourier transforms
/// with everything that is cut, wound around or rounded counted on the safe side, and the grid is
/// refined until the two ε are within 2·10⁻⁴ of each other, or the window has 2²² points. The
/// bounds start from closed forms and are only ever replaced by closer ones, so that a computation
/// that fails leaves a wider bracket and never a smaller claim. Releases without sampling are one
/// Gaussian, in closed form where nothing else is composed with them.
///
/// - Source: Koskela, Jälkö and Honkela 2020, arXiv:1906.03049; Doroshenko et al. 2022,
///   arXiv:2207.04380; Balle and Wang 2018, arXiv:1805.06530 (closed form).
public struct PLDAccountant: Sendable {
  /// A fixed grid interval `h`; nil refines the grid.
  public let interval: Double?

  /// An accountant; give an interval only to compare with programs whose grid is fixed.
  public init(interval: Double? = nil) {
    self.interval = interval.map { max(1e-12, $0) }
    sought = 2e-4
    longestWindow = LossComposition.longestGrid
    target = nil
  }

  /// An accountant for searches, whose bounds may be as far apart as a share of the upper one.
  ///
  /// They hold like all others; only windows longer than some are given up.
  ///
  /// `target`: an ε that answers are held against; bounds that are clearly on one side of it need
  /// not be close.
  package init(precision: Double = 2e-4, longestWindow: Int, target: Double? = nil) {
    interval = nil
    sought = precision
    self.longestWindow = longestWindow
    self.target = target
  }

  private let target: Double?

  /// Whether bounds show on which side of the target the truth is, by a fifth of it.
  private func isDecided(_ bracket: Bracket) -> Bool {
    guard let target else { return false }
    return bracket.lower > 1.2 * target || bracket.upper < target / 1.2
  }

  private let longestWindow: Int

  /// Width of a bracket at which the grid is fine enough, as a share of ε.
  private let sought: Double

  /// ε of a ledger at δ in (0, 1), an upper bound; infinity when nothing bounds it.
  ///
  /// - Complexity: about 10 ms for typical DP-SGD; O(n log n) for windows of n ≤ 2²² points.
  public func epsilon(_ ledger: PrivacyLedger, delta: Double) -> Double {
    bracket(ledger, delta: delta).upper
  }

  /// ε of a ledger at δ in (0, 1), from below and from above.
  public func bracket(_ ledger: PrivacyLedger, delta: Double) -> EpsilonBracket {
    guard let mixture = StepMixture(ledger) else { return .plain(.infinity) }
    if delta >= 1 { return .plain(0) }
    if let gaussian = mixture.gaussian { return .plain(gaussian.bracket(delta: delta)) }
    guard delta > 0 else { return .plain(.infinity) }
    if mixture.totalVariation <= delta { return .plain(0) }
    let start = Bracket(
      lower: mixture.singleStepEpsilon(delta: delta), upper: mixture.unsampledEpsilon(delta: delta))
    let logTail = mixture.logTail(delta: delta)
    let question = Question(mixture: mixture, logTail: logTail, isEpsilon: true, sought: sought) {
      $0.epsilon(delta: delta, guess: $1)
    }
    var answer = solve(question, from: start)
    if answer.total.relativeWidth > 0 {
      // Rényi divergences are another upper bound; the tighter one is claimed.
      var total = answer.total
      total.tighten(upper: RDPAccountant.standard.epsilon(ledger, delta: delta).value)
      answer = EpsilonBracket(
        total: total, removal: answer.removal, addition: answer.addition, interval: answer.interval)
    }
    return answer
  }

  /// δ of a ledger at ε ≥ 0, an upper bound.
  public func delta(_ ledger: PrivacyLedger, epsilon: Double) -> Double {
    deltaBracket(ledger, epsilon: epsilon).upper
  }

  /// δ of a ledger at ε ≥ 0, from below and from above.
  public func deltaBracket(_ ledger: PrivacyLedger, epsilon: Double) -> Bracket {
    guard let mixture = StepMixture(ledger) else { return Bracket(lower: 0, upper: 1) }
    if let gaussian = mixture.gaussian {
      let delta = gaussian.delta(epsilon: epsilon)
      return Bracket(lower: delta, upper: delta)
    }
    // The tail that may be cut depends on δ: at first that of the other accountant.
    let guess = RDPAccountant.standard.delta(ledger, epsilon: epsilon).value
    var bracket = Bracket(
      lower: min(1, mixture.singleStepDelta(epsilon: epsilon)),
      upper: min(1, mixture.totalVariation))
    bracket.tighten(upper: guess)
    for _ in 0..<4 {
      let smallest = max(bracket.lower, min(guess, bracket.upper) * 1e-4)
      let logTail = mixture.logTail(delta: smallest)
      // A small change of ε is one of δ that is tε times as large, which is about ten times.
      let question = Question(
        mixture: mixture, logTail: logTail, isEpsilon: false, sought: 10 * sought
      ) { sum, _ in sum.delta(epsilon: epsilon) }
      let answer = solve(question, from: bracket).total
      let isBetter = answer.lower > 10 * bracket.lower
      bracket = answer
      if bracket.relativeWidth <= 10 * sought || !isBetter { break }
    }
    return bracket
  }

  // MARK: - Refinement

  /// What is asked of a composition.
  private struct Question {
    let mixture: StepMixture
    let logTail: Double
    let isEpsilon: Bool
    /// Width of a bracket at which the grid is fine enough, as a share of the upper bound.
    let sought: Double
    let answer: (LossComposition, _ guess: Double?) -> Double?
  }

  /// The larger of the two directions.
  private func solve(_ question: Question, from start: Bracket) -> EpsilonBracket {
    if question.mixture.isSymmetric {
      let (both, interval) = refine(question, .replace, from: start, ceiling: 0)
      return EpsilonBracket(total: both, removal: nil, addition: nil, interval: interval)
    }
    let (removal, fine) = refine(question, .remove, from: start, ceiling: 0)
    // Additions mostly give less; a coarse bound on them is enough to see it.
    var other = Bracket(lower: 0, upper: start.upper)
    other.tighten(upper: question.isEpsilon ? question.mixture.largestAddition : nil)
    let (addition, coarse) = refine(question, .add, from: other, ceiling: removal.upper)
    return EpsilonBracket(
      total: Bracket(
        lower: max(removal.lower, addition.lower), upper: max(removal.upper, addition.upper)),
      removal: removal, addition: addition, interval: coarse == 0 ? fine : min(fine, coarse))
  }

  /// Bounds in one direction, until they are close or the upper one is at most `ceiling`.
  ///
  /// The width falls as h², so that it tells the interval to go on with.
  private func refine(
    _ question: Question, _ direction: SampledGaussianPair.Direction, from start: Bracket,
    ceiling: Double
  ) -> (bracket: Bracket, interval: Double) {
    var bracket = start
    guard var h = interval ?? question.mixture.firstInterval(logTail: question.logTail) else {
      return (bracket, 0)
    }
    var finest = 0.0
    var (failures, stalls) = (0, 0)
    var hasRefined = false  // after the first answer
    for _ in 0..<24 {
      guard bracket.relativeWidth > question.sought, bracket.upper > ceiling else { break }
      if question.isEpsilon, isDecided(bracket) { break }
      let before = bracket
      let isAnswered = tighten(&bracket, question, direction, h)
      if isAnswered { finest = h }
      if interval != nil { break }
      if !isAnswered {
        // Losses beyond the window: coarser at first, a last try in between after a finer one.
        failures += 1
        if finest > 0 && failures > 3 || failures > 40 { break }
        h = finest > 0 ? (h * finest).squareRoot() : 4 * h
        continue
      }
      // It was finer than this before, and the window too long.
      if failures > 0 && hasRefined { break }
      let width = bracket.upper - bracket.lower
      // Rounding, not the grid, is what is left.
      let isStalled = before.lower > 0 && width > 0.9 * (before.upper - before.lower)
      stalls = isStalled ? stalls + 1 : 0
      if stalls == 3 { break }
      hasRefined = true
      let ratio = 0.7 * question.sought * bracket.upper / width
      h *= max(1.0 / 24, min(0.6, ratio.squareRoot()))
      if h.isNaN || h <= 0 { break }
    }
    return (bracket, finest)
  }

  /// Both bounds on one grid; false when it gave neither.
  private func tighten(
    _ bracket: inout Bracket, _ question: Question, _ direction: SampledGaussianPair.Direction,
    _ h: Double
  ) -> Bool {
    guard
      let (upper, lower) = question.mixture.compositions(
        direction, interval: h, logTail: question.logTail, longestWindow: longestWindow)
    else { return false }
    let guess =
      bracket.upper < .infinity && bracket.lower > 0.5 * bracket.upper ? bracket.upper : nil
    let (high, low) = (question.answer(upper, guess), question.answer(lower, guess))
    bracket.tighten(lower: low)
    bracket.tighten(upper: high)
    return high != nil || low != nil
  }
}

extension EpsilonBracket {
  /// An answer without a grid.
  package static func plain(_ epsilon: Double) -> EpsilonBracket {
    plain(Bracket(lower: epsilon, upper: epsilon))
  }

  package static func plain(_ bracket: Bracket) -> EpsilonBracket {
    EpsilonBracket(total: bracket, removal: nil, addition: nil, interval: 0)
  }
}

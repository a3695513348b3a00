import Accounting
import Base
import Records

/// What guesses about canaries say, after one run.
///
/// The canaries with the highest scores are called members, as many with the lowest are called
/// others, and of those in between nothing is said. How many is fixed before scores are looked at.
package struct OneRunScore: Sendable, Equatable {
  /// m.
  package let canaries: Int
  /// Canaries that were in the training data.
  package let included: Int
  /// G: half of them "in", half of them "out".
  package let guesses: Int
  /// v.
  package let correct: Int
  /// δ of the claim.
  package let delta: Double
  /// ε is at least this, with a confidence of 95 %.
  package let epsilon: Double
  /// What `epsilon` would be if all guesses were right: no outcome could show more.
  package let most: Double
  /// ε of the largest μ-GDP that the guesses contradict: a test of that hypothesis alone.
  package let gaussianEpsilon: Double
  /// ε of a Gaussian with the distance that members' and others' scores have, without any
  /// guarantee; nil where scores do not vary or one side has fewer than two.
  package let estimate: Double?

  /// Scores with what was true.
  ///
  /// - Parameters:
  ///   - scores: of each canary, high for members; what is not a number counts as the lowest.
  ///   - isIn: whether each was in the training data.
  ///   - guesses: G ≤ m, chosen without a look at the scores; rounded down to an even number.
  ///   - delta: δ of the claim.
  package init(scores: [Double], isIn: [Bool], guesses: Int, delta: Double) {
    let scores = scores.map { $0.isNaN ? -.infinity : $0 }
    let order = scores.indices.sorted {
      scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1
    }
    let half = max(0, min(guesses, scores.count)) / 2
    let correct =
      order.prefix(half).count { isIn[$0] } + order.suffix(half).count { !isIn[$0] }
    canaries = scores.count
    included = isIn.count { $0 }
    self.guesses = 2 * half
    self.correct = correct
    self.delta = delta
    let bound = try? OneRunBound(canaries: scores.count, guesses: 2 * half, correct: correct)
    let best = try? OneRunBound(canaries: scores.count, guesses: 2 * half, correct: 2 * half)
    epsilon = bound?.epsilon(delta: delta) ?? 0
    most = best?.epsilon(delta: delta) ?? 0
    gaussianEpsilon = GaussianMechanism(shift: bound?.gaussianShift() ?? 0).epsilon(delta: delta)
    estimate = Self.estimate(scores, isIn, delta)
  }

  private static func estimate(_ scores: [Double], _ isIn: [Bool], _ delta: Double) -> Double? {
    let inside = scores.indices.filter { isIn[$0] }.map { scores[$0] }
    let outside = scores.indices.filter { !isIn[$0] }.map { scores[$0] }
    guard inside.count > 1, outside.count > 1 else { return nil }
    let mean = Metrics.mean(outside)
    let variance = outside.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(outside.count - 1)
    let shift = (Metrics.mean(inside) - mean) / variance.squareRoot()
    guard shift.isFinite else { return nil }
    return GaussianMechanism(shift: shift).epsilon(delta: delta)
  }

  /// How many guesses to make about m canaries: those that would say most of a mechanism that leaks
  /// three times the distance that its claim allows.
  ///
  /// With fewer the bound is capped by their number, with more it is spoilt by wrong ones. A gross
  /// error is what an audit can find; it looks for that.
  ///
  /// - Parameters:
  ///   - m: canaries.
  ///   - claimed: the claimed ε; infinite without one.
  ///   - delta: its δ.
  /// - Returns: an even number, at most m.
  package static func plannedGuesses(canaries m: Int, claimed: Double, delta: Double) -> Int {
    let shift =
      claimed.isFinite ? min(6, 3 * GaussianMechanism(epsilon: claimed, delta: delta).shift) : 6
    var best = (epsilon: 0.0, guesses: max(2, m / 10))
    for step in 0...60 {
      let t = Double(step) / 10
      // Scores beyond the middle by t: of members, and of others.
      let right = NormalTail.probability(t - shift / 2)
      let wrong = NormalTail.probability(t + shift / 2)
      let half = Int(clamping: Double(m) / 2 * (right + wrong))
      guard half > 0, right > 0 else { continue }
      let correct = Int(clamping: Double(2 * half) * right / (right + wrong))
      let bound = try? OneRunBound(canaries: m, guesses: 2 * half, correct: correct)
      let epsilon = bound?.epsilon(delta: delta) ?? 0
      if epsilon > best.epsilon { best = (epsilon, 2 * half) }
    }
    return min(best.guesses, m) / 2 * 2
  }
}

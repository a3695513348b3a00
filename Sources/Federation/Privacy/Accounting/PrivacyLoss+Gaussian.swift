#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One step of the sampled Gaussian mechanism, as pairs of distributions that dominate it.
struct SampledGaussianPair: Sendable, Equatable {
  /// Which data set is behind P.
  enum Direction: Sendable, CaseIterable {
    /// P = (1−q) N(0, σ²) + q N(−1, σ²), Q = N(0, σ²): the unit is there and goes.
    case remove
    /// P = N(0, σ²), Q = (1−q) N(0, σ²) + q N(1, σ²): the unit comes.
    case add
    /// Replacement under sampling without replacement: `remove` where the loss is positive and
    /// `add` where it is negative, in one pair that is its own mirror image.
    case replace
  }

  /// Probability `q` of taking part, in (0, 1].
  let rate: Double
  /// Standard deviation `σ` of the noise over the sensitivity, > 0.
  let noise: Double

  /// The loss of `remove` at x, which falls in x: ln(1 − q + q e^{(−1/2−x)/σ²}).
  func loss(at x: Double) -> Double {
    let exponent = (-0.5 - x) / (noise * noise)
    if rate == 1 { return exponent }
    return exponent > 1
      ? LogSum.pair(log1p(-rate), log(rate) + exponent) : log1p(rate * expm1(exponent))
  }

  /// The x with this loss: −1/2 − σ² ln(1 + (e^l − 1)/q); infinity for losses at or below ln(1−q).
  func point(ofLoss loss: Double) -> Double {
    if rate == 1 { return -0.5 - noise * noise * loss }
    // ln(1 + (e^l − 1)/q) = l − ln q + ln(1 − (1−q) e^{−l}).
    let ratio = loss > 30 ? loss - log(rate) : log1p(max(-1, expm1(loss) / rate))
    return ratio == -.infinity ? .infinity : -0.5 - noise * noise * ratio
  }

  /// A guess at the standard deviation of the loss, q √(e^{1/σ²} − 1), from which the search for a
  /// grid starts.
  var scale: Double { rate * expm1(min(50, 1 / (noise * noise))).squareRoot() }

  /// The span of finite losses when x is cut `reach` standard deviations beyond both means.
  func span(reach: Double) -> ClosedRange<Double> {
    let low = loss(at: reach * noise)
    return low...max(low, loss(at: -1 - reach * noise))
  }

  /// The loss on the grid j·h, such that its δ(ε) is an upper bound for all ε ("connect the
  /// dots") or, optimistically, a lower one.
  ///
  /// The mass that P has between two points of the grid is shared among them so that the mass
  /// under Q is kept too: then δ is exact at every grid point and a chord in e^ε between them,
  /// and chords of a convex curve lie above it. With a, b the masses of the bin under P and Q,
  /// the upper end gets (a − e^{l_j} b) / (1 − e^{−h}). This equals second differences of δ, but
  /// without subtracting numbers near 1. The error per step is of order h². Optimistically all of
  /// a goes down to l_j, and what lies above the grid down to its end.
  ///
  /// - Parameters:
  ///   - direction: which pair.
  ///   - h: distance of grid points, > 0.
  ///   - reach: standard deviations beyond which the upper tail counts as an infinite loss.
  ///   - isOptimistic: whether the result is a lower bound.
  /// - Returns: the loss of one step.
  /// - Complexity: O(span / h).
  /// - Source: Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022, arXiv:2207.04380, §4;
  ///   pairs of Zhu, Dong and Wang 2022, arXiv:2106.08567, Theorem 11, and for `replace` Balle,
  ///   Barthe and Gaboardi 2018, arXiv:1807.01647, Theorem 10, with symmetry for ε < 0.
  func privacyLoss(
    _ direction: Direction,
    interval h: Double,
    reach: Double,
    isOptimistic: Bool = false
  ) -> PrivacyLoss {
    let span = span(reach: reach)
    let bottom = Int((span.lowerBound / h).rounded(.down))
    let top = max(bottom + 1, Int((span.upperBound / h).rounded(.up)))
    let start = direction == .replace ? 0 : bottom
    let length = top - start + 1
    // Where the mass of grid point j of `remove` goes: mirrored for `add`.
    var masses = [Double](repeating: 0, count: direction == .replace ? 2 * top + 1 : length)
    var infinite = 0.0
    var total = 0.0  // for `replace`: all but the mass at 0
    func give(_ mass: Double, _ j: Int) {
      let place: Int
      switch direction {
      case .remove: place = j - start
      case .add, .replace: place = top + j
      }
      masses[place] += mass
      total += mass
    }
    var upper = Edge(point(ofLoss: Double(start) * h), noise)
    if direction == .remove { give(mixed(upper.above), bottom) }
    if direction == .add {
      // Nothing when the grid reaches the largest loss, −ln(1−q).
      if isOptimistic { give(upper.above.still, -start) } else { infinite += upper.above.still }
    }
    for j in start..<top {
      let lower = Edge(point(ofLoss: Double(j + 1) * h), noise)
      let bin = upper.mass(down: lower)
      let mass = mixed(bin)
      let share = shareAbove(bin, mass, Double(j) * h, h)
      // Of P-mass a, share·a has loss l_{j+1}; its Q-mass is that times e^{−l_{j+1}}.
      if direction != .add {
        let high = isOptimistic ? 0 : share * mass
        give(high, j + 1)
        give(mass - high, j)
      }
      if direction != .remove {
        let weight = share * exp(-h)
        let near = share == 1 ? 0 : (1 - share) / (1 - share + weight)
        let high = isOptimistic ? 0 : near * bin.still
        give(high, -j)
        give(bin.still - high, -j - 1)
      }
      upper = lower
    }
    if direction != .add {
      if isOptimistic { give(mixed(upper.below), top) } else { infinite += mixed(upper.below) }
    }
    if direction != .remove { give(upper.below.still, -top) }
    // Where P and Q have the same density: units that are replaced without being drawn.
    if direction == .replace { masses[top] += max(0, 1 - total - infinite) }
    return PrivacyLoss(
      first: direction == .remove ? start : -top,
      interval: h,
      masses: masses,
      infinite: infinite
    )
  }

  /// The share of a bin's P-mass at its upper end.
  private func shareAbove(_ bin: Masses, _ mass: Double, _ loss: Double, _ h: Double) -> Double {
    if mass <= 0 { return 1 }
    // Beyond, e^l and the mass under Q leave the range of doubles: up is the safe side.
    if loss > 700 { return 1 }
    let excess = bin.still * (-rate - expm1(loss)) + rate * bin.moved
    return min(1, max(0, excess / -expm1(-h) / mass))
  }

  /// Mass under the mixture.
  private func mixed(_ masses: Masses) -> Double {
    rate == 1 ? masses.moved : (1 - rate) * masses.still + rate * masses.moved
  }

  /// Masses of an interval of x under N(0, σ²) and N(−1, σ²).
  private struct Masses {
    let still: Double
    let moved: Double
  }

  /// A point x with the tails of both normal distributions there, each on its smaller side.
  private struct Edge {
    private let still: Tail
    private let moved: Tail

    init(_ x: Double, _ noise: Double) {
      still = Tail(x / noise)
      moved = Tail((x + 1) / noise)
    }

    /// From x to infinity.
    var above: Masses { Masses(still: still.above, moved: moved.above) }
    /// From minus infinity to x.
    var below: Masses { Masses(still: still.below, moved: moved.below) }

    /// Between this point and one to its left.
    func mass(down lower: Edge) -> Masses {
      Masses(still: still.mass(down: lower.still), moved: moved.mass(down: lower.moved))
    }
  }

  /// One normal distribution at one point.
  private struct Tail {
    /// P(Z > |u|).
    private let small: Double
    private let isRight: Bool

    init(_ u: Double) {
      small = NormalTail.probability(abs(u))
      isRight = u >= 0
    }

    var above: Double { isRight ? small : 1 - small }
    var below: Double { isRight ? 1 - small : small }

    /// P between the two points, as a difference of the tails on the side where both are small.
    func mass(down lower: Tail) -> Double {
      if lower.isRight { return max(0, lower.small - small) }
      return max(0, isRight ? 1 - small - lower.small : small - lower.small)
    }
  }
}

import Base

/// The distribution of the privacy loss L = ln(P/Q), x ∼ P, of one step on the grid
/// l_j = l_0 + j·h.
///
/// Everything about (ε, δ) follows from it: δ(ε) = P(L = ∞) + Σ_{l_j > ε} p_j (1 − e^{ε − l_j}),
/// and the losses of independent steps add. Only points with mass are kept: where a distribution
/// is thin its points may be far apart.
struct PrivacyLoss: Sendable {
  /// `h` > 0, the distance of the grid's points.
  let interval: Double
  /// `l_0`.
  let offset: Double
  /// `j` of the points with mass, ascending; not empty.
  let places: [Int]
  /// p_j > 0 of them.
  let masses: [Double]
  /// P(L = ∞).
  let infinite: Double
  /// How far rounding may have moved a loss.
  let uncertainty: Double
  /// ln p_j.
  private let logs: [Double]

  /// A distribution; masses that are not positive are left out.
  init(
    interval: Double, offset: Double, places: [Int], masses: [Double], infinite: Double,
    uncertainty: Double
  ) {
    self.interval = interval
    self.offset = offset
    self.infinite = infinite
    self.uncertainty = uncertainty
    var kept = masses.indices.filter { masses[$0] > 0 }
    if kept.isEmpty { kept = [0] }
    self.places = kept.map { places[$0] }
    self.masses = kept.map { max(0, masses[$0]) }
    logs = self.masses.map { log($0) }
  }

  /// `j` of the lowest and the highest loss that is finite.
  var first: Int { places[0] }
  var last: Int { places[places.count - 1] }

  /// l_j.
  func loss(at place: Int) -> Double { offset + Double(place) * interval }

  /// The largest size of a loss.
  var largest: Double { max(abs(loss(at: first)), abs(loss(at: last))) }

  /// ln Σ_j p_j e^{t l_j} and its derivative by t, the mean loss after tilting by e^{tL}.
  ///
  /// The infinite mass is left out: it is carried beside.
  ///
  /// - Complexity: O(n), an exponential for each point.
  func cumulant(_ t: Double) -> (value: Double, mean: Double) {
    var top = -Double.infinity
    for k in places.indices { top = max(top, logs[k] + t * loss(at: places[k])) }
    guard top.isFinite else { return (top, 0) }
    var (sum, moment) = (0.0, 0.0)
    for k in places.indices {
      let loss = loss(at: places[k])
      let term = exp(logs[k] + t * loss - top)
      sum += term
      moment += term * loss
    }
    return (top + log(sum), moment / sum)
  }

  /// p_j e^{t l_j − `logScale`}, the tilted masses, wound around a circle of `length` points.
  ///
  /// `length` is a power of two; `first` is at 0.
  func tilted(_ t: Double, logScale: Double, length: Int) -> [Double] {
    var circle = [Double](repeating: 0, count: length)
    for k in places.indices {
      let exponent = t * loss(at: places[k]) - logScale
      // The factor alone may overflow where the mass is tiny.
      circle[(places[k] - first) & (length - 1)] +=
        exponent < 600 ? masses[k] * exp(exponent) : exp(logs[k] + exponent)
    }
    return circle
  }
}

/// One step of the sampled Gaussian mechanism, as pairs of distributions that dominate it.
struct SampledGaussianPair: Sendable, Equatable {
  /// Which data set gives P.
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

  /// The lowest loss of all, ln(1 − q), on which a grid for `remove` and `add` has a point.
  ///
  /// Outcomes that say nothing of the unit crowd there when the noise is small; on a grid with a
  /// point beside them they cost next to nothing, wherever else its points are.
  var lowest: Double { rate == 1 ? 0 : log1p(-rate) }

  /// The x whose loss is d above `lowest`: −1/2 − σ² ln((1 − q)(e^d − 1)/q); infinity for d ≤ 0.
  ///
  /// Without sampling it is −1/2 − σ² d.
  func point(above d: Double) -> Double {
    if rate == 1 { return -0.5 - noise * noise * d }
    if d <= 0 { return .infinity }
    let ratio = d > 30 ? d + log1p(-exp(-d)) : log(expm1(d))
    return -0.5 - noise * noise * (ratio + (log1p(-rate) - log(rate)))
  }

  /// Standard deviations beyond which a normal tail has at most a probability.
  private static func reach(_ logTail: Double) -> Double {
    // Q(x) ≤ ½ e^{−x²/2}; beyond 37.5 it underflows.
    min(37.5, (-2 * min(-2, logTail)).squareRoot())
  }

  /// Where the largest losses of `remove` are cut: the moved part of the mixture has the weight q,
  /// and the other one is 1/σ standard deviations further away.
  private func leftReach(_ logTail: Double) -> Double {
    max(Self.reach(logTail - log(rate)), Self.reach(logTail) - 1 / noise)
  }

  /// The span of finite losses when both ends of x are cut so that the largest losses of either
  /// direction have at most a probability; nil when it leaves the range of floating point.
  func span(logTail: Double) -> ClosedRange<Double>? {
    let low = loss(at: Self.reach(logTail) * noise)
    let high = loss(at: -1 - leftReach(logTail) * noise)
    guard low.isFinite, high.isFinite else { return nil }
    return low...max(low, high)
  }

  /// δ(ε) of one step, exactly; the same for both kinds of neighbours while ε ≥ 0 for `remove`.
  ///
  /// With e^{ε'} = 1 + (e^ε − 1)/q it is q times that of the Gaussian mechanism at ε'.
  ///
  /// - Source: Balle, Barthe and Gaboardi 2018, arXiv:1807.01647, Theorem 8.
  func delta(epsilon: Double) -> Double {
    let gaussian = GaussianMechanism(noiseMultiplier: noise)
    if rate == 1 || epsilon <= 0 { return rate * gaussian.delta(epsilon: max(0, epsilon)) }
    let inner =
      epsilon > 30
      ? epsilon - log(rate) + log1p((rate - 1) * exp(-epsilon)) : log1p(expm1(epsilon) / rate)
    return rate * gaussian.delta(epsilon: inner)
  }

  /// How far rounding may have moved a loss, at most, up or down.
  ///
  /// The place of an edge, the tails there and the shares of a cell are each a few roundings off.
  /// An error of the relative size u in x or in a tail moves losses by less than
  /// u (1 + w (|x| + 1) / σ²), where w ≤ 1 is the share of the moved part of the mixture; 64 such
  /// roundings are allowed for.
  func uncertainty(top: Double, logTail: Double) -> Double {
    let weight = rate == 1 ? 1 : max(0, 1 - (1 - rate) * exp(-top))
    let farthest = max(leftReach(logTail), Self.reach(logTail)) * noise
    return 0x1p-47 * (1 + abs(lowest) + weight * (farthest + 2) / (noise * noise))
  }

  /// One step in cells between points of a grid; nil when its losses have no place on it.
  ///
  /// Points are at `lowest` + j·h. When `isMerged`, the outcomes whose losses are less than about h
  /// above `lowest` are taken as one outcome, which can only hide more, and the grid has a point at
  /// its loss: for a lower bound they need no rounding then.
  ///
  /// - Parameters:
  ///   - direction: which pair.
  ///   - h: distance of grid points, > 0.
  ///   - logTail: the probability of the tails that are kept apart, as a logarithm.
  ///   - isMerged: whether the lowest losses are one outcome.
  /// - Returns: the cells, with the tails beyond them.
  /// - Complexity: O(number of cells), of which there are some thousands.
  func cells(_ direction: Direction, interval h: Double, logTail: Double, isMerged: Bool = false)
    -> LossCells?
  {
    guard let span = span(logTail: logTail), h > 0, h.isFinite else { return nil }
    // The mirror image of `replace` needs a point at 0.
    let isMirrored = direction == .replace
    let down = isMirrored ? 0 : ((span.lowerBound - lowest) / h).rounded(.down)
    // Nothing is below ln(1 − q), whatever logarithms round.
    let bottom = rate < 1 ? max(0, down) : down
    let merged = isMerged && !isMirrored && rate < 1 && bottom <= 0 ? mergedOutcome(h) : nil
    let shift = isMirrored ? -lowest : merged?.excess ?? 0
    let ceiling = ((span.upperBound - lowest - shift) / h).rounded(.up)
    // 2⁵² keeps every index and every product of an index with h exact enough.
    guard abs(bottom) < 0x1p52, abs(ceiling) < 0x1p52 else { return nil }
    let grid = Grid(
      interval: h, shift: shift, start: Int(bottom), top: max(Int(bottom) + 1, Int(ceiling)))
    // A share that cannot be known is on the safe side, which is down for lower bounds.
    let safe = isMerged ? 0.0 : 1.0
    guard let removal = removalCells(grid, after: merged?.end, safe) else { return nil }
    let doubt = uncertainty(top: span.upperBound + h, logTail: logTail)
    let mirrored = removal.points.reversed().map { -$0 }
    switch direction {
    case .remove:
      return LossCells(
        interval: h, offset: lowest + shift, points: removal.points, masses: removal.mixed,
        shares: removal.shares, below: removal.right.mixed, above: removal.left.mixed,
        atom: merged.map { (0, mixed($0.masses)) }, uncertainty: doubt)
    case .add:
      return LossCells(
        interval: h, offset: -lowest - shift, points: mirrored, masses: removal.still.reversed(),
        shares: removal.mirrored.reversed(), below: removal.left.still, above: removal.right.still,
        atom: merged.map { (mirrored.count - 1, $0.masses.still) }, uncertainty: doubt)
    case .replace:
      // Where P and Q have the same density: units that are replaced without being drawn.
      let same = (1 - rate) * erf(0.5.squareRoot() / (2 * noise))
      return LossCells(
        interval: h, offset: 0, points: mirrored + removal.points.dropFirst(),
        masses: removal.still.reversed() + removal.mixed,
        shares: removal.mirrored.reversed() + removal.shares, below: removal.left.still,
        above: removal.left.mixed, atom: (mirrored.count - 1, same), uncertainty: doubt)
    }
  }

  /// Points at `lowest` + shift + j·h for j = start … top.
  private struct Grid {
    let interval: Double
    let shift: Double
    let start: Int
    let top: Int
  }

  /// The outcomes with the lowest losses as one, with the common loss and the end of their losses,
  /// both as distances above `lowest`.
  ///
  /// With P- and Q-mass in the ratio 1 − q + q·moved/still the common loss is
  /// ln(1 + q/(1 − q) · moved/still). The end is h above it, so that the cell between the first two
  /// points of the grid is empty: nothing has to be rounded at the foot of the curve.
  private func mergedOutcome(_ h: Double) -> (masses: Masses, excess: Double, end: Double)? {
    func outcome(_ end: Double) -> (masses: Masses, excess: Double, end: Double)? {
      let masses = Edge(point(above: end), noise).above
      guard masses.still > 1e-290 else { return nil }
      let excess = log1p(rate / (1 - rate) * (masses.moved / masses.still))
      return excess > 0 && excess < end ? (masses, excess, end) : nil
    }
    func gap(_ end: Double) -> Double { outcome(end).map { end - $0.excess } ?? 0 }
    var (low, high) = (h, 2 * h)
    while gap(high) < h, high < 1000 * h { (low, high) = (high, 2 * high) }
    guard gap(high) >= h else { return outcome(h) }
    for _ in 0..<60 {
      let middle = low + (high - low) / 2
      if gap(middle) < h { low = middle } else { high = middle }
    }
    return outcome(high)
  }

  /// Cells of `remove` with their masses under P and Q, and the tails of x beyond them.
  private struct RemovalCells {
    let interval: Double
    var points: [Int]
    var mixed: [Double] = []
    var still: [Double] = []
    /// The part of `mixed` that goes to the upper point.
    var shares: [Double] = []
    /// The part of `still` that goes to the lower point, which is the upper one of `add`.
    var mirrored: [Double] = []
    /// To the right of all cells, where losses are lowest, and to the left.
    var right = (mixed: 0.0, still: 0.0)
    var left = (mixed: 0.0, still: 0.0)
  }

  /// More cells than any useful grid has.
  private static let mostCells = 1 << 20

  /// The cells of a grid, without outcomes whose losses are less than `after` above `lowest`;
  /// `safe` is the share of cells whose own share cannot be known.
  ///
  /// Nil when there would be too many.
  private func removalCells(_ grid: Grid, after: Double?, _ safe: Double) -> RemovalCells? {
    let h = grid.interval
    var cells = RemovalCells(interval: h, points: [grid.start])
    func edge(_ j: Int) -> Edge { Edge(point(above: Double(j) * h + grid.shift), noise) }
    var upper = after.map { Edge(point(above: $0), noise) } ?? edge(grid.start)
    if after == nil { cells.right = (mixed(upper.above), upper.above.still) }
    let middle = loss(at: 0)
    var j = grid.start
    while j < grid.top {
      guard cells.mixed.count < Self.mostCells else { return nil }
      let here = lowest + grid.shift + Double(j) * h
      let tail = min(mixed(upper.below), mixed(upper.above))
      let next = min(grid.top, j + cellWidth(tail, abs(here - middle), h))
      let lower = edge(next)
      let bin = upper.mass(down: lower)
      let mass = mixed(bin)
      cells.points.append(next)
      cells.mixed.append(mass)
      cells.still.append(bin.still)
      let width = Double(next - j) * h
      let share = shareAbove(bin, mass, here, Double(j) * h + grid.shift, width)
      cells.shares.append(share ?? safe)
      // Of P-mass a, share·a has the loss l of the upper point; its Q-mass is that times e^{−l}.
      cells.mirrored.append(share.map { (1 - $0) / (1 - $0 + $0 * exp(-width)) } ?? safe)
      (upper, j) = (lower, next)
    }
    cells.left = (mixed(upper.below), upper.below.still)
    return cells
  }

  /// How many intervals a cell may have: where the rest of the distribution has the probability p,
  /// cells that are 1/√p times as wide add no more variance than those in the middle; never wider
  /// than a 256th of the way from the middle, nor than 0.05.
  private func cellWidth(_ tail: Double, _ distance: Double, _ h: Double) -> Int {
    let width = min(0.3 / max(tail, 1e-18).squareRoot(), distance / (256 * h), 0.05 / h, 64.0)
    return width >= 2 ? Int(width) : 1
  }

  /// The share of a bin's P-mass at its upper end; nil where it leaves the range of doubles.
  ///
  /// With a, b the masses of the bin under P and Q it is (a − e^l b) / (a (1 − e^{−w})), l being
  /// the loss at the lower end, d above `lowest`, and w the width. Since a = (1 − q) b + q m and
  /// e^l = (1 − q) e^d, the numerator is q m − (1 − q)(e^d − 1) b: neither term is larger than a,
  /// so that rounding moves the bin's mean loss by a few roundings of 1 at most.
  private func shareAbove(
    _ bin: Masses, _ mass: Double, _ loss: Double, _ d: Double, _ width: Double
  ) -> Double? {
    guard mass > 1e-290, bin.still > 1e-290, loss < 600, d < 600 else { return nil }
    let excess =
      rate == 1
      ? bin.moved - exp(loss) * bin.still : rate * bin.moved - (1 - rate) * expm1(d) * bin.still
    return min(1, max(0, excess / -expm1(-width) / mass))
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

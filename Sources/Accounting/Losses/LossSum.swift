import Base

/// The distribution of a sum of losses on a window, tilted, with what it may be off by.
struct LossSum {
  /// `h` > 0.
  let interval: Double
  /// The loss of index 0.
  let offset: Double
  /// `t` ≥ 0 and K(t): a mass is `masses` · e^{K(t) − t l}.
  let tilt: Double
  let logScale: Double
  /// Indices of the masses, ascending; nil when they follow each other from `first` on.
  let places: [Int]?
  var first = 0
  /// Tilted masses; their true values are within `massError` of them.
  let masses: [Double]
  let massError: Double
  /// All masses together may be off by this share of themselves besides.
  let relativeError: Double
  /// A bound on P(L = ∞) and on the mass above the window.
  let beyond: Double
  /// A bound on the tilted mass from outside the window that was wound into it.
  let wound: Double
  /// Whether no mass is below the window.
  let isWhole: Bool

  /// Whether all bounds are numbers.
  private var isSound: Bool {
    massError.isFinite && relativeError.isFinite && wound.isFinite && logScale.isFinite
      && masses.allSatisfy(\.isFinite)
  }

  private func loss(_ place: Int) -> Double {
    offset + Double(places.map { $0[place] } ?? first + place) * interval
  }

  private func mass(_ place: Int, _ side: LossComposition.Side) -> Double {
    let tilted = side == .upper ? masses[place] + massError : masses[place] - massError
    if tilted <= 0 { return 0 }
    return tilt == 0 && logScale == 0 ? tilted : tilted * exp(logScale - tilt * loss(place))
  }

  /// What mass that was wound into the window can add to δ(ε), at most.
  ///
  /// x tilted mass at loss l adds x e^{K(t) − t l} (1 − e^{ε − l}), largest where
  /// e^{ε − l} = t/(1 + t).
  private func woundDelta(_ epsilon: Double) -> Double {
    if wound == 0 { return 0 }
    let peak = tilt > 0 ? exp(tilt * log(tilt / (1 + tilt))) / (1 + tilt) : 1
    return wound * peak * exp(logScale - tilt * epsilon)
  }

  /// ε(δ), of either sign as far as `floor`; nil when the mass beyond the window alone exceeds δ.
  ///
  /// The walk goes from the top down.
  func epsilon(delta: Double, side: LossComposition.Side, floor: Double) -> Double? {
    let relativeError = relativeError + walkError
    let allowed =
      side == .upper ? delta / (1 + relativeError) - beyond : delta / (1 - min(0.5, relativeError))
    if side == .upper, !(allowed > 0) { return nil }
    guard isSound else { return nil }
    // At the present point l: D = δ(l) and W = Σ p e^{l − loss} over the points from l on. Both are
    // sums of positive terms, however small a step is: D grows by W (1 − e^{−gap}).
    var (reached, weight) = (0.0, 0.0)
    for place in masses.indices.reversed() {
      let here = loss(place)
      weight += mass(place, side)
      let isLast = place == 0
      let below = isLast ? here - interval : loss(place - 1)
      let gap = places == nil ? interval : here - below
      let growth = weight * -expm1(-gap)
      let slack = side == .lower ? woundDelta(max(floor, below)) : 0
      if reached + growth - slack <= allowed, !isLast, below > floor {
        reached += growth
        weight *= exp(-gap)
        continue
      }
      // What is below the window is not known: an upper bound ends at its first point.
      if isLast, side == .upper, !isWhole { return here }
      // δ(ε) = D + W (1 − e^{ε − l}) down to the next point.
      let share = (allowed + slack - reached) / weight
      if share.isNaN || weight.isNaN { return nil }
      if share >= 1 { return -.infinity }
      let epsilon = here + log1p(-max(0, share))
      return side == .lower && epsilon < below ? -.infinity : epsilon
    }
    return -.infinity
  }

  /// What the sums of a walk round, as a share of δ.
  private var walkError: Double { 4 * Double(masses.count) * 0x1p-53 }

  /// δ(ε) for ε ≥ 0; nil when it says nothing.
  func delta(epsilon: Double, side: LossComposition.Side) -> Double? {
    guard isSound else { return nil }
    var delta = 0.0
    for place in masses.indices.reversed() {
      let here = loss(place)
      if here <= epsilon { break }
      delta -= mass(place, side) * expm1(epsilon - here)
    }
    switch side {
    case .upper:
      // Below the window nothing is known but that δ is at most 1.
      if epsilon < loss(0), !isWhole { return 1 }
      return min(1, delta * (1 + relativeError + walkError) + beyond)
    case .lower:
      return max(0, delta * (1 - min(1, relativeError + walkError)) - woundDelta(epsilon))
    }
  }
}

import Base

/// The privacy loss of many independent steps, as a bound on δ(ε) from one side.
///
/// The distribution of Σ L_i is a product of transforms. Rounding in them leaves an error of
/// about T·10⁻¹⁶ everywhere, which would drown small δ. So the masses are tilted by e^{tL} first,
/// and tilted back afterwards: with the t at which the answer is in the middle of the tilted
/// distribution, the error is relative to δ itself, also for δ = 10⁻³⁰ after 10⁵ steps. Since
/// tilted distributions have longer tails, t is no larger than the rounding asks for.
///
/// Every approximation is bounded where it is made, and the bound goes to the safe side: the mass
/// above the window (Chernoff), mass that winds around the circle (alike), rounding of transforms
/// and powers (`TransformError`), of masses and of losses. The choice of tilt and window decides
/// how tight the answer is, never whether it holds.
///
/// - Source: Koskela, Jälkö and Honkela 2020, arXiv:1906.03049 (transforms); Gopi, Lee and
///   Wutschitz 2021, arXiv:2106.02848 (tail bounds); the tilt as in Alghamdi et al. 2023,
///   arXiv:2208.09595, §3.
struct LossComposition {
  enum Side: Sendable {
    /// δ(ε) and ε(δ) are not below the truth.
    case upper
    /// They are not above it.
    case lower
  }

  /// Losses of one step on a common grid, and how often each is repeated, ≥ 1.
  let parts: [(loss: PrivacyLoss, steps: Int)]
  /// `h` of all parts.
  let interval: Double
  /// On which side of the truth answers lie.
  let side: Side
  /// Points that a window may have.
  let longestWindow: Int

  /// A composition; at least one part, all with the same interval.
  init(
    _ parts: [(loss: PrivacyLoss, steps: Int)], side: Side, longestWindow: Int = Self.longestGrid
  ) {
    precondition(!parts.isEmpty, "LossComposition: nothing to compose")
    self.parts = parts
    self.side = side
    self.longestWindow = min(longestWindow, Self.longestGrid)
    interval = parts[0].loss.interval
  }

  /// Longest window: 2²² points, 200 MB while they are transformed.
  static let longestGrid = 1 << 22

  /// ε(δ), at least 0; nil when this composition can say nothing: no bound of the mass at the top
  /// is small enough, or the window would be too long.
  ///
  /// A guess at ε shows where to look; it decides how tight the answer is, not whether it holds.
  func epsilon(delta: Double, guess: Double? = nil) -> Double? {
    guard let sum = sum(near: focus(delta: delta, guess: guess)) else { return nil }
    return sum.epsilon(delta: delta, side: side, floor: -doubt).map {
      max(0, side == .upper ? $0 + doubt : $0 - doubt)
    }
  }

  /// δ(ε), in [0, 1], for ε ≥ 0; nil when the grid would be too long.
  func delta(epsilon: Double) -> Double? {
    // What rounding moved losses by is taken from ε.
    let doubt = side == .upper ? -doubt : doubt
    guard let sum = sum(near: focus(epsilon: epsilon)) else { return nil }
    return sum.delta(epsilon: epsilon + doubt, side: side)
  }

  /// δ(ε) for many ε ≥ 0 at the cost of one, tightest where it is about `delta`; nil when the grid
  /// would be too long.
  ///
  /// Where the sum says nothing the function is 1, or 0 from below.
  func profile(near delta: Double) -> ((Double) -> Double)? {
    let doubt = side == .upper ? -doubt : doubt
    guard let sum = sum(near: focus(delta: delta, guess: nil)) else { return nil }
    return { [side] in
      sum.delta(epsilon: max(0, $0 + doubt), side: side) ?? (side == .upper ? 1 : 0)
    }
  }

  /// How far rounding may have moved the sum of all losses.
  private var doubt: Double { parts.reduce(0) { $0 + Double($1.steps) * $1.loss.uncertainty } }

  /// `l_0` of the sum.
  var offset: Double { parts.reduce(0) { $0 + Double($1.steps) * $1.loss.offset } }

  /// P(L = ∞) of the sum.
  private var infinite: Double {
    if side == .lower { return 0 }
    let log = parts.reduce(0) { $0 + Double($1.steps) * log1p(-min(1, $1.loss.infinite)) }
    return min(1, -expm1(log) * (1 + 1e-12))
  }

  /// The smallest and largest index that the sum can have; nil beyond the range of integers.
  private var support: ClosedRange<Int>? {
    var (low, high) = (0, 0)
    for (loss, steps) in parts {
      let (first, last) = (
        loss.first.multipliedReportingOverflow(by: steps),
        loss.last.multipliedReportingOverflow(by: steps)
      )
      if first.overflow || last.overflow { return nil }
      let (a, b) = (
        low.addingReportingOverflow(first.partialValue),
        high.addingReportingOverflow(last.partialValue)
      )
      if a.overflow || b.overflow { return nil }
      (low, high) = (a.partialValue, b.partialValue)
    }
    // Indices times the interval must be exact to many digits.
    return max(abs(low), abs(high)) < 1 << 52 ? low...high : nil
  }

  /// ln E e^{tL} of the sum and its derivative.
  func cumulant(_ t: Double) -> (value: Double, mean: Double) {
    var (value, mean) = (0.0, 0.0)
    for (loss, steps) in parts {
      let one = loss.cumulant(t)
      value += Double(steps) * one.value
      mean += Double(steps) * one.mean
    }
    return (value, mean)
  }

  // MARK: - The sum on a window

  func sum(near focus: Focus) -> LossSum? {
    guard let support else { return nil }
    return parts.count == 1 && parts[0].steps == 1 ? single : composed(focus, support)
  }

  /// One step alone is its own sum.
  private var single: LossSum {
    let loss = parts[0].loss
    return LossSum(
      interval: interval, offset: offset, tilt: 0, logScale: 0, places: loss.places,
      masses: loss.masses, massError: 0, relativeError: LossCells.roundings, beyond: infinite,
      wound: 0, isWhole: true)
  }

  private func composed(_ focus: Focus, _ support: ClosedRange<Int>) -> LossSum? {
    guard let window = ChernoffWindow(self, focus, support), window.length <= longestWindow else {
      return nil
    }
    var length = 8
    while length < window.length { length *= 2 }
    let transform = FourierTransform(length: length)
    var error = TransformError(length: length)
    var product: FourierTransform.Spectrum?
    for (loss, steps) in parts {
      // A convolution on a circle: what is longer than the circle is wound around it.
      let scale = loss.cumulant(focus.tilt).value
      var spectrum = transform.spectrum(loss.tilted(focus.tilt, logScale: scale, length: length))
      error.raise(&spectrum, to: steps)
      if product == nil { product = spectrum } else { product?.multiply(by: spectrum) }
    }
    guard let product else { return nil }
    let massError = error.ofValues
    let circle = transform.values(product)
    let first = window.first
    let turn = first - support.lowerBound
    // The whole circle is looked at; what the window leaves free is above it.
    let top = first + (length - 1)
    let above = top >= support.upperBound ? 0 : window.massAbove(top, focus)
    let below = first <= support.lowerBound ? 0 : window.massBelow(first, focus)
    let untilted = top >= support.upperBound ? 0 : window.untiltedMassAbove(top, tilt: focus.tilt)
    return LossSum(
      interval: interval, offset: offset, tilt: focus.tilt, logScale: focus.logScale, places: nil,
      first: first, masses: (0..<length).map { circle[(turn + $0) & (length - 1)] },
      massError: massError, relativeError: relativeError(focus, top: top, first: first),
      beyond: min(1, infinite + untilted), wound: above + below,
      isWhole: first <= support.lowerBound)
  }

  /// What relative roundings of masses, tilts and untilts may add up to, as a share of δ.
  private func relativeError(_ focus: Focus, top: Int, first: Int) -> Double {
    var error = 1e-12
    for (loss, steps) in parts {
      let exponent = focus.tilt * loss.largest
      let logs = exponent > 600 ? 800.0 : 4  // beyond, logarithms of masses are added
      error += Double(steps) * (LossCells.roundings + 0x1p-51 * (exponent + logs))
    }
    let far = max(abs(Double(top)), abs(Double(first))) * interval + abs(offset)

    return error + 0x1p-51 * (abs(focus.logScale) + focus.tilt * far)
  }

  // MARK: - Where to look

  /// What is cut or wound around the circle may be this share of δ, as a logarithm.
  private static let cutExponent = 16.0
  /// Rounding may be this share of δ.
  private static let roundedShare = 1e-5
  /// Largest tilt from one grid point to the next, as a logarithm: beyond, all but the outermost
  /// mass is gone.
  static let steepest = 200.0

  /// A tilt t with K(t), and the c such that tails of e^{−c} of the tilted sum do not matter.
  struct Focus {
    let tilt: Double
    let logScale: Double
    let tailExponent: Double
  }

  /// Where to look for ε(δ): at the saddle point of K(t) − tε, or before it.
  ///
  /// Without a guess at ε it is the t at which K(t) − t K'(t) is ln δ.
  func focus(delta: Double, guess: Double?) -> Focus {
    if let guess, guess > 0, guess.isFinite {
      let saddle = tilt { _, mean, _ in mean >= guess }
      return focus(saddle, epsilon: guess, logDelta: log(delta))
    }
    let exponent = max(0.5, -log(delta))
    let saddle = tilt { value, mean, t in t * mean - value >= exponent }
    let there = cumulant(saddle)
    return focus(saddle, epsilon: there.mean, logDelta: min(0, there.value - saddle * there.mean))
  }

  /// Where to look for δ(ε): at the saddle point, or before it.
  private func focus(epsilon: Double) -> Focus {
    let saddle = tilt { _, mean, _ in mean >= epsilon }
    return focus(
      saddle, epsilon: epsilon, logDelta: min(0, cumulant(saddle).value - saddle * epsilon))
  }

  /// The tilt at which a property begins to hold that holds from somewhere on, to a tenth of it.
  private func tilt(where holds: (_ value: Double, _ mean: Double, _ t: Double) -> Bool) -> Double {
    let steepest = Self.steepest / interval
    func isBeyond(_ t: Double) -> Bool {
      let (value, mean) = cumulant(t)
      return holds(value, mean, t)
    }
    var (low, high) = (steepest * 1e-14, steepest)
    if isBeyond(low) { return low }
    if !isBeyond(high) { return high }
    while high > 1.1 * low {
      let middle = (low * high).squareRoot()
      if isBeyond(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// The smallest tilt, roughly, at which rounding is small beside δ.
  ///
  /// An error x of the tilted masses near ε is x·e^{K(t) − tε} of δ.
  private func focus(_ saddle: Double, epsilon: Double, logDelta: Double) -> Focus {
    let steps = parts.reduce(64.0) { $0 + Double($1.steps) }
    let allowed = log(Self.roundedShare / (steps * 1e-12)) + logDelta
    var tilt = 0.0
    var scale = cumulant(0).value
    if scale > allowed {
      var low = 0.0
      tilt = saddle
      scale = cumulant(saddle).value
      for _ in 0..<6 {
        let middle = (low + tilt) / 2
        let value = cumulant(middle).value
        if value - middle * epsilon > allowed {
          low = middle
        } else {
          (tilt, scale) = (middle, value)
        }
      }
    }
    let tail = max(0, scale - tilt * epsilon - logDelta) + Self.cutExponent
    return Focus(tilt: tilt, logScale: scale, tailExponent: tail)
  }
}

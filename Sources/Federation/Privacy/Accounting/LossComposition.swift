#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The privacy loss of many independent steps, where an (ε, δ) question looks at it.
///
/// The distribution of Σ L_i is a product of transforms. Rounding in them leaves an error of
/// about T·10⁻¹⁶ everywhere, which would drown small δ. So the masses are tilted by e^{tL} first,
/// and tilted back afterwards: with the t at which the answer lies in the middle of the tilted
/// distribution, the error is relative to δ itself, also for δ = 10⁻³⁰ after 10⁵ steps. Since
/// tilted distributions have longer tails, t is no larger than the rounding asks for.
///
/// - Source: Koskela, Jälkö and Honkela 2020, arXiv:1906.03049 (transforms); Gopi, Lee and
///   Wutschitz 2021, arXiv:2106.02848 (tail bounds); the tilt as in Alghamdi et al. 2023,
///   arXiv:2208.09595, §3.
struct LossComposition {
  /// Losses of one step on a common grid, and how often each is repeated, ≥ 1.
  let parts: [(loss: PrivacyLoss, steps: Int)]
  /// `h` of all parts.
  let interval: Double
  /// Whether truncated tails count as infinite losses; optimistically they are dropped.
  let isOptimistic: Bool

  /// A composition; at least one part, all with the same interval.
  init(_ parts: [(loss: PrivacyLoss, steps: Int)], isOptimistic: Bool = false) {
    precondition(!parts.isEmpty, "LossComposition: nothing to compose")
    self.parts = parts
    self.isOptimistic = isOptimistic
    interval = parts[0].loss.interval
  }

  /// What is cut, wound around the circle or rounded may add so much to δ, as a share of it:
  /// e^{−18} and 3·10⁻⁶.
  private static let cutExponent = 18.0
  private static let roundedShare = 3e-6
  /// Largest tilt from one grid point to the next, as a logarithm: beyond, all but the outermost
  /// mass is gone.
  private static let steepest = 200.0
  /// Longest grid: 2²² points, 100 MB while they are transformed.
  static let longestGrid = 1 << 22

  /// P(L = ∞) of the sum.
  private var infinite: Double {
    if isOptimistic { return 0 }
    return -expm1(parts.reduce(0) { $0 + Double($1.steps) * log1p(-$1.loss.infinite) })
  }

  /// The smallest and largest index that the sum can have.
  private var support: ClosedRange<Int> {
    let low = parts.reduce(0) { $0 + $1.steps * $1.loss.first }
    return low...parts.reduce(0) { $0 + $1.steps * $1.loss.last }
  }

  /// ln E e^{tL} of the sum and its derivative.
  private func cumulant(_ t: Double) -> (value: Double, mean: Double) {
    var (value, mean) = (0.0, 0.0)
    for (loss, steps) in parts {
      let one = loss.cumulant(t)
      value += Double(steps) * one.value
      mean += Double(steps) * one.mean
    }
    return (value, mean)
  }

  /// ε(δ), at least 0; infinity when infinite losses alone exceed δ, nil when the grid would be
  /// too long.
  func epsilon(delta: Double) -> Double? {
    let infinite = infinite
    if infinite >= delta { return .infinity }
    guard let sum = isSingle ? single : composed(focus(delta: delta)) else { return nil }
    var above = infinite + sum.truncated  // U = P(L ≥ l)
    var weight = 0.0  // Σ p e^{l − loss}, which is W e^l: no overflow however large the losses
    let decay = exp(-interval)
    for place in sum.masses.indices.reversed() {
      let loss = sum.loss(place)
      if loss <= 0 { return 0 }
      let mass = sum.mass(place)
      above += mass
      weight = weight * decay + mass
      if above <= delta { continue }
      let epsilon = weight > 0 ? loss + log((above - delta) / weight) : loss
      if place == 0 || epsilon >= loss - interval { return max(0, epsilon) }
    }
    return 0
  }

  /// δ(ε), at most 1; nil when the grid would be too long.
  func delta(epsilon: Double) -> Double? {
    guard let sum = isSingle ? single : composed(focus(epsilon: epsilon)) else { return nil }
    var delta = infinite + sum.truncated
    for place in sum.masses.indices.reversed() {
      let loss = sum.loss(place)
      if loss <= epsilon { break }
      delta -= sum.mass(place) * expm1(epsilon - loss)
    }
    return min(1, delta)
  }

  private var isSingle: Bool { parts.count == 1 && parts[0].steps == 1 }

  /// The sum's masses times e^{tl − K(t)} on a window.
  private struct Sum {
    let first: Int
    let interval: Double
    let tilt: Double
    let logScale: Double
    let masses: [Double]
    /// A bound on the mass above the window.
    let truncated: Double

    func loss(_ place: Int) -> Double { Double(first + place) * interval }
    /// Negative masses are rounding of zeros.
    func mass(_ place: Int) -> Double {
      let tilted = masses[place]
      if tilted <= 0 { return 0 }
      return tilt == 0 ? tilted * exp(logScale) : tilted * exp(logScale - tilt * loss(place))
    }
  }

  /// One step alone is its own sum.
  private var single: Sum? {
    let loss = parts[0].loss
    guard loss.masses.count <= Self.longestGrid else { return nil }
    return Sum(
      first: loss.first,
      interval: interval,
      tilt: 0,
      logScale: 0,
      masses: loss.masses,
      truncated: 0
    )
  }

  private func composed(_ focus: Focus) -> Sum? {
    let support = support
    let window = window(focus, support)
    guard window.count <= Self.longestGrid else { return nil }
    var length = 8
    while length < window.count { length *= 2 }
    let transform = FourierTransform(length: length)
    var product: FourierTransform.Spectrum?
    for (loss, steps) in parts {
      let masses = loss.tilted(focus.tilt, logScale: loss.cumulant(focus.tilt).value)
      // A convolution on a circle: what is longer than the circle is wound around it.
      var circle = [Double](repeating: 0, count: length)
      for place in masses.indices { circle[place & (length - 1)] += masses[place] }
      var spectrum = transform.spectrum(circle)
      spectrum.raise(to: steps)
      if product == nil { product = spectrum } else { product?.multiply(by: spectrum) }
    }
    guard let product else { return nil }
    let circle = transform.values(product)
    let offset = window.lowerBound - support.lowerBound
    let isCut = window.upperBound < support.upperBound && !isOptimistic
    let top = Double(window.upperBound) * interval
    return Sum(
      first: window.lowerBound,
      interval: interval,
      tilt: focus.tilt,
      logScale: focus.logScale,
      masses: (0..<window.count).map { circle[(offset + $0) & (length - 1)] },
      truncated: isCut ? exp(focus.logScale - focus.tilt * top - focus.tailExponent) : 0
    )
  }

  /// A tilt t with K(t), and the c such that tails of e^{−c} of the tilted sum do not matter.
  private struct Focus {
    let tilt: Double
    let logScale: Double
    let tailExponent: Double
  }

  /// Where to look for ε(δ): at the saddle point t of K(t) − tε with value ln δ, or before it.
  private func focus(delta: Double) -> Focus {
    let exponent = max(0.5, -log(delta))
    let saddle = chernoff(from: 0, exponent, sign: 1)
    let there = cumulant(saddle)
    return focus(saddle, epsilon: there.mean, logDelta: min(0, there.value - saddle * there.mean))
  }

  /// Where to look for δ(ε): at the saddle point, or before it.
  private func focus(epsilon: Double) -> Focus {
    let saddle = tilt(mean: epsilon)
    return focus(saddle, epsilon: epsilon, logDelta: cumulant(saddle).value - saddle * epsilon)
  }

  /// The smallest tilt, roughly, at which rounding is small beside δ.
  ///
  /// An error x of the tilted masses near ε is x·e^{K(t) − tε} of δ.
  private func focus(_ saddle: Double, epsilon: Double, logDelta: Double) -> Focus {
    let steps = parts.reduce(64.0) { $0 + Double($1.steps) }
    let allowed = log(Self.roundedShare / (steps * 1e-15)) + logDelta
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

  /// Indices outside which the tilted sum has less than e^{−c} on either side.
  ///
  /// Chernoff: P̃(L ≥ x) ≤ e^{K(t+s) − K(t) − s x} for every s > 0, and alike below.
  private func window(_ focus: Focus, _ support: ClosedRange<Int>) -> ClosedRange<Int> {
    let (tilt, c) = (focus.tilt, focus.tailExponent)
    let up = chernoff(from: tilt, c, sign: 1)
    let down = chernoff(from: tilt, c, sign: -1)
    let high = (cumulant(tilt + up).value - focus.logScale + c) / up
    let low = (focus.logScale - cumulant(tilt - down).value - c) / down
    let first = max(Double(support.lowerBound), (low / interval).rounded(.down))
    let last = min(Double(support.upperBound), (high / interval).rounded(.up))
    return Int(first)...max(Int(first), Int(last))
  }

  /// The s > 0 at which the Chernoff bound reaches e^{−c} nearest to the mean.
  ///
  /// It solves
  ///
  ///     s K'(t ± s) ∓ (K(t ± s) − K(t)) = c
  ///
  /// Every s gives a valid bound, so that a rough solution will do. For sums that are nearly
  /// Gaussian the left side is s²·variance/2, and a step with the root of the quotient is exact.
  private func chernoff(from tilt: Double, _ c: Double, sign: Double) -> Double {
    let centre = cumulant(tilt).value
    var s = min((2 * c).squareRoot() / max(deviation, 1e-300), Self.steepest / interval)
    var (low, high) = (0.0, Double.infinity)
    for _ in 0..<40 {
      let there = cumulant(tilt + sign * s)
      let reached = sign * s * there.mean - (there.value - centre)
      if abs(reached - c) < 0.1 * c { break }
      if reached < c { low = s } else { high = s }
      let step = s * min(8, max(0.125, (c / max(reached, 1e-6 * c)).squareRoot()))
      // Inside the bracket, or half-way where the step leaves it.
      s =
        step > low && step < high
        ? step : high == .infinity ? 8 * s : low == 0 ? s / 8 : (low * high).squareRoot()
      if (low > 0 && s > Self.steepest / interval) || high / low < 1.01 { break }
    }
    return s
  }

  /// The t ≥ 0 with K'(t) = ε, roughly; 0 when the mean loss is above ε.
  private func tilt(mean epsilon: Double) -> Double {
    let mean = cumulant(0).mean
    if mean >= epsilon { return 0 }
    var (low, high) = (0.0, (epsilon - mean) / max(deviation * deviation, 1e-300))
    while cumulant(high).mean < epsilon {
      if high * interval > Self.steepest { return high }
      (low, high) = (high, 2 * high)
    }
    for _ in 0..<12 {
      let middle = (low + high) / 2
      if cumulant(middle).mean < epsilon { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// Standard deviation of the sum.
  private var deviation: Double {
    parts.reduce(0) { $0 + Double($1.steps) * $1.loss.variance }.squareRoot()
  }
}

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

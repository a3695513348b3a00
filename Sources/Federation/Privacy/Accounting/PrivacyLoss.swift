#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The distribution of the privacy loss L = ln(P/Q), x ∼ P, of one step on the grid l_j = j·h.
///
/// Everything about (ε, δ) follows from it: δ(ε) = P(L = ∞) + Σ_{l_j > ε} p_j (1 − e^{ε − l_j}),
/// and the losses of independent steps add.
struct PrivacyLoss: Sendable {
  /// `j` of the first mass.
  let first: Int
  /// `h` > 0, the distance of the grid's points.
  let interval: Double
  /// p_j for j = first, first + 1 and so on.
  let masses: [Double]
  /// P(L = ∞).
  let infinite: Double

  /// The largest loss that is finite.
  var last: Int { first + masses.count - 1 }

  /// l_j of a place in `masses`.
  func loss(_ place: Int) -> Double { Double(first + place) * interval }

  /// ln Σ_j p_j e^{t l_j} and its derivative by t, the mean loss after tilting by e^{tL}.
  ///
  /// The infinite mass is left out: it is carried beside.
  ///
  /// - Complexity: O(n), an exponential for 64 masses.
  func cumulant(_ t: Double) -> (value: Double, mean: Double) {
    // Within a block the factors e^{t (l_j − l_edge)} are the same for all blocks; the edge is
    // the end that weighs most, so that none is above 1.
    let isRising = t >= 0
    let factors = BlockFactors(t * interval)
    var (largest, sum, moment) = (-Double.infinity, 0.0, 0.0)
    masses.withUnsafeBufferPointer { masses in
      for start in stride(from: 0, to: masses.count, by: BlockFactors.length) {
        let end = min(start + BlockFactors.length, masses.count)
        let (partial, steps) = factors.sums(UnsafeBufferPointer(rebasing: masses[start..<end]))
        if partial == 0 { continue }
        let edge = loss(isRising ? start + BlockFactors.length - 1 : start)
        let blockMoment = loss(start) * partial + interval * steps
        let exponent = t * edge
        if exponent > largest {
          let old = exp(largest - exponent)
          (sum, moment, largest) = (sum * old + partial, moment * old + blockMoment, exponent)
        } else {
          let new = exp(exponent - largest)
          (sum, moment) = (sum + new * partial, moment + new * blockMoment)
        }
      }
    }
    return sum > 0 ? (largest + log(sum), moment / sum) : (-.infinity, 0)
  }

  /// Variance of the finite losses.
  var variance: Double {
    let mean = cumulant(0).mean
    var sum = 0.0
    for place in masses.indices {
      sum += masses[place] * (loss(place) - mean) * (loss(place) - mean)
    }
    return sum
  }

  /// p_j e^{t l_j − `logScale`}, the tilted masses.
  func tilted(_ t: Double, logScale: Double) -> [Double] {
    var result = masses
    for place in result.indices where result[place] > 0 {
      result[place] *= exp(t * loss(place) - logScale)
    }
    return result
  }
}

/// The factors e^{u k}, k = 0 … 63, divided by the largest of them.
private struct BlockFactors {
  static let length = 64
  private typealias Lanes = SIMD8<Double>
  private let factors: [Lanes]

  /// Factors for u = t·h.
  init(_ u: Double) {
    factors = (0..<(Self.length / 8)).map { row in
      var lanes = Lanes()
      for lane in 0..<8 {
        let k = row * 8 + lane
        lanes[lane] = exp(u >= 0 ? u * Double(k - Self.length + 1) : u * Double(k))
      }
      return lanes
    }
  }

  /// Σ p_k f_k and Σ k p_k f_k over a block, which may be shorter than the others.
  func sums(_ masses: UnsafeBufferPointer<Double>) -> (sum: Double, steps: Double) {
    var (sum, steps) = (Lanes(), Lanes())
    var places = Lanes(0, 1, 2, 3, 4, 5, 6, 7)
    guard let start = masses.baseAddress else { return (0, 0) }
    let whole = masses.count / 8
    for row in 0..<whole {
      let term =
        UnsafeRawPointer(start + 8 * row).loadUnaligned(as: Lanes.self) * factors[row]
      sum += term
      steps += term * places
      places += 8
    }
    var (total, moment) = (sum.sum(), steps.sum())
    for k in (8 * whole)..<masses.count {
      let term = masses[k] * factors[k / 8][k % 8]
      total += term
      moment += term * Double(k)
    }
    return (total, moment)
  }
}

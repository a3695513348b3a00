import Base

/// The outcomes of one step, collected in cells between neighbouring points of a grid of losses.
///
/// From the same cells two distributions on the grid are made, one with a δ(ε) that is nowhere
/// smaller than that of the step, one with a δ(ε) that is nowhere larger. For compositions this
/// is enough: with r = e^L under Q and H(t) = E_Q (r − t)₊, so that δ(ε) = H(e^ε),
///
///     δ₁₂(ε) = E_{Q₂} r₂ H₁(e^ε / r₂)
///
/// which grows with H₁, and by symmetry with H₂. It needs neither masses that add up to 1 nor
/// ε ≥ 0, so mass may be left out below and may be called infinite above.
///
/// - Source: Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022, arXiv:2207.04380, §4, for the
///   upper one; the lower one is derived at `optimistic`.
struct LossCells {
  /// `h` > 0.
  let interval: Double
  /// The loss of point 0.
  let offset: Double
  /// The points between which the cells lie, ascending; one more than there are cells.
  let points: [Int]
  /// P-mass of the outcomes in a cell.
  let masses: [Double]
  /// The part of it at the upper point when both the mass under P and that under Q are kept.
  let shares: [Double]
  /// P-mass of losses below all points.
  let below: Double
  /// P-mass of losses above all points.
  let above: Double
  /// P-mass that has exactly the loss of `points[place]`.
  let atom: (place: Int, mass: Double)?
  /// How far rounding may have moved a loss.
  let uncertainty: Double

  /// What the relative roundings of a mass may add up to.
  static let roundings = 0x1p-46

  /// The distribution whose δ(ε) is an upper bound for all ε ("connect the dots").
  ///
  /// The mass that P has in a cell is shared among its ends so that the mass under Q is kept too:
  /// then δ is exact at every point of the grid and a chord in e^ε between them, and chords of a
  /// convex curve lie above it. This equals second differences of δ without subtracting numbers
  /// near 1. The error per step is of order h².
  var pessimistic: PrivacyLoss {
    var result = [Double](repeating: 0, count: points.count)
    result[0] = below
    for k in masses.indices {
      let high = shares[k] * masses[k]
      result[k] += masses[k] - high
      result[k + 1] += high
    }
    if let atom { result[atom.place] += atom.mass }
    return loss(result, infinite: above)
  }

  /// The distribution whose δ(ε) is a lower bound for all ε.
  ///
  /// The chord of H over a cell exceeds H by at most
  ///
  ///     c = p (e^w − 1) s (1 − s) / ((1 − s) e^w + s)
  ///
  /// where w is the cell's width, p its P-mass and s the share of it at the upper point: that is
  /// what all mass of the cell at its mean would give. A curve through H − g at the points of
  /// the grid, g being at least the c of both cells beside a point, therefore is below H. In
  /// masses this takes the second differences of g from the pessimistic ones. Masses that become
  /// negative are pushed outward to the neighbouring points, which keeps the mean of e^L under Q
  /// and only lowers the curve. Near the top, where g must come down to 0, the masses of cells go
  /// to their lower ends; that is all that is done when cells are wide. The error is of order h².
  var optimistic: PrivacyLoss {
    // e^w of wide cells leaves the range of what differences can tell.
    guard widest <= 0.5, let curve = loweredCurve() else { return floored }
    return curve
  }

  private func width(_ k: Int) -> Double { Double(points[k + 1] - points[k]) * interval }

  private var widest: Double { masses.indices.reduce(0) { max($0, width($1)) } }

  /// All mass at the lower end of its cell: a lower bound, off by half a width per step.
  private var floored: PrivacyLoss { loss(lowered(from: 0), infinite: 0) }

  /// Masses at the points: shared in the cells below `start`, at the lower end from there on.
  private func lowered(from start: Int) -> [Double] {
    var result = [Double](repeating: 0, count: points.count)
    for k in masses.indices {
      let high = k < start ? shares[k] * masses[k] : 0
      result[k] += masses[k] - high
      result[k + 1] += high
    }
    if let atom { result[atom.place] += atom.mass }
    return result
  }

  private func loweredCurve() -> PrivacyLoss? {
    guard let ceiling = lastLowered() else { return nil }
    func gap(_ j: Int) -> Double {
      j > ceiling ? 0 : max(j > 0 ? excess(j - 1) : 0, j < ceiling ? excess(j) : 0)
    }
    var result = lowered(from: ceiling)
    // Below the first point nothing has mass, so that g may begin there, a cell as wide as the
    // first one further down; the negative mass that this leaves there comes up again.
    var (before, here) = (0.0, gap(0))
    var below = width(0)
    result[0] -= here / expm1(below)
    for j in result.indices {
      let after = gap(j + 1)
      let above = j < masses.count ? width(j) : below
      result[j] -= (after - here) / expm1(above) - (here - before) / -expm1(-below)
      (before, here, below) = (here, after, above)
    }
    return withoutNegatives(result).map { loss($0, infinite: 0) }
  }

  /// c of a cell.
  private func excess(_ k: Int) -> Double {
    let (share, width) = (shares[k], width(k))
    return masses[k] * share * (1 - share) * expm1(width) / ((1 - share) * exp(width) + share)
  }

  /// The highest point m at which g may still be positive: cells from m on go to their lower
  /// ends, and point m + 1 has the mass that the end of g takes away.
  private func lastLowered() -> Int? {
    var m = masses.count - 1
    while m > 0 {
      let cell = m + 1 < masses.count ? masses[m + 1] : 0
      let mass = cell + (atom?.place == m + 1 ? atom?.mass ?? 0 : 0)
      if mass > 0, mass >= excess(m - 1) / -expm1(-width(m)) { return m }
      m -= 1
    }
    return nil
  }

  /// Negative masses pushed to the nearest points that are left; nil when the top one is negative.
  private func withoutNegatives(_ given: [Double]) -> [Double]? {
    var result = given
    // Points that are left, in order; `kept` holds those up to the present one.
    var kept: [Int] = []
    kept.reserveCapacity(result.count)
    for j in result.indices {
      kept.append(j)
      // A point that is negative waits for its right neighbour.
      while kept.count >= 2, result[kept[kept.count - 2]] < 0 {
        let at = kept.remove(at: kept.count - 2)
        let left = kept.count >= 2 ? kept[kept.count - 2] : nil
        push(&result, at, left, j)
      }
    }
    return result[kept[kept.count - 1]] < 0 ? nil : result
  }

  private func push(_ result: inout [Double], _ at: Int, _ left: Int?, _ right: Int) {
    let mass = result[at]
    result[at] = 0
    guard let left else {
      // The other side is r = 0, where P has no mass.
      result[right] += mass
      return
    }
    let a = Double(points[at] - points[left]) * interval
    let b = Double(points[right] - points[at]) * interval
    let toLeft = -expm1(-b) * exp(-a) / -expm1(-a - b)
    result[left] += mass * toLeft
    result[right] += mass * (1 - toLeft)
  }

  private func loss(_ masses: [Double], infinite: Double) -> PrivacyLoss {
    PrivacyLoss(
      interval: interval, offset: offset, places: points, masses: masses, infinite: infinite,
      uncertainty: uncertainty)
  }
}

import Base

/// Closes in on the point where a monotone cost crosses a limit.
///
/// Epsilons are nearly powers of noise, rate and steps, so the search is a false position in
/// logarithms (Illinois), which needs about seven costs where halving needs thirty. The bracket
/// is kept, and its good end, which meets the limit, is what is returned.
struct BracketSearch {
  /// A point with ln(cost / limit): at most 0 when it meets the limit.
  struct End {
    let point: Double
    let gap: Double
  }

  private(set) var good: End
  private(set) var bad: End

  /// Narrows until both ends are within `tolerance` of each other, relatively; `gap` is
  /// ln(cost / limit) of a point.
  mutating func close(tolerance: Double, gap: (Double) -> Double) {
    var (goodWeight, badWeight) = (good.gap, bad.gap)
    for _ in 0..<200 where abs(good.point - bad.point) > tolerance * good.point {
      let (a, b) = (log(good.point), log(bad.point))
      let isUseful = goodWeight.isFinite && badWeight.isFinite && goodWeight < badWeight
      var next = isUseful ? a + (b - a) * (goodWeight / (goodWeight - badWeight)) : (a + b) / 2
      // Never nearer to an end than the tolerance: the last step then closes the bracket.
      let margin = min(0.7 * tolerance, abs(b - a) / 2)
      next = min(max(next, min(a, b) + margin), max(a, b) - margin)
      let end = End(point: exp(next), gap: gap(exp(next)))
      if end.gap <= 0 {
        good = end
        goodWeight = end.gap
        badWeight /= 2
      } else {
        bad = end
        badWeight = end.gap
        goodWeight /= 2
      }
    }
  }
}

/// Finds where a monotone cost crosses a target, from a guess.
struct Crossing {
  /// The cost to be met, > 0.
  let target: Double
  let range: ClosedRange<Double>
  /// Whether the cost falls as the point grows.
  let growing: Bool
  /// The factor to the second point that is tried; its square is next.
  var step: Double
  /// Relative width at which the search ends.
  let tolerance: Double

  /// A point that meets the target and one just beside it that does not.
  struct Ends {
    let good: Double
    /// Does not; nil when even the end of the range that costs most meets it.
    let bad: Double?
  }

  /// Where the cost crosses the target; nil when nothing in the range meets it.
  func find(from start: Double, _ cost: (Double) -> Double) -> Ends? {
    // A cost that is not a number is none that could be met.
    func gap(_ x: Double) -> Double {
      let gap = log(cost(x) / target)
      return gap.isNaN ? .infinity : gap
    }
    func clamped(_ x: Double) -> Double { min(range.upperBound, max(range.lowerBound, x)) }
    let (best, worst) =
      growing ? (range.upperBound, range.lowerBound) : (range.lowerBound, range.upperBound)
    var here = BracketSearch.End(point: clamped(start), gap: gap(clamped(start)))
    var other = here
    var factor = step
    while (here.gap <= 0) == (other.gap <= 0) {
      let isGood = other.gap <= 0
      if other.point == (isGood ? worst : best) {
        return isGood ? Ends(good: worst, bad: nil) : nil
      }
      here = other
      let next = clamped(isGood == growing ? other.point / factor : other.point * factor)
      other = BracketSearch.End(point: next, gap: gap(next))
      factor = min(1e4, factor * factor)
    }
    var search = BracketSearch(
      good: here.gap <= 0 ? here : other, bad: here.gap <= 0 ? other : here)
    search.close(tolerance: tolerance, gap: gap)
    return Ends(good: search.good.point, bad: search.bad.point)
  }
}

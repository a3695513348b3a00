/// The volume that a set of points dominates, up to a reference point.
///
/// Every objective is maximised. The volume of the union of the boxes between the reference and
/// each point is exact for any number of objectives: the box of the first point, without what the
/// others cover of it, and so on; what they cover is the volume of the points cut down to the first
/// one, of which only the non-dominated ones count.
///
/// - Complexity: exponential in the worst case, far from it on fronts of hundreds of points and a
///   handful of objectives.
/// - Source: WFG; While, Bradstreet and Barone, "A fast way of calculating exact hypervolumes",
///   IEEE Transactions on Evolutionary Computation 16(1), 2012.
enum Hypervolume {
  /// The volume in the product of the objectives' units; points that are not better than the
  /// reference in every objective, or not finite, add nothing.
  ///
  /// `points`: a row per point, as long as `reference`, which has at least one entry.
  static func volume(_ points: [[Double]], reference: [Double]) -> Double {
    let inside = points.filter { point in
      zip(point, reference).allSatisfy { $0.isFinite && $0 > $1 }
    }
    // Sorted, so that sums are formed in the same order however the points came.
    return total(nonDominated(inside).sorted { b, a in a.lexicographicallyPrecedes(b) }, reference)
  }

  private static func total(_ points: [[Double]], _ reference: [Double]) -> Double {
    var sum = 0.0
    for (index, point) in points.enumerated() {
      let box = zip(point, reference).reduce(1) { $0 * ($1.0 - $1.1) }
      let limited = points[(index + 1)...].map { other in zip(point, other).map(min) }
      sum += box - (limited.isEmpty ? 0 : total(nonDominated(limited), reference))
    }
    return sum
  }

  /// The points that no other one dominates, in their order; of equal points the first.
  private static func nonDominated(_ points: [[Double]]) -> [[Double]] {
    points.enumerated().filter { index, point in
      !points.enumerated().contains { other, rival in
        other != index && zip(rival, point).allSatisfy { $0 >= $1 }
          && (rival != point || other < index)
      }
    }.map(\.element)
  }
}

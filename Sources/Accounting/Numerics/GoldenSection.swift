/// Minima of functions that fall and then rise, by the golden section.
enum GoldenSection {
  /// Looks for the minimum between two ends, which are looked at too.
  ///
  /// - Parameters:
  ///   - from: the left end.
  ///   - to: the right end.
  ///   - steps: each takes one value and leaves 0.618 of the interval.
  ///   - value: the function.
  /// - Returns: the smallest value that was found, and where.
  static func smallest(
    from: Double, to: Double, steps: Int, _ value: (Double) -> Double
  ) -> (point: Double, value: Double) {
    var best = (point: from, value: value(from))
    func look(_ point: Double) -> Double {
      let found = value(point)
      if found < best.value { best = (point, found) }
      return found
    }
    _ = look(to)
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (from, to)
    var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
    var (atLeft, atRight) = (look(left), look(right))
    for _ in 0..<steps {
      if atLeft <= atRight {
        (high, right, atRight) = (right, left, atLeft)
        left = high - ratio * (high - low)
        atLeft = look(left)
      } else {
        (low, left, atLeft) = (left, right, atRight)
        right = low + ratio * (high - low)
        atRight = look(right)
      }
    }
    return best
  }
}

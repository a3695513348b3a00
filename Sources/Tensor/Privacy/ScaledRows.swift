/// Sums over long vectors: squares in double precision, and vectors times factors.
enum ScaledRows {
  /// Floats of a target that stay in the first-level cache while rows are added to it.
  private static var block: Int { 2048 }

  /// Σ x_i² in double precision, in a fixed order: squares of Floats have no rounding there, and a
  /// sum of them cannot overflow.
  static func squaredLength(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var (s0, s1) = (SIMD8<Double>(), SIMD8<Double>())
    var i = 0
    while i &+ 16 <= count {
      let v = (x + i).vector
      let low = SIMD8<Double>(v.lowHalf)
      let high = SIMD8<Double>(v.highHalf)
      s0 += low * low
      s1 += high * high
      i &+= 16
    }
    var total = (s0 + s1).sum()
    while i < count {
      total += Double(x[i]) * Double(x[i])
      i &+= 1
    }
    return total
  }

  /// y ← y + Σ_j factors[j]·rows[j], where row j starts at rows[j] + `start`; added in order of j.
  ///
  /// - Complexity: O(count · rows); y passes through the cache once.
  static func add(
    _ rows: UnsafePointer<UnsafePointer<Float>>, _ factors: UnsafePointer<Float>, rowCount: Int,
    start: Int, to y: UnsafeMutablePointer<Float>, count: Int
  ) {
    var first = 0
    while first < count {
      let length = min(block, count &- first)
      var j = 0
      while j &+ 4 <= rowCount {
        let at = start &+ first
        let (r0, r1, r2, r3) = (
          rows[j] + at, rows[j &+ 1] + at, rows[j &+ 2] + at, rows[j &+ 3] + at
        )
        let (c0, c1, c2, c3) = (factors[j], factors[j &+ 1], factors[j &+ 2], factors[j &+ 3])
        let to = y + first
        for i in 0..<length {
          to[i] = (((to[i] + c0 * r0[i]) + c1 * r1[i]) + c2 * r2[i]) + c3 * r3[i]
        }
        j &+= 4
      }
      while j < rowCount {
        let row = rows[j] + (start &+ first)
        let factor = factors[j]
        let to = y + first
        for i in 0..<length { to[i] += factor * row[i] }
        j &+= 1
      }
      first &+= length
    }
  }

  /// y ← factor·x.
  static func copy(
    _ x: UnsafePointer<Float>, times factor: Float, to y: UnsafeMutablePointer<Float>, count: Int
  ) { for i in 0..<count { y[i] = factor * x[i] } }
}

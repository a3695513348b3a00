extension VectorArithmetic {
  /// y ← y + Σᵢ wᵢ·xᵢ on some columns: the same bits as one `addScaled` after the other.
  ///
  /// Each value of every xᵢ is read from memory once. Columns are taken in blocks that stay in the
  /// caches, and eight terms at a time, so that a block of y is loaded and stored once for eight
  /// terms. Every element adds its terms in the order given, whatever the blocks; columns do not
  /// touch each other, so threads may share the work by ranges.
  ///
  /// `terms`: weights, and values of at least y.count floats that do not overlap y.
  ///
  /// `columns`: which elements of y; all of them by default.
  ///
  /// - Complexity: O(terms · columns), no allocation.
  public static func addScaled(
    _ y: UnsafeMutableBufferPointer<Float>,
    _ terms: [(weight: Float, values: UnsafePointer<Float>)],
    columns: Range<Int>? = nil
  ) {
    let columns = columns ?? 0..<y.count
    precondition(
      columns.lowerBound >= 0 && columns.upperBound <= y.count,
      "addScaled: columns \(columns) of \(y.count)"
    )
    guard let target = y.baseAddress else { return }
    terms.withUnsafeBufferPointer { terms in
      var first = columns.lowerBound
      while first < columns.upperBound {
        let count = min(weightedSumBlock, columns.upperBound - first)
        var next = 0
        while next + 8 <= terms.count {
          addEight(target, UnsafeBufferPointer(rebasing: terms[next..<next + 8]), first, count)
          next += 8
        }
        while next < terms.count {
          addOne(target + first, terms[next].weight, terms[next].values + first, count)
          next += 1
        }
        first += count
      }
    }
  }

  /// Floats of a block of y: 256 KiB, which stay in a usual L2 cache, and long enough for the
  /// prefetcher to follow each of the eight streams.
  private static var weightedSumBlock: Int { 65_536 }

  /// y ← (((y + w₀·x₀) + w₁·x₁) + …) + w₇·x₇ on `count` columns from `first`.
  private static func addEight(
    _ y: UnsafeMutablePointer<Float>,
    _ terms: UnsafeBufferPointer<(weight: Float, values: UnsafePointer<Float>)>,
    _ first: Int,
    _ count: Int
  ) {
    let y = y + first
    let (a, b, c, d) = (terms[0].weight, terms[1].weight, terms[2].weight, terms[3].weight)
    let (e, f, g, h) = (terms[4].weight, terms[5].weight, terms[6].weight, terms[7].weight)
    let (p, q) = (terms[0].values + first, terms[1].values + first)
    let (r, s) = (terms[2].values + first, terms[3].values + first)
    let (t, u) = (terms[4].values + first, terms[5].values + first)
    let (v, w) = (terms[6].values + first, terms[7].values + first)
    var i = 0
    while i + 16 <= count {
      // Written out: one vector of y stays in a register for all eight terms.
      var sum = vector(y, i)
      sum += a * vector(p, i)
      sum += b * vector(q, i)
      sum += c * vector(r, i)
      sum += d * vector(s, i)
      sum += e * vector(t, i)
      sum += f * vector(u, i)
      sum += g * vector(v, i)
      sum += h * vector(w, i)
      UnsafeMutableRawPointer(y + i).storeBytes(of: sum, as: SIMD16<Float>.self)
      i += 16
    }
    while i < count {
      var sum = y[i]
      sum += a * p[i]
      sum += b * q[i]
      sum += c * r[i]
      sum += d * s[i]
      sum += e * t[i]
      sum += f * u[i]
      sum += g * v[i]
      sum += h * w[i]
      y[i] = sum
      i += 1
    }
  }

  /// y ← y + a·x.
  private static func addOne(
    _ y: UnsafeMutablePointer<Float>,
    _ a: Float,
    _ x: UnsafePointer<Float>,
    _ count: Int
  ) {
    var i = 0
    while i + 16 <= count {
      let sum = vector(y, i) + a * vector(x, i)
      UnsafeMutableRawPointer(y + i).storeBytes(of: sum, as: SIMD16<Float>.self)
      i += 16
    }
    while i < count {
      y[i] += a * x[i]
      i += 1
    }
  }

  @inline(__always)
  private static func vector(_ x: UnsafePointer<Float>, _ i: Int) -> SIMD16<Float> {
    UnsafeRawPointer(x + i).loadUnaligned(as: SIMD16<Float>.self)
  }
}

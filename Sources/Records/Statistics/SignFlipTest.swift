import Base

/// The sign-flip permutation test of paired differences: whether their mean is zero.
///
/// When two methods are alike, each difference d_i is as likely as −d_i, seed by seed. The test
/// asks which share of all 2ⁿ assignments of signs gives a sum at least as far from zero:
///
///     p = #{s ∈ {−1, +1}ⁿ : |Σ s_i·d_i| ≥ |Σ d_i|} / 2ⁿ
///
/// Nothing is assumed about the distribution but that symmetry. Few seeds bound p from below: both
/// assignments without a change of relative signs always count, so p ≥ 2 / 2ⁿ, where differences
/// that are zero do not count as seeds.
///
/// - Source: Fisher, The Design of Experiments (1935), §21; Phipson and Smyth, Permutation p-values
///   should never be zero (2010), equation 2, for the sampled version.
package struct SignFlipTest: Sendable, Equatable {
  /// The two-sided p, in (0, 1].
  package let p: Double
  /// The smallest p that so many differences other than zero could give: 2 / 2ⁿ, 1 for none; for
  /// a sample not below 1 / (draws + 1).
  package let attainable: Double
  /// Assignments of signs that were drawn; nil when all were counted.
  package let draws: Int?

  /// The most differences other than zero for which all assignments are counted.
  package static let mostExact = 20
  /// Assignments drawn beyond that: standard error of p at most 0.0016.
  package static let sampleSize = 99_999

  /// Tests finite differences.
  ///
  /// O(2ⁿ) up to `mostExact` differences other than zero, else O(n · `sampleSize`). Sums that
  /// differ by rounding alone count as equal.
  ///
  /// - Parameters:
  ///   - differences: one per pair, finite.
  ///   - seed: of the stream that draws signs when there are too many to count.
  package init(_ differences: [Double], seed: UInt64 = 0) {
    precondition(
      differences.allSatisfy(\.isFinite),
      "SignFlipTest: \(differences.count) differences, not all finite")
    let sizes = differences.filter { $0 != 0 }
    guard !sizes.isEmpty else {
      (p, attainable, draws) = (1, 1, nil)
      return
    }
    // A sum of n numbers in any order and with any signs errs by at most n·ε·Σ|d|.
    let rounding = 4 * Double(sizes.count) * sizes.reduce(0) { $0 + abs($1) } * .ulpOfOne
    let bound = abs(sizes.reduce(0, +)) - rounding
    let smallest = Self.attainable(pairs: sizes.count)
    if sizes.count <= Self.mostExact {
      // Turning all signs leaves |Σ| as it is: the first sign may stay.
      let half = Self.count(sizes[1...], from: sizes[0], bound)
      p = Double(half) / Double(1 << (sizes.count - 1))
      attainable = smallest
      draws = nil
      return
    }
    var stream = RandomStream(seed: seed, .signFlips)
    var hits = 0
    for _ in 0..<Self.sampleSize {
      var sum = 0.0
      var bits: UInt64 = 0
      for (index, size) in sizes.enumerated() {
        if index % 64 == 0 { bits = stream.next() }
        sum += bits & 1 == 0 ? size : -size
        bits >>= 1
      }
      if abs(sum) >= bound { hits += 1 }
    }
    p = Double(hits + 1) / Double(Self.sampleSize + 1)
    attainable = max(smallest, 1 / Double(Self.sampleSize + 1))
    draws = Self.sampleSize
  }

  /// 2 / 2ⁿ, the smallest p of n pairs that differ; 2 for none.
  package static func attainable(pairs n: Int) -> Double {
    2 / Double(sign: .plus, exponent: min(n, 1000), significand: 1)
  }

  /// Assignments of signs to `rest` that bring |sum| to `bound` or beyond.
  private static func count(_ rest: ArraySlice<Double>, from sum: Double, _ bound: Double) -> Int {
    guard let next = rest.first else { return abs(sum) >= bound ? 1 : 0 }
    let others = rest.dropFirst()
    return count(others, from: sum + next, bound) + count(others, from: sum - next, bound)
  }
}

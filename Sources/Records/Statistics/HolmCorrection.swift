/// Holm's correction of several tests' p for being several.
package enum HolmCorrection {
  /// Adjusted p in the order given.
  ///
  /// Of m known ones, the i-th smallest becomes
  ///
  ///     p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1)·p₍ⱼ₎)
  ///
  /// Rejecting where p̃ ≤ α keeps the chance of any false rejection below α, whatever the tests'
  /// dependence. Those that are nil stay nil and do not count. O(m log m).
  ///
  /// - Source: Holm, A simple sequentially rejective multiple test procedure (1979), §2.
  package static func adjusted(_ values: [Double?]) -> [Double?] {
    let known = values.indices.filter { values[$0] != nil }.sorted {
      (values[$0] ?? 1, $0) < (values[$1] ?? 1, $1)
    }
    var adjusted = [Double?](repeating: nil, count: values.count)
    var largest = 0.0
    for (place, index) in known.enumerated() {
      largest = max(largest, min(1, Double(known.count - place) * (values[index] ?? 1)))
      adjusted[index] = largest
    }
    return adjusted
  }

  /// The fewest pairs n at which a sign-flip test can reach p̃ ≤ `level` beside `tests` − 1 others:
  /// 2 / 2ⁿ · tests ≤ level.
  package static func seedsNeeded(tests: Int, level: Double = 0.05) -> Int {
    var n = 1
    var p = 1.0
    while p * Double(tests) > level, n < 64 {
      n += 1
      p /= 2
    }
    return n
  }
}

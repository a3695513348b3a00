extension RandomStream {
  /// Each of 0 ..< count kept with probability `rate`, independently; ascending, possibly empty.
  ///
  /// This is Poisson sampling as the accountants of the sampled Gaussian mechanism assume it
  /// (Abadi et al., CCS 2016). Gaps between kept numbers are geometric, P(gap ≥ g) = (1 − rate)^g,
  /// and drawn from one word each, so that nothing is paid for numbers that are left out
  /// (Devroye 1986, chapter X.2).
  ///
  /// - Parameters:
  ///   - count: ≥ 0.
  ///   - rate: 0 and below keep nothing, 1 and above everything; both draw no word.
  /// - Returns: the kept numbers.
  /// - Complexity: O(rate · count) expected.
  public mutating func bernoulliSubset(count: Int, rate: Double) -> [Int] {
    guard rate > 0, count > 0 else { return [] }
    guard rate < 1 else { return Array(0..<count) }
    // Below 2⁻⁵³ the difference is 1, and the logarithm −rate to the last bit.
    let logMiss = 1 - rate < 1 ? log(1 - rate) : -rate
    var kept: [Int] = []
    var index = -1
    while true {
      let gap = log(1 - uniform()) / logMiss
      guard gap < Double(count) else { return kept }
      index += 1 + Int(clamping: gap)
      guard index < count else { return kept }
      kept.append(index)
    }
  }
}

import Records
import Testing

/// Golden values from Python with scipy 1.17.1 and numpy 2.4.6.
///
///     from scipy import stats, special
///     import numpy as np
///     stats.permutation_test((d,), np.mean, permutation_type='samples', n_resamples=np.inf).pvalue
///     stats.wilcoxon(d, zero_method="wilcox", correction=True, method="exact" or "asymptotic")
///     stats.ttest_1samp(d, 0).pvalue
///     d.mean() / d.std(ddof=1)
///     np.exp(special.gammaln(df/2) - special.gammaln((df-1)/2)) / np.sqrt(df/2)   # df = n - 1
///
/// The thirty numbers are `np.random.default_rng(7).normal(0.3, 1, 30)`, rounded to 3 digits; their
/// sign-flip p is from 999,999 resamples.
@Suite("Statistics of paired differences")
struct PairedStatisticsTests {
  static let three = [0.017, 0.011, 0.006]
  static let five = [0.025, -0.004, 0.012, 0.031, 0.008]
  static let eight = [0.021, 0.013, -0.006, 0.034, 0.009, 0.017, -0.002, 0.028]
  static let ties = [0.01, -0.01, 0.02, 0.02, 0.03, 0, 0.04, -0.02, 0.05, 0.03]
  static let twelve = [1.5, -0.7, 2.2, 0.4, -1.1, 3.3, 0.9, -0.2, 1.8, 2.7, -1.6, 0.6]
  static let thirty = [
    0.301, 0.599, 0.026, -0.591, -0.155, -0.692, 0.36, 1.64, -0.192, -0.32, 0.79, 0.657, 0.405,
    -0.63, 0.271, 0.995, -1.044, -0.158, -1.601, -0.99, -1.542, 0.065, -0.967, 0.571, 0.457, 0.113,
    -2.217, -0.239, 0.251, 0.413,
  ]

  @Test(
    "sign flips as SciPy counts them; the least p is 2 / 2ⁿ, zeros not counted",
    arguments: [
      (three, 0.25, 0.25), (five, 0.125, 0.0625), (eight, 0.03125, 0.0078125),
      (ties, 0.05859375, 0.00390625), (twelve, 0.09716796875, 0.00048828125),
    ])
  func signFlips(_ differences: [Double], _ p: Double, _ least: Double) {
    let test = SignFlipTest(differences)
    // Both are counts over a power of two.
    #expect(test.p == p)
    #expect(test.attainable == least)
    #expect(test.draws == nil)
    #expect(SignFlipTest(differences.map { -$0 }).p == p)
    #expect(SignFlipTest(differences.reversed()).p == p)
  }

  @Test("sign flips against a count over all assignments, written as bits")
  func enumerated() {
    // Whole numbers, so that no sum is rounded; many sums are equal to the one observed.
    let differences = [3.0, -1, 4, 1, -5, 9, 2, -6, 5, 3]
    let observed = abs(differences.reduce(0, +))
    let hits = (0..<1024).count { bits in
      let sum = differences.indices.reduce(0.0) { sum, index in
        sum + (bits >> index & 1 == 0 ? differences[index] : -differences[index])
      }
      return abs(sum) >= observed
    }
    #expect(SignFlipTest(differences).p == Double(hits) / 1024)
    // Tenths of them have other roundings and the same p.
    #expect(SignFlipTest(differences.map { $0 / 10 }).p == Double(hits) / 1024)
  }

  @Test("equal differences of twenty pairs reach the least p, and none at all gives 1")
  func extremes() {
    let test = SignFlipTest([Double](repeating: 0.1, count: 20))
    #expect(test.p == 0x1p-19)
    #expect(test.attainable == 0x1p-19)
    #expect(SignFlipTest([0, 0]).p == 1)
    #expect(SignFlipTest([]).attainable == 1)
    #expect(SignFlipTest([0.5]).p == 1)
  }

  @Test("beyond twenty pairs a seeded sample of known size is drawn")
  func sampled() {
    let test = SignFlipTest(Self.thirty)
    #expect(test.draws == SignFlipTest.sampleSize)
    // Standard error of both samples: √(p(1 − p)/N) = 0.0016; four of them.
    #expect(abs(test.p - 0.463226) < 0.0065)
    #expect(SignFlipTest(Self.thirty) == test)
    #expect(SignFlipTest(Self.thirty, seed: 1).p != test.p)
    let one = SignFlipTest([Double](repeating: 1, count: 40))
    #expect(one.p == one.attainable)
    #expect(one.p == 1e-5)
  }

  @Test(
    "Wilcoxon's test as SciPy gives it",
    arguments: [
      (three, 0, 0.25, .exact), (five, 1, 0.125, .exact), (eight, 3, 0.0390625, .exact),
      (twelve, 19, 0.12939453125, .exact), (ties, 5.5, 0.04940018799120368, .normal),
      (thirty, 217, 0.7576828114579746, .normal),
    ] as [([Double], Double, Double, WilcoxonTest.Method)])
  func wilcoxon(
    _ differences: [Double], _ statistic: Double, _ p: Double, _ method: WilcoxonTest.Method
  ) throws {
    let test = WilcoxonTest(differences)
    #expect(test.method == method)
    #expect(test.statistic == statistic)
    #expect(abs(try #require(test.p) / p - 1) < 1e-13)
    #expect(WilcoxonTest(differences.map { -$0 }).p == test.p)
  }

  @Test("Wilcoxon's exact p of twenty-five pairs as SciPy gives it, and one more is approximated")
  func largestExact() throws {
    // scipy: np.arange(1, 26) * np.where(np.arange(25) % 3 == 0, -1, 1)
    let test = WilcoxonTest((1...25).map { Double($0) * ($0 % 3 == 1 ? -1 : 1) })
    #expect(test.statistic == 117)
    #expect(test.method == .exact)
    #expect(abs(try #require(test.p) - 0.23036134243011475) < 1e-15)
    #expect(WilcoxonTest((1...26).map(Double.init)).method == .normal)
  }

  @Test("zeros are dropped and make the test approximate; nothing else leaves no p")
  func zeros() {
    #expect(WilcoxonTest([0, 0]).p == nil)
    #expect(WilcoxonTest([0, 1, 2]).method == .normal)
    #expect(WilcoxonTest([0, 1, 2]).count == 2)
    // 0.3 − 0.2 and 0.2 − 0.1 differ in the last bit alone.
    #expect(WilcoxonTest([0.3 - 0.2, 0.2 - 0.1, 0.5]).method == .normal)
    #expect(WilcoxonTest([]).statistic == 0)
  }

  @Test(
    "paired t, Cohen's d_z and Hedges' g_z as SciPy gives them",
    arguments: [
      (three, 0.07049686191652618, 2.057773611073928, 1.1609744366673622),
      (five, 0.08149693212184388, 1.0357300221282155, 0.8263929938161131),
      (eight, 0.022403387240865137, 1.0316726993539607, 0.9163346913327841),
      (twelve, 0.09362055342031732, 0.529805024458691, 0.49269737986981693),
      (thirty, 0.46073949037226036, -0.1364867886500158, -0.13292106919419053),
    ])
  func effect(_ differences: [Double], _ p: Double, _ dz: Double, _ hedges: Double) throws {
    let statistics = SeedStatistics(differences)
    #expect(abs(try #require(statistics.studentP) / p - 1) < 1e-12)
    let effect = try #require(EffectSize(statistics))
    #expect(abs(effect.dz / dz - 1) < 1e-13)
    let corrected = try #require(effect.hedges)
    #expect(abs(corrected / hedges - 1) < 1e-12, "\(corrected)")
  }

  @Test("an effect needs a spread; two pairs have no correction")
  func noEffect() {
    #expect(EffectSize(SeedStatistics([1])) == nil)
    #expect(EffectSize(SeedStatistics([0.1, 0.1, 0.1])) == nil)
    #expect(EffectSize(SeedStatistics([1, 2]))?.hedges == nil)
    #expect(SeedStatistics([0, 0]).studentP == nil)
    #expect(SeedStatistics([1]).studentP == nil)
    #expect(SeedStatistics([1, 1]).studentP == 0)
  }

  @Test("Holm's step-down: multiplied by what is left, never falling, at most 1")
  func holm() {
    // R 4.3: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.2), "holm")
    let adjusted = HolmCorrection.adjusted([0.01, 0.04, nil, 0.03, 0.005, 0.2])
    #expect(adjusted[2] == nil)
    for (value, expected) in zip(adjusted.compactMap(\.self), [0.04, 0.09, 0.09, 0.025, 0.2]) {
      #expect(abs(value - expected) < 1e-16)
    }
    #expect(HolmCorrection.adjusted([0.7, 0.6]) == [1, 1])
    #expect(HolmCorrection.adjusted([0.03]) == [0.03])
    #expect(HolmCorrection.adjusted([nil]) == [nil])
  }

  @Test("seeds that sign flips need: 6 alone, 8 beside three others")
  func seedsNeeded() {
    #expect(HolmCorrection.seedsNeeded(tests: 1) == 6)
    #expect(HolmCorrection.seedsNeeded(tests: 2) == 7)
    #expect(HolmCorrection.seedsNeeded(tests: 4) == 8)
  }

  @Test("wins, ties and losses, with a margin and in both directions")
  func wins() {
    let differences = [0.02, 0.01, 0, -0.01, -0.03]
    #expect(WinTieLoss(differences).text == "2/1/2")
    #expect(WinTieLoss(differences, margin: 0.01).text == "1/3/1")
    #expect(WinTieLoss([0.5, -1, -2], lowerIsBetter: true).text == "2/0/1")
    #expect(WinTieLoss(differences).count == 5)
  }
}

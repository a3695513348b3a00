import Records
import Testing

/// Golden values from Python with scipy 1.17.1 and numpy 2.4.6.
///
///     from scipy import stats, special
///     stats.t.ppf(p, df)                        # quantiles
///     special.betainc(a, b, x)                  # incomplete beta
///     numpy.std(v, ddof=1), stats.t.ppf(.975, n-1) * numpy.std(v, ddof=1) / n**.5
///     stats.ttest_rel(a, b).confidence_interval(.95)
///
/// Tolerances are relative: 1e-13, and 1e-12 for quantiles, where the logarithms of the gamma
/// function lose three to four of sixteen digits at a thousand degrees of freedom.
@Suite("Statistics over seeds")
struct ReportStatisticsTests {
  @Test(
    "Student quantiles as SciPy gives them",
    arguments: [
      (1, 0.9, 3.0776835371752544), (1, 0.975, 12.706204736174694), (1, 0.995, 63.656741162871526),
      (2, 0.9, 1.8856180831641272), (2, 0.975, 4.302652729749462), (2, 0.995, 9.924843200918287),
      (3, 0.9, 1.637744353696209), (3, 0.975, 3.1824463052837078), (3, 0.995, 5.840909309733355),
      (4, 0.9, 1.533206274058944), (4, 0.975, 2.7764451051977934), (4, 0.995, 4.604094871349992),
      (9, 0.975, 2.262157162798205), (29, 0.975, 2.045229642132703),
      (100, 0.975, 1.9839715185235518), (1000, 0.9, 1.2823987214609247),
      (1000, 0.975, 1.9623390808264083), (1000, 0.995, 2.580754698065951),
    ])
  func quantile(_ freedom: Int, _ probability: Double, _ expected: Double) {
    let observed = StudentT.quantile(probability, freedom: freedom)
    #expect(abs(observed / expected - 1) < 1e-12)
    #expect(StudentT.quantile(1 - probability, freedom: freedom) < 0)
  }

  @Test(
    "the incomplete beta function as SciPy gives it",
    arguments: [
      (0.5, 0.5, 0.25, 0.33333333333333337), (2, 0.5, 0.9, 0.5414697392755851),
      (4.5, 0.5, 0.3, 0.001322950584267495), (1, 3, 0.2, 0.48800000000000004),
      (50, 0.5, 0.999, 0.7523690199653766), (3, 4, 0, 0), (3, 4, 1, 1),
    ])
  func beta(_ a: Double, _ b: Double, _ x: Double, _ expected: Double) {
    #expect(abs(StudentT.regularizedBeta(x, a, b) - expected) <= 1e-13 * expected)
  }

  @Test("mean, deviation and interval of five seeds")
  func fiveSeeds() throws {
    let statistics = SeedStatistics([0.2112, 0.2231, 0.1987, 0.2054, 0.2190])
    #expect(statistics.count == 5)
    #expect(abs(statistics.mean - 0.21148) < 1e-15)
    #expect(abs(try #require(statistics.standardDeviation) - 0.009898838315681292) < 1e-15)
    #expect(abs(try #require(statistics.halfWidth) - 0.012291031160621448) < 1e-13)
  }

  @Test("one seed has a mean and no interval")
  func oneSeed() {
    let statistics = SeedStatistics([0.3])
    #expect(statistics.mean == 0.3)
    #expect(statistics.standardDeviation == nil)
    #expect(statistics.halfWidth == nil)
  }

  @Test("values that are not finite are left out and not counted")
  func notFinite() {
    #expect(SeedStatistics([.nan, 1, 3, .infinity]) == SeedStatistics([1, 3]))
    #expect(SeedStatistics([.nan]).count == 0)
  }

  @Test("paired differences as SciPy's related t-test gives them")
  func paired() throws {
    let difference = PairedDifference(
      [1: 0.248, 2: 0.251, 3: 0.239], minus: [1: 0.231, 2: 0.240, 3: 0.233])
    let half = try #require(difference.statistics.halfWidth)
    #expect(abs(difference.statistics.mean - 0.011333333333333325) < 1e-15)
    #expect(abs(difference.statistics.mean - half + 0.002348230363305495) < 1e-13)
    #expect(abs(difference.statistics.mean + half - 0.025014897029972144) < 1e-13)
    #expect(difference.wins == 3)
    #expect(difference.isSeparated == false)
  }

  @Test("only seeds that both have are paired, whatever their order")
  func commonSeeds() {
    let difference = PairedDifference([9: 1, 1: 5, 2: .nan], minus: [2: 1, 1: 2, 7: 0])
    #expect(difference.seeds == [1])
    #expect(difference.differences == [3])
    #expect(difference.isSeparated == nil)
  }
}

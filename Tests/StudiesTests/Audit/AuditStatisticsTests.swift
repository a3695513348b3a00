import Testing

@testable import Base
@testable import Records
@testable import Studies

/// Golden numbers from scipy 1.17.1 (`scipy.stats.beta.ppf`, `scipy.stats.norm`).
@Suite("Audit statistics")
struct AuditStatisticsTests {
  struct Bounds: Sendable {
    let successes: Int
    let trials: Int
    let error: Double
    let low: Double
    let high: Double
  }

  static let bounds = [
    Bounds(successes: 0, trials: 10, error: 0.025, low: 0, high: 0.3084971078187607),
    Bounds(
      successes: 1, trials: 10, error: 0.025, low: 0.0025285785444617848, high: 0.4450161170281954),
    Bounds(
      successes: 5, trials: 10, error: 0.025, low: 0.18708602844739855, high: 0.8129139715526015),
    Bounds(successes: 10, trials: 10, error: 0.025, low: 0.6915028921812392, high: 1),
    Bounds(
      successes: 3, trials: 1000, error: 0.05, low: 0.0008181753982218001,
      high: 0.007735244718479458),
    Bounds(
      successes: 997, trials: 1000, error: 0.05, low: 0.9922647552815206, high: 0.9991818246017782),
    Bounds(
      successes: 50, trials: 200, error: 0.005, low: 0.17543924688829868, high: 0.3368138610292836),
    Bounds(
      successes: 12_345, trials: 100_000, error: 0.025, low: 0.12141710670798131,
      high: 0.12550476084867196),
  ]

  @Test("Clopper–Pearson bounds agree with scipy", arguments: bounds)
  func clopperPearson(
    _ row: Bounds
  ) {
    let low = ClopperPearson.lower(row.successes, of: row.trials, error: row.error)
    let high = ClopperPearson.upper(row.successes, of: row.trials, error: row.error)
    #expect(abs(low - row.low) <= 1e-9 * row.low)
    #expect(abs(high - row.high) <= 1e-9 * row.high)
    let interval = ClopperPearson.interval(
      row.successes, of: row.trials, confidence: 1 - 2 * row.error)
    #expect(abs(interval.lowerBound - low) < 1e-9 && abs(interval.upperBound - high) < 1e-9)
  }

  @Test("Without trials nothing is known")
  func nothing() {
    #expect(ClopperPearson.interval(0, of: 0) == 0...1)
  }

  @Test("AUC, advantage and recall of losses that can be counted by hand")
  func membership() throws {
    // Pairs: 1 < 3, 5, 5, 7; 3 is below three and equal to one; 5 is below one and equal to two.
    let score = try #require(MembershipScore(members: [3, 1, 5], others: [5, 3, 7, 5]))
    #expect(score.auc == 9.5 / 12.0)
    // The mean is 3: members 1 and 3, of the others 3.
    #expect(abs(score.advantage - (2.0 / 3 - 0.25)) < 1e-15)
    #expect(abs(score.bestAdvantage - (2.0 / 3 - 0.25)) < 1e-15)
    // No false alarm is allowed among four: the threshold is 3, below which lies 1.
    #expect(score.recall == 1.0 / 3)
    #expect(score.recallInterval == ClopperPearson.interval(1, of: 3))
    let third = try #require(
      MembershipScore(members: [3, 1, 5], others: [5, 3, 7, 5], rate: 0.34))
    #expect(third.recall == 2.0 / 3)
  }

  @Test("Losses that tell everything, nothing, or are no numbers")
  func extremes() throws {
    let all = try #require(MembershipScore(members: [0, 1, 2], others: [3, 4]))
    #expect(all.auc == 1 && all.recall == 1 && all.bestAdvantage == 1)
    let none = try #require(MembershipScore(members: [1, 1], others: [1, 1, 1]))
    #expect(none.auc == 0.5 && none.advantage == 0 && none.recall == 0)
    let odd = try #require(MembershipScore(members: [.nan, 0], others: [1, .infinity]))
    #expect(odd.auc == 0.625)
    #expect(MembershipScore(members: [], others: [1]) == nil)
    #expect(MembershipScore(members: [1], others: []) == nil)
  }

  /// T of n runs of a Gaussian mechanism of sensitivity 1, with the canary and without.
  static func runs(_ n: Int, sigma: Double, step: Int) -> (with: [Double], without: [Double]) {
    var stream = RandomStream(seed: 41, .test, step: step)
    let without = (0..<n).map { _ in sigma * stream.normal() }
    let with = (0..<n).map { _ in 1 + sigma * stream.normal() }
    return (with, without)
  }

  /// σ and the exact ε at δ of N(0, σ²) against N(1, σ²): the root of Φ(m/2 − ε/m) −
  /// e^ε·Φ(−m/2 − ε/m) = δ with m = 1/σ (Balle and Wang, ICML 2018), by scipy's brentq.
  static let mechanisms: [(sigma: Double, delta: Double, epsilon: Double)] = [
    (1, 1e-5, 4.377178095681194), (0.5, 1e-5, 9.997256146434353), (2, 1e-5, 1.9930914044151182),
    (1, 0.01, 2.3177890403040515), (2, 0.01, 0.9194576350492674),
  ]

  @Test("The bound stays below the exact ε of Gaussian mechanisms, in both orders")
  func lowerBound() {
    var above = 0
    var trials = 0
    for (number, mechanism) in Self.mechanisms.enumerated() {
      for repetition in 0..<12 {
        let runs = Self.runs(2000, sigma: mechanism.sigma, step: 100 * number + repetition)
        for (with, without) in [(runs.with, runs.without), (runs.without, runs.with)] {
          let bound = EpsilonLowerBound(with: with, without: without, delta: mechanism.delta)
          trials += 1
          if bound.epsilon > mechanism.epsilon { above += 1 }
          // Not an idle bound either: a threshold test of 1000 runs sees much of a large ε.
          if mechanism.sigma == 1, mechanism.delta == 1e-5 { #expect(bound.epsilon > 0.5) }
        }
      }
    }
    // 5 % would be six of 120.
    #expect(above <= 6, "\(above) of \(trials)")
  }

  @Test("Without noise the bound is what so many runs can show; without an effect it is 0")
  func extremeMechanisms() {
    let sharp = Self.runs(2000, sigma: 1e-3, step: 1000)
    let bound = EpsilonLowerBound(with: sharp.with, without: sharp.without, delta: 1e-5)
    let low = ClopperPearson.lower(1000, of: 1000, error: 0.025)
    let high = ClopperPearson.upper(0, of: 1000, error: 0.025)
    #expect(abs(bound.epsilon - log((low - 1e-5) / high)) < 1e-12 && bound.epsilon > 5)
    let blunt = Self.runs(2000, sigma: 1e6, step: 1001)
    #expect(EpsilonLowerBound(with: blunt.with, without: blunt.without, delta: 0).epsilon < 0.5)
    #expect(EpsilonLowerBound(with: [], without: [], delta: 0).epsilon == 0)
    #expect(EpsilonLowerBound(with: [1], without: [0, 1, 2], delta: 0).epsilon == 0)
    let odd = EpsilonLowerBound(with: [.nan, .nan, .nan], without: [.nan, 1], delta: 0)
    #expect(odd.epsilon == 0)
  }

  @Test("The threshold does not see the half that decides")
  func halves() {
    let runs = Self.runs(400, sigma: 1, step: 1002)
    var changed = runs.with
    for place in stride(from: 1, to: changed.count, by: 2) { changed[place] += 3 }
    let one = EpsilonLowerBound(with: runs.with, without: runs.without, delta: 1e-5)
    let two = EpsilonLowerBound(with: changed, without: runs.without, delta: 1e-5)
    #expect(one.threshold == two.threshold && one.event == two.event)
    #expect(one.likelier.trials == 200)
  }
}

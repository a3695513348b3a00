import Accounting
import Testing

@testable import Federation
@testable import Scenario

/// Several sums of one round, which all have the same cohort.
@Suite("Exchanges of a round under client-level privacy")
struct ExchangesOfARoundTests {
  private static let cohorts: [ClientAccounting.Cohorts] = [
    .poisson(rate: 0.02), .fixed(20, of: 1000), .cyclic(groups: 5, rate: 0.1),
  ]

  private func accounting(_ cohorts: ClientAccounting.Cohorts, exchanges: Int) -> ClientAccounting {
    let mechanism = PrivacySettings.ClientMechanism()
    return ClientAccounting(
      PrivacySettings(unit: .client(mechanism), clip: 1, delta: 1e-5), mechanism, cohorts,
      exchanges: exchanges)
  }

  @Test("two sums of one cohort are one draw with 1/√2 of the noise", arguments: cohorts)
  func oneDraw(cohorts: ClientAccounting.Cohorts) throws {
    let (one, two) = (accounting(cohorts, exchanges: 1), accounting(cohorts, exchanges: 2))
    let twice = try two.event(1.2, releases: 2 * 50)
    let less = try one.event(1.2 / 2.0.squareRoot(), releases: 50)
    #expect(twice.samplingRate == less.samplingRate && twice.steps == less.steps)
    #expect(abs(twice.noiseMultiplier - less.noiseMultiplier) < 1e-15)
    // Independent draws would hide the client better than the one cohort does.
    let claimed = two.epsilon(1.2, releases: 2 * 50).pld
    #expect(claimed > 1.05 * one.epsilon(1.2, releases: 2 * 50).pld)
    #expect(claimed < two.epsilon(1.2, releases: 2 * 60).pld)
  }

  @Test("noise for a target gives it, and one exchange is what it was", arguments: cohorts)
  func target(cohorts: ClientAccounting.Cohorts) throws {
    for exchanges in [1, 2, 3] {
      let found = accounting(cohorts, exchanges: exchanges)
      let sigma = try found.multiplier(releases: exchanges * 50, epsilon: 2)
      let reached = found.epsilon(sigma, releases: exchanges * 50).pld
      #expect(reached <= 2 && reached > 1.999)
    }
  }
}

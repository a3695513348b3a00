import Foundation
import Testing

@testable import Accounting

@Suite("Total amount of noise")
struct TotalNoiseTests {
  /// q/σ as for batches of 4096 of 50,000 with σ = 3.
  @Test(
    "batch and noise raised together: the budget stays, until the noise is below 2",
    arguments: [(0.8, 12.50), (1, 9.91), (1.5, 8.00), (2, 7.46), (3, 7.10), (6, 6.88)]
      as [(Double, Double)])
  func wall(noise: Double, rdp: Double) throws {
    let rate = 0.08192 / 3 * noise
    let total = TotalNoise(samplingRate: rate, noiseMultiplier: noise, steps: 2500)
    #expect(abs(total.value - 0.96544) < 1e-5)
    #expect(abs(total.approximateEpsilon(delta: 1e-5) - 7.484) < 1e-3)
    let ledger = try LedgerFixture.poisson(rate, noise, 2500)
    #expect(abs(RDPAccountant.standard.epsilon(ledger, delta: 1e-5).value - rdp) < 5.1e-3)
    if noise == 3 { #expect(abs(PLDAccountant().epsilon(ledger, delta: 1e-5) - 6.579) < 1e-3) }
  }

  @Test("a plan meets its budget for every batch")
  func plan() throws {
    let plan = try PrivacyPlan(
      examples: 10_000, steps: 300, epsilon: 4, delta: 1e-5, batches: [200, 1000, 5000])
    #expect(plan.rows.map(\.batch) == [200, 1000, 5000])
    #expect(plan.surrogateBatch == 200)
    for row in plan.rows {
      #expect(row.pld <= 4 && row.pld > 3.999)
      #expect(row.rdp > row.pld)
      #expect(row.isBelowWall == (row.noiseMultiplier < 2))
      #expect(row.surrogateNoise == row.noiseMultiplier * 200 / Double(row.batch))
      let own = TotalNoise(
        samplingRate: row.samplingRate, noiseMultiplier: row.noiseMultiplier, steps: 300)
      #expect(row.totalNoise == own.value)
    }
    // Larger batches need less noise for their size.
    #expect(plan.rows[2].surrogateNoise < plan.rows[0].surrogateNoise)
  }

  @Test("the usual batches, and those that cannot be")
  func batches() {
    #expect(PrivacyPlan.usualBatches(examples: 100) == [100])
    #expect(PrivacyPlan.usualBatches(examples: 1024) == [256, 512, 1024])
    for batches in [[], [0], [101]] {
      #expect(throws: AccountingError.self) {
        try PrivacyPlan(examples: 100, steps: 1, epsilon: 1, delta: 0.1, batches: batches)
      }
    }
  }
}

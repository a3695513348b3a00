import Foundation
import Testing

@testable import Accounting

@Suite("Rényi accountant")
struct RDPAccountantTests {
  private let accountant = RDPAccountant()

  @Test("divergences of 40-digit arithmetic", arguments: PrivacyGolden.divergences)
  func divergence(
    row: (rate: Double, noise: Double, order: Double, value: Double)
  ) throws {
    let found = RDPAccountant(orders: [row.order]).divergences(
      try LedgerFixture.poisson(row.rate, row.noise, 1))
    #expect(abs(found[0] / row.value - 1) < 1e-11)
  }

  @Test("epsilon of dp-accounting with whole orders", arguments: PrivacyGolden.runs)
  func epsilon(
    row: (rate: Double, noise: Double, steps: Int, delta: Double, pld: Double, rdp: Double)
  ) throws {
    let whole = RDPAccountant(orders: (2...63).map(Double.init) + [128, 256, 512, 1024])
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, row.steps)
    let found = whole.epsilon(ledger, delta: row.delta).value
    // Its sums lose digits where A − 1 is tiny; these do not.
    #expect(abs(found - row.rdp) <= 1e-6 * row.rdp)
    #expect(accountant.epsilon(ledger, delta: row.delta).value <= found * (1 + 1e-12))
  }

  @Test("whole and fractional orders meet", arguments: [(0.01, 1.0), (0.3, 0.3), (1e-4, 5.0)])
  func seam(rate: Double, noise: Double) throws {
    let orders = RDPAccountant(orders: [3 - 1e-9, 3, 3 + 1e-9])
    let found = orders.divergences(try LedgerFixture.poisson(rate, noise, 1))
    #expect(abs(found[0] / found[1] - 1) < 1e-7)
    #expect(abs(found[2] / found[1] - 1) < 1e-7)
  }

  @Test("below the smallest noise of the quadrature the chord is above, and meets it")
  func chord()
    throws
  {
    let orders = RDPAccountant(orders: [2.5])
    let edge = SampledGaussianDivergence.smallestNoiseForQuadrature
    let below = orders.divergences(try LedgerFixture.poisson(0.01, edge * 0.999_999, 1))[0]
    let above = orders.divergences(try LedgerFixture.poisson(0.01, edge, 1))[0]
    #expect(below >= above)
    #expect(below < 1.3 * above)
  }

  @Test("no sampling is the closed form; nobody drawn costs nothing; no noise hides nothing")
  func limits() throws {
    let orders = accountant.orders
    let all = accountant.divergences(try LedgerFixture.poisson(1, 2, 3))
    for (order, value) in zip(orders, all) { #expect(abs(value / (3 * order / 8) - 1) < 1e-14) }
    #expect(accountant.epsilon(try LedgerFixture.poisson(0, 1, 100), delta: 1e-5).value == 0)
    let bare = accountant.epsilon(try LedgerFixture.poisson(0.1, 0, 1), delta: 1e-5)
    #expect(bare.value == .infinity)
    #expect(bare.order == nil)
    #expect(accountant.delta(try LedgerFixture.poisson(0.1, 0, 1), epsilon: 1).value == 1)
  }

  @Test("a delta above the total variation gives epsilon 0")
  func shortcut() throws {
    let ledger = try LedgerFixture.poisson(0.01, 1, 1)
    #expect(accountant.epsilon(ledger, delta: 0.02).value == 0)
    #expect(accountant.epsilon(ledger, delta: 1e-3).value > 0)
  }

  @Test("epsilon of two ledgers' divergences is that of one")
  func composition() throws {
    var ledger = try LedgerFixture.poisson(0.01, 1, 400)
    let other = try LedgerFixture.poisson(0.02, 1.5, 300)
    let sum = zip(accountant.divergences(ledger), accountant.divergences(other)).map { $0 + $1 }
    for event in other.events { ledger.record(event) }
    for (a, b) in zip(accountant.divergences(ledger), sum) { #expect(abs(a - b) <= 1e-12 * b) }
    let all = try LedgerFixture.poisson(0.01, 1, 1000)
    let parts = PrivacyLedger(try [250, 750].map { try all.events[0].repeated($0) })
    #expect(
      accountant.epsilon(all, delta: 1e-5).value == accountant.epsilon(parts, delta: 1e-5).value)
  }

  @Test("delta and epsilon undo each other")
  func inverse() throws {
    let ledger = try LedgerFixture.poisson(0.01, 1, 1000)
    let epsilon = accountant.epsilon(ledger, delta: 1e-5)
    #expect(epsilon.order == 7.8)
    #expect(abs(accountant.delta(ledger, epsilon: epsilon.value).value / 1e-5 - 1) < 1e-10)
  }

  @Test("the edge of the orders is told")
  func edge() throws {
    let ledger = try LedgerFixture.poisson(0.01, 1, 1000)
    #expect(!accountant.epsilon(ledger, delta: 1e-5).isAtEdge)
    #expect(RDPAccountant(orders: [2, 3, 4]).epsilon(ledger, delta: 1e-5).isAtEdge)
  }

  @Test("without replacement: above Poisson with the same distance, below no sampling")
  func fixedSize() throws {
    for (rate, noise, steps) in [(0.01, 4.0, 100), (0.1, 6.0, 50), (0.3, 1.0, 3)] {
      let fixed = accountant.divergences(try LedgerFixture.fixed(rate, noise, steps))
      let poisson = accountant.divergences(try LedgerFixture.poisson(rate, noise / 2, steps))
      let full = accountant.divergences(try LedgerFixture.poisson(1, noise / 2, steps))
      for i in fixed.indices {
        #expect(fixed[i] >= poisson[i] * (1 - 1e-9))
        #expect(fixed[i] <= full[i] * (1 + 1e-12))
      }
    }
  }

  @Test("without replacement: the bound of one order by hand")
  func fixedSizeByHand() throws {
    // α = 2, σ' = 2: ln(1 + q² · min(4(e^{r} − 1), 2e^{r})) with r = 2/(2·4) = ¼.
    let found = RDPAccountant(orders: [2]).divergences(try LedgerFixture.fixed(0.1, 4, 1))
    let expected = log(1 + 0.01 * min(4 * (exp(0.25) - 1), 2 * exp(0.25)))
    #expect(abs(found[0] / expected - 1) < 1e-13)
  }
}

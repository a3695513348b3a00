import Foundation
import Testing

@testable import Accounting

@Suite("Calibration")
struct CalibrationTests {
  private func event(_ rate: Double, _ noise: Double, _ steps: Int) throws -> PrivacyEvent {
    try .poisson(unit: .example, rate: rate, noiseMultiplier: noise, steps: steps)
  }

  @Test(
    "noise of dp-accounting; the target is met, and not by a wide margin",
    arguments: PrivacyGolden.targets)
  func noise(
    row: (rate: Double, steps: Int, delta: Double, epsilon: Double, noise: Double)
  ) throws {
    for accountant in Accountant.allCases {
      let calibration = try Calibration(accountant, epsilon: row.epsilon, delta: row.delta)
      let noise = try calibration.noiseMultiplier(for: try event(row.rate, 1, row.steps))
      if accountant == .pld { #expect(abs(noise / row.noise - 1) < 1e-4) }
      let ledger = try LedgerFixture.poisson(row.rate, noise, row.steps)
      let reached = accountant.epsilon(ledger, delta: row.delta)
      #expect(reached <= row.epsilon)
      #expect(reached >= row.epsilon * (1 - 1e-4))
    }
  }

  @Test("steps: the last that fits", arguments: Accountant.allCases)
  func steps(
    accountant: Accountant
  ) throws {
    let calibration = try Calibration(accountant, epsilon: 1.5, delta: 1e-5)
    let steps = try calibration.steps(for: try event(0.02, 1.1, 1))
    #expect(steps > 10)
    func epsilon(_ steps: Int) throws -> Double {
      accountant.epsilon(try LedgerFixture.poisson(0.02, 1.1, steps), delta: 1e-5)
    }
    #expect(try epsilon(steps) <= 1.5)
    #expect(try epsilon(steps + 1) > 1.5)
  }

  @Test("rate: the target is met, and not by a wide margin", arguments: Accountant.allCases)
  func rate(accountant: Accountant) throws {
    let calibration = try Calibration(accountant, epsilon: 2, delta: 1e-6)
    let rate = try calibration.samplingRate(for: try event(0.5, 1.3, 800))
    let reached = accountant.epsilon(try LedgerFixture.poisson(rate, 1.3, 800), delta: 1e-6)
    #expect(reached <= 2 && reached >= 2 * (1 - 1e-4))
  }

  @Test("without sampling the noise is exact")
  func gaussian() throws {
    let calibration = try Calibration(epsilon: 8, delta: 1e-5)
    let once = try calibration.noiseMultiplier(for: try event(1, 1, 1))
    #expect(abs(once - 0.6002290721989516) < 1e-12)
    // Replacement moves the sum twice as far.
    let replaced = try PrivacyEvent(
      unit: .client, sampling: .none, neighbours: .replaceOne, samplingRate: 1, noiseMultiplier: 1,
      steps: 1)
    #expect(abs(try calibration.noiseMultiplier(for: replaced) / once - 2) < 1e-12)
  }

  @Test("without sampling the claim is met to the last bit", arguments: [1, 3, 10, 999])
  func gaussianClaim(steps: Int) throws {
    for (epsilon, delta) in [(1.0, 1e-5), (0.01, 1e-9), (20, 1e-3)] {
      let noise = try Calibration(epsilon: epsilon, delta: delta).noiseMultiplier(
        for: try event(1, 1, steps))
      let ledger = try LedgerFixture.poisson(1, noise, steps)
      #expect(PLDAccountant().epsilon(ledger, delta: delta) <= epsilon)
    }
  }

  @Test("nothing helps when what was spent is beyond the target")
  func overspent() throws {
    let spent = try LedgerFixture.poisson(0.1, 1, 500)
    let calibration = try Calibration(epsilon: 0.5, delta: 1e-5, spent: spent)
    #expect(throws: AccountingError.self) {
      try calibration.noiseMultiplier(for: try event(0.1, 1, 0))
    }
    #expect(throws: AccountingError.self) { try calibration.steps(for: try event(0, 1, 1)) }
  }

  @Test("small epsilon and small delta have their noise", arguments: Accountant.allCases)
  func small(accountant: Accountant) throws {
    for (rate, steps, epsilon, delta) in [
      (0.01, 10, 0.01, 1e-8), (0.1, 1000, 0.003, 1e-7), (1e-18, 1000, 1, 1e-5),
    ] {
      guard
        let noise = try? Calibration(accountant, epsilon: epsilon, delta: delta).noiseMultiplier(
          for: try event(rate, 1, steps))
      else {
        // Rényi divergences are too loose for some.
        #expect(accountant == .rdp)
        continue
      }
      let ledger = try LedgerFixture.poisson(rate, noise, steps)
      #expect(accountant.epsilon(ledger, delta: delta) <= epsilon)
    }
    let noise = try Calibration(.pld, epsilon: 0.01, delta: 1e-8).noiseMultiplier(
      for: try event(0.01, 1, 10))
    #expect(noise > 13.6 && noise < 13.8)
  }

  @Test("what was spent counts")
  func spent() throws {
    let spent = try LedgerFixture.poisson(0.01, 1, 500)
    let calibration = try Calibration(epsilon: 2, delta: 1e-5, spent: spent)
    let noise = try calibration.noiseMultiplier(for: try event(0.01, 1, 500))
    var ledger = spent
    ledger.record(try event(0.01, noise, 500))
    let reached = PLDAccountant().epsilon(ledger, delta: 1e-5)
    #expect(reached <= 2 && reached > 1.999)
    let alone = try Calibration(epsilon: 2, delta: 1e-5).noiseMultiplier(
      for: try event(0.01, 1, 500))
    #expect(noise > alone)
  }

  @Test("the ends of the ranges")
  func ends() throws {
    let easy = try Calibration(epsilon: 1e6, delta: 0.1)
    #expect(try easy.noiseMultiplier(for: try event(0.1, 1, 1)) == 0.01)
    #expect(try easy.steps(for: try event(0, 1, 1)) == PrivacyEvent.stepLimit)
    #expect(try easy.samplingRate(for: try event(0.1, 1, 1)) == 1)
    let hard = try Calibration(epsilon: 1e-3, delta: 1e-9)
    for question in [
      { _ = try hard.steps(for: try event(0.5, 0.5, 1)) },
      { _ = try hard.noiseMultiplier(for: try event(1, 1, 1_000_000_000)) },
    ] {
      let error = #expect(throws: AccountingError.self, performing: question)
      guard case .unreachable = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    for (epsilon, delta) in [(0.0, 0.1), (.nan, 0.1), (1, 0), (1, 1), (1, .nan)] {
      #expect(throws: AccountingError.self) { try Calibration(epsilon: epsilon, delta: delta) }
    }
  }

  @Test("both accountants at once")
  func together() throws {
    let ledger = try LedgerFixture.poisson(0.01, 1, 1000)
    let both = try PrivacyAccounting.epsilon(ledger, delta: 1e-5)
    #expect(abs(both.pld - 1.8282) < 1e-3)
    #expect(abs(both.rdp - 2.10136527165) < 1e-8)
    #expect(both.order == 7.8)
    #expect(!both.isOrderAtEdge)
    #expect(abs(try PrivacyAccounting.delta(ledger, epsilon: both.pld) / 1e-5 - 1) < 1e-3)
    for delta in [0, 1, .nan, -1] {
      #expect(throws: AccountingError.self) { try PrivacyAccounting.epsilon(ledger, delta: delta) }
    }
  }
}

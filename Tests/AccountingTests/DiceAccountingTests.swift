import Foundation
import Testing

@testable import Accounting

@Suite("Budget of clipped error feedback")
struct DiceAccountingTests {
  private func dice(
    _ mode: DiceAccounting.Mode, ratio: Double = 1, cap: Double = 1, steps: Int = 100
  ) throws -> DiceAccounting {
    try DiceAccounting(
      mode: mode, errorRatio: ratio, capRatio: cap, samplingRate: 0.02, steps: steps)
  }

  @Test("as published: the noise of DP-SGD times the factor")
  func published() throws {
    #expect(abs(try dice(.paper(.pld)).publishedFactor - 3.0.squareRoot()) < 1e-15)
    #expect(abs(try dice(.paper(.pld), ratio: 0.5).publishedFactor - 2.0.squareRoot()) < 1e-15)
    #expect(try dice(.paper(.pld), ratio: 2).publishedFactor == 3)
    for (accountant, epsilon, expected) in [
      (.rdp, 2, 0.9682), (.pld, 2, 0.8814), (.rdp, 8, 0.5740), (.pld, 8, 0.5359),
    ] as [(Accountant, Double, Double)] {
      let accounting = try dice(.paper(accountant))
      let answer = try accounting.noise(epsilon: epsilon, delta: 1e-5)
      #expect(abs(answer.value / accounting.publishedFactor - expected) < 1e-4)
      #expect(answer.label.contains("not independently verified"))
      let back = try accounting.epsilon(noise: answer.value, delta: 1e-5)
      #expect(abs(back.value / epsilon - 1) < 1e-4)
      #expect(back.label == answer.label)
    }
  }

  /// Cap, ε, noise for two uses of an example, noise for Poisson uses, both without the limit by
  /// the error's threshold, which a large ratio makes idle.
  @Test(
    "worst case: numbers of an independent computation",
    arguments: [
      (1, 2, 2.82, 3.97), (2, 2, 6.81, 13.96), (5, 2, 18.8, 44.3), (1, 8, 0.849, 1.28),
      (2, 8, 2.05, 4.73), (5, 8, 5.65, 15.2),
    ] as [(Double, Double, Double, Double)])
  func worstCase(
    cap: Double, epsilon: Double, fixed: Double, poisson: Double
  ) throws {
    for (mode, expected) in [(.fixed(participations: 2), fixed), (.poisson, poisson)]
      as [(DiceAccounting.Mode, Double)]
    {
      let accounting = try dice(mode, ratio: 1e6, cap: cap)
      let answer = try accounting.noise(epsilon: epsilon, delta: 1e-5)
      // Three digits are known.
      #expect(abs(answer.value / expected - 1) < 3e-3)
      let back = try accounting.epsilon(noise: answer.value, delta: 1e-5)
      #expect(abs(back.value / epsilon - 1) < 1e-9)
    }
  }

  @Test("worst case: the threshold of the error limits it")
  func limit() throws {
    let accounting = try dice(.poisson, ratio: 0.1, cap: 50)
    #expect(accounting.wholeRunSensitivity(participations: 0) == 0)
    // √4 + min(4 · 49, 2 · 0.1 · √100)
    #expect(accounting.wholeRunSensitivity(participations: 4) == 4)
    #expect(accounting.wholeRunSensitivity(participations: 1) == 3)
    // One use, no limit: DP-SGD clipped at G.
    #expect(try dice(.poisson, cap: 5).wholeRunSensitivity(participations: 1) == 5)
  }

  @Test("all and none take part")
  func ends() throws {
    func noise(_ rate: Double) throws -> Double {
      try DiceAccounting(mode: .poisson, errorRatio: 1, samplingRate: rate, steps: 4).noise(
        epsilon: 1, delta: 1e-5
      ).value
    }
    let fixed = try DiceAccounting(
      mode: .fixed(participations: 4), errorRatio: 1, samplingRate: 1, steps: 4)
    #expect(abs(try noise(1) / (try fixed.noise(epsilon: 1, delta: 1e-5).value) - 1) < 1e-12)
    #expect(try noise(0) < 1e-5)
    let idle = try DiceAccounting(mode: .poisson, errorRatio: 1, samplingRate: 0, steps: 4)
    #expect(try idle.epsilon(noise: 1, delta: 1e-5).value == 0)
    #expect(try dice(.poisson).epsilon(noise: 0, delta: 1e-5).value == .infinity)
  }

  @Test("kept by the client it is plain DP-FedAvg")
  func client() throws {
    let answer = try dice(.client(.pld)).epsilon(noise: 1, delta: 1e-5)
    let ledger = PrivacyLedger([
      try .poisson(unit: .client, rate: 0.02, noiseMultiplier: 1, steps: 100)
    ])
    #expect(answer.value == PLDAccountant().epsilon(ledger, delta: 1e-5))
  }

  @Test("numbers out of range are refused")
  func ranges() {
    for (ratio, cap, rate, steps) in [
      (-1, 1, 0.1, 1), (1, 0.5, 0.1, 1), (1, 1, 2, 1), (1, 1, 0.1, -1), (.nan, 1, 0.1, 1),
    ] as [(Double, Double, Double, Int)] {
      #expect(throws: AccountingError.self) {
        try DiceAccounting(
          mode: .poisson, errorRatio: ratio, capRatio: cap, samplingRate: rate, steps: steps)
      }
    }
    #expect(throws: AccountingError.self) { try dice(.fixed(participations: 101)) }
    #expect(throws: AccountingError.self) { try dice(.poisson).epsilon(noise: 1, delta: 0) }
    #expect(throws: AccountingError.self) { try dice(.poisson).noise(epsilon: 0, delta: 0.1) }
  }
}

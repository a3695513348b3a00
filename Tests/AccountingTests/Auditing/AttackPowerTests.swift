import Foundation
import TestSupport
import Testing

@testable import Accounting

/// What the best test of membership finds: closed forms, a reference, and slow integrals.
@Suite("Attack power")
struct AttackPowerTests {
  private func power(_ q: Double, _ s: Double, _ steps: Int, _ a: Double) throws -> Double {
    let event = try PrivacyEvent.poisson(
      unit: .example, rate: q, noiseMultiplier: s, steps: steps)
    return PLDAccountant().attackPower(PrivacyLedger([event]), falsePositives: [a])[0]
      .truePositives
  }

  @Test(
    "delta of a shift, scipy 1.17.1",
    arguments: [
      (1.0, 0.0, 0.3829249225), (1, 1, 0.1269367375), (0.5, 1, 0.006829594983),
      (2, 4, 0.08495331867), (4, 10, 0.2336988079),
    ])
  func delta(mu: Double, epsilon: Double, expected: Double) {
    #expect(abs(GaussianMechanism(shift: mu).delta(epsilon: epsilon) - expected) < 1e-10)
  }

  @Test(
    "epsilon of a shift and back, delta 1e-5, scipy 1.17.1",
    arguments: [
      (0.25, 0.926341504), (0.5, 1.993091404), (1, 4.377178096), (1.5, 7.051413224),
      (2, 9.997256146), (3, 16.6754944), (4, 24.38161088),
    ])
  func epsilon(mu: Double, expected: Double) {
    #expect(abs(GaussianMechanism(shift: mu).epsilon(delta: 1e-5) - expected) < 1e-8 * expected)
    #expect(abs(GaussianMechanism(epsilon: expected, delta: 1e-5).shift - mu) < 1e-8)
  }

  @Test(
    "shift of an epsilon, delta 1e-5, scipy 1.17.1",
    arguments: [
      (0.5, 0.1422105587), (1, 0.2680511232), (2, 0.5015516892), (3, 0.7191174352),
      (4, 0.9249308977), (8, 1.666030598),
    ])
  func shift(epsilon: Double, expected: Double) {
    #expect(abs(GaussianMechanism(epsilon: epsilon, delta: 1e-5).shift - expected) < 1e-9)
  }

  @Test(
    "members found by the best test of a shift, scipy 1.17.1",
    arguments: [
      (0.5, 0.001, 0.004795559209), (0.5, 0.01, 0.03389893912), (0.5, 0.1, 0.2172390804),
      (1, 0.001, 0.01829846841), (1, 0.01, 0.09236224807), (1, 0.1, 0.3891436916),
      (2, 0.001, 0.1378054129), (2, 0.01, 0.3720805854), (2, 0.1, 0.7637595841),
    ])
  func gaussian(mu: Double, a: Double, expected: Double) throws {
    let mechanism = GaussianMechanism(shift: mu)
    #expect(abs(mechanism.power(falsePositives: a) - expected) < 1e-9)
    // The least over all ε of the lines above the curve is the curve.
    var least = 1.0
    for step in 0...20_000 {
      let epsilon = Double(step) * 1e-3
      least = min(least, exp(epsilon) * a + mechanism.delta(epsilon: epsilon))
    }
    #expect(abs(least - expected) < 1e-5)
    // Releases without sampling are one Gaussian.
    #expect(abs(try power(1, 2 / mu, 4, a) - expected) < 1e-9)
  }

  @Test("shifts of two releases add like the sides of a triangle")
  func composition() {
    let both = GaussianMechanism(shift: 0.3).composed(with: GaussianMechanism(shift: 0.4))
    #expect(abs(both.shift - 0.5) < 1e-15)
  }

  @Test("all, nothing, and the ends of the range")
  func ends() throws {
    #expect(abs(GaussianMechanism(shift: 0).power(falsePositives: 0.01) - 0.01) < 1e-15)
    #expect(GaussianMechanism(shift: .infinity).power(falsePositives: 0) == 1)
    #expect(GaussianMechanism(shift: 1).power(falsePositives: 0) == 0)
    #expect(GaussianMechanism(shift: 1).power(falsePositives: 1) == 1)
    #expect(GaussianMechanism(epsilon: 1, delta: 0).shift == 0)
    #expect(GaussianMechanism(epsilon: 1, delta: 1).shift == .infinity)
    #expect(try power(0.1, 0, 5, 0.01) == 1)
    #expect(try power(0.1, 1, 5, 1) == 1)
    #expect(abs(try power(0.1, 1, 0, 0.01) - 0.01) < 1e-15)
    #expect(abs(try power(0, 1, 5, 0.01) - 0.01) < 1e-15)
    #expect(try power(0.1, 1, 5, 0) <= 5 * 0.1)
  }

  @Test(
    "1000 steps at rate 0.01 with noise 1: a grid of 1e-4, numpy 2.4.6",
    arguments: [(0.001, 0.0040685), (0.01, 0.029139), (0.1, 0.19421)])
  func reference(a: Double, expected: Double) throws {
    let found = try power(0.01, 1, 1000, a)
    // The reference looked at every hundredth of ε, so it is a little above.
    #expect(found < expected * 1.0003 && found > expected * 0.999, "\(found)")
  }

  @Test("one step: the likelihood ratio of the two mixtures")
  func single() throws {
    var dice = SystemDice(seed: 5)
    func tail(_ x: Double) -> Double { 0.5 * erfc(x / 2.0.squareRoot()) }
    for _ in 0..<12 {
      let (q, s) = (0.01 + 0.9 * dice.uniform(), 0.5 + 2 * dice.uniform())
      let t = 3 * s * dice.uniform()
      let a = tail(t / s)
      let exact = (1 - q) * a + q * tail((t - 1) / s)
      let found = try power(q, s, 1, a)
      #expect(found >= exact * (1 - 1e-9), "\(q) \(s) \(t)")
      #expect(found <= exact * 1.001, "\(q) \(s) \(t): \(found) \(exact)")
    }
  }

  @Test(
    "several steps: repeated integration", arguments: [(0.1, 1.0, 6), (0.3, 2, 12), (0.5, 1.5, 3)])
  func slow(q: Double, s: Double, steps: Int) throws {
    let removal = SlowPrivacyProfile(rate: q, noise: s, steps: steps, isAddition: false)
    let addition = SlowPrivacyProfile(rate: q, noise: s, steps: steps, isAddition: true)
    for a in [1e-3, 1e-2, 0.1, 0.4] {
      var exact = 1.0
      for step in 0..<4000 {
        let epsilon = Double(step) * 2e-3
        exact = min(exact, exp(epsilon) * a + removal.delta(epsilon))
        exact = min(exact, 1 - exp(-epsilon) * (1 - a - addition.delta(epsilon)))
      }
      let found = try power(q, s, steps, a)
      #expect(found >= exact * (1 - 1e-4) && found <= exact * 1.001, "\(a): \(found) \(exact)")
    }
  }

  @Test("more false alarms find more; sampling hides; noise hides; never less than guessing")
  func ordered() throws {
    var dice = SystemDice(seed: 13)
    for _ in 0..<8 {
      let (q, s) = (0.002 + 0.5 * dice.uniform(), 0.6 + 2 * dice.uniform())
      let steps = 1 + dice.below(200)
      let a = pow(10, -3 * dice.uniform() - 0.3)
      let found = try power(q, s, steps, a)
      #expect(found >= a && found <= 1)
      #expect(found <= (try power(q, s, steps, min(1, 2 * a))) * 1.001)
      #expect(found <= (try power(min(1, 2 * q), s, steps, a)) * 1.001)
      #expect((try power(q, 2 * s, steps, a)) <= found * 1.001)
      let gaussian = GaussianMechanism(noiseMultiplier: s, steps: steps)
      #expect(found <= gaussian.power(falsePositives: a) * 1.0001)
    }
  }

  @Test("cohorts of a fixed size: symmetric, and worse than Poisson's")
  func replaced() throws {
    let fixed = try PrivacyEvent.fixedSize(
      unit: .client, drawn: 10, of: 100, noiseMultiplier: 1, steps: 20)
    let found = PLDAccountant().attackPower(PrivacyLedger([fixed]), falsePositives: [0.01])[0]
    #expect(found.truePositives > (try power(0.1, 1, 20, 0.01)))
    #expect(found.truePositives < (try power(1, 0.5, 20, 0.01)))
  }
}

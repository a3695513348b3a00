import Foundation
import TestSupport
import Testing

@testable import Accounting

/// Brackets of ε against what must hold for any ledger, over many random ones.
@Suite("Certified epsilon")
struct EpsilonCertificateTests {
  /// Numbers without a pattern, the same in every run.
  private struct Draws {
    var state: UInt64

    mutating func unit() -> Double {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }

    mutating func scaled(_ low: Double, _ high: Double) -> Double {
      low * exp(unit() * log(high / low))
    }
  }

  private struct Row: CustomStringConvertible {
    var rate: Double
    var noise: Double
    var steps: Int
    var delta: Double

    init(_ draws: inout Draws, smallestRate: Double = 1e-5) {
      let kind = draws.unit()
      rate =
        kind < 0.1 ? 1 - draws.scaled(1e-9, 0.5) : kind < 0.15 ? 1 : draws.scaled(smallestRate, 1)
      // Half of the rows where losses are largest.
      noise = draws.unit() < 0.5 ? 0.2 + 0.8 * draws.unit() : draws.scaled(0.5, 100)
      steps = Int(draws.scaled(1, 1e5))
      delta = draws.scaled(1e-15, 0.1)
    }

    var description: String { "--rate \(rate) --noise \(noise) --steps \(steps) --delta \(delta)" }

    func ledger() throws -> PrivacyLedger { try LedgerFixture.poisson(rate, noise, steps) }

    /// A lower bound from one event: that the sum of all outputs is below −y.
    ///
    /// It is N(−k, Tσ²) where the unit took part k times, against N(0, Tσ²).
    func epsilonOfOneEvent() -> Double {
      let spread = noise * Double(steps).squareRoot()
      var best = 0.0
      for place in stride(from: 0.0, through: 12, by: 0.5) {
        let y = place * spread
        var removed = 0.0
        var weight = pow(1 - rate, Double(steps))
        for k in 0...min(steps, 400) {
          removed += weight * NormalTail.probability((y - Double(k)) / spread)
          if rate < 1 { weight *= Double(steps - k) / Double(k + 1) * rate / (1 - rate) }
        }
        let still = NormalTail.probability(y / spread)
        if removed > delta, still > 1e-290 { best = max(best, log((removed - delta) / still)) }
      }
      return best
    }
  }

  /// Rows in ten parts, which tests take side by side.
  private static let parts = Array(0..<10)
  private static let slack = 1 + 1e-9

  @Test("ten thousand rows: bounds keep their order and hold what is known", arguments: parts)
  func invariants(part: Int) throws {
    // A rough accountant is as certified as the one that answers, only wider.
    let accountant = PLDAccountant(precision: 0.05, longestWindow: 1 << 14)
    var draws = Draws(state: UInt64(part) << 32)
    func bracket(_ row: Row) throws -> EpsilonBracket {
      accountant.bracket(try row.ledger(), delta: row.delta)
    }
    for number in 0..<1000 {
      let row = Row(&draws)
      let found = try bracket(row)
      #expect(found.lower >= 0 && found.lower <= found.upper, "\(row)")
      let rdp = RDPAccountant.standard.epsilon(try row.ledger(), delta: row.delta).value
      #expect(found.upper <= rdp && found.lower <= rdp, "\(row)")
      let unsampled = GaussianMechanism(noiseMultiplier: row.noise, steps: row.steps).epsilon(
        delta: row.delta)
      #expect(found.upper <= unsampled * Self.slack, "\(row)")
      if let addition = found.addition, row.rate < 1 {
        #expect(addition.lower <= -Double(row.steps) * log1p(-row.rate) * Self.slack, "\(row)")
      }
      if row.steps <= 300 { #expect(found.upper >= row.epsilonOfOneEvent() / Self.slack, "\(row)") }
      // Costlier in one way, which changes from row to row: not below the lower bound.
      var costlier = row
      switch number % 4 {
      case 0: costlier.steps += max(1, Int(draws.unit() * Double(row.steps)))
      case 1: costlier.rate = min(1, row.rate * (1 + draws.unit()))
      case 2: costlier.noise = row.noise * (1 - 0.5 * draws.unit())
      default: costlier.delta = row.delta * (1 - 0.9 * draws.unit())
      }
      #expect(try bracket(costlier).upper >= found.lower / Self.slack, "\(row) \(costlier)")
    }
  }

  @Test("the accountant that answers: one thousandth, and monotone to that")
  func answers() throws {
    let accountant = PLDAccountant()
    var draws = Draws(state: 77)
    for number in 0..<120 {
      var row = Row(&draws, smallestRate: 1e-3)
      row.steps = Int(draws.scaled(1, 2e4))
      let found = accountant.bracket(try row.ledger(), delta: row.delta)
      #expect(found.lower <= found.upper)
      if found.upper > 1e-3 { #expect(found.total.relativeWidth <= 1e-3, "\(row)") }
      var costlier = row
      if number.isMultiple(of: 2) { costlier.steps += 1 } else { costlier.noise *= 0.999 }
      let more = accountant.bracket(try costlier.ledger(), delta: row.delta)
      #expect(more.upper >= found.upper * (1 - 1e-3), "\(row)")
    }
  }

  @Test("sums of ledgers cost at most the sum of both, and two halves as much as the whole")
  func composition() throws {
    let accountant = PLDAccountant(precision: 0.01, longestWindow: 1 << 16)
    var draws = Draws(state: 5)
    for _ in 0..<150 {
      let (a, b) = (Row(&draws, smallestRate: 1e-3), Row(&draws, smallestRate: 1e-3))
      var both = try a.ledger()
      for event in try b.ledger().events { both.record(event) }
      let alone = accountant.bracket(try a.ledger(), delta: a.delta)
      let other = accountant.bracket(try b.ledger(), delta: b.delta)
      let sum = accountant.bracket(both, delta: min(0.5, a.delta + b.delta))
      #expect(sum.lower <= (alone.upper + other.upper) * Self.slack, "\(a) \(b)")
      #expect(
        accountant.bracket(both, delta: a.delta).upper >= alone.lower / Self.slack, "\(a) \(b)")
      // The same steps told as two kinds that differ in the last digits.
      let half = try PrivacyEvent.poisson(
        unit: .example, rate: a.rate, noiseMultiplier: a.noise * (1 + 1e-14), steps: a.steps)
      var split = try a.ledger()
      split.record(half)
      let whole = try LedgerFixture.poisson(a.rate, a.noise, 2 * a.steps)
      let (two, one) = (
        accountant.bracket(split, delta: a.delta), accountant.bracket(whole, delta: a.delta)
      )
      #expect(two.lower <= one.upper * Self.slack && one.lower <= two.upper * Self.slack, "\(a)")
    }
  }

  @Test("bracketed by repeated integration", arguments: parts)
  func slowReference(part: Int) throws {
    let accountant = PLDAccountant()
    var draws = Draws(state: UInt64(part) << 20 + 9)
    for _ in 0..<20 {
      let (rate, noise) = (draws.scaled(0.05, 0.999), draws.scaled(0.4, 4))
      let steps = 1 + Int(draws.unit() * 6)
      let profiles = [false, true].map {
        SlowPrivacyProfile(rate: rate, noise: noise, steps: steps, isAddition: $0)
      }
      guard let range = profiles[0].epsilons(from: 1e-12, to: 0.3) else { continue }
      let epsilon = range.lowerBound + draws.unit() * (range.upperBound - range.lowerBound)
      let delta = max(profiles[0].delta(epsilon), profiles[1].delta(epsilon))
      let found = accountant.bracket(try LedgerFixture.poisson(rate, noise, steps), delta: delta)
      let label = "\(rate) \(noise) \(steps) \(epsilon) \(delta)"
      // Between points the reference is a cubic: five digits.
      #expect(found.lower <= epsilon * (1 + 2e-5), "\(label) \(found.total)")
      #expect(found.upper >= epsilon * (1 - 2e-5), "\(label) \(found.total)")
      #expect(found.total.relativeWidth < 5e-4, "\(label)")
      let exact = accountant.deltaBracket(
        try LedgerFixture.poisson(rate, noise, steps), epsilon: epsilon)
      #expect(exact.lower <= delta * (1 + 1e-3) && exact.upper >= delta * (1 - 1e-3), "\(label)")
    }
  }

  @Test("many steps at little noise, where a window once began above the answer")
  func smallNoise()
    throws
  {
    // dp-accounting 0.6.0, grid of 10⁻⁴, Python 3.11: an upper bound like ours.
    for (rate, noise, steps, delta, expected) in [
      (0.03, 0.7, 371, 1e-5, 8.581556305058488), (0.03, 0.7, 372, 1e-5, 8.591757321427897),
      (0.03, 0.7, 373, 1e-5, 8.601948249665083), (0.05, 0.5, 78, 1e-5, 16.457415985542557),
      (0.01, 0.35, 500, 1e-6, 35.96634591363583), (0.2, 0.4, 1000, 1e-5, 492.01727735126974),
    ] {
      let found = PLDAccountant().bracket(
        try LedgerFixture.poisson(rate, noise, steps), delta: delta)
      #expect(abs(found.upper / expected - 1) < 2e-4)
      #expect(found.lower < expected)
      #expect(found.total.relativeWidth < 3e-4)
    }
  }

  @Test(
    "where roundings are as large as what is asked for",
    arguments: [
      // δ by quadrature with 40 digits (mpmath), and the ε that has it.
      (0.3, 0.02, 1, 1e-5, 1447.22796), (0.3, 0.02, 2, 1e-5, 2757.70342),
      (0.01, 3_021_424.659, 2, 1.8488442378710944e-9, 3.70214e-11),
      (0.1, 97_454_192.0, 3, 6.93145980656002e-10, 3.20163e-11),
      (0.5, 1e9, 2, 2.5e-10, 6.66976e-11), (0.5, 1e10, 2, 2.5e-11, 6.66976e-12),
      (0.01, 40_337_579_137.441, 2, 1.384848493842471e-13, 2.77e-15),
      (1, 1e8, 1, 1e-9, 9.0234634997e-9), (1, 1e8, 1, 1e-12, 3.36301533029e-8),
      (1, 100, 1, 1e-5, 0.027219419814577135),
    ])
  func roundings(
    row: (rate: Double, noise: Double, steps: Int, delta: Double, epsilon: Double)
  ) throws {
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, row.steps)
    let found = PLDAccountant().bracket(ledger, delta: row.delta)
    // As many digits as the reference has.
    #expect(found.lower <= row.epsilon * (1 + 1e-5), "\(found.total)")
    #expect(found.upper >= row.epsilon * (1 - 1e-5), "\(found.total)")
    #expect(found.upper < 1e-13 || found.total.relativeWidth < 1e-2)
  }

  @Test("adding a unit, where steps without sampling stand beside sampled ones")
  func additions()
    throws
  {
    for (noise, steps, sampled, other, delta) in [
      (1.0, 1000, 1e-9, 1.0, 1e-5), (0.1, 1, 1e-5, 1.0, 0.1), (0.03, 1, 1e-5, 1.0, 0.3),
    ] {
      var ledger = try LedgerFixture.poisson(1, noise, steps)
      let alone = GaussianMechanism(noiseMultiplier: noise, steps: steps).epsilon(delta: delta)
      ledger.record(try .poisson(unit: .example, rate: sampled, noiseMultiplier: other, steps: 1))
      let found = PLDAccountant().bracket(ledger, delta: delta)
      #expect(found.upper >= alone * (1 - 1e-9))
      // Neither direction costs less than the steps without sampling do.
      if let addition = found.addition { #expect(addition.upper >= alone * (1 - 1e-9)) }
    }
  }

  @Test("at any extreme there is an answer")
  func extremes() throws {
    let accountant = PLDAccountant()
    let rates = [1e-300, 1e-18, 1e-9, 0.5, 1 - 1e-16, 1]
    let noises = [Double.leastNonzeroMagnitude, 1e-300, 1e-150, 1e-3, 0.01, 1, 1e6, 1e150, 1e300]
    for rate in rates {
      for noise in noises {
        for steps in [1, 4, 1_000_000_000] {
          for delta in [Double.leastNonzeroMagnitude, 1e-300, 1e-5, 0.999_999] {
            let ledger = try LedgerFixture.poisson(rate, noise, steps)
            let rough = PLDAccountant(precision: 0.05, longestWindow: 1 << 12)
            let found = rough.bracket(ledger, delta: delta)
            let label = "\(rate) \(noise) \(steps) \(delta): \(found.total)"
            #expect(found.lower >= 0 && found.lower <= found.upper, "\(label)")
            #expect(!found.upper.isNaN, "\(label)")
          }
        }
      }
    }
    // The last term of a run that hides nothing, and one that hides everything.
    #expect(accountant.epsilon(try LedgerFixture.poisson(0.5, 1e-300, 9), delta: 1e-5) == .infinity)
    #expect(accountant.epsilon(try LedgerFixture.poisson(1e-300, 1, 9), delta: 1e-5) == 0)
  }

  @Test("a bound that contradicts the other one, or is no number, is not taken")
  func faults() {
    var bracket = Bracket(lower: 2, upper: 5)
    bracket.tighten(upper: 1)
    bracket.tighten(upper: .nan)
    bracket.tighten(lower: .nan)
    bracket.tighten(lower: 6)
    bracket.tighten(upper: nil)
    #expect(bracket == Bracket(lower: 2, upper: 5))
    bracket.tighten(upper: 3)
    bracket.tighten(lower: 2.5)
    #expect(bracket == Bracket(lower: 2.5, upper: 3))
  }
}

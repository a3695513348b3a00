import Foundation
import Testing

@testable import Federation

@Suite("Privacy loss accountant") struct PLDAccountantTests {
  private let accountant = PLDAccountant()

  @Test("epsilon of dp-accounting on the same grid", arguments: PrivacyGolden.runs)
  func sameGrid(
    row: (rate: Double, noise: Double, steps: Int, delta: Double, pld: Double, rdp: Double)
  ) throws {
    if row.rate == 1 { return }  // a closed form here
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, row.steps)
    let found = PLDAccountant(interval: 1e-4).epsilon(ledger, delta: row.delta)
    // It cuts tails of 10⁻¹⁵ and rounds second differences of numbers near 1.
    #expect(abs(found - row.pld) <= 1e-5 * row.pld, "\(found) \(row.pld)")
  }

  @Test("between the optimistic bound and the others", arguments: PrivacyGolden.runs)
  func sandwich(
    row: (rate: Double, noise: Double, steps: Int, delta: Double, pld: Double, rdp: Double)
  ) throws {
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, row.steps)
    let found = accountant.epsilon(ledger, delta: row.delta)
    #expect(found <= row.pld * (1 + 1e-4))
    #expect(found <= RDPAccountant.standard.epsilon(ledger, delta: row.delta).value + 1e-9)
    #expect(found >= PLDAccountant(.optimistic).epsilon(ledger, delta: row.delta))
    // Half the interval cannot be above, nor far below.
    let fine = accountant.solve(ledger, delta: row.delta)
    if fine.interval > 0, fine.value > 0 {
      let finer = PLDAccountant(interval: fine.interval / 2).epsilon(ledger, delta: row.delta)
      #expect(finer <= found * (1 + 1e-9))
      #expect(finer >= found * (1 - 1e-4) - 1e-6)
    }
  }

  @Test("delta of two steps, however small", arguments: PrivacyGolden.twoSteps)
  func twoSteps(row: (rate: Double, noise: Double, epsilon: Double, delta: Double)) throws {
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, 2)
    let found = accountant.delta(ledger, epsilon: row.epsilon)
    #expect(found >= row.delta * (1 - 4e-6))
    #expect(found <= row.delta * (1 + 4e-4))
    let epsilon = accountant.epsilon(ledger, delta: row.delta)
    #expect(abs(epsilon / row.epsilon - 1) < 6e-5)
    #expect(PLDAccountant(.optimistic).delta(ledger, epsilon: row.epsilon) <= row.delta)
  }

  @Test("one step is the amplified Gaussian", arguments: [0.01, 0.3, 0.9], [0.4, 2.0])
  func oneStep(rate: Double, noise: Double) throws {
    for epsilon in [0.05, 0.7, 3] {
      // e^{ε'} = 1 + (e^ε − 1)/q makes δ(ε) = q δ_Gauss(ε'), for both kinds of neighbours.
      let inner = log1p(expm1(epsilon) / rate)
      let expected = rate * GaussianMechanism(noiseMultiplier: noise).delta(epsilon: inner)
      let poisson = try LedgerFixture.poisson(rate, noise, 1)
      let fixed = try LedgerFixture.fixed(rate, 2 * noise, 1)
      for ledger in [poisson, fixed] {
        // On a grid that has ε the construction is exact.
        let found = PLDAccountant(interval: 0.05 / 64).delta(ledger, epsilon: epsilon)
        #expect(abs(found / expected - 1) < 1e-9)
      }
    }
  }

  @Test("the direction of addition is the mirror image of removal")
  func mirror() {
    let pair = SampledGaussianPair(rate: 0.1, noise: 0.8)
    let removed = pair.privacyLoss(.remove, interval: 1e-2, reach: 8)
    let added = pair.privacyLoss(.add, interval: 1e-2, reach: 8)
    #expect(removed.first == -added.last)
    for place in removed.masses.indices {
      let mirrored = removed.masses[place] * exp(-removed.loss(place))
      let mass = added.masses[added.masses.count - 1 - place]
      #expect(abs(mass - mirrored) <= 1e-9 * mirrored + 1e-16)
    }
    for loss in [removed, added, pair.privacyLoss(.replace, interval: 1e-2, reach: 8)] {
      #expect(abs(loss.masses.reduce(loss.infinite, +) - 1) < 1e-13)
    }
  }

  @Test("the cumulant of masses is the sum that defines it", arguments: [-30.0, -1, 0, 2, 75])
  func cumulant(t: Double) {
    let loss = SampledGaussianPair(rate: 0.2, noise: 0.9)
      .privacyLoss(.remove, interval: 3e-3, reach: 7)
    let exponents = loss.masses.indices.map { log(loss.masses[$0]) + t * loss.loss($0) }
    let value = LogSum.all(exponents)
    let mean = loss.masses.indices.reduce(0) { $0 + loss.loss($1) * exp(exponents[$1] - value) }
    let found = loss.cumulant(t)
    #expect(abs(found.value - value) < 1e-12 * max(1, abs(value)))
    #expect(abs(found.mean - mean) < 1e-11 * max(1, abs(mean)))
  }

  @Test("releases without sampling are one Gaussian, alone and beside others")
  func gaussian() throws {
    let ledger = PrivacyLedger([
      try .poisson(unit: .example, rate: 1, noiseMultiplier: 20, steps: 100),
      try .poisson(unit: .example, rate: 1, noiseMultiplier: 5, steps: 3),
    ])
    let exact = GaussianMechanism(shift: (100.0 / 400 + 3.0 / 25).squareRoot())
    #expect(accountant.epsilon(ledger, delta: 1e-6) == exact.epsilon(delta: 1e-6))
    // A sampled step that costs next to nothing sends the Gaussian through the grid.
    var mixed = ledger
    mixed.record(try .poisson(unit: .example, rate: 1e-6, noiseMultiplier: 50, steps: 1))
    let found = accountant.epsilon(mixed, delta: 1e-6)
    #expect(abs(found / exact.epsilon(delta: 1e-6) - 1) < 1e-4)
  }

  @Test("sampling that leaves out almost nobody is no sampling", arguments: [0.4, 1.0, 30.0])
  func nearlyAll(noise: Double) throws {
    let found = accountant.epsilon(try LedgerFixture.poisson(0.999_999, noise, 4), delta: 1e-5)
    let exact = GaussianMechanism(noiseMultiplier: noise, steps: 4).epsilon(delta: 1e-5)
    #expect(abs(found / exact - 1) < 1e-4)
  }

  @Test("the order and the grouping of steps do not matter")
  func composition() throws {
    let a = try PrivacyEvent.poisson(unit: .example, rate: 0.01, noiseMultiplier: 1, steps: 300)
    let b = try PrivacyEvent.poisson(unit: .example, rate: 0.05, noiseMultiplier: 3, steps: 40)
    let fixed = PLDAccountant(interval: 2e-4)
    let one = fixed.epsilon(PrivacyLedger([a, b]), delta: 1e-5)
    let other = fixed.epsilon(
      PrivacyLedger([try b.repeated(15), a, try b.repeated(25)]),
      delta: 1e-5
    )
    #expect(abs(one - other) < 1e-9)
    // Two kinds that differ in the last digits compose as one.
    let twin = try PrivacyEvent.poisson(
      unit: .example,
      rate: 0.01,
      noiseMultiplier: 1 + 1e-13,
      steps: 300
    )
    let split = fixed.epsilon(PrivacyLedger([a, twin]), delta: 1e-5)
    let whole = fixed.epsilon(PrivacyLedger([try a.repeated(600)]), delta: 1e-5)
    #expect(abs(split - whole) < 1e-6)
  }

  @Test("more steps and more sampling cost more; more noise and more delta less")
  func monotone() throws {
    func epsilon(_ q: Double, _ s: Double, _ t: Int, _ d: Double) throws -> Double {
      accountant.epsilon(try LedgerFixture.poisson(q, s, t), delta: d)
    }
    let base = try epsilon(0.02, 1.2, 500, 1e-5)
    #expect(try epsilon(0.021, 1.2, 500, 1e-5) > base)
    #expect(try epsilon(0.02, 1.2, 510, 1e-5) > base)
    #expect(try epsilon(0.02, 1.22, 500, 1e-5) < base)
    #expect(try epsilon(0.02, 1.2, 500, 1.1e-5) < base)
  }

  @Test("small delta after many steps is not drowned by rounding")
  func tinyDelta() throws {
    let ledger = try LedgerFixture.poisson(0.01, 1, 100_000)
    var last = 0.0
    for exponent in [5.0, 10, 15, 30, 100] {
      let delta = pow(10, -exponent)
      let found = accountant.epsilon(ledger, delta: delta)
      #expect(found > last)
      let rdp = RDPAccountant.standard.epsilon(ledger, delta: delta).value
      #expect(found < rdp && found > 0.9 * rdp)
      last = found
    }
  }

  @Test("the corners have an answer")
  func corners() throws {
    // δ above q: one step with most of the weight on staying out.
    #expect(accountant.epsilon(try LedgerFixture.poisson(0.01, 1, 1), delta: 0.02) == 0)
    #expect(accountant.epsilon(try LedgerFixture.poisson(0.01, 0, 1), delta: 0.1) == .infinity)
    #expect(accountant.epsilon(try LedgerFixture.poisson(0, 0, 9), delta: 0.1) == 0)
    #expect(accountant.epsilon(PrivacyLedger(), delta: 0.1) == 0)
    let tiny = accountant.epsilon(try LedgerFixture.poisson(1e-12, 0.5, 10), delta: 1e-20)
    #expect(tiny > 0 && tiny < 0.01)
    let huge = accountant.epsilon(try LedgerFixture.poisson(0.5, 0.01, 10), delta: 1e-5)
    #expect(huge > 5e4 && huge < 1e5)
  }

  @Test("infinite losses of all steps add to delta")
  func infinite() throws {
    // Tails cut at two standard deviations: a loss without bound in one step of eighty.
    let pair = SampledGaussianPair(rate: 0.5, noise: 1)
    let loss = pair.privacyLoss(.remove, interval: 1e-3, reach: 2)
    let once = 0.5 * NormalTail.probability(3) + 0.5 * NormalTail.probability(2)
    #expect(abs(loss.infinite / once - 1) < 1e-2)
    let sum = LossComposition([(loss, 3)])
    let total = 1 - pow(1 - loss.infinite, 3)
    #expect(sum.epsilon(delta: total * 0.999) == .infinity)
    #expect(try #require(sum.epsilon(delta: total * 1.001)).isFinite)
    #expect(try #require(sum.delta(epsilon: 1000)) >= total * (1 - 1e-12))
    #expect(try #require(sum.delta(epsilon: 1000)) <= total * (1 + 1e-6))
  }

  @Test("without replacement: at most what Rényi divergences say, at least Poisson sampling")
  func fixedSize() throws {
    for (rate, noise, steps) in [(0.01, 3.0, 100), (0.1, 4.0, 50), (0.5, 6.0, 10)] {
      let ledger = try LedgerFixture.fixed(rate, noise, steps)
      let found = accountant.epsilon(ledger, delta: 1e-5)
      #expect(found <= RDPAccountant.standard.epsilon(ledger, delta: 1e-5).value)
      let poisson = accountant.epsilon(
        try LedgerFixture.poisson(rate, noise / 2, steps),
        delta: 1e-5
      )
      #expect(found >= poisson * (1 - 1e-4))
    }
  }
}

import Foundation
import Testing

@testable import Accounting

@Suite("Privacy loss accountant")
struct PLDAccountantTests {
  private let accountant = PLDAccountant()

  @Test("epsilon of dp-accounting is an upper bound, too", arguments: PrivacyGolden.runs)
  func golden(
    row: (rate: Double, noise: Double, steps: Int, delta: Double, pld: Double, rdp: Double)
  ) throws {
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, row.steps)
    let found = accountant.bracket(ledger, delta: row.delta)
    // Its grid of 10⁻⁴ is coarse for tiny losses; it rounds second differences of numbers near 1.
    #expect(found.lower <= row.pld * (1 + 1e-5))
    #expect(found.upper <= row.pld * (1 + 2e-4))
    #expect(found.total.relativeWidth <= 1e-3)
    #expect(found.upper <= RDPAccountant.standard.epsilon(ledger, delta: row.delta).value)
    if row.rate < 1, row.pld > 0.01 { #expect(found.upper >= row.pld * (1 - 2e-4)) }
  }

  @Test("delta of two steps, however small", arguments: PrivacyGolden.twoSteps)
  func twoSteps(
    row: (rate: Double, noise: Double, epsilon: Double, delta: Double)
  ) throws {
    let ledger = try LedgerFixture.poisson(row.rate, row.noise, 2)
    let found = accountant.deltaBracket(ledger, epsilon: row.epsilon)
    #expect(found.lower <= row.delta && row.delta <= found.upper)
    #expect(found.relativeWidth < 0.05)
    let epsilon = accountant.bracket(ledger, delta: row.delta)
    #expect(epsilon.lower <= row.epsilon && row.epsilon <= epsilon.upper)
    #expect(epsilon.total.relativeWidth < 3e-4)
  }

  @Test("one step is the amplified Gaussian", arguments: [0.01, 0.3, 0.9], [0.4, 2.0])
  func oneStep(
    rate: Double, noise: Double
  ) throws {
    for epsilon in [0.05, 0.7, 3] {
      // e^{ε'} = 1 + (e^ε − 1)/q makes δ(ε) = q δ_Gauss(ε'), for both kinds of neighbours.
      let inner = log1p(expm1(epsilon) / rate)
      let expected = rate * GaussianMechanism(noiseMultiplier: noise).delta(epsilon: inner)
      let poisson = try LedgerFixture.poisson(rate, noise, 1)
      let fixed = try LedgerFixture.fixed(rate, 2 * noise, 1)
      for ledger in [poisson, fixed] {
        let found = accountant.deltaBracket(ledger, epsilon: epsilon)
        #expect(found.lower <= expected * (1 + 1e-9) && found.upper >= expected * (1 - 1e-9))
        #expect(found.relativeWidth < 0.2)
      }
    }
  }

  @Test("the direction of addition is the mirror image of removal")
  func mirror() throws {
    let pair = SampledGaussianPair(rate: 0.1, noise: 0.8)
    func loss(_ direction: SampledGaussianPair.Direction) throws -> PrivacyLoss {
      try #require(pair.cells(direction, interval: 1e-2, logTail: -30)).pessimistic
    }
    let (removed, added) = (try loss(.remove), try loss(.add))
    var mirrored: [Int: Double] = [:]
    for (place, mass) in zip(removed.places, removed.masses) {
      mirrored[-place] = mass * exp(-removed.loss(at: place))
    }
    for (place, mass) in zip(added.places, added.masses) {
      let expected = mirrored[place] ?? 0
      #expect(abs(mass - expected) <= 1e-9 * expected + 1e-13)
    }
    for loss in [removed, added, try loss(.replace)] {
      #expect(abs(loss.masses.reduce(loss.infinite, +) - 1) < 1e-12)
    }
  }

  @Test("the cumulant of masses is the sum that defines it", arguments: [-30.0, -1, 0, 2, 75])
  func cumulant(t: Double) throws {
    let loss = try #require(
      SampledGaussianPair(rate: 0.2, noise: 0.9).cells(.remove, interval: 3e-3, logTail: -25)
    ).pessimistic
    let exponents = loss.masses.indices.map {
      log(loss.masses[$0]) + t * loss.loss(at: loss.places[$0])
    }
    let value = LogSum.all(exponents)
    let mean = loss.masses.indices.reduce(0) {
      $0 + loss.loss(at: loss.places[$1]) * exp(exponents[$1] - value)
    }
    let found = loss.cumulant(t)
    #expect(abs(found.value - value) < 1e-12 * max(1, abs(value)))
    #expect(abs(found.mean - mean) < 1e-11 * max(1, abs(mean)))
  }

  @Test(
    "one step on a grid: the truth lies between both distributions at every epsilon",
    arguments: [(0.01, 0.4), (0.3, 0.9), (0.9, 2.0), (1.0, 1.5), (1e-4, 0.6)], [2e-3, 0.03, 0.4])
  func oneStepCurves(step: (rate: Double, noise: Double), h: Double) throws {
    let pair = SampledGaussianPair(rate: step.rate, noise: step.noise)
    let cells = try #require(pair.cells(.remove, interval: h, logTail: -60))
    let merged = try #require(pair.cells(.remove, interval: h, logTail: -60, isMerged: true))
    func delta(_ loss: PrivacyLoss, _ epsilon: Double) -> Double {
      zip(loss.places, loss.masses).reduce(loss.infinite) { sum, point in
        let l = loss.loss(at: point.0)
        return l > epsilon ? sum - point.1 * expm1(epsilon - l) : sum
      }
    }
    let (upper, lower) = (cells.pessimistic, merged.optimistic)
    for k in 0..<400 {
      let epsilon = 0.013 * Double(k)
      let truth = pair.delta(epsilon: epsilon)
      #expect(delta(upper, epsilon) >= truth * (1 - 1e-10))
      #expect(delta(lower, epsilon) <= truth * (1 + 1e-10))
    }
  }

  @Test("releases without sampling are one Gaussian, alone and beside others")
  func gaussian()
    throws
  {
    let ledger = PrivacyLedger([
      try .poisson(unit: .example, rate: 1, noiseMultiplier: 20, steps: 100),
      try .poisson(unit: .example, rate: 1, noiseMultiplier: 5, steps: 3),
    ])
    let exact = GaussianMechanism(shift: (100.0 / 400 + 3.0 / 25).squareRoot())
    let alone = accountant.bracket(ledger, delta: 1e-6)
    #expect(alone.lower <= exact.epsilon(delta: 1e-6))
    #expect(alone.upper >= exact.epsilon(delta: 1e-6))
    #expect(alone.total.relativeWidth < 1e-11)
    // A sampled step that costs next to nothing sends the Gaussian through the grid.
    var mixed = ledger
    mixed.record(try .poisson(unit: .example, rate: 1e-6, noiseMultiplier: 50, steps: 1))
    let found = accountant.epsilon(mixed, delta: 1e-6)
    #expect(found >= exact.epsilon(delta: 1e-6))
    #expect(found <= exact.epsilon(delta: 1e-6) * (1 + 3e-4))
  }

  @Test("sampling that leaves out almost nobody is no sampling", arguments: [0.4, 1.0, 30.0])
  func nearlyAll(noise: Double) throws {
    let found = accountant.epsilon(try LedgerFixture.poisson(0.999_999, noise, 4), delta: 1e-5)
    let exact = GaussianMechanism(noiseMultiplier: noise, steps: 4).epsilon(delta: 1e-5)
    #expect(abs(found / exact - 1) < 3e-4)
  }

  @Test("the order and the grouping of steps do not matter")
  func composition() throws {
    let a = try PrivacyEvent.poisson(unit: .example, rate: 0.01, noiseMultiplier: 1, steps: 300)
    let b = try PrivacyEvent.poisson(unit: .example, rate: 0.05, noiseMultiplier: 3, steps: 40)
    let fixed = PLDAccountant(interval: 2e-4)
    let one = fixed.epsilon(PrivacyLedger([a, b]), delta: 1e-5)
    let other = fixed.epsilon(
      PrivacyLedger([try b.repeated(15), a, try b.repeated(25)]), delta: 1e-5)
    #expect(abs(one - other) < 1e-8)
    // Two kinds that differ in the last digits compose as one.
    let twin = try PrivacyEvent.poisson(
      unit: .example, rate: 0.01, noiseMultiplier: 1 + 1e-13, steps: 300)
    let split = fixed.epsilon(PrivacyLedger([a, twin]), delta: 1e-5)
    let whole = fixed.epsilon(PrivacyLedger([try a.repeated(600)]), delta: 1e-5)
    #expect(abs(split - whole) < 1e-6)
  }

  @Test("more steps and more sampling cost more; more noise and more delta less")
  func monotone()
    throws
  {
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
    // Tails cut early: a loss without bound in one step of many.
    let pair = SampledGaussianPair(rate: 0.5, noise: 1)
    let loss = try #require(pair.cells(.remove, interval: 1e-3, logTail: -4)).pessimistic
    #expect(loss.infinite > 1e-3)
    let sum = LossComposition([(loss, 3)], side: .upper)
    let total = 1 - pow(1 - loss.infinite, 3)
    #expect(sum.epsilon(delta: total * 0.999) == nil)
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
        try LedgerFixture.poisson(rate, noise / 2, steps), delta: 1e-5)
      #expect(found >= poisson * (1 - 1e-4))
    }
  }
}

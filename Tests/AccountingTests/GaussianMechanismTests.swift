import Foundation
import Testing

@testable import Accounting

@Suite("Gaussian mechanism")
struct GaussianMechanismTests {
  @Test("delta of 40-digit arithmetic", arguments: PrivacyGolden.gaussians)
  func delta(
    row: (noise: Double, epsilon: Double, delta: Double)
  ) {
    let found = GaussianMechanism(noiseMultiplier: row.noise).delta(epsilon: row.epsilon)
    #expect(abs(found / row.delta - 1) < 1e-10)
  }

  @Test("epsilon and noise undo delta", arguments: [(0.5, 0.01), (8, 1e-5), (20, 1e-6)])
  func inverse(epsilon: Double, delta: Double) {
    let noise = GaussianMechanism.noiseMultiplier(epsilon: epsilon, delta: delta)
    let mechanism = GaussianMechanism(noiseMultiplier: noise)
    #expect(abs(mechanism.delta(epsilon: epsilon) / delta - 1) < 1e-10)
    #expect(abs(mechanism.epsilon(delta: delta) / epsilon - 1) < 1e-10)
    let hundred = GaussianMechanism.noiseMultiplier(epsilon: epsilon, delta: delta, steps: 100)
    #expect(abs(hundred / noise - 10) < 1e-9)
  }

  @Test("the known multiplier of epsilon 8, delta 1e-5")
  func known() {
    let noise = GaussianMechanism.noiseMultiplier(epsilon: 8, delta: 1e-5)
    #expect(abs(noise - 0.6002290721989516) < 1e-12)
  }

  @Test("nothing hidden and nothing shown")
  func limits() {
    #expect(GaussianMechanism(noiseMultiplier: 0).epsilon(delta: 1e-5) == .infinity)
    #expect(GaussianMechanism(noiseMultiplier: 1, steps: 0).epsilon(delta: 1e-5) == 0)
    #expect(GaussianMechanism(noiseMultiplier: 1).epsilon(delta: 0) == .infinity)
    #expect(GaussianMechanism(noiseMultiplier: 1).epsilon(delta: 0.9) == 0)
    #expect(GaussianMechanism(noiseMultiplier: 1e-3).delta(epsilon: 1) == 1)
  }

  @Test("the ratio of Mills has no seam where its form changes")
  func mills() {
    let (below, above) = (NormalTail.ratio(3.0.nextDown), NormalTail.ratio(3))
    #expect(abs(below / above - 1) < 4e-15)
    // Q(10) and φ(10) of 40-digit arithmetic.
    #expect(abs(NormalTail.ratio(10) / 0.0990285964717320 - 1) < 1e-14)
  }
}

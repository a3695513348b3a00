import Aggregation
import Federation
import Fixtures
import Scenario
import Testing

@testable import Studies

/// The empirical ε of private training, beside what the accountant claims.
@Suite("Canaries")
struct CanaryTests {
  private func rows(noise: Double, trials: Int = 400) throws -> [CanaryRow] {
    let experiment = try PrivateFederation.experiment(
      [#"{ "unit": "example", "clip": 0.5, "noiseMultiplier": \#(noise), "delta": 1e-3 }"#],
      participation: 1, rounds: 1)
    let choice = experiment.scenario.strategies[0]
    let context = try experiment.adapted(experiment.context(0, threads: 2), to: choice)
    return CanaryAudit(context: context, model: context.problem.initial, trials: trials, batches: 3)
      .rows(
        clients: 2)
  }

  @Test("with noise the bound stays below the claim", arguments: [0.6, 1.0, 2.0])
  func bounded(
    noise: Double
  ) throws {
    let rows = try rows(noise: noise)
    #expect(rows.count == 2)
    for row in rows {
      #expect(row.claimed.isFinite && row.claimed > 0)
      #expect(row.found.epsilon <= row.claimed, "\(row)")
      #expect(!row.isContradicted)
    }
  }

  @Test("without noise the canary is found")
  func leak() throws {
    for row in try rows(noise: 0) {
      #expect(!row.claimed.isFinite)
      #expect(row.found.epsilon > 1, "\(row)")
      #expect(row.verdict == "leaks, no claim")
    }
  }

  @Test("the audit repeats itself")
  func repeatable() throws {
    let (a, b) = (try rows(noise: 1, trials: 20), try rows(noise: 1, trials: 20))
    #expect(a.map(\.found) == b.map(\.found))
  }
}

import Federation
import Scenario
import Testing

@Suite("Cohorts")
struct CohortSamplerTests {
  private func sampler(
    _ clients: Int, _ participation: Double, _ sampling: FederationSettings.Sampling = .uniform,
    seed: UInt64 = 1
  ) -> CohortSampler {
    CohortSampler(
      settings: FederationSettings(
        clients: clients, rounds: 10, participation: participation, sampling: sampling,
        weighting: .samples), seed: seed)
  }

  @Test(
    "a uniform cohort has max(1, round(participation·K)) different clients, ascending",
    arguments: [
      (10, 0.5, 5), (10, 0.25, 3), (10, 0.01, 1), (3, 0.67, 2), (1, 1, 1), (7, 1, 7),
      (1_000_000, 0.001, 1000), (1000, 0.999, 999),
    ])
  func size(_ clients: Int, _ participation: Double, _ expected: Int) {
    for round in 1...20 {
      let cohort = sampler(clients, participation).cohort(round: round)
      #expect(cohort.count == expected)
      #expect(zip(cohort, cohort.dropFirst()).allSatisfy { $0 < $1 })
      #expect(cohort.allSatisfy { (0..<clients).contains($0) })
    }
  }

  @Test("every client is equally likely, and every pair of clients is")
  func uniform() {
    let (clients, rounds) = (6, 6000)
    var single = [Int](repeating: 0, count: clients)
    var pairs = [Int](repeating: 0, count: clients * clients)
    for round in 1...rounds {
      let cohort = sampler(clients, 0.5).cohort(round: round)
      for a in cohort {
        single[a] += 1
        for b in cohort where a < b { pairs[a * clients + b] += 1 }
      }
    }
    // Of 20 equally likely cohorts, a client is in 10 and a pair is in 4.
    let expected = Double(rounds) / 2
    let variance = Double(rounds) / 4
    // Counts of clients are exchangeable with sum 3·rounds: Σ (n − e)²/(v·K/(K−1)) is χ² with
    // K − 1 degrees of freedom. P(χ²₅ > 25.7) = 10⁻⁴.
    let chi = single.map { (Double($0) - expected) * (Double($0) - expected) }.reduce(0, +)
    #expect(chi / (variance * 6 / 5) < 25.7)
    // Binomial(6000, 1/5): deviation 31; five deviations, 15 pairs.
    let seen = pairs.filter { $0 > 0 }
    #expect(seen.count == 15)
    for count in seen { #expect(abs(Double(count) - 1200) < 5 * 31) }
  }

  @Test("Poisson cohorts have binomial sizes, equally likely clients, and may be empty")
  func poisson() {
    let (clients, rate, rounds) = (40, 0.1, 5000)
    var sizes: [Double] = []
    var single = [Int](repeating: 0, count: clients)
    for round in 1...rounds {
      let cohort = sampler(clients, rate, .poisson).cohort(round: round)
      #expect(zip(cohort, cohort.dropFirst()).allSatisfy { $0 < $1 })
      sizes.append(Double(cohort.count))
      for client in cohort { single[client] += 1 }
    }
    let mean = sizes.reduce(0, +) / Double(rounds)
    let variance = sizes.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(rounds - 1)
    let expected = Double(clients) * rate * (1 - rate)
    // Five deviations: of a mean, √(v/N); of a variance, about v·√(2/N).
    #expect(abs(mean - 4) < 5 * (expected / Double(rounds)).squareRoot())
    #expect(abs(variance - expected) < 5 * expected * (2 / Double(rounds)).squareRoot())
    // Independent counts, each Binomial(5000, 0.1): χ² with 40 degrees of freedom;
    // P(χ²₄₀ > 87) < 3·10⁻⁵.
    let chi = single.map { (Double($0) - 500) * (Double($0) - 500) / 450 }.reduce(0, +)
    #expect(chi < 87)
    // (1 − 0.1)^40 = 1.5 % of the rounds.
    #expect(sizes.contains(0))
  }

  @Test(
    "full participation is everybody", arguments: [FederationSettings.Sampling.uniform, .poisson])
  func everybody(_ sampling: FederationSettings.Sampling) {
    #expect(sampler(9, 1, sampling).cohort(round: 4) == Array(0..<9))
  }

  @Test(
    "a cohort is a function of seed and round",
    arguments: [FederationSettings.Sampling.uniform, .poisson])
  func addressed(
    _ sampling: FederationSettings.Sampling
  ) {
    let one = sampler(100, 0.2, sampling)
    let later = one.cohort(round: 7)
    _ = one.cohort(round: 8)
    #expect(sampler(100, 0.2, sampling).cohort(round: 7) == later)
    #expect(one.cohort(round: 8) != later)
    #expect(sampler(100, 0.2, sampling, seed: 2).cohort(round: 7) != later)
  }

  @Test(
    "the cost follows the cohort and not the number of clients",
    arguments: [FederationSettings.Sampling.uniform, .poisson])
  func large(
    _ sampling: FederationSettings.Sampling
  ) {
    // 1000 rounds of about ten out of ten million: looking at every client would take minutes.
    let large = sampler(10_000_000, 1e-6, sampling)
    let clock = ContinuousClock()
    var drawn = 0
    let time = clock.measure { for round in 1...1000 { drawn += large.cohort(round: round).count } }
    // Poisson: mean 10⁴, deviation 100.
    #expect(abs(drawn - 10_000) <= 500)
    #expect(time < .seconds(5))
  }
}

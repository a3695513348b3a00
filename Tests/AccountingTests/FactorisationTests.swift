import Testing

@testable import Accounting

@Suite("Matrix factorisation")
struct FactorisationTests {
  private typealias Strategy = ToeplitzStrategy

  @Test("the square root and its inverse by hand")
  func coefficients() throws {
    #expect(Strategy.squareRoot(5) == [1, 0.5, 0.375, 0.3125, 0.2734375])
    let inverse = [
      1, -0.5, -0.125, -0.0625, -0.0390625, -0.02734375, -0.0205078125, -0.01611328125,
    ]
    #expect(Strategy.inverseSquareRoot(8) == inverse)
    for n in [1, 2, 7, 64] {
      let root = Strategy.squareRoot(n)
      #expect(Self.product(root, root).allSatisfy { abs($0 - 1) < 1e-14 })
      let inverse = Strategy.inverse(of: root, count: n)
      #expect(zip(inverse, Strategy.inverseSquareRoot(n)).allSatisfy { abs($0 - $1) < 1e-14 })
    }
  }

  @Test("C times its inverse is one, for every kind, number of bands and length")
  func inverses() throws {
    for kind in Strategy.Kind.allCases {
      for n in [1, 2, 3, 5, 8, 33] {
        for bands in 1...n {
          let strategy = try Strategy(kind, bands: bands, rounds: n)
          let unit = Self.product(strategy.coefficients, strategy.inverse)
          #expect(abs(unit[0] - 1) < 1e-13 && unit.dropFirst().allSatisfy { abs($0) < 1e-13 })
          let column = kind == .banded ? strategy.coefficients : strategy.inverse
          #expect(column.prefix(bands).allSatisfy { $0 != 0 })
          #expect(column.dropFirst(bands).allSatisfy { $0 == 0 })
        }
      }
    }
  }

  @Test("streams by hand: noise that was added is taken back")
  func streams() throws {
    let inverse = Strategy.inverse(of: [1, 0.5], count: 4)
    #expect(Self.product(inverse, [1, 2, 3, 4]) == [1, 1.5, 2.25, 2.875])
    let wider = Strategy.inverse(of: [1, 0.5, 0.375], count: 5)
    #expect(wider == [1, -0.5, -0.125, 0.25, -0.078125])
    // w_t = z_t − Σ_j c_j w_{t−j}, the recursion that keeps b − 1 vectors.
    let strategy = try Strategy(.banded, bands: 3, rounds: 12)
    let z = (0..<12).map { Double(($0 * 7) % 5) - 2 }
    var w: [Double] = []
    for t in 0..<12 {
      w.append((1..<3).reduce(z[t]) { $1 <= t ? $0 - strategy.coefficients[$1] * w[t - $1] : $0 })
    }
    #expect(zip(w, Self.product(strategy.inverse, z)).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  @Test("errors of prefix sums by hand")
  func errors() throws {
    #expect(try Strategy(.banded, bands: 1, rounds: 4).prefixVariances == [1, 2, 3, 4])
    #expect(
      try Strategy(.banded, bands: 2, rounds: 4).prefixVariances == [1, 1.25, 1.8125, 2.203125])
    let whole = try Strategy(.banded, bands: 4, rounds: 4)
    #expect(whole.prefixVariances == [1, 1.25, 1.390625, 1.48828125])
    #expect(whole.roundDeviation(0) == 1)
    #expect(abs(whole.roundDeviation(2) - (1 + 0.25 + 0.015625).squareRoot()) < 1e-15)
  }

  @Test("sensitivity and errors of dense matrices", arguments: FactorisationGolden.errors)
  func golden(
    row: (
      kind: String, rounds: Int, separation: Int, participations: Int, bands: Int,
      sensitivity: Double, rmse: Double, last: Double
    )
  ) throws {
    let kind = try #require(Strategy.Kind(rawValue: row.kind))
    let strategy = try Strategy(kind, bands: row.bands, rounds: row.rounds)
    let pattern = try ParticipationPattern(separation: row.separation, most: row.participations)
    let noise = try CorrelatedNoise(strategy, .separated(pattern))
    #expect(abs(noise.sensitivity / row.sensitivity - 1) < 1e-9)
    #expect(abs(noise.sensitivity * strategy.prefixError / row.rmse - 1) < 1e-9)
    let last = strategy.prefixVariances[row.rounds - 1].squareRoot()
    #expect(abs(noise.sensitivity * last / row.last - 1) < 1e-9)
  }

  @Test("ten participations in a thousand rounds: more than five times less noise")
  func claim() throws {
    let pattern = try ParticipationPattern(separation: 100, most: 10)
    func error(_ bands: Int) throws -> Double {
      let noise = try CorrelatedNoise(
        Strategy(.banded, bands: bands, rounds: 1000), .separated(pattern))
      return noise.sensitivity * noise.strategy.prefixError
    }
    let best = try BandChoice.best(.banded, rounds: 1000, pattern: pattern)
    #expect(best == 100)
    #expect(try error(1) / error(best) > 5.8)
    let inverse = try BandChoice.best(.bandedInverse, rounds: 1000, pattern: pattern)
    #expect([32, 50, 64, 100].contains(inverse), "\(inverse)")
  }

  // MARK: - Sensitivity

  @Test("no pattern moves more than the formula says, and one moves as much")
  func brute() throws {
    var compared = 0
    for n in 1...9 {
      for kind in Strategy.Kind.allCases {
        for bands in 1...n {
          let strategy = try Strategy(kind, bands: bands, rounds: n)
          for separation in 1...n {
            for most in 1...n {
              let pattern = try ParticipationPattern(separation: separation, most: most)
              let found = pattern.sensitivities(of: strategy.coefficients)
              for t in [n / 2, n] {
                let worst = Self.worst(strategy.coefficients, pattern, rows: t)
                #expect(abs(found[t] - worst) < 1e-12 * max(1, worst))
                compared += 1
              }
            }
          }
        }
      }
    }
    #expect(compared > 4000)
  }

  @Test("columns of any sign are bounded, whatever the directions of the sums")
  func anySigns() throws {
    var state: UInt64 = 1
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-53
    }
    for _ in 0..<300 {
      let n = 1 + Int(next() * 8)
      let column = (0..<n).map { _ in 2 * next() - 1 }
      let pattern = try ParticipationPattern(
        separation: 1 + Int(next() * 4), most: 1 + Int(next() * 4))
      let bound = pattern.sensitivities(of: column)[n]
      for _ in 0..<10 {
        let signs = (0..<n).map { _ in next() < 0.5 ? -1.0 : 1 }
        #expect(Self.worst(column, pattern, rows: n, signs: signs) <= bound * (1 + 1e-12))
      }
    }
    #expect(ParticipationPattern.dominating([1, -3, 2, 0, -1, 0]) == [3, 3, 2, 1, 1, 0])
  }

  @Test("bands that do not overlap: sqrt(k) times the norm")
  func disjoint() throws {
    for (n, separation, bands) in [(40, 10, 10), (40, 10, 3), (64, 8, 1), (100, 25, 20)] {
      let strategy = try Strategy(.banded, bands: bands, rounds: n)
      let norm = strategy.coefficients.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for most in 1...n / separation {
        let pattern = try ParticipationPattern(separation: separation, most: most)
        let found = pattern.sensitivities(of: strategy.coefficients)[n]
        #expect(abs(found / (norm * Double(most).squareRoot()) - 1) < 1e-13)
      }
    }
  }

  @Test("more participations or less separation never move less, later rounds never either")
  func monotone() throws {
    for kind in Strategy.Kind.allCases {
      for bands in [1, 2, 5, 16] {
        let column = try Strategy(kind, bands: bands, rounds: 24).coefficients
        for separation in 1...10 {
          var last = [Double](repeating: 0, count: 25)
          for most in 1...8 {
            let found = try ParticipationPattern(separation: separation, most: most)
              .sensitivities(of: column)
            let sparser = try ParticipationPattern(separation: separation + 1, most: most)
              .sensitivities(of: column)
            #expect(zip(found, last).allSatisfy { $0 >= $1 })
            #expect(zip(found, sparser).allSatisfy { $0 >= $1 * (1 - 1e-14) })
            #expect(zip(found, found.dropFirst()).allSatisfy { $0 <= $1 })
            last = found
          }
        }
      }
    }
  }

  // MARK: - Epsilon

  @Test("one band is independent noise: k releases of a unit, or DP-SGD")
  func independent() throws {
    let identity = try Strategy(.banded, bands: 1, rounds: 30)
    let pattern = try ParticipationPattern(separation: 10, most: 3)
    let noise = try CorrelatedNoise(identity, .separated(pattern))
    func epsilon(_ event: PrivacyEvent) -> Double {
      Accountant.pld.epsilon(PrivacyLedger([event]), delta: 1e-5)
    }
    for (rounds, uses) in [(0, 0), (1, 1), (10, 1), (11, 2), (30, 3)] {
      let found = epsilon(try noise.event(multiplier: 2, rounds: rounds))
      let expected = GaussianMechanism(noiseMultiplier: 2, steps: uses).epsilon(delta: 1e-5)
      #expect(abs(found - expected) <= 1e-9 * expected)
    }
    let cyclic = try CorrelatedNoise(identity, .cyclicPoisson(groups: 1, rate: 0.1))
    #expect(
      try cyclic.event(multiplier: 1.5, rounds: 20)
        == .poisson(unit: .client, rate: 0.1, noiseMultiplier: 1.5, steps: 20))
  }

  @Test("calibrated noise meets the target, and hardly less does not")
  func calibrated() throws {
    let strategy = try Strategy(.banded, bands: 5, rounds: 40)
    let pattern = try ParticipationPattern(separation: 5, most: 8)
    for scheme in [
      CorrelatedNoise.Scheme.separated(pattern), .cyclicPoisson(groups: 8, rate: 0.4),
    ] {
      let noise = try CorrelatedNoise(strategy, scheme)
      for exchanges in [1, 2] {
        let found = try noise.multiplier(epsilon: 2, delta: 1e-5, exchanges: exchanges)
        func epsilon(_ multiplier: Double) throws -> Double {
          let event = try noise.event(
            multiplier: multiplier, rounds: 40, exchanges: exchanges)
          return Accountant.pld.epsilon(PrivacyLedger([event]), delta: 1e-5)
        }
        #expect(try epsilon(found) <= 2)
        #expect(try epsilon(found * 0.999) > 2)
      }
    }
  }

  @Test("cyclic Poisson sampling by dp-accounting", arguments: FactorisationGolden.amplified)
  func amplified(
    row: (
      population: Int, cohort: Int, rounds: Int, epsilon: Double, bands: Int, sigma: Double,
      multiplier: Double, rmse: Double
    )
  ) throws {
    let share = Double(row.cohort) / Double(row.population)
    let found = try BandChoice.cyclic(
      rounds: row.rounds, groups: nil, share: share, epsilon: row.epsilon, delta: 1e-5,
      candidates: [row.bands])
    #expect(found.map(\.bands) == [row.bands])
    #expect(abs(found[0].multiplier / row.multiplier - 1) < 1e-3)
    #expect(abs(found[0].error / row.rmse - 1) < 1e-3)
  }

  @Test("the rate is that within a group; the share of the whole would claim too little")
  func rate() throws {
    let strategy = try Strategy(.banded, bands: 4, rounds: 100)
    let (share, groups) = (0.05, 4)
    let right = try CorrelatedNoise(
      strategy, .cyclicPoisson(groups: groups, rate: Double(groups) * share))
    let event = try right.event(multiplier: 2, rounds: 100)
    #expect(event.samplingRate == 0.2 && event.steps == 25)
    let wrong = try event.with(samplingRate: share)
    #expect(
      Accountant.pld.epsilon(PrivacyLedger([event]), delta: 1e-5)
        > 2 * Accountant.pld.epsilon(PrivacyLedger([wrong]), delta: 1e-5))
  }

  @Test("what has no theorem is refused")
  func refused() throws {
    let wide = try Strategy(.banded, bands: 5, rounds: 10)
    let inverse = try Strategy(.bandedInverse, bands: 2, rounds: 10)
    for (strategy, groups) in [(wide, 4), (inverse, 4)] {
      let error = #expect(throws: AccountingError.self) {
        try CorrelatedNoise(strategy, .cyclicPoisson(groups: groups, rate: 0.1))
      }
      guard case .unsupported = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    for (bands, rounds) in [(0, 5), (6, 5), (1, 0), (1, ToeplitzStrategy.mostRounds + 1)] {
      #expect(throws: AccountingError.self) { try Strategy(.banded, bands: bands, rounds: rounds) }
    }
    #expect(throws: AccountingError.self) { try ParticipationPattern(separation: 0) }
    #expect(throws: AccountingError.self) { try ParticipationPattern(separation: 1, most: 0) }
    let noise = try CorrelatedNoise(wide, .separated(ParticipationPattern(separation: 5)))
    #expect(throws: AccountingError.self) { try noise.event(multiplier: 1, rounds: 11) }
  }

  // MARK: - By the definition

  /// The first column of a product of two lower-triangular Toeplitz matrices.
  private static func product(_ a: [Double], _ b: [Double]) -> [Double] {
    a.indices.map { t in (0...t).reduce(0) { $0 + a[$1] * b[t - $1] } }
  }

  /// The largest ‖Σ_{s in pattern} ±C e_s‖ over all patterns, of the first rows.
  private static func worst(
    _ column: [Double], _ pattern: ParticipationPattern, rows: Int, signs: [Double]? = nil
  ) -> Double {
    var worst = 0.0
    for subset in 0..<1 << rows {
      let joined = (0..<rows).filter { subset >> $0 & 1 == 1 }
      guard joined.count <= pattern.most,
        zip(joined, joined.dropFirst()).allSatisfy({ $1 - $0 >= pattern.separation })
      else { continue }
      var moved = [Double](repeating: 0, count: rows)
      for start in joined {
        for s in start..<rows { moved[s] += (signs?[start] ?? 1) * column[s - start] }
      }
      worst = max(worst, moved.reduce(0) { $0 + $1 * $1 }.squareRoot())
    }
    return worst
  }
}

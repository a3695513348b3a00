/// The number of bands with the least error of prefix sums at equal ε.
public enum BandChoice {
  /// A number of bands with what it gives.
  public struct Row: Sendable, Equatable {
    /// Bands with the diagonal.
    public let bands: Int
    /// Deviation of z over the clip norm.
    public let multiplier: Double
    /// Root of the mean square error of prefix sums, in clip norms: `multiplier` · `prefixError`.
    public let error: Double

    package init(bands: Int, multiplier: Double, error: Double) {
      (self.bands, self.multiplier, self.error) = (bands, multiplier, error)
    }
  }

  /// Numbers of bands worth a try: powers of two, the divisors of the separation and itself, and
  /// all of them where there are few.
  ///
  /// - Parameters:
  ///   - rounds: n.
  ///   - separation: b, or the groups of cyclic Poisson sampling.
  ///   - limit: no more bands than this.
  /// - Returns: numbers from 1 to n, ascending.
  public static func candidates(rounds: Int, separation: Int, limit: Int = .max) -> [Int] {
    let most = min(rounds, limit)
    if most <= 16 { return Array(1...max(1, most)) }
    var candidates: Set<Int> = [1, most]
    for power in 0..<16 where 1 << power <= most { candidates.insert(1 << power) }
    let near = min(separation, ToeplitzStrategy.mostRounds)
    for divisor in 1...near where separation % divisor == 0 && divisor <= most {
      candidates.insert(divisor)
    }
    return candidates.sorted()
  }

  /// The best number of bands where rounds of one unit keep a distance: it is the same for every ε.
  ///
  /// - Complexity: O(n·b) for each candidate.
  public static func best(
    _ kind: ToeplitzStrategy.Kind, rounds: Int, pattern: ParticipationPattern
  ) throws(AccountingError) -> Int {
    var best: (bands: Int, error: Double)?
    for bands in candidates(rounds: rounds, separation: pattern.separation) {
      let noise = try CorrelatedNoise(
        ToeplitzStrategy(kind, bands: bands, rounds: rounds), .separated(pattern))
      let error = noise.sensitivity * noise.strategy.prefixError
      if error < best?.error ?? .infinity { best = (bands, error) }
    }
    return best?.bands ?? 1
  }

  /// What each candidate gives under cyclic Poisson sampling, ascending in bands.
  ///
  /// - Parameters:
  ///   - rounds: T.
  ///   - groups: b; nil takes as many groups as bands.
  ///   - share: m/N, the share of a cohort among all units; candidates whose group has fewer than m
  ///     units are left out.
  ///   - epsilon: > 0.
  ///   - delta: in (0, 1).
  ///   - candidates: numbers of bands.
  /// - Returns: a row for each candidate that fits.
  /// - Throws: what a number out of range, or a target out of reach, is refused with.
  /// - Complexity: a calibration for each candidate.
  public static func cyclic(
    rounds: Int, groups: Int?, share: Double, epsilon: Double, delta: Double, candidates: [Int]
  ) throws(AccountingError) -> [Row] {
    var rows: [Row] = []
    for bands in candidates {
      let count = groups ?? bands
      let rate = Double(count) * share
      guard rate <= 1 + 1e-12, bands <= count else { continue }
      let noise = try CorrelatedNoise(
        ToeplitzStrategy(.banded, bands: bands, rounds: rounds),
        .cyclicPoisson(groups: count, rate: min(1, rate)))
      let multiplier = try noise.multiplier(epsilon: epsilon, delta: delta)
      rows.append(
        Row(
          bands: bands, multiplier: multiplier,
          error: multiplier * noise.strategy.prefixError))
    }
    return rows
  }
}

/// Noise that is correlated over rounds, and what it costs.
///
/// The noise multiplier is the deviation of z on the sum of a round, divided by the clip norm: with
/// one band it is that of independent noise.
///
/// - Source: McMahan, Denisov, Smith, Rush and Thakurta 2022, arXiv:2202.08312.
public struct CorrelatedNoise: Sendable, Equatable {
  /// Who takes part when, and what is known of it.
  public enum Scheme: Sendable, Equatable {
    /// Cohorts are no secret: rounds of one unit keep a distance, and the whole run is one Gaussian
    /// mechanism, counted once.
    case separated(ParticipationPattern)
    /// Units are split once, independently of their data, into b groups; round t asks each of the
    /// group t mod b with probability `rate`, q' = b·m/N for a cohort of m among N units.
    ///
    /// With no more bands than b the run is as private as ⌈T/b⌉ steps of DP-SGD at rate q' with
    /// multiplier σ/‖c‖: the rate is that within a group, not m/N.
    ///
    /// - Source: Choquette-Choo et al. 2023, arXiv:2306.08153, theorem 4.
    case cyclicPoisson(groups: Int, rate: Double)
  }

  /// C and its inverse.
  public let strategy: ToeplitzStrategy
  /// Who takes part when.
  public let scheme: Scheme
  /// How far one unit moves C's first t rows, [n + 1], in clip norms.
  private let sensitivities: [Double]

  /// A mechanism; combinations without a theorem are refused.
  public init(_ strategy: ToeplitzStrategy, _ scheme: Scheme) throws(AccountingError) {
    self.strategy = strategy
    self.scheme = scheme
    switch scheme {
    case .separated(let pattern):
      sensitivities = pattern.sensitivities(of: strategy.coefficients)
    case .cyclicPoisson(let groups, let rate):
      guard groups >= 1 else {
        throw .outOfRange("the number of groups is \(groups); expected at least 1")
      }
      guard rate >= 0, rate <= 1 else {
        throw .outOfRange("the rate within a group is \(rate); expected a number from 0 to 1")
      }
      guard strategy.kind == .banded || strategy.bands == 1 else {
        throw .unsupported(
          "a banded inverse has a full strategy matrix, for which no amplification by cyclic "
            + "Poisson sampling is known; take a banded one, or cohorts with a separation")
      }
      guard strategy.bands <= groups else {
        throw .unsupported(
          "\(strategy.bands) bands are more than the \(groups) groups of cyclic Poisson sampling; "
            + "amplification needs at most as many bands as groups")
      }
      let once = try ParticipationPattern(separation: 1, most: 1)
      sensitivities = once.sensitivities(of: strategy.coefficients)
    }
  }

  /// Noise multiplier over σ: of the whole run √k·‖c‖ without overlaps, or ‖c‖ of one step under
  /// cyclic Poisson sampling.
  public var sensitivity: Double { sensitivities[strategy.rounds] }

  /// What the first rounds are to an accountant.
  ///
  /// - Parameters:
  ///   - multiplier: deviation of z over the clip norm.
  ///   - rounds: 0 … n, those released.
  ///   - exchanges: sums of each round, each with its own noise over the rounds.
  ///   - unit: whose participation is hidden.
  /// - Returns: one release of all rounds, or the steps of DP-SGD.
  /// - Throws: for more rounds than the noise is made for.
  public func event(
    multiplier: Double, rounds: Int, exchanges: Int = 1, unit: PrivacyEvent.Unit = .client
  ) throws(AccountingError) -> PrivacyEvent {
    guard rounds >= 0, rounds <= strategy.rounds, exchanges >= 0 else {
      throw .outOfRange("\(rounds) rounds of noise that is made for \(strategy.rounds)")
    }
    switch scheme {
    case .separated:
      let isEmpty = rounds == 0
      return try PrivacyEvent(
        unit: unit, sampling: .none, neighbours: .addRemove, samplingRate: 1,
        noiseMultiplier: isEmpty ? multiplier : multiplier / sensitivities[rounds],
        steps: isEmpty ? 0 : exchanges)
    case .cyclicPoisson(let groups, let rate):
      // The sums of one round have one cohort: one draw with as much less noise, not many draws.
      let together = sensitivity * Double(max(1, exchanges)).squareRoot()
      return try .poisson(
        unit: unit, rate: rate, noiseMultiplier: multiplier / together,
        steps: exchanges == 0 ? 0 : (rounds + groups - 1) / groups)
    }
  }

  /// The smallest multiplier with which the whole run meets (ε, δ).
  ///
  /// - Complexity: a closed form without sampling, else a calibration by privacy loss
  ///   distributions, about 0.2 s.
  public func multiplier(
    epsilon: Double, delta: Double, exchanges: Int = 1, unit: PrivacyEvent.Unit = .client
  ) throws(AccountingError) -> Double {
    let rounds = strategy.rounds
    let unitEvent = try event(
      multiplier: 1, rounds: rounds, exchanges: exchanges, unit: unit)
    let sigma = try PrivacyAccounting.noiseMultiplier(
      for: try unitEvent.with(noiseMultiplier: 1), epsilon: epsilon, delta: delta)
    // The event divides by the same number; a rounding must not make it less than σ.
    let factor = 1 / unitEvent.noiseMultiplier
    var multiplier = sigma * factor
    while try event(
      multiplier: multiplier, rounds: rounds, exchanges: exchanges, unit: unit
    ).noiseMultiplier < sigma {
      multiplier = multiplier.nextUp
    }
    return multiplier
  }
}

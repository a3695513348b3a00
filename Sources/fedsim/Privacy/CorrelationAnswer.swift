import Accounting
import Base

/// What correlated noise costs or needs, beside independent noise of the same ε.
struct CorrelationAnswer {
  let options: PrivacyOptions
  let asked: CorrelationOptions
  let noise: CorrelatedNoise
  /// Whether the number of bands was chosen here.
  let choseBands: Bool
  /// Deviation of z over the clip norm.
  let multiplier: Double
  let event: PrivacyEvent
  let bracket: EpsilonBracket
  let rdp: Double
  /// Independent noise with the same ε; nil where ε is 0 or infinite.
  let independent: BandChoice.Row?

  init(_ options: PrivacyOptions, _ asked: CorrelationOptions) throws(AccountingError) {
    self.options = options
    self.asked = asked
    let bands = if let given = asked.bands { given } else { try Self.bestBands(options, asked) }
    choseBands = asked.bands == nil
    noise = try CorrelatedNoise(
      ToeplitzStrategy(asked.kind, bands: bands, rounds: asked.rounds),
      try Self.scheme(asked, bands: bands))
    multiplier =
      options.question == .noise
      ? try noise.multiplier(
        epsilon: options.epsilon, delta: options.delta, unit: options.unit) : options.noise
    event = try noise.event(multiplier: multiplier, rounds: asked.rounds, unit: options.unit)
    let ledger = PrivacyLedger([event])
    bracket = PLDAccountant().bracket(ledger, delta: options.delta)
    rdp = Accountant.rdp.epsilon(ledger, delta: options.delta)
    independent = try Self.independent(
      options, asked, noise, multiplier: multiplier, epsilon: bracket.upper)
  }

  /// Groups of cyclic sampling: as asked for, else as many as bands.
  private static func scheme(_ asked: CorrelationOptions, bands: Int) throws(AccountingError)
    -> CorrelatedNoise.Scheme
  {
    switch asked.sampling {
    case .none:
      return .separated(
        try ParticipationPattern(
          separation: asked.separation ?? 1, most: asked.participations ?? .max))
    case .cyclic:
      let groups = asked.separation ?? bands
      let rate = Double(groups) * asked.share
      guard rate <= 1 + 1e-12 else {
        throw .outOfRange(
          "each of \(groups) groups has \(asked.population / groups) units, fewer than the cohort "
            + "of \(asked.cohort); expected at most \(asked.population / asked.cohort) groups")
      }
      return .cyclicPoisson(groups: groups, rate: min(1, rate))
    }
  }

  private static func bestBands(_ options: PrivacyOptions, _ asked: CorrelationOptions)
    throws(AccountingError) -> Int
  {
    switch asked.sampling {
    case .none:
      let pattern = try ParticipationPattern(
        separation: asked.separation ?? 1, most: asked.participations ?? .max)
      return try BandChoice.best(asked.kind, rounds: asked.rounds, pattern: pattern)
    case .cyclic:
      // A banded inverse is refused by the mechanism, in its own words.
      if asked.kind == .bandedInverse { return min(2, asked.rounds) }
      let most = asked.separation ?? asked.population / asked.cohort
      let rows = try BandChoice.cyclic(
        rounds: asked.rounds, groups: asked.separation, share: asked.share,
        epsilon: options.epsilon, delta: options.delta,
        candidates: BandChoice.candidates(rounds: asked.rounds, separation: most, limit: most))
      return rows.min { $0.error < $1.error }?.bands ?? 1
    }
  }

  private static func independent(
    _ options: PrivacyOptions, _ asked: CorrelationOptions, _ noise: CorrelatedNoise,
    multiplier: Double, epsilon: Double
  ) throws(AccountingError) -> BandChoice.Row? {
    let plain = try ToeplitzStrategy(.banded, bands: 1, rounds: asked.rounds)
    switch noise.scheme {
    case .separated:
      // Both are one Gaussian mechanism: the ratio of sensitivities, whatever ε.
      let other = try CorrelatedNoise(plain, noise.scheme)
      let multiplier = multiplier * other.sensitivity / noise.sensitivity
      return BandChoice.Row(
        bands: 1, multiplier: multiplier, error: multiplier * plain.prefixError)
    case .cyclicPoisson:
      let target = options.question == .noise ? options.epsilon : epsilon
      guard target > 0, target.isFinite else { return nil }
      return try BandChoice.cyclic(
        rounds: asked.rounds, groups: 1, share: asked.share, epsilon: target,
        delta: options.delta, candidates: [1]
      ).first
    }
  }

  /// Root mean square error of prefix sums, in clip norms.
  var error: Double { multiplier * noise.strategy.prefixError }

  /// Error of independent noise over the error of this one.
  var factor: Double? { independent.flatMap { error > 0 ? $0.error / error : nil } }

  /// In how many rounds one unit can take part, and how far apart.
  var participation: (most: Int, separation: Int) {
    switch noise.scheme {
    case .separated(let pattern):
      (pattern.participations(in: asked.rounds), pattern.separation)
    case .cyclicPoisson(let groups, _): ((asked.rounds - 1) / groups + 1, groups)
    }
  }
}

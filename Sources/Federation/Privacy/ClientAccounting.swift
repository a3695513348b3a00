import Accounting
import Base
import Scenario

/// From the releases of a run to an ε, under client-level privacy.
package struct ClientAccounting {
  /// How a client hides in the cohort of one release.
  package enum Cohorts: Sendable, Equatable {
    /// It does not: everybody takes part, or each message is seen alone.
    case all
    /// Each client takes part with a probability.
    case poisson(rate: Double)
    /// A fixed number of all clients.
    case fixed(Int, of: Int)
    /// It does not, but takes part in few rounds, which are apart.
    case separated(ParticipationPattern)
    /// In its group's turn each client of a group takes part with a probability.
    case cyclic(groups: Int, rate: Double)
  }

  package let settings: PrivacySettings
  let mechanism: PrivacySettings.ClientMechanism
  package let cohorts: Cohorts
  /// Releases of a round.
  let exchanges: Int
  /// Noise that goes from round to round; nil where each round has its own.
  package private(set) var correlated: CorrelatedNoise?

  init(
    _ settings: PrivacySettings, _ mechanism: PrivacySettings.ClientMechanism, _ cohorts: Cohorts,
    exchanges: Int = 1
  ) {
    self.settings = settings
    self.mechanism = mechanism
    self.cohorts = cohorts
    self.exchanges = exchanges
  }

  /// The same with noise that is correlated over so many rounds.
  func correlated(_ correlation: PrivacySettings.ClientMechanism.Correlation, rounds: Int)
    throws(AccountingError) -> ClientAccounting
  {
    let rounds = max(1, rounds)
    let scheme: CorrelatedNoise.Scheme
    var best = correlation.bands
    switch cohorts {
    case .cyclic(let groups, let rate): scheme = .cyclicPoisson(groups: groups, rate: rate)
    case .all, .separated:
      var pattern = try ParticipationPattern(separation: 1)
      if case .separated(let given) = cohorts { pattern = given }
      scheme = .separated(pattern)
      if best == nil {
        best = try BandChoice.best(correlation.kind, rounds: rounds, pattern: pattern)
      }
    case .poisson, .fixed:
      throw .unsupported("a client may come back at once: no accountant for correlated noise")
    }
    guard let bands = best else {
      throw .unsupported("the best number of bands depends on epsilon here; give it")
    }
    var accounting = self
    accounting.correlated = try CorrelatedNoise(
      ToeplitzStrategy(correlation.kind, bands: bands, rounds: rounds), scheme)
    return accounting
  }

  /// Rounds that so many releases are of.
  private func rounds(_ releases: Int) -> Int {
    exchanges > 0 ? (releases + exchanges - 1) / exchanges : 0
  }

  /// The accounting of a run's client-level mechanism.
  package init(_ privacy: RunPrivacy, _ mechanism: PrivacySettings.ClientMechanism) {
    self =
      privacy.plan.clients ?? Self(privacy.settings, mechanism, privacy.plan.cohorts)
  }

  /// The argument for DiceSGD's ε; nil for the plain mechanism.
  private var dice: DiceAccounting? {
    let (mode, ratio): (DiceAccounting.Mode, Double)
    switch mechanism.kind {
    case .plain: return nil
    case .clientErrorFeedback: (mode, ratio) = (.client(.pld), 0)
    case .serverErrorFeedback(let given, _): (mode, ratio) = (.paper(.pld), given)
    }
    return try? DiceAccounting(mode: mode, errorRatio: ratio, samplingRate: 1, steps: 1)
  }

  /// What the noise is divided by before the accountant reads it.
  private var factor: Double {
    guard case .serverErrorFeedback = mechanism.kind else { return 1 }
    return dice?.publishedFactor ?? 1
  }

  /// The label that every ε of this mechanism carries; nil where it needs none.
  package var label: String? { dice?.label }

  /// How many of the releases so far one client can have had a part in.
  func parts(of releases: Int) -> Int {
    switch cohorts {
    case .all, .poisson, .fixed: releases
    case .separated(let pattern): pattern.participations(in: rounds(releases)) * exchanges
    case .cyclic(let groups, _): (rounds(releases) + groups - 1) / groups * exchanges
    }
  }

  /// `releases` noisy sums with a multiplier.
  package func event(_ multiplier: Double, releases: Int) throws(AccountingError) -> PrivacyEvent {
    let isLocal = mechanism.placement == .local
    if let correlated {
      return try correlated.event(
        multiplier: multiplier, rounds: rounds(releases), exchanges: min(exchanges, releases))
    }
    var (multiplier, releases) = (multiplier, releases)
    let (sampling, neighbours, rate): (PrivacyEvent.Sampling, PrivacyEvent.Neighbours, Double) =
      switch cohorts {
      // A message that is seen alone says something of whoever sent it: neighbours replace it.
      case .all: (.none, isLocal ? .replaceOne : .addRemove, 1)
      case .poisson(let rate): (.poisson, .addRemove, rate)
      case .fixed(let size, let population):
        (.withoutReplacement, .replaceOne, Double(size) / Double(population))
      case .separated: (.none, .addRemove, 1)
      case .cyclic(_, let rate): (.poisson, .addRemove, rate)
      }
    switch cohorts {
    case .all: break
    case .separated:
      releases = min(releases, parts(of: releases))
    // The sums of one round have one cohort: one draw with as much less noise, not many draws.
    case .poisson, .fixed:
      multiplier /= Double(max(1, exchanges)).squareRoot()
      releases = rounds(releases)
    case .cyclic(let groups, _):
      multiplier /= Double(max(1, exchanges)).squareRoot()
      releases = (rounds(releases) + groups - 1) / groups
    }
    return try PrivacyEvent(
      mechanism: mechanism.noise == .discrete ? .discreteGaussian : .gaussian, unit: .client,
      sampling: sampling, neighbours: neighbours, samplingRate: rate,
      noiseMultiplier: multiplier / factor, steps: releases)
  }

  /// ε after some releases; infinite without noise.
  package func epsilon(_ multiplier: Double, releases: Int) -> Epsilon {
    if releases == 0 { return Epsilon(rdp: 0, pld: 0) }
    guard let event = try? event(multiplier, releases: releases) else {
      return Epsilon(rdp: .infinity, pld: .infinity)
    }
    return Epsilon(PrivacyLedger([event]), delta: settings.delta, exact: true)
  }

  /// The multiplier for a target; exit 3 when there is none.
  func multiplier(releases: Int, epsilon: Double) throws(Failure) -> Double {
    do {
      if let correlated {
        return try correlated.multiplier(
          epsilon: epsilon, delta: settings.delta, exchanges: exchanges)
      }
      if exchanges > 1 {
        let event = try event(1, releases: releases)
        let sigma = try PrivacyAccounting.noiseMultiplier(
          for: event, epsilon: epsilon, delta: settings.delta)
        return (sigma / event.noiseMultiplier).nextUp
      }
      let sigma = try PrivacyAccounting.noiseMultiplier(
        for: try event(factor, releases: releases), epsilon: epsilon, delta: settings.delta)
      return sigma * factor
    } catch {
      throw Failure(
        .scenarioInvalid, "E3334",
        "privacy.target: no noise gives epsilon \(epsilon) at delta \(settings.delta) for "
          + "\(releases) releases: \(ExampleAccounting.words(error))",
        hint: "raise epsilon or delta, or take fewer rounds")
    }
  }
}

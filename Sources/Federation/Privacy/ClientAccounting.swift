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
  }

  package let settings: PrivacySettings
  let mechanism: PrivacySettings.ClientMechanism
  package let cohorts: Cohorts

  init(
    _ settings: PrivacySettings, _ mechanism: PrivacySettings.ClientMechanism, _ cohorts: Cohorts
  ) {
    self.settings = settings
    self.mechanism = mechanism
    self.cohorts = cohorts
  }

  /// The accounting of a run's client-level mechanism.
  package init(_ privacy: RunPrivacy, _ mechanism: PrivacySettings.ClientMechanism) {
    self.init(privacy.settings, mechanism, privacy.plan.cohorts)
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

  /// `releases` noisy sums with a multiplier.
  package func event(_ multiplier: Double, releases: Int) throws(AccountingError) -> PrivacyEvent {
    let isLocal = mechanism.placement == .local
    let (sampling, neighbours, rate): (PrivacyEvent.Sampling, PrivacyEvent.Neighbours, Double) =
      switch cohorts {
      // A message that is seen alone says something of whoever sent it: neighbours replace it.
      case .all: (.none, isLocal ? .replaceOne : .addRemove, 1)
      case .poisson(let rate): (.poisson, .addRemove, rate)
      case .fixed(let size, let population):
        (.withoutReplacement, .replaceOne, Double(size) / Double(population))
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

import Accounting
import Aggregation
import Base
import Scenario

/// How much noise each client, or the server, adds in a run, chosen before its first round from
/// what is public: sizes, cohorts and steps.
package struct NoisePlan: Sendable {
  /// One client under example-level privacy.
  package struct Share: Sendable, Equatable {
    /// q_k = min(1, B̂/n_k).
    package var rate: Double
    /// σ: standard deviation of the noise on a sum, divided by the clip.
    var multiplier: Double
    /// Batches that it will draw if it takes part whenever it is asked to.
    package var plannedBatches: Int
    /// Of those, in a round.
    package var batchesPerRound: Int
    /// Gradients on each batch.
    var gradientsPerBatch: Int
    /// Batches that its budget pays for; nil without a budget.
    package var limit: Int?
  }

  package let settings: PrivacySettings
  /// By client; empty under client-level privacy, nil for clients without examples.
  package private(set) var shares: [Share?] = []
  /// Client-level: σ of the whole release, what it is accounted with.
  package private(set) var multiplier = 0.0
  /// Client-level: σ of the updates: all of it, or what the count of an adaptive clip leaves.
  private(set) var updateMultiplier = 0.0
  /// Client-level: how a client hides in the cohort of one release.
  package private(set) var cohorts = ClientAccounting.Cohorts.all
  /// Client-level: how releases become an ε; nil under example-level privacy.
  package private(set) var clients: ClientAccounting?
  /// Client-level: releases in the whole run, by one client where each adds its own noise.
  package private(set) var releases = 0
  /// Client-level with local noise and a budget: releases that the budget of a client pays for; nil
  /// without one.
  package private(set) var limit: Int?

  /// What a plan is made from.
  package struct Facts {
    package var federation: FederationSettings
    /// Images of each client.
    var sizes: [Int]
    /// Rounds in which each client is drawn.
    var participations: [Int]
    /// Messages of a client in a round; 0 for a method that sends nothing.
    var exchanges: Int
    /// A client's work in a round, from its number of examples.
    package var work: (Int) -> PrivateWork
    /// B̂.
    package var batch: Int
    /// Whether a client may take part more often than `participations` says, as on a clock.
    var cohortsMayDiffer = false

    package init(
      federation: FederationSettings, sizes: [Int], participations: [Int], exchanges: Int,
      work: @escaping (Int) -> PrivateWork, batch: Int, cohortsMayDiffer: Bool = false
    ) {
      self.federation = federation
      self.sizes = sizes
      self.participations = participations
      self.exchanges = exchanges
      self.work = work
      self.batch = batch
      self.cohortsMayDiffer = cohortsMayDiffer
    }
  }

  /// Finds the noise; throws exit 3 when no noise meets the target.
  package init(_ settings: PrivacySettings, _ facts: Facts) throws(Failure) {
    self.settings = settings
    switch settings.unit {
    case .example(let mechanism): try planExamples(mechanism, facts)
    case .client(let mechanism): try planClients(mechanism, facts)
    }
  }

  // MARK: - Examples

  private mutating func planExamples(_ mechanism: PrivacySettings.ExampleMechanism, _ facts: Facts)
    throws(Failure)
  {
    let accounting = ExampleAccounting(settings, mechanism)
    for (client, size) in facts.sizes.enumerated() {
      guard size > 0 else {
        shares.append(nil)
        continue
      }
      let work = facts.work(size)
      shares.append(
        Share(
          rate: min(1, Double(facts.batch) / Double(size)),
          multiplier: settings.noiseMultiplier ?? 0,
          plannedBatches: work.batches * facts.participations[client],
          batchesPerRound: work.batches, gradientsPerBatch: work.gradientsPerBatch, limit: nil))
    }
    guard let target = settings.target else { return }
    if settings.noiseMultiplier != nil {
      setLimits(accounting, target, rounds: facts.cohortsMayDiffer ? facts.federation.rounds : 0)
      return
    }
    var known: [Share: Double] = [:]
    var largest = 0.0
    for share in shares.compactMap({ $0 }) where share.plannedBatches > 0 {
      let multiplier: Double
      if let found = known[share] {
        multiplier = found
      } else {
        multiplier = try accounting.multiplier(for: share, epsilon: target.epsilon)
        known[share] = multiplier
      }
      largest = max(largest, multiplier)
    }
    for index in shares.indices {
      guard let share = shares[index] else { continue }
      shares[index]?.multiplier = target.isPerClient ? known[share] ?? largest : largest
      // What was planned is what the noise pays for.
      shares[index]?.limit = share.plannedBatches
    }
  }

  /// How long each client's budget lasts under the noise that was given.
  ///
  /// `rounds`: those of the run where cohorts may turn out other than planned; then a budget does
  /// not end with the plan, and who was not to take part has one, too.
  private mutating func setLimits(
    _ accounting: ExampleAccounting, _ target: PrivacySettings.Target, rounds: Int
  ) {
    var known: [Share: Int] = [:]
    for index in shares.indices {
      guard var share = shares[index] else { continue }
      share.plannedBatches = max(share.plannedBatches, share.batchesPerRound * rounds)
      let limit = known[share] ?? accounting.batches(of: share, within: target.epsilon)
      known[share] = limit
      shares[index]?.limit = limit
    }
  }

  // MARK: - Clients

  private mutating func planClients(_ mechanism: PrivacySettings.ClientMechanism, _ facts: Facts)
    throws(Failure)
  {
    let federation = facts.federation
    if mechanism.placement == .local {
      // Each message is a release of its own; nobody hides in a cohort.
      releases = (facts.participations.max() ?? 0) * facts.exchanges
      cohorts = .all
    } else {
      releases = federation.rounds * facts.exchanges
      let population = mechanism.assumedPopulation ?? federation.clients
      switch federation.sampling {
      case .poisson:
        cohorts = .poisson(rate: min(1, federation.expectedCohort / Double(population)))
      case .uniform:
        let size = federation.uniformCohort
        cohorts = size >= population ? .all : .fixed(size, of: population)
      case .separated(let scheme):
        cohorts = .separated(
          try Self.checked { () throws(AccountingError) in
            try ParticipationPattern(
              separation: scheme.separation, most: scheme.participations ?? .max)
          })
      case .cyclicPoisson(let groups):
        let rate = Double(groups) * federation.expectedCohort / Double(population)
        cohorts = .cyclic(groups: groups, rate: min(1, rate))
      case .powerOfChoice, .oort:
        throw Failure(
          .scenarioInvalid, "E3335",
          "federation.sampling \"\(federation.sampling.word)\": no amplification is known for "
            + "cohorts that are not random", hint: "take \"uniform\" or \"poisson\"")
      }
    }
    var accounting = ClientAccounting(
      settings, mechanism, cohorts, exchanges: facts.exchanges)
    if let correlation = mechanism.correlation {
      accounting = try Self.checked { () throws(AccountingError) in
        try accounting.correlated(correlation, rounds: federation.rounds)
      }
    }
    clients = accounting
    if let given = settings.noiseMultiplier {
      multiplier = given
      if let target = settings.target, releases > 0 {
        try setLimit(accounting, mechanism, target, facts)
      }
    } else if let target = settings.target, releases > 0 {
      multiplier = try accounting.multiplier(releases: releases, epsilon: target.epsilon)
    }
    updateMultiplier = try updates(mechanism, federation)
  }

  /// A schedule or noise that no accountant knows, as a failure of the scenario.
  private static func checked<Value>(_ make: () throws(AccountingError) -> Value) throws(Failure)
    -> Value
  {
    do { return try make() } catch {
      throw Failure(
        .scenarioInvalid, "E3336", "privacy.correlation: \(error.message)",
        hint: "fedsim privacy noise --mechanism banded shows what fits")
    }
  }

  /// What a budget means under the noise that was given: clients that add their own noise stop when
  /// theirs is used up; a budget of all together has to pay for all rounds.
  private mutating func setLimit(
    _ accounting: ClientAccounting, _ mechanism: PrivacySettings.ClientMechanism,
    _ target: PrivacySettings.Target, _ facts: Facts
  ) throws(Failure) {
    func fits(_ count: Int) -> Bool {
      accounting.epsilon(multiplier, releases: count).pld <= target.epsilon
    }
    var (low, high) = (0, releases)
    if fits(high) {
      low = high
    } else {
      while high - low > 1 {
        let middle = low + (high - low) / 2
        if fits(middle) { low = middle } else { high = middle }
      }
    }
    if mechanism.placement == .local {
      limit = low
    } else if low < releases {
      throw Failure(
        .scenarioInvalid, "E3371",
        "privacy.target: epsilon \(target.epsilon) pays for \(low / facts.exchanges) of "
          + "\(facts.federation.rounds) rounds with the noise multiplier \(multiplier); all "
          + "clients have one budget, and nobody could go on",
        hint: "take fewer rounds, more noise, or leave one of noiseMultiplier and target out")
    }
  }

  /// What is left of the multiplier for updates; less noise than accounted for is refused.
  private func updates(
    _ mechanism: PrivacySettings.ClientMechanism, _ federation: FederationSettings
  ) throws(Failure) -> Double {
    var updates = multiplier
    if mechanism.adaptive != nil {
      let deviation = CountNoise.deviation(cohort: federation.expectedCohort)
      guard let rest = CountNoise.updateMultiplier(multiplier, countDeviation: deviation) else {
        throw Failure(
          .scenarioInvalid, "E3332",
          "privacy: the noise multiplier \(multiplier) is too large for an adaptive clip of "
            + "\(federation.expectedCohort) clients: counting them alone costs more privacy",
          hint: "raise epsilon or the cohort, or take the clipping \"flat\"")
      }
      updates = rest
    }
    if mechanism.noise == .discrete, updates > GridNoise.largestMultiplier {
      throw Failure(
        .scenarioInvalid, "E3332",
        "privacy: the noise multiplier \(updates) is beyond discrete noise, which goes up to "
          + "\(GridNoise.largestMultiplier)",
        hint: "take \"noise\": \"gaussian\", or a larger epsilon")
    }
    return updates
  }
}

extension NoisePlan.Share: Hashable {}

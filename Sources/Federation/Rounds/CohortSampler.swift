import Base
import Scenario

/// Draws the clients of a round: a function of the seed and the round alone, so that every
/// strategy meets the same cohorts.
///
/// Choices by clients' losses are made in `SelectionStage.swift`.
package struct CohortSampler: Sendable {
  /// Clients, participation, and how a cohort is drawn.
  package let settings: FederationSettings
  package let seed: UInt64
  /// Cohorts that are given and not drawn, ascending, one per round; nil: all are drawn.
  package let given: [[Int]]?
  private let separated: SeparatedCohorts?
  private let groups: CohortGroups?

  package init(settings: FederationSettings, seed: UInt64, given: [[Int]]? = nil) {
    self.settings = settings
    self.seed = seed
    self.given = given
    var (separated, groups): (SeparatedCohorts?, CohortGroups?) = (nil, nil)
    switch settings.sampling {
    case .separated(let scheme) where given == nil:
      separated = SeparatedCohorts(settings, scheme, seed: seed)
    case .cyclicPoisson(let count) where given == nil:
      groups = CohortGroups(clients: settings.clients, groups: count, seed: seed)
    case .uniform, .poisson, .powerOfChoice, .oort, .separated, .cyclicPoisson: break
    }
    (self.separated, self.groups) = (separated, groups)
  }

  /// Clients of a round, ascending.
  ///
  /// - `uniform`: m = max(1, round(participation·K)) of K without replacement (partial
  ///   Fisher–Yates on a sparse table: O(m) whatever K).
  /// - `poisson`: each with probability `participation`; may be empty. Gaps between chosen clients
  ///   are geometric, so it takes O(m), too.
  /// - `separated`: as `uniform`, among clients that have rested (``SeparatedCohorts``).
  /// - `cyclic-poisson`: each of a group with probability groups·`participation`
  ///   (``CohortGroups``).
  /// - chosen by losses: as `uniform`, for a pooled site, which has nobody to choose from.
  /// - given: the one of this round; asking for a round after the last is a programmer's mistake.
  package func cohort(round: Int) -> [Int] {
    if let given { return given[round - 1] }
    var stream = RandomStream(seed: seed, .cohort, round: round)
    switch settings.sampling {
    case .separated, .uniform, .powerOfChoice, .oort:
      if let separated { return separated.cohort(round: round) }
      return Self.uniform(size, of: settings.clients, &stream) { _ in true }
    case .cyclicPoisson(let count):
      let rate = min(1, Double(count) * settings.participation)
      return groups?.cohort(round: round, rate: rate, &stream) ?? []
    case .poisson:
      return stream.bernoulliSubset(count: settings.clients, rate: settings.participation)
    }
  }

  package var size: Int { settings.uniformCohort }

  /// Whether every cohort is all clients, so that none needs to be drawn.
  var isEverybody: Bool {
    given == nil && settings.sampling == .uniform && size >= settings.clients
  }

  /// Clients of a round among those that can be asked, ascending.
  ///
  /// - `uniform`: round(c·m) of them without replacement, as far as there are so many;
  /// - `poisson`: each with probability min(1, c·participation);
  /// - given, and by a schedule: those of the cohort that can be asked.
  ///
  /// With c = 1 and everybody there, the clients of `cohort(round:)`.
  ///
  /// - Complexity: O(m) where all can be asked, at most O(K) questions.
  package func cohort(round: Int, overSelection c: Double, where isAvailable: (Int) -> Bool)
    -> [Int]
  {
    if let given { return given[round - 1].filter(isAvailable) }
    if settings.sampling.isScheduled { return cohort(round: round).filter(isAvailable) }
    var stream = RandomStream(seed: seed, .cohort, round: round)
    if settings.sampling == .poisson {
      return stream.bernoulliSubset(
        count: settings.clients, rate: min(1, c * settings.participation)
      ).filter(isAvailable)
    }
    return Self.uniform(
      Int(clamping: (c * Double(size)).rounded()), of: settings.clients, &stream,
      where: isAvailable)
  }

  /// As many clients without replacement, among those that can be asked.
  static func uniform(
    _ most: Int, of clients: Int, _ stream: inout RandomStream, where isAvailable: (Int) -> Bool
  ) -> [Int] {
    let wanted = min(most, clients)
    if wanted == clients { return (0..<wanted).filter(isAvailable) }
    var moved: [Int: Int] = [:]
    var chosen: [Int] = []
    chosen.reserveCapacity(wanted)
    var place = 0
    while place < clients, chosen.count < wanted {
      let pick = place + stream.below(clients - place)
      let client = moved[pick] ?? pick
      moved[pick] = moved[place] ?? place
      if isAvailable(client) { chosen.append(client) }
      place += 1
    }
    return chosen.sorted()
  }
}

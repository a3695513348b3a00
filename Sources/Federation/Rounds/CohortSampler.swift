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

  /// A sampler under a seed.
  package init(settings: FederationSettings, seed: UInt64, given: [[Int]]? = nil) {
    self.settings = settings
    self.seed = seed
    self.given = given
  }

  /// Clients of a round, ascending.
  ///
  /// - `uniform`: m = max(1, round(participation·K)) of K without replacement (partial
  ///   Fisher–Yates on a sparse table: O(m) whatever K).
  /// - `poisson`: each with probability `participation`; may be empty. Gaps between chosen clients
  ///   are geometric, so it takes O(m), too.
  /// - chosen by losses: as `uniform`, for a pooled site, which has nobody to choose from.
  /// - given: the one of this round; asking for a round after the last is a programmer's mistake.
  package func cohort(round: Int) -> [Int] {
    if let given { return given[round - 1] }
    var stream = RandomStream(seed: seed, .cohort, round: round)
    switch settings.sampling {
    case .uniform, .powerOfChoice, .oort: return uniform(&stream)
    case .poisson:
      return stream.bernoulliSubset(count: settings.clients, rate: settings.participation)
    }
  }

  package var size: Int { settings.uniformCohort }

  /// Whether every cohort is all clients, so that none needs to be drawn.
  var isEverybody: Bool {
    given == nil && settings.sampling == .uniform && size >= settings.clients
  }

  private func uniform(_ stream: inout RandomStream) -> [Int] {
    let wanted = min(size, settings.clients)
    if wanted == settings.clients { return Array(0..<wanted) }
    var moved: [Int: Int] = [:]
    var chosen: [Int] = []
    chosen.reserveCapacity(wanted)
    for place in 0..<wanted {
      let pick = place + stream.below(settings.clients - place)
      chosen.append(moved[pick] ?? pick)
      moved[pick] = moved[place] ?? place
    }
    return chosen.sorted()
  }
}

import Base
import Scenario
import Synchronization

/// Cohorts of clients that rest: of each round as many as are wanted, without replacement, among
/// those that took part neither in the last b − 1 rounds nor k times before.
///
/// A round's cohort depends on those before it, and on nothing else but the seed: what was drawn is
/// kept, and what was not yet is drawn when it is asked for.
final class SeparatedCohorts: Sendable {
  private struct Drawn {
    /// Of rounds 1, 2 and so on.
    var cohorts: [[Int]] = []
    /// The last round of a client, and how many it had.
    var past: [Int: (last: Int, count: Int)] = [:]
  }

  private let clients: Int
  private let size: Int
  private let scheme: FederationSettings.Separated
  private let seed: UInt64
  private let drawn = Mutex(Drawn())

  init(_ settings: FederationSettings, _ scheme: FederationSettings.Separated, seed: UInt64) {
    clients = settings.clients
    size = settings.uniformCohort
    self.scheme = scheme
    self.seed = seed
  }

  /// Clients of a round, ascending; fewer than wanted where too few have rested.
  ///
  /// - Complexity: O(m·K/rested) for each round that is new, at most O(K).
  func cohort(round: Int) -> [Int] {
    drawn.withLock { drawn in
      while drawn.cohorts.count < round {
        let next = drawn.cohorts.count + 1
        var stream = RandomStream(seed: seed, .cohort, round: next)
        let cohort = CohortSampler.uniform(size, of: clients, &stream) { [scheme] client in
          guard let past = drawn.past[client] else { return true }
          return next - past.last >= scheme.separation
            && past.count < scheme.participations ?? .max
        }
        for client in cohort {
          drawn.past[client] = (next, (drawn.past[client]?.count ?? 0) + 1)
        }
        drawn.cohorts.append(cohort)
      }
      return drawn.cohorts[round - 1]
    }
  }
}

/// Clients in groups that take turns.
///
/// They are split once by the seed alone, so that what a client has says nothing of its group;
/// sizes differ by at most one.
struct CohortGroups: Sendable {
  let groups: Int
  /// Client of each place; group g has every b-th place from g on.
  private let order: [Int32]

  init(clients: Int, groups: Int, seed: UInt64) {
    self.groups = groups
    var order = (0..<clients).map { Int32($0) }
    // One group is everybody, in their own order: Poisson sampling as it is without groups.
    if groups > 1 {
      var stream = RandomStream(seed: seed, .cohortGroups)
      for place in stride(from: clients - 1, to: 0, by: -1) {
        order.swapAt(place, stream.below(place + 1))
      }
    }
    self.order = order
  }

  /// Clients of a round, ascending: of its group each with a probability.
  func cohort(round: Int, rate: Double, _ stream: inout RandomStream) -> [Int] {
    let group = (round - 1) % groups
    let size = (order.count - group + groups - 1) / groups
    return stream.bernoulliSubset(count: size, rate: rate).map { Int(order[group + $0 * groups]) }
      .sorted()
  }
}

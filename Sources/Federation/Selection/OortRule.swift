import Base
import Scenario

/// Oort's choice of one round, from what is known of the clients.
///
/// | paper | here |
/// |---|---|
/// | U(i) = \|B_i\|·√(Σ_{k∈B_i} Loss(k)² / \|B_i\|) | `Known.utility` |
/// | L(i), D(i) | `Known.round`, `Known.seconds` |
/// | R, T | `round`, `preferred` |
/// | Util(i) = (min(U(i), U_clip) + √(0.1·log R / L(i)))·(T / D(i))^{α·[T < D(i)]} | `scores` |
/// | ε, c, Δ, W, α | the settings |
///
/// - Source: Lai et al., OSDI 2021, algorithm 1, equations 1 and 2, section 4.4 (clipping).
package struct OortRule: Sendable {
  package let settings: FederationSettings.Oort

  package init(_ settings: FederationSettings.Oort) { self.settings = settings }

  /// What the server knows of a client that has taken part.
  package struct Known: Sendable, Equatable {
    package let client: Int
    /// U ≥ 0 when it last took part.
    package let utility: Double
    /// The round in which it last took part, from 1.
    package let round: Int
    /// Seconds that it took then; nil without a clock.
    package let seconds: Double?
  }

  /// ε of a round, from 1.
  package func exploration(round: Int) -> Double {
    let decayed = settings.exploration * pow(settings.explorationDecay, Double(max(0, round - 1)))
    return max(min(settings.explorationMinimum, settings.exploration), decayed)
  }

  /// Util of each known client; `preferred` is T.
  package func scores(_ known: [Known], round: Int, preferred: Double) -> [Double] {
    let sorted = known.map(\.utility).sorted()
    guard let top = sorted.last else { return [] }
    let place = min(Int(clamping: Double(sorted.count) * settings.clip), sorted.count - 1)
    let limit = settings.clip < 1 ? sorted[place] : top
    return known.map { one in
      let uncertainty = (0.1 * log(Double(max(1, round))) / Double(max(1, one.round))).squareRoot()
      let score = min(one.utility, limit) + uncertainty
      guard let seconds = one.seconds, preferred < seconds else { return score }
      return score * pow(preferred / seconds, settings.penalty)
    }
  }

  /// A cohort.
  ///
  /// The share ε goes to clients that have never taken part, each alike (nothing is known of their
  /// speed before they do); the rest to known ones, with a probability proportional to Util among
  /// those at or above c times the utility of the last that would be taken by rank. Where one kind
  /// is too few the other fills up.
  ///
  /// - Parameters:
  ///   - size: m.
  ///   - clients: all that hold examples, ascending.
  ///   - known: of those that have taken part, ascending.
  ///   - round: R, from 1.
  ///   - preferred: T.
  ///   - seed: the run's seed.
  /// - Returns: min(m, clients) of them, ascending.
  package func cohort(
    size: Int, of clients: [Int], known: [Known], round: Int, preferred: Double, seed: UInt64
  ) -> [Int] {
    let explored = Set(known.map(\.client))
    let fresh = clients.filter { !explored.contains($0) }
    let wanted = min(size, clients.count)
    let share = Int(clamping: (exploration(round: round) * Double(wanted)).rounded())
    let exploited = min(known.count, wanted - min(share, fresh.count))
    let scores = scores(known, round: round, preferred: preferred)
    var chosen: [Int] = []
    if exploited > 0 {
      let ranked = scores.sorted(by: >)
      let least = settings.cutOff * ranked[exploited - 1]
      let admitted = known.indices.filter { scores[$0] >= least }
      var stream = RandomStream(seed: seed, .oortExploitation, round: round)
      chosen = ClientDraws.weighted(
        admitted.map { known[$0].client }, weights: admitted.map { scores[$0] }, count: exploited,
        &stream)
    }
    var stream = RandomStream(seed: seed, .oortExploration, round: round)
    let explorers = ClientDraws.weighted(
      fresh, weights: fresh.map { _ in 1 }, count: wanted - chosen.count, &stream)
    return (chosen + explorers).sorted()
  }

  /// T after a look at the utilities of the last 2·W rounds, oldest first: Δ more when the later W
  /// added up to less than the earlier ones; as it is before 2·W rounds.
  package func paced(_ preferred: Double, _ utilities: [Double]) -> Double {
    let window = settings.pacerWindow
    guard utilities.count >= 2 * window else { return preferred }
    let recent = utilities.suffix(2 * window)
    let earlier = recent.prefix(window).reduce(0, +)
    return earlier > recent.suffix(window).reduce(0, +) ? preferred + settings.pacerStep : preferred
  }
}

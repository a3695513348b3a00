import Base
import Scenario

extension CohortSampler {
  /// Clients of a round among those that can be asked, ascending.
  ///
  /// - `uniform`: round(c·m) of them without replacement, as far as there are so many;
  /// - `poisson`: each with probability min(1, c·participation);
  /// - given: those of the cohort that can be asked.
  ///
  /// With c = 1 and everybody there, the clients of `cohort(round:)`.
  ///
  /// - Complexity: O(m) where all can be asked, at most O(K) questions.
  package func cohort(round: Int, overSelection c: Double, where isAvailable: (Int) -> Bool)
    -> [Int]
  {
    if let given { return given[round - 1].filter(isAvailable) }
    var stream = RandomStream(seed: seed, .cohort, round: round)
    if settings.sampling == .poisson {
      return stream.bernoulliSubset(
        count: settings.clients, rate: min(1, c * settings.participation)
      ).filter(isAvailable)
    }
    let wanted = min(settings.clients, Int(clamping: (c * Double(size)).rounded()))
    if wanted == settings.clients { return (0..<wanted).filter(isAvailable) }
    var moved: [Int: Int] = [:]
    var chosen: [Int] = []
    for place in 0..<settings.clients where chosen.count < wanted {
      let pick = place + stream.below(settings.clients - place)
      let client = moved[pick] ?? pick
      moved[pick] = moved[place] ?? place
      if isAvailable(client) { chosen.append(client) }
    }
    return chosen.sorted()
  }
}

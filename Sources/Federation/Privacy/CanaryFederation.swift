import Accounting
import Aggregation
import Base
import Client
import Scenario
import Tensor

/// A federation of canaries under a run's client-level mechanism: clients that exist for an audit
/// alone, whose made-up updates go through the clip, the error feedback, the sums and the noise of
/// the run.
///
/// Client i moves number i of the update and no other, by far more than the clip allows. Where
/// neighbours differ by a client's presence, one that is not included is not there; where they
/// differ by an exchange, it sends the opposite. Nobody else takes part: what others send is no
/// secret to the attacker whom an ε has to stand. Cohorts are drawn at the run's rate.
package struct CanaryFederation: Sendable {
  private let privacy: RunPrivacy
  private let mechanism: PrivacySettings.ClientMechanism
  /// Whether each canary is in the federation.
  package let included: [Bool]
  /// The noise, as a share of the run's.
  private let noiseShare: Double

  /// How far beyond the clip a canary's update is.
  private static let excess = 4.0
  private static let block = "canary"

  /// A federation; nil under example-level privacy.
  ///
  /// - Parameters:
  ///   - privacy: the run's.
  ///   - included: one entry per canary.
  ///   - noiseShare: 1, or less for a mechanism that is weaker than the run's.
  package init?(_ privacy: RunPrivacy, included: [Bool], noiseShare: Double = 1) {
    guard let mechanism = privacy.settings.clientLevel else { return nil }
    self.privacy = privacy
    self.mechanism = mechanism
    self.included = included
    self.noiseShare = noiseShare
  }

  /// Most numbers that are released in all rounds.
  private static let mostReleased = 1 << 25
  /// Most numbers that a cohort's clients add noise to in all rounds.
  private static let mostNoise = 1 << 25

  /// As many canaries as can be asked in reasonable time, at most `wanted`: where clients add
  /// shares of the noise, each adds it to as many numbers as there are canaries.
  package static func count(wanted: Int, _ privacy: RunPrivacy, releases: Int) -> Int {
    let wanted = max(1, min(wanted, mostReleased / max(1, releases)))
    guard privacy.settings.clientLevel?.placement == .distributed else { return wanted }
    let rate: Double =
      switch privacy.plan.cohorts {
      case .all, .separated: 1
      case .poisson(let rate), .cyclic(_, let rate): rate
      case .fixed(let size, let population): Double(size) / Double(population)
      }
    let most = (Double(mostNoise) / (rate * Double(max(1, releases)))).squareRoot()
    return max(1, min(wanted, Int(clamping: most)))
  }

  /// The score of each canary after some releases: what was released along its update, in clips.
  ///
  /// - Complexity: O(releases · cohort · canaries), or O(releases · canaries) where each message is
  ///   a release of its own.
  package func scores(releases: Int, seed: UInt64) -> [Double] {
    mechanism.placement == .local
      ? included.indices.map { alone($0, releases, seed) } : together(releases, seed)
  }

  private var core: CohortRelease {
    var size = Double(included.count)
    switch privacy.plan.cohorts {
    case .all, .separated: size /= 2
    case .poisson(let rate), .cyclic(_, let rate): size *= rate / 2
    case .fixed: size = Double(cohortSize)
    }
    return CohortRelease(
      privacy.settings, mechanism, multiplier: privacy.plan.updateMultiplier * noiseShare,
      size: max(1, size))
  }

  /// Canaries of a cohort whose size is fixed, by the run's share of its clients, rounded down.
  private var cohortSize: Int {
    guard case .fixed(let size, let population) = privacy.plan.cohorts else {
      return included.count
    }
    return max(1, included.count * size / population)
  }

  /// Whether a canary that is not included is another client instead.
  private var replaces: Bool {
    if case .fixed = privacy.plan.cohorts { return true }
    return mechanism.placement == .local
  }

  /// What a canary wants to send.
  private func update(_ canary: Int, clip: Double) -> Float {
    Float((included[canary] ? 1 : -1) * Self.excess * clip)
  }

  private func template(_ count: Int) -> Payload {
    var payload = Payload.empty
    payload.append(
      Self.block, [Payload.NamedShape(Self.block, [count])],
      values: [Float](repeating: 0, count: count))
    return payload
  }

  /// A canary whose messages are seen one by one.
  private func alone(_ canary: Int, _ releases: Int, _ seed: UInt64) -> Double {
    let core = core
    let release = core.message(senders: 1)
    let template = template(1)
    var memory = ClientMemory()
    var score = 0.0
    for round in 0..<releases {
      let streams = NoiseStreams(seed: seed, round: round + 1, exchange: 0)
      let sent = release.release(
        template.replacing([[update(canary, clip: core.clip)]]), &memory
      ) { streams.noise(of: canary, block: $0) }
      score += Double(sent.upload[Self.block][0]) / core.clip
    }
    return score
  }

  /// Canaries whose messages are summed up.
  private func together(_ releases: Int, _ seed: UInt64) -> [Double] {
    var core = core
    let template = template(included.count)
    var memories = [ClientMemory](repeating: ClientMemory(), count: included.count)
    // [canaries × releases], in clips.
    var released = [[Double]](repeating: [], count: included.count)
    let pool = WorkerPool(workers: 1)
    for round in 0..<releases {
      let streams = NoiseStreams(seed: seed, round: round + 1, exchange: 0)
      let cohort = cohort(round: round + 1, seed)
      let clip = core.clip
      let release = core.message(senders: cohort.count)
      var aggregate = PrivateAggregate()
      aggregate.shape(template)
      for canary in cohort {
        var values = [Float](repeating: 0, count: included.count)
        values[canary] = update(canary, clip: clip)
        let sent = release.release(template.replacing([values]), &memories[canary]) {
          streams.noise(of: canary, block: $0)
        }
        aggregate.add(sent, clip: clip)
      }
      let past = privacy.plan.clients?.correlated.map { correlated in
        CorrelatedRelease(strategy: correlated.strategy) { round, block in
          NoiseStreams(seed: seed, round: round, exchange: 0).noise(
            of: included.count, block: block)
        }
      }
      let mean = core.mean(
        of: aggregate, senders: cohort.count,
        correlated: past.map { past in
          { past.noise(round: round + 1, block: $0, count: $1, deviation: $2, pool) }
        }
      ) { streams.noise(of: included.count, block: $0) }
      let values = mean.payload[Self.block]
      for i in released.indices { released[i].append(Double(values[i]) * core.size / clip) }
    }
    return released.indices.map { matched(released[$0], $0) }
  }

  /// Whether it is a canary's turn, in the federation or not: everybody knows the schedule.
  ///
  /// Canaries take turns, each as often as the schedule allows.
  private func isDue(_ canary: Int, _ round: Int) -> Bool {
    switch privacy.plan.cohorts {
    case .all, .poisson, .fixed: return true
    case .cyclic(let groups, _): return (round - 1) % groups == canary % groups
    case .separated(let pattern):
      let (turn, place) = (round - 1).quotientAndRemainder(dividingBy: pattern.separation)
      return place == canary % pattern.separation && turn < pattern.most
    }
  }

  /// Σ_t (Cπ)_t·(Cr)_t with r what was released along a canary's update and π its turns: the best
  /// test there is where noise is C⁻¹z; C is the identity for noise of each round's own.
  private func matched(_ released: [Double], _ canary: Int) -> Double {
    let turns = released.indices.map { isDue(canary, $0 + 1) ? 1.0 : 0 }
    guard let strategy = privacy.plan.clients?.correlated?.strategy else {
      return zip(turns, released).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let column = strategy.coefficients
    var score = 0.0
    for t in released.indices {
      var (own, seen) = (0.0, 0.0)
      for j in 0...t where column[j] != 0 {
        own += column[j] * turns[t - j]
        seen += column[j] * released[t - j]
      }
      score += own * seen
    }
    return score
  }

  /// Canaries of a round, ascending.
  private func cohort(round: Int, _ seed: UInt64) -> [Int] {
    var stream = RandomStream(seed: seed, .cohort, round: round)
    switch privacy.plan.cohorts {
    case .all: return included.indices.filter { included[$0] }
    case .separated: return included.indices.filter { included[$0] && isDue($0, round) }
    case .cyclic(_, let rate):
      return stream.bernoulliSubset(count: included.count, rate: rate).filter {
        included[$0] && isDue($0, round)
      }
    case .poisson(let rate):
      return stream.bernoulliSubset(count: included.count, rate: rate).filter { included[$0] }
    case .fixed:
      var all = Array(included.indices)
      stream.shuffle(&all)
      return all.prefix(cohortSize).sorted()
    }
  }
}

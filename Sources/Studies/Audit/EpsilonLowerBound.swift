import Base
import Records

/// What an attack proves about a mechanism that claims (ε, δ)-differential privacy: an ε that the
/// mechanism exceeds with a stated confidence.
///
/// A mechanism is run many times with a canary and many times without; each run gives one number T.
/// For every set S of outcomes, P(S) ≤ e^ε·P′(S) + δ in both orders of the two cases, so with S
/// on one side of a threshold t,
///
///     ε ≥ ln( (p − δ)/p′ ),   p and p′ the probabilities of S in the two cases.
///
/// Side, order and threshold are chosen on one half of the runs, by the bound that they would give
/// there; the bound itself comes from the other half, with p at its lower and p′ at its upper
/// Clopper–Pearson bound, half of the error for each. So the choice costs nothing: the bound holds
/// with the stated confidence whatever T is. It says nothing about how much larger ε may be.
///
/// - Source: Jagielski, Ullman and Oprea, NeurIPS 2020, arXiv:2006.07709; Nasr, Song, Thakurta,
///   Papernot and Carlini, IEEE S&P 2021, arXiv:2101.04535.
package struct EpsilonLowerBound: Sendable, Equatable {
  /// ε is at least this, with confidence `confidence`; 0 where the attack proves nothing.
  package let epsilon: Double
  /// δ of the claim.
  package let delta: Double
  /// 1 − the probability that `epsilon` is above the true ε, such as 0.95.
  package let confidence: Double
  /// t: outcomes are distinguished by T ≥ t.
  package let threshold: Double
  /// Which event was used.
  package let event: Event
  /// Runs of the deciding half in which the event happened, and those runs, where it is likelier.
  package let likelier: Count
  /// The same where it is rarer.
  package let rarer: Count

  /// A set of outcomes and the case in which it is likelier.
  package enum Event: String, Sendable, CaseIterable {
    /// T ≥ t, more often with the canary.
    case aboveWith
    /// T < t, more often without.
    case belowWithout
    /// T ≥ t, more often without.
    case aboveWithout
    /// T < t, more often with it.
    case belowWith
  }

  /// Successes among trials.
  package struct Count: Sendable, Equatable {
    /// How often it happened.
    package let successes: Int
    /// How often it was tried.
    package let trials: Int
  }

  /// The bound from independent runs.
  ///
  /// Numbers at even places choose, those at odd places decide; what is not a number counts as the
  /// smallest.
  ///
  /// - Parameters:
  ///   - with: T of each run with the canary.
  ///   - without: T of each run without.
  ///   - delta: δ in [0, 1].
  ///   - confidence: in (0, 1).
  /// - Complexity: O(n log n) and at most a thousand thresholds.
  package init(with: [Double], without: [Double], delta: Double, confidence: Double = 0.95) {
    let with = with.map { $0.isNaN ? -.infinity : $0 }
    let without = without.map { $0.isNaN ? -.infinity : $0 }
    let error = min(1, max(0, 1 - confidence))
    let choosing = Halves(with, without, parity: 0)
    let deciding = Halves(with, without, parity: 1)
    var best = (epsilon: -1.0, threshold: 0.0, event: Event.aboveWith)
    for threshold in choosing.thresholds(atMost: 1000) {
      for event in Event.allCases {
        let (likelier, rarer) = choosing.counts(event, threshold)
        guard Self.reach(likelier, rarer, delta, error) > best.epsilon else { continue }
        let epsilon = Self.epsilon(likelier, rarer, delta, error)
        if epsilon > best.epsilon { best = (epsilon, threshold, event) }
      }
    }
    let (likelier, rarer) = deciding.counts(best.event, best.threshold)
    epsilon = Self.epsilon(likelier, rarer, delta, error)
    self.delta = delta
    self.confidence = confidence
    threshold = best.threshold
    event = best.event
    self.likelier = likelier
    self.rarer = rarer
  }

  /// More than the bound can be: the shares themselves stand for p and p′, and for p′ at least its
  /// bound where the event never happened, 1 − (error/2)^(1/n).
  ///
  /// Most candidates are ruled out by this, and quantiles cost.
  private static func reach(_ likelier: Count, _ rarer: Count, _ delta: Double, _ error: Double)
    -> Double
  {
    guard error > 0, likelier.trials > 0, rarer.trials > 0 else { return 0 }
    let p = Double(likelier.successes) / Double(likelier.trials)
    let least = -expm1(log(error / 2) / Double(rarer.trials))
    let q = max(Double(rarer.successes) / Double(rarer.trials), least)
    return p - delta > q ? log((p - delta) / q) : 0
  }

  /// max(0, ln((p − δ)/p′)) at the bounds of p and p′.
  private static func epsilon(_ likelier: Count, _ rarer: Count, _ delta: Double, _ error: Double)
    -> Double
  {
    guard error > 0, likelier.trials > 0, rarer.trials > 0 else { return 0 }
    let p = ClopperPearson.lower(likelier.successes, of: likelier.trials, error: error / 2)
    let q = ClopperPearson.upper(rarer.successes, of: rarer.trials, error: error / 2)
    return p - delta > q ? log((p - delta) / q) : 0
  }
}

/// Half of the runs of both cases, sorted.
private struct Halves {
  let with: [Double]
  let without: [Double]

  init(_ with: [Double], _ without: [Double], parity: Int) {
    func half(_ all: [Double]) -> [Double] {
      stride(from: parity, to: all.count, by: 2).map { all[$0] }.sorted()
    }
    self.with = half(with)
    self.without = half(without)
  }

  /// Values between which the two cases can be distinguished, evenly spread over all of them.
  func thresholds(atMost most: Int) -> [Double] {
    let all = (with + without).sorted()
    guard all.count > most else { return all }
    return (0..<most).map { all[$0 * all.count / most] }
  }

  /// How often an event happened where it should be likely, and where it should be rare.
  func counts(_ event: EpsilonLowerBound.Event, _ threshold: Double) -> (
    likelier: EpsilonLowerBound.Count, rarer: EpsilonLowerBound.Count
  ) {
    func count(_ sorted: [Double], above: Bool) -> EpsilonLowerBound.Count {
      let below = Self.countBelow(threshold, in: sorted)
      return .init(successes: above ? sorted.count - below : below, trials: sorted.count)
    }
    switch event {
    case .aboveWith: return (count(with, above: true), count(without, above: true))
    case .belowWithout: return (count(without, above: false), count(with, above: false))
    case .aboveWithout: return (count(without, above: true), count(with, above: true))
    case .belowWith: return (count(with, above: false), count(without, above: false))
    }
  }

  private static func countBelow(_ threshold: Double, in sorted: [Double]) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < threshold { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

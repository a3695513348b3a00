import Base

/// The steps of a ledger as an accountant of privacy losses sees them: sampled ones by kind, all
/// others as one Gaussian.
struct StepMixture {
  /// Steps of one kind.
  struct Part {
    let pair: SampledGaussianPair
    let isReplacement: Bool
    var steps: Int
  }

  /// Sampled steps; equal ones are one part.
  private(set) var parts: [Part] = []
  /// Σ T/σ² of the steps without sampling.
  private(set) var squaredShift = 0.0

  /// The steps of a ledger; nil when a step hides nothing, or neighbours are mixed: then no ε is
  /// finite.
  init?(_ ledger: PrivacyLedger) {
    guard ledger.inconsistency == nil else { return nil }
    for event in ledger.events where !event.isEmpty {
      let noise = event.relativeNoise
      guard noise > 0 else { return nil }
      if event.samplingRate == 1 {
        squaredShift += Double(event.steps) * (1 / noise) * (1 / noise)
        continue
      }
      let pair = SampledGaussianPair(rate: event.samplingRate, noise: noise)
      let isReplacement = event.sampling == .withoutReplacement
      if let at = parts.firstIndex(where: { $0.pair == pair && $0.isReplacement == isReplacement })
      {
        parts[at].steps += event.steps
      } else {
        parts.append(Part(pair: pair, isReplacement: isReplacement, steps: event.steps))
      }
    }
    guard squaredShift.isFinite else { return nil }
  }

  /// The closed form, when there is no sampling.
  var gaussian: GaussianMechanism? {
    parts.isEmpty ? GaussianMechanism(shift: squaredShift.squareRoot()) : nil
  }

  /// Whether both directions are the same.
  var isSymmetric: Bool { parts.allSatisfy(\.isReplacement) }

  /// The probability that the cut tails of all steps may have together, e^{−11} δ, as a logarithm.
  func logTail(delta: Double) -> Double {
    log(max(delta, .leastNormalMagnitude)) - log(parts.reduce(1.0) { $0 + Double($1.steps) }) - 11
  }

  /// Every kind of step with the number of its repetitions; the one Gaussian is a single step.
  private var kinds: [Part] {
    guard squaredShift > 0 else { return parts }
    let pair = SampledGaussianPair(rate: 1, noise: 1 / squaredShift.squareRoot())
    return parts + [Part(pair: pair, isReplacement: false, steps: 1)]
  }

  /// An interval to begin with: a 500th of the longest span of one step's losses; nil when no grid
  /// holds them.
  func firstInterval(logTail: Double) -> Double? {
    var longest = 0.0
    for kind in kinds {
      guard let span = kind.pair.span(logTail: logTail) else { return nil }
      longest = max(longest, span.upperBound - span.lowerBound)
    }
    let interval = longest / 500
    return interval > 1e-290 && interval < 1e290 ? interval : nil
  }

  /// The composition on a grid as a bound from either side; nil when the losses of a step have
  /// no place on it.
  func compositions(
    _ direction: SampledGaussianPair.Direction, interval: Double, logTail: Double,
    longestWindow: Int
  ) -> (upper: LossComposition, lower: LossComposition)? {
    var uppers: [(loss: PrivacyLoss, steps: Int)] = []
    var lowers: [(loss: PrivacyLoss, steps: Int)] = []
    for kind in kinds {
      let direction = kind.isReplacement ? .replace : direction
      guard let cells = kind.pair.cells(direction, interval: interval, logTail: logTail),
        let merged = kind.pair.cells(
          direction, interval: interval, logTail: logTail, isMerged: true)
      else { return nil }
      uppers.append((cells.pessimistic, kind.steps))
      lowers.append((merged.optimistic, kind.steps))
    }
    return (
      LossComposition(uppers, side: .upper, longestWindow: longestWindow),
      LossComposition(lowers, side: .lower, longestWindow: longestWindow)
    )
  }

  // MARK: - Bounds that need no grid

  /// ε(δ) of all steps as if nobody were left out, which is never less; infinite at the most.
  ///
  /// Sampling only helps: with q = 1 each pair of distributions is one that the sampled pair is a
  /// mixture of with a common part (joint convexity of the divergence).
  func unsampledEpsilon(delta: Double) -> Double {
    let epsilon = unsampled.bracket(delta: delta).upper
    return epsilon.isNaN ? .infinity : epsilon
  }

  /// All steps as if nobody were left out.
  var unsampled: GaussianMechanism {
    let shift = parts.reduce(squaredShift) {
      $0 + Double($1.steps) * (1 / $1.pair.noise) * (1 / $1.pair.noise)
    }
    return GaussianMechanism(shift: shift.squareRoot())
  }

  /// ε for δ = 0 when units are only added: no loss is above −ln(1 − q) then; infinite at q = 1.
  var largestAddition: Double {
    kinds.reduce(0) {
      $0 + Double($1.steps) * ($1.pair.rate < 1 ? -log1p(-$1.pair.rate) : .infinity)
    } * (1 + 1e-12)
  }

  /// A bound on δ(0), the total variation: it is subadditive, and exact for each step.
  var totalVariation: Double {
    kinds.reduce(0) { $0 + Double($1.steps) * $1.pair.delta(epsilon: 0) } * (1 + 1e-12)
  }

  /// ε(δ) of the costliest step alone, in closed form: no composition has less.
  func singleStepEpsilon(delta: Double) -> Double {
    var largest = 0.0
    for kind in kinds {
      // As far as the closed form can be trusted, for any ε up to 10⁴ deviations of the loss.
      let allowed = delta * (1 + 1e-9 + 0x1p-30 * kind.pair.noise)
      if kind.pair.delta(epsilon: 0) <= allowed { continue }
      var high = 1.0
      while kind.pair.delta(epsilon: high) > allowed, high < 1e300 { high *= 2 }
      var low = high / 2
      if high == 1 { low = 0 }
      for _ in 0..<60 {
        let middle = low + (high - low) / 2
        if kind.pair.delta(epsilon: middle) > allowed { low = middle } else { high = middle }
      }
      largest = max(largest, low)
    }
    return largest * (1 - 1e-12)
  }

  /// δ(ε) of the costliest step alone.
  func singleStepDelta(epsilon: Double) -> Double {
    kinds.map { $0.pair.delta(epsilon: epsilon) * (1 - min(1, 1e-9 + 0x1p-30 * $0.pair.noise)) }
      .max() ?? 0
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

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
        squaredShift += Double(event.steps) / (noise * noise)
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

  /// Standard deviations beyond which tails are cut: all steps together lose 10⁻⁷ δ.
  func reach(delta: Double) -> Double {
    let steps = parts.reduce(1.0) { $0 + Double($1.steps) }
    let logTail = log(max(delta, .leastNormalMagnitude)) - log(steps) - 16
    // Q(x) ≤ ½ e^{−x²/2}; beyond 37.5 it underflows.
    return min(37.5, (-2 * logTail).squareRoot())
  }

  /// The one Gaussian as a single step.
  private var gaussianPair: SampledGaussianPair? {
    squaredShift > 0 ? SampledGaussianPair(rate: 1, noise: 1 / squaredShift.squareRoot()) : nil
  }

  /// An interval to begin with: a quarter of a step's standard deviation, root mean square.
  func firstInterval(reach: Double) -> Double {
    let steps = parts.reduce(0) { $0 + Double($1.steps) }
    let variance = parts.reduce(0) { $0 + Double($1.steps) * $1.pair.scale * $1.pair.scale }
    let pairs = parts.map(\.pair) + [gaussianPair].compactMap { $0 }
    let longest =
      pairs.map { pair in
        let span = pair.span(reach: reach)
        return span.upperBound - span.lowerBound
      }.max() ?? 1
    let wanted = min(1e-3, (variance / steps).squareRoot() / 4)
    return max(wanted, longest / 0x1p18, 1e-12)
  }

  /// The composition on a grid; nil when a step's grid would be too long.
  func composition(
    _ direction: SampledGaussianPair.Direction,
    interval: Double,
    reach: Double,
    isOptimistic: Bool
  ) -> LossComposition? {
    let all =
      parts.map { ($0.pair, $0.isReplacement, $0.steps) }
      + [gaussianPair].compactMap { $0 }.map { ($0, false, 1) }
    for (pair, _, _) in all {
      let span = pair.span(reach: reach)
      let points = (span.upperBound - span.lowerBound) / interval
      guard points < Double(LossComposition.longestGrid) else { return nil }
    }
    return LossComposition(
      all.map { pair, isReplacement, steps in
        let loss = pair.privacyLoss(
          isReplacement ? .replace : direction,
          interval: interval,
          reach: reach,
          isOptimistic: isOptimistic
        )
        return (loss, steps)
      },
      isOptimistic: isOptimistic
    )
  }
}

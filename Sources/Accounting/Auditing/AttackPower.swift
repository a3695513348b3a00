import Base

/// What the best test of membership can find in all that a ledger released.
///
/// A test that takes a share a of the others for members, and finds a share p of the members, has
/// for every ε ≥ 0
///
///     p ≤ e^ε·a + δ₋(ε)   and   1 − a ≤ e^ε·(1 − p) + δ₊(ε),
///
/// with upper bounds on δ(ε) for a unit that is taken away and for one that is added. Every ε gives
/// a bound; the smallest is sought, so that how well it is sought decides how tight the answer is,
/// never whether it holds.
///
/// - Source: Kairouz, Oh and Viswanath 2015, arXiv:1311.0776, theorem 2.1.
public struct AttackPower: Sendable, Equatable {
  /// a: the share of others that the test takes for members.
  public let falsePositives: Double
  /// The share of members that it finds, at most.
  public let truePositives: Double

  /// A pair of shares.
  package init(falsePositives: Double, truePositives: Double) {
    self.falsePositives = falsePositives
    self.truePositives = truePositives
  }

  /// The shares of false alarms that are reported.
  public static let usual = [0.001, 0.01]
}

extension PLDAccountant {
  /// The Gaussian mechanism that all releases of a ledger are together; nil when they are not one.
  public func gaussian(_ ledger: PrivacyLedger) -> GaussianMechanism? {
    StepMixture(ledger)?.gaussian
  }

  /// An upper bound on what a test finds at each share of false alarms in [0, 1]; exact for
  /// releases without sampling, and 1 where nothing is hidden.
  ///
  /// - Complexity: that of one ε on a grid of a fixed fineness.
  public func attackPower(_ ledger: PrivacyLedger, falsePositives: [Double]) -> [AttackPower] {
    guard let mixture = StepMixture(ledger) else {
      return falsePositives.map { AttackPower(falsePositives: $0, truePositives: 1) }
    }
    if let gaussian = mixture.gaussian {
      return falsePositives.map {
        AttackPower(falsePositives: $0, truePositives: gaussian.power(falsePositives: $0))
      }
    }
    return zip(falsePositives, powers(mixture, falsePositives.map { min(1, max(0, $0)) })).map {
      AttackPower(falsePositives: $0, truePositives: $1)
    }
  }

  private func powers(_ mixture: StepMixture, _ shares: [Double]) -> [Double] {
    // As if nobody were left out, and by the total variation: both hold without a grid.
    var best = shares.map { a in
      min(a + mixture.totalVariation, mixture.unsampled.power(falsePositives: a) * (1 + 1e-12))
    }
    // δ near a share of what is found matters; far smaller ones change nothing.
    let scale = min(0.1, max(1e-12, shares.min() ?? 1))
    let logTail = mixture.logTail(delta: scale * 1e-3)
    var h = interval ?? mixture.firstInterval(logTail: logTail) ?? 0
    for _ in 0..<8 where h > 0 {
      let before = best
      if let (removed, added) = profiles(mixture, scale, h, logTail) {
        for (index, a) in shares.enumerated() {
          best[index] = min(best[index], Self.power(a, removed, added))
        }
        // Finer until nothing changes: the error falls with h².
        if interval != nil || zip(before, best).allSatisfy({ $0 - $1 < 1e-4 * $1 }) { break }
        h /= 4
      } else {
        // Losses beyond the window: coarser, unless it was finer before.
        if interval != nil || best != before { break }
        h *= 4
      }
    }
    return zip(shares, best).map { min(1, max($0, $1)) }
  }

  /// Points of a window that is looked at for many ε.
  private static let longestProfile = 1 << 17

  /// δ(ε) when a unit is taken away and when one is added, on one grid; nil when it has none.
  private func profiles(_ mixture: StepMixture, _ scale: Double, _ h: Double, _ logTail: Double)
    -> (removed: (Double) -> Double, added: (Double) -> Double)?
  {
    func profile(_ direction: SampledGaussianPair.Direction) -> ((Double) -> Double)? {
      mixture.compositions(
        direction, interval: h, logTail: logTail, longestWindow: Self.longestProfile
      )?.upper.profile(near: scale)
    }
    if mixture.isSymmetric { return profile(.replace).map { ($0, $0) } }
    guard let removed = profile(.remove), let added = profile(.add) else { return nil }
    return (removed, added)
  }

  /// The least of both lines over ε.
  private static func power(
    _ a: Double, _ removed: (Double) -> Double, _ added: (Double) -> Double
  ) -> Double {
    let top = a > 0 ? min(700, -log(a)) : 700
    let first = GoldenSection.smallest(from: 0, to: top, steps: 24) { exp($0) * a + removed($0) }
    let second = GoldenSection.smallest(from: 0, to: top, steps: 24) {
      1 - exp(-$0) * max(0, 1 - a - added($0))
    }
    return min(first.value, second.value) * (1 + 1e-12)
  }
}

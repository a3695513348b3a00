import Base
import Synchronization

/// The accountant of Rényi differential privacy: fast, and an upper bound.
///
/// Divergences of one order add over steps; an (α, r) bound becomes (ε, δ) by
///
///     ε = r + ln(1 − 1/α) − (ln δ + ln α)/(α − 1),   the smallest over all orders, at least 0
///
/// Loose for very small sampling rates (0.46 instead of 0.013 at q = 10⁻⁵, σ = 1, T = 10⁵,
/// δ = 10⁻⁶); `PLDAccountant` is the one to report.
///
/// - Source: Mironov 2017, arXiv:1702.07476, Proposition 1 (composition); Canonne, Kamath and
///   Steinke 2020, arXiv:2004.00010, Proposition 12 (conversion); Bretagnolle and Huber's
///   inequality for ε = 0.
public final class RDPAccountant: Sendable {
  /// An answer with the order that gave it.
  public struct Answer: Sendable, Equatable {
    /// ε or δ.
    public let value: Double
    /// The best order α; nil when no order was needed or none helps.
    public let order: Double?
    /// True when the best order is the first or the last one, so that others might be better.
    public let isAtEdge: Bool
  }

  /// 1.1, 1.2, …, 10.9, 11, 12, …, 63, 128, 256, 512, 1024.
  public static let standardOrders: [Double] =
    (11...109).map { Double($0) / 10 } + (11...63).map(Double.init) + [128, 256, 512, 1024]

  /// The orders α > 1, ascending.
  public let orders: [Double]

  /// Divergences of one step that were asked for lately.
  private let curves = Mutex<[Curve]>([])
  private struct Curve: Sendable {
    let kind: PrivacyEvent.Sampling
    let rate: Double
    let noise: Double
    let values: [Double]
  }
  /// Clients with their own rates are dozens; a search does not use the shelf.
  private static let shelfLength = 256

  /// An accountant with the standard orders; its results are kept between uses.
  public static let standard = RDPAccountant()

  /// An accountant with some orders; those not above 1.01 are left out, where the conversion loses
  /// its digits.
  public init(orders: [Double] = standardOrders) {
    self.orders = orders.filter { $0 > 1.01 && $0 <= 100_000 }.sorted()
  }

  /// The total divergence of a ledger at each order.
  public func divergences(_ ledger: PrivacyLedger) -> [Double] { divergences(ledger, isKept: true) }

  /// The total divergence; a search over many multipliers keeps nothing.
  func divergences(_ ledger: PrivacyLedger, isKept: Bool) -> [Double] {
    if ledger.inconsistency != nil { return orders.map { _ in .infinity } }
    var total = [Double](repeating: 0, count: orders.count)
    for event in ledger.events where !event.isEmpty {
      let one = isKept ? stepDivergences(event) : computedDivergences(event)
      for i in total.indices { total[i] += Double(event.steps) * one[i] }
    }
    return total
  }

  /// ε of a ledger at δ in (0, 1); infinity when no order bounds it.
  public func epsilon(_ ledger: PrivacyLedger, delta: Double) -> Answer {
    epsilon(divergences(ledger), delta: delta)
  }

  /// δ of a ledger at ε ≥ 0; 1 when no order bounds it.
  public func delta(_ ledger: PrivacyLedger, epsilon: Double) -> Answer {
    let total = divergences(ledger)
    if total.allSatisfy({ $0 == 0 }) { return Answer(value: 0, order: nil, isAtEdge: false) }
    var (best, at) = (0.0, -1)  // of ln δ
    // δ ≤ √(1 − e^{−r}) at ε = 0, hence at every ε.
    for (i, r) in total.enumerated() {
      let order = orders[i]
      let renyi = (order - 1) * (r - epsilon + log1p(-1 / order)) - log(order)
      let logDelta = min(renyi, 0.5 * log(-expm1(-r)))
      if logDelta < best { (best, at) = (logDelta, i) }
    }
    return answer(exp(best), at)
  }

  /// The conversion of total divergences.
  package func epsilon(_ total: [Double], delta: Double) -> Answer {
    // Total variation is at most √(1 − e^{−KL}), and KL is at most the divergence of any order.
    if total.contains(where: { delta * delta + expm1(-$0) > 0 }) {
      return Answer(value: 0, order: nil, isAtEdge: false)
    }
    let logDelta = log(delta)
    var (best, at) = (Double.infinity, -1)
    for (i, r) in total.enumerated() {
      let order = orders[i]
      let value = r + log1p(-1 / order) - (logDelta + log(order)) / (order - 1)
      if value < best { (best, at) = (value, i) }
    }
    return answer(max(0, best), at)
  }

  private func answer(_ value: Double, _ index: Int) -> Answer {
    Answer(
      value: value, order: index < 0 ? nil : orders[index],
      isAtEdge: index == 0 || index == orders.count - 1)
  }

  /// The divergences of one step, from the shelf when they are there.
  private func stepDivergences(_ event: PrivacyEvent) -> [Double] {
    let found = curves.withLock { curves in
      curves.first {
        $0.kind == event.sampling && $0.rate == event.samplingRate
          && $0.noise == event.relativeNoise
      }
    }
    if let found { return found.values }
    // Outside the lock: two threads may both compute, with the same bits.
    let values = computedDivergences(event)
    curves.withLock { curves in
      if curves.count >= Self.shelfLength { curves.removeFirst() }
      curves.append(
        Curve(
          kind: event.sampling, rate: event.samplingRate, noise: event.relativeNoise, values: values
        ))
    }
    return values
  }

  /// The divergences of one step.
  func computedDivergences(_ event: PrivacyEvent) -> [Double] {
    let (rate, noise) = (event.samplingRate, event.relativeNoise)
    if rate == 0 { return orders.map { _ in 0 } }
    if noise == 0 { return orders.map { _ in .infinity } }
    if rate == 1 { return orders.map { $0 / (2 * noise * noise) } }
    switch event.sampling {
    case .none, .poisson:
      return SampledGaussianDivergence(rate: rate, noise: noise).divergences(orders)
    case .withoutReplacement:
      return FixedSizeDivergence(rate: rate, noise: noise).divergences(orders)
    }
  }
}

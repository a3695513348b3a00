import Base

/// The inverse of accounting: the noise, the steps or the rate that meet a target (ε, δ).
///
/// What is returned always meets the target by the accountant's own answer, an upper bound; it is
/// within the width of that bound (about 10⁻⁴ of it) of the last value that does.
public struct Calibration: Sendable {
  /// Whose epsilon must meet the target.
  public let accountant: Accountant
  /// The target `ε` > 0.
  public let epsilon: Double
  /// The target `δ`, in (0, 1).
  public let delta: Double
  /// Releases that the budget pays for as well.
  public let spent: PrivacyLedger

  /// Noise multipliers that are tried: 0.01 … 10⁶.
  public static let noiseRange = 0.01...1e6
  private static let tolerance = 2e-6

  /// A target, checked.
  public init(
    _ accountant: Accountant = .pld, epsilon: Double, delta: Double,
    spent: PrivacyLedger = PrivacyLedger()
  ) throws(AccountingError) {
    guard epsilon > 0, epsilon.isFinite else {
      throw .outOfRange("the target epsilon is \(epsilon); expected a number above 0")
    }
    guard delta > 0, delta < 1 else {
      throw .outOfRange("delta is \(delta); expected a number between 0 and 1")
    }
    if let inconsistency = spent.inconsistency { throw inconsistency }
    self.accountant = accountant
    self.epsilon = epsilon
    self.delta = delta
    self.spent = spent
  }

  /// The smallest noise multiplier σ in `noiseRange` with which the event meets the target; its own
  /// σ does not matter.
  public func noiseMultiplier(for event: PrivacyEvent) throws(AccountingError) -> Double {
    let lowest = Self.noiseRange.lowerBound
    try checkSpent()
    if event.isEmpty { return lowest }
    if spent.events.isEmpty, event.samplingRate == 1, accountant == .pld {
      let scale = event.neighbours == .replaceOne ? 2.0 : 1.0
      let noise = GaussianMechanism.noiseMultiplier(
        epsilon: epsilon, delta: delta, steps: event.steps)
      // What is claimed is the accountant's own answer, roundings and all.
      var (found, margin) = (max(lowest, scale * noise), 0x1p-52)
      while found <= Self.noiseRange.upperBound {
        if let event = try? event.with(noiseMultiplier: found),
          PLDAccountant().epsilon(after(event), delta: delta) <= epsilon
        {
          return found
        }
        found *= 1 + margin
        margin *= 4
      }
      throw unreachable("noise")
    }
    return try found("noise", in: Self.noiseRange, guess: noiseGuess(event)) {
      try? event.with(noiseMultiplier: $0)
    }
  }

  /// The most steps with which the event meets the target, at most `PrivacyEvent.stepLimit`; its
  /// own number does not matter.
  ///
  /// It is exact up to 10⁵ steps, and to a relative 10⁻⁵ beyond.
  public func steps(for event: PrivacyEvent) throws(AccountingError) -> Int {
    let limit = PrivacyEvent.stepLimit
    try checkSpent()
    if event.samplingRate == 0 { return limit }
    let steps = try found("steps", in: 1...Double(limit), guess: 100, isWhole: true) {
      try? event.with(steps: Int(min(Double(limit), max(0, $0))))
    }
    return Int(min(Double(limit), max(1, steps)))
  }

  /// The largest sampling rate q in [10⁻⁹, 1] with which the event meets the target; its own rate
  /// does not matter.
  public func samplingRate(for event: PrivacyEvent) throws(AccountingError) -> Double {
    guard event.sampling != .none else {
      throw .unsupported("without sampling there is no rate to choose")
    }
    try checkSpent()
    if event.steps == 0 { return 1 }
    let rate = try found("rate", in: 1e-9...1, guess: 0.01) {
      try? event.with(samplingRate: min(1, $0))
    }
    return min(1, rate)
  }

  /// A search by a rough accountant, then by a fine one from where it ended, whose answer is held
  /// against the accountant that answers others.
  private func found(
    _ what: String, in range: ClosedRange<Double>, guess: Double, isWhole: Bool = false,
    _ event: (Double) -> PrivacyEvent?
  ) throws(AccountingError) -> Double {
    let growing = what == "noise"
    // Whole points: between two of them the cost is that of the lower.
    func cost(_ x: Double, _ of: (PrivacyLedger) -> Double) -> Double {
      event(isWhole ? x.rounded(.down) : x).map { of(after($0)) } ?? .infinity
    }
    func search(from start: Double, _ of: (PrivacyLedger) -> Double) -> Double? {
      self.search(from: start, growing: growing, in: range, isWhole: isWhole) { cost($0, of) }
    }
    guard accountant == .pld else {
      guard let found = search(from: guess, { accountant.epsilon($0, delta: delta) }) else {
        throw unreachable(what)
      }
      return found
    }
    let rough = PLDAccountant(precision: 2e-2, longestWindow: 1 << 16, target: epsilon)
    let fine = PLDAccountant(longestWindow: 1 << 20, target: epsilon)
    let last = PLDAccountant()
    let near = search(from: guess) { rough.epsilon($0, delta: delta) }
    if let found = search(from: near ?? guess, { fine.epsilon($0, delta: delta) }),
      let settled = settled(
        found, growing, range, isWhole,
        { ledgerCost in cost(ledgerCost) { last.epsilon($0, delta: delta) } <= epsilon })
    {
      return settled
    }
    guard let found = search(from: near ?? guess, { last.epsilon($0, delta: delta) }) else {
      throw unreachable(what)
    }
    return found
  }

  /// The first place at or just after one, on the side that costs less, that meets the target; nil
  /// when none near it does.
  private func settled(
    _ start: Double, _ growing: Bool, _ range: ClosedRange<Double>, _ isWhole: Bool,
    _ meets: (Double) -> Bool
  ) -> Double? {
    for margin in [0, 1e-5, 4e-5, 1.6e-4, 6.4e-4] {
      let next = growing ? start * (1 + margin) : start * (1 - margin)
      let place = isWhole ? next.rounded(.down) : next
      if range.contains(place), meets(place) { return place }
    }
    return nil
  }

  /// A multiplier to begin with, from the total noise η = (q/σ) √(T/2) that the target allows when
  /// σ is large: η² + 2η √(ln 1/δ) = ε.
  private func noiseGuess(_ event: PrivacyEvent) -> Double {
    let root = (-log(delta)).squareRoot()
    let total = epsilon / (root + (root * root + epsilon).squareRoot())
    let noise = event.samplingRate * (Double(event.steps) / 2).squareRoot() / total
    let scale = event.neighbours == .replaceOne ? 2.0 : 1.0
    return noise.isFinite ? max(0.7, scale * noise) : 0.7
  }

  /// Nothing helps when what was spent is beyond the target.
  private func checkSpent() throws(AccountingError) {
    if !spent.events.isEmpty, accountant.epsilon(spent, delta: delta) > epsilon {
      throw .unreachable("what was spent before is beyond epsilon \(epsilon) at delta \(delta)")
    }
  }

  /// The whole ledger when the event comes after what was spent.
  private func after(_ event: PrivacyEvent) -> PrivacyLedger {
    var ledger = spent
    ledger.record(event)
    return ledger
  }

  private func unreachable(_ what: String) -> AccountingError {
    let target = "epsilon \(epsilon) at delta \(delta)"
    switch what {
    case "noise": return .unreachable("no noise multiplier up to 1000000 meets \(target)")
    case "steps": return .unreachable("a single step already exceeds \(target)")
    default: return .unreachable("no sampling rate down to 1e-9 meets \(target)")
    }
  }

  /// The last point that meets the target: the smallest one when `growing` it helps, else the
  /// largest; nil when none in the range does.
  private func search(
    from start: Double, growing: Bool, in range: ClosedRange<Double>, isWhole: Bool,
    _ cost: (Double) -> Double
  ) -> Double? {
    let crossing = Crossing(
      target: epsilon, range: range, growing: growing, step: 1.25, tolerance: Self.tolerance)
    guard let ends = crossing.find(from: start, cost) else { return nil }
    guard isWhole, let bad = ends.bad else { return isWhole ? ends.good.rounded(.down) : ends.good }
    // Halving until the two ends are neighbours, or as good as that.
    var (good, beyond) = (ends.good.rounded(.down), bad.rounded(.down))
    while beyond - good > max(1, 1e-5 * good) {
      let middle = (good + (beyond - good) / 2).rounded(.down)
      if cost(middle) <= epsilon { good = middle } else { beyond = middle }
    }
    return good
  }
}

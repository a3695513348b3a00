#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The inverse of accounting: the noise, the steps or the rate that meet a target (ε, δ).
///
/// What is returned always meets the target by the accountant's own final grid; it is within a
/// relative 10⁻⁵ of the last value that does.
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
  private static let tolerance = 1e-6

  /// A target, checked.
  public init(
    _ accountant: Accountant = .pld,
    epsilon: Double,
    delta: Double,
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
    if event.isEmpty { return lowest }
    if spent.events.isEmpty, event.samplingRate == 1, accountant == .pld {
      let scale = event.neighbours == .replaceOne ? 2.0 : 1.0
      let noise = GaussianMechanism.noiseMultiplier(
        epsilon: epsilon,
        delta: delta,
        steps: event.steps
      )
      guard scale * noise <= Self.noiseRange.upperBound else { throw unreachable("noise") }
      return max(lowest, scale * noise)
    }
    func ledger(_ noise: Double) -> PrivacyLedger? {
      (try? event.with(noiseMultiplier: noise)).map(after)
    }
    let start =
      accountant == .rdp
      ? 1
      : (try? Calibration(.rdp, epsilon: epsilon, delta: delta, spent: spent)
        .noiseMultiplier(for: event)) ?? 1
    guard
      let found = search(from: start, growing: true, in: Self.noiseRange, ledger)
    else { throw unreachable("noise") }
    return found
  }

  /// The most steps with which the event meets the target, at most `PrivacyEvent.stepLimit`; its
  /// own number does not matter.
  public func steps(for event: PrivacyEvent) throws(AccountingError) -> Int {
    let limit = PrivacyEvent.stepLimit
    if event.samplingRate == 0 { return limit }
    func ledger(_ steps: Double) -> PrivacyLedger? {
      (try? event.with(steps: Int(steps))).map(after)
    }
    let start =
      accountant == .rdp
      ? 1000
      : (try? Calibration(.rdp, epsilon: epsilon, delta: delta, spent: spent).steps(for: event))
        ?? 1
    guard
      let found = search(
        from: Double(start),
        growing: false,
        in: 1...Double(limit),
        isWhole: true,
        ledger
      )
    else { throw unreachable("steps") }
    return Int(found)
  }

  /// The largest sampling rate q in [10⁻⁹, 1] with which the event meets the target; its own rate
  /// does not matter.
  public func samplingRate(for event: PrivacyEvent) throws(AccountingError) -> Double {
    guard event.sampling != .none else {
      throw .unsupported("without sampling there is no rate to choose")
    }
    if event.steps == 0 { return 1 }
    func ledger(_ rate: Double) -> PrivacyLedger? {
      (try? event.with(samplingRate: min(1, rate))).map(after)
    }
    let start =
      accountant == .rdp
      ? 0.01
      : (try? Calibration(.rdp, epsilon: epsilon, delta: delta, spent: spent)
        .samplingRate(for: event)) ?? 0.01
    guard let found = search(from: start, growing: false, in: 1e-9...1, ledger) else {
      throw unreachable("rate")
    }
    return min(1, found)
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
    case "noise":
      return .unreachable("no noise multiplier up to 1000000 meets \(target)")
    case "steps": return .unreachable("a single step already exceeds \(target)")
    default: return .unreachable("no sampling rate down to 1e-9 meets \(target)")
    }
  }

  /// The last point that meets the target: the smallest one when `growing` it helps, else the
  /// largest; nil when none in the range does.
  private func search(
    from start: Double,
    growing: Bool,
    in range: ClosedRange<Double>,
    isWhole: Bool = false,
    _ ledger: (Double) -> PrivacyLedger?
  ) -> Double? {
    let best = growing ? range.upperBound : range.lowerBound
    // Whole points: between two of them the cost is that of the lower.
    func place(_ x: Double) -> Double { isWhole ? x.rounded(.down) : x }
    func cost(_ x: Double, _ of: (PrivacyLedger) -> Double) -> Double {
      ledger(place(x)).map(of) ?? .infinity
    }
    func final(_ x: Double) -> Double { cost(x) { accountant.epsilon($0, delta: delta) } }
    var crossing = Crossing(
      target: epsilon,
      range: range,
      growing: growing,
      step: 1.25,
      tolerance: Self.tolerance
    )
    // A coarse grid, corrected by its quotient to the fine one where they were compared last,
    // finds the place in a few rounds.
    let grids = searchCosts(ledger(place(start)))
    var quotient = 1.0
    var found = start
    for round in 0..<4 {
      guard let point = crossing.find(from: found, { quotient * cost($0, grids.coarse) }) else {
        return nil
      }
      found = place(point)
      let (claimed, sought) = (cost(found, grids.fine), cost(found, grids.coarse))
      let isClose = claimed <= epsilon && claimed >= epsilon * (1 - 4e-6)
      if isClose || isWhole && round > 0 || found == best { break }
      guard claimed > 0, sought > 0, claimed.isFinite, sought.isFinite else { break }
      quotient = claimed / sought
      crossing.step = 1.001
    }
    // The claim is made for the accountant as it answers others.
    if isWhole, found < 1e6 {
      // Beyond 10⁶ a step is below the tolerance.
      while found > 1, final(found) > epsilon { found -= 1 }
      while found < range.upperBound, final(found + 1) <= epsilon { found += 1 }
    }
    var margin = Self.tolerance
    while final(found) > epsilon {
      if found == best { return nil }
      let next = place(growing ? found * (1 + margin) : found * (1 - margin))
      found = min(range.upperBound, max(range.lowerBound, next))
      margin *= 4
    }
    return found
  }

  /// The accountant on two fixed grids, on which the cost is smooth: the one that the start's own
  /// answer needs, and one six times as coarse, which is cheap.
  private func searchCosts(_ start: PrivacyLedger?) -> (
    fine: (PrivacyLedger) -> Double, coarse: (PrivacyLedger) -> Double
  ) {
    switch accountant {
    case .rdp:
      let orders = RDPAccountant.standard
      func cost(_ ledger: PrivacyLedger) -> Double {
        orders.epsilon(orders.divergences(ledger, isKept: false), delta: delta).value
      }
      return (cost, cost)
    case .pld:
      let solved = start.map { PLDAccountant().solve($0, delta: delta).interval } ?? 0
      let interval = solved > 0 ? solved : 2e-4
      let (fine, coarse) = (
        PLDAccountant(interval: interval), PLDAccountant(interval: 6 * interval)
      )
      return ({ fine.epsilon($0, delta: delta) }, { coarse.epsilon($0, delta: delta) })
    }
  }
}

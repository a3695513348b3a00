/// Questions about a ledger, for those who do not care how they are answered.
public enum PrivacyAccounting {
  /// ε by both accountants.
  public struct Epsilon: Sendable, Equatable {
    /// By privacy loss distributions, between two bounds.
    public let bracket: EpsilonBracket
    /// The upper one, the number to report; infinite when nothing bounds it.
    public var pld: Double { bracket.upper }
    /// By Rényi divergences; never below the truth, mostly above `pld`.
    public let rdp: Double
    /// The Rényi order that gave `rdp`; nil when none was needed.
    public let order: Double?
    /// True when the best order is the first or last, so that `rdp` might be better with others.
    public let isOrderAtEdge: Bool
  }

  /// ε of everything in a ledger, at δ in (0, 1).
  public static func epsilon(_ ledger: PrivacyLedger, delta: Double) throws(AccountingError)
    -> Epsilon
  {
    try check(ledger, delta: delta)
    let rdp = RDPAccountant.standard.epsilon(ledger, delta: delta)
    return Epsilon(
      bracket: PLDAccountant().bracket(ledger, delta: delta), rdp: rdp.value, order: rdp.order,
      isOrderAtEdge: rdp.isAtEdge)
  }

  /// δ of everything in a ledger at ε ≥ 0, by privacy loss distributions.
  public static func delta(_ ledger: PrivacyLedger, epsilon: Double) throws(AccountingError)
    -> Double
  {
    guard epsilon >= 0 else { throw .outOfRange("epsilon is \(epsilon); expected a number >= 0") }
    if let inconsistency = ledger.inconsistency { throw inconsistency }
    return PLDAccountant().delta(ledger, epsilon: epsilon)
  }

  /// The smallest noise multiplier with which an event meets (ε, δ), after what was spent.
  ///
  /// - Complexity: about ten evaluations of ε; 0.1 s for typical DP-SGD by `pld`.
  public static func noiseMultiplier(
    for event: PrivacyEvent, epsilon: Double, delta: Double, accountant: Accountant = .pld,
    after spent: PrivacyLedger = PrivacyLedger()
  ) throws(AccountingError) -> Double {
    try Calibration(accountant, epsilon: epsilon, delta: delta, spent: spent).noiseMultiplier(
      for: event)
  }

  private static func check(_ ledger: PrivacyLedger, delta: Double) throws(AccountingError) {
    guard delta > 0, delta < 1 else {
      throw .outOfRange("delta is \(delta); expected a number between 0 and 1")
    }
    if let inconsistency = ledger.inconsistency { throw inconsistency }
  }
}

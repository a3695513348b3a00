/// Two numbers that hold the truth between them.
public struct Bracket: Sendable, Equatable {
  /// Never above the truth.
  public var lower: Double
  /// Never below the truth, so that it may be claimed; infinite when nothing bounds it.
  public var upper: Double

  /// A bracket.
  public init(lower: Double, upper: Double) {
    self.lower = lower
    self.upper = upper
  }

  /// (upper − lower) / upper: how far off the upper one can be; 0 when both are equal.
  public var relativeWidth: Double {
    if upper == lower { return 0 }
    return upper.isFinite ? (upper - lower) / upper : 1
  }

  /// Takes a bound if it is closer; one that is no number, or contradicts the upper one, is none.
  mutating func tighten(lower value: Double?) {
    if let value, value > lower, value <= upper { lower = value }
  }

  /// Takes a bound if it is closer; one that is not a number, or that contradicts the lower one, is
  /// none: a fault in one computation must not make a claim smaller.
  mutating func tighten(upper value: Double?) {
    if let value, value < upper, value >= lower { upper = value }
  }
}

/// ε(δ) of a ledger between two bounds, in both directions of neighbours.
public struct EpsilonBracket: Sendable, Equatable {
  /// The larger of both directions, from below and from above; `upper` is the ε to report.
  public let total: Bracket
  /// When a unit is taken away; nil where there is only one direction.
  public let removal: Bracket?
  /// When a unit is added, as far as it had to be looked at to see which is larger.
  public let addition: Bracket?
  /// The interval of the finest grid; 0 when no grid was needed.
  package let interval: Double

  /// The ε to report.
  public var upper: Double { total.upper }
  /// What the true ε is at least.
  public var lower: Double { total.lower }

  /// Bounds on ε that are farther apart than this share of it are said to be.
  public static let promisedWidth = 1e-3
}

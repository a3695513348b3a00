/// The accountants, as they are named on the command line and in files.
public enum Accountant: String, Sendable, CaseIterable {
  /// Privacy loss distributions: tight; what is reported.
  case pld
  /// Rényi differential privacy: fast, and an upper bound.
  case rdp

  /// The name in words.
  public var title: String {
    switch self {
    case .pld: "privacy loss distributions"
    case .rdp: "Rényi differential privacy"
    }
  }

  /// What it does, in a line.
  public var summary: String {
    switch self {
    case .pld: "Privacy loss distributions composed by Fourier transforms; tight, the default."
    case .rdp: "Rényi divergences at many orders; fast, an upper bound, shown beside it."
    }
  }

  /// ε of a ledger at δ in (0, 1).
  public func epsilon(_ ledger: PrivacyLedger, delta: Double) -> Double {
    switch self {
    case .pld: PLDAccountant().epsilon(ledger, delta: delta)
    case .rdp: RDPAccountant.standard.epsilon(ledger, delta: delta).value
    }
  }
}

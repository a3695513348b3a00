/// ε by both accountants.
package struct Epsilon: Sendable, Equatable {
  /// By Rényi divergences.
  package var rdp: Double
  /// By privacy loss distributions; that of `rdp` where only a fast answer was wanted.
  package var pld: Double

  package init(rdp: Double, pld: Double) {
    self.rdp = rdp
    self.pld = pld
  }

  /// ε of a ledger.
  ///
  /// `exact`: both accountants; else the fast one alone.
  package init(_ ledger: PrivacyLedger, delta: Double, exact: Bool) {
    rdp = RDPAccountant.standard.epsilon(ledger, delta: delta).value
    pld = exact ? PLDAccountant().epsilon(ledger, delta: delta) : rdp
  }
}

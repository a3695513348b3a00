import Accounting

/// Ledgers of one event.
enum LedgerFixture {
  /// Poisson steps.
  static func poisson(_ rate: Double, _ noise: Double, _ steps: Int) throws -> PrivacyLedger {
    PrivacyLedger([try .poisson(unit: .example, rate: rate, noiseMultiplier: noise, steps: steps)])
  }

  /// Steps with a fixed number drawn without replacement.
  static func fixed(_ rate: Double, _ noise: Double, _ steps: Int) throws -> PrivacyLedger {
    PrivacyLedger([
      try PrivacyEvent(
        unit: .client, sampling: .withoutReplacement, neighbours: .replaceOne, samplingRate: rate,
        noiseMultiplier: noise, steps: steps)
    ])
  }
}

import Accounting
import Testing

@Suite("Privacy ledger")
struct PrivacyLedgerTests {
  @Test("equal neighbours are one entry, others keep their order")
  func merging() throws {
    let a = try PrivacyEvent.poisson(unit: .client, rate: 0.1, noiseMultiplier: 1, steps: 3)
    let b = try PrivacyEvent.poisson(unit: .client, rate: 0.2, noiseMultiplier: 1, steps: 5)
    var ledger = PrivacyLedger([a, a, b])
    ledger.record(a)
    #expect(ledger.events == [try a.repeated(6), b, a])
    #expect(ledger.steps == 14)
    #expect(ledger.inconsistency == nil)
  }

  @Test("steps that would pass the limit stay two entries")
  func limit() throws {
    let most = try PrivacyEvent.poisson(
      unit: .client, rate: 0.1, noiseMultiplier: 1, steps: PrivacyEvent.stepLimit)
    #expect(PrivacyLedger([most, most]).events.count == 2)
  }

  @Test("numbers out of range are refused, with their value")
  func ranges() throws {
    func event(_ rate: Double, _ noise: Double, _ steps: Int) throws {
      _ = try PrivacyEvent.poisson(unit: .example, rate: rate, noiseMultiplier: noise, steps: steps)
    }
    for (rate, noise, steps) in [
      (-0.1, 1, 1), (1.5, 1, 1), (.nan, 1, 1), (0.1, -1, 1), (0.1, .nan, 1), (0.1, .infinity, 1),
      (0.1, 1, -1), (0.1, 1, PrivacyEvent.stepLimit + 1),
    ] as [(Double, Double, Int)] {
      let error = #expect(throws: AccountingError.self) { try event(rate, noise, steps) }
      guard case .outOfRange = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(throws: AccountingError.self) {
      try PrivacyEvent.fixedSize(unit: .client, drawn: 11, of: 10, noiseMultiplier: 1, steps: 1)
    }
  }

  @Test("sampling and neighbours without a bound are refused, not guessed")
  func unsupported() {
    for (sampling, neighbours) in [(.poisson, .replaceOne), (.withoutReplacement, .addRemove)]
      as [(PrivacyEvent.Sampling, PrivacyEvent.Neighbours)]
    {
      #expect(throws: AccountingError.self) {
        try PrivacyEvent(
          unit: .client, sampling: sampling, neighbours: neighbours, samplingRate: 0.1,
          noiseMultiplier: 1, steps: 1)
      }
    }
  }

  @Test("a ledger that mixes units has no epsilon")
  func mixed() throws {
    let ledger = PrivacyLedger([
      try .poisson(unit: .client, rate: 0.1, noiseMultiplier: 1, steps: 1),
      try .poisson(unit: .example, rate: 0.1, noiseMultiplier: 1, steps: 1),
    ])
    #expect(ledger.inconsistency != nil)
    #expect(PLDAccountant().epsilon(ledger, delta: 1e-5) == .infinity)
    #expect(RDPAccountant.standard.epsilon(ledger, delta: 1e-5).value == .infinity)
    #expect(throws: AccountingError.self) { try PrivacyAccounting.epsilon(ledger, delta: 1e-5) }
  }

  @Test("the assumptions name unit, neighbours and sampling")
  func assumptions() throws {
    let event = try PrivacyEvent.fixedSize(
      unit: .client, drawn: 10, of: 100, noiseMultiplier: 1, steps: 1)
    #expect(event.samplingRate == 0.1)
    let lines = PrivacyLedger([event]).assumptions.joined(separator: "\n")
    for word in ["one client", "replaced", "without replacement"] { #expect(lines.contains(word)) }
  }
}

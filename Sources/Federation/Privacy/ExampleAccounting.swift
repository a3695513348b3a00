import Accounting
import Base
import Client
import Scenario

/// From what a client released to an ε, under example-level privacy.
///
/// Examples of different clients are disjoint, so a run's ε is its clients' largest; who is in a
/// cohort is no secret and amplifies nothing.
package struct ExampleAccounting {
  package let settings: PrivacySettings
  let mechanism: PrivacySettings.ExampleMechanism

  package init(_ settings: PrivacySettings, _ mechanism: PrivacySettings.ExampleMechanism) {
    self.settings = settings
    self.mechanism = mechanism
  }

  /// The argument for DiceSGD's ε, for a client's draws; nil for DP-SGD, and for settings that
  /// it does not hold for.
  private func dice(rate: Double = 1, steps: Int = 1) -> DiceAccounting? {
    guard let feedback = mechanism.errorFeedback else { return nil }
    return try? DiceAccounting(
      mode: mechanism.accounting == .paper ? .paper(.pld) : .poisson, errorRatio: feedback.ratio,
      capRatio: max(1, (feedback.cap ?? settings.clip) / settings.clip), samplingRate: rate,
      steps: steps)
  }

  /// What the noise is divided by before an accountant of DP-SGD reads it.
  private var factor: Double { isComposed ? dice()?.publishedFactor ?? 1 : 1 }

  /// Whether an accountant of DP-SGD reads the events; else the whole run is one release.
  var isComposed: Bool { mechanism.errorFeedback == nil || mechanism.accounting == .paper }

  /// The label that every ε of this mechanism carries; nil for DP-SGD.
  package var label: String? { dice()?.label }

  /// The events of a client: `batches[k − 1]` batches with k gradients each.
  ///
  /// k gradients on one batch are one draw of examples and k noisy sums: a Gaussian mechanism with
  /// σ/√k, not k draws.
  func ledger(_ share: NoisePlan.Share, batches: [Int]) throws(AccountingError) -> PrivacyLedger {
    var ledger = try statistics()
    for (index, count) in batches.enumerated() where count > 0 {
      ledger.record(
        try PrivacyEvent.poisson(
          unit: .example, rate: share.rate,
          noiseMultiplier: share.multiplier / factor / Double(index + 1).squareRoot(), steps: count)
      )
    }
    return ledger
  }

  /// What a client released before it trained: two sums over all its records.
  private func statistics() throws(AccountingError) -> PrivacyLedger {
    var ledger = PrivacyLedger()
    guard let noise = mechanism.statisticsNoise else { return ledger }
    ledger.record(
      try PrivacyEvent(
        unit: .example, sampling: .none, neighbours: .addRemove, samplingRate: 1,
        noiseMultiplier: noise, steps: 2))
    return ledger
  }

  /// ε of a client by both accountants; infinite without noise.
  package func epsilon(_ share: NoisePlan.Share, batches: [Int], exact: Bool) -> Epsilon {
    if mechanism.statisticsNoise == nil, batches.allSatisfy({ $0 == 0 }) {
      return Epsilon(rdp: 0, pld: 0)
    }
    guard isComposed else { return strictEpsilon(share, batches: batches) }
    guard let ledger = try? ledger(share, batches: batches) else {
      return Epsilon(rdp: .infinity, pld: .infinity)
    }
    return Epsilon(ledger, delta: settings.delta, exact: exact)
  }

  private func strictEpsilon(_ share: NoisePlan.Share, batches: [Int]) -> Epsilon {
    let steps = batches.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element }
    let answer = try? dice(rate: share.rate, steps: steps)?.epsilon(
      noise: share.multiplier, delta: settings.delta)
    let epsilon = answer?.value ?? .infinity
    return Epsilon(rdp: epsilon, pld: epsilon)
  }

  /// The noise multiplier for a share's planned batches; exit 3 when there is none.
  func multiplier(for share: NoisePlan.Share, epsilon: Double) throws(Failure) -> Double {
    do {
      if isComposed {
        let event = try PrivacyEvent.poisson(
          unit: .example, rate: share.rate, noiseMultiplier: 1, steps: share.plannedBatches)
        let sigma = try PrivacyAccounting.noiseMultiplier(
          for: event, epsilon: epsilon, delta: settings.delta, after: try statistics())
        return sigma * Double(share.gradientsPerBatch).squareRoot() * factor
      }
      let steps = share.plannedBatches * share.gradientsPerBatch
      guard let dice = dice(rate: share.rate, steps: steps) else { return 0 }
      return try dice.noise(epsilon: epsilon, delta: settings.delta).value
    } catch {
      throw Failure(
        .scenarioInvalid, "E3334",
        "privacy.target: no noise gives epsilon \(epsilon) at delta \(settings.delta) for "
          + "\(share.plannedBatches) batches at rate \(share.rate): \(Self.words(error))",
        hint: "raise epsilon or delta, or take fewer rounds")
    }
  }

  package static func words(_ error: any Error) -> String {
    (error as? AccountingError)?.message ?? "\(error)"
  }

  /// Most batches whose ε stays within a budget.
  package func batches(of share: NoisePlan.Share, within epsilon: Double) -> Int {
    func fits(_ count: Int) -> Bool {
      var batches = [Int](repeating: 0, count: share.gradientsPerBatch)
      batches[share.gradientsPerBatch - 1] = count
      return self.epsilon(share, batches: batches, exact: true).pld <= epsilon
    }
    if fits(share.plannedBatches) { return share.plannedBatches }
    var low = 0  // fits
    var high = share.plannedBatches  // does not
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if fits(middle) { low = middle } else { high = middle }
    }
    return low
  }
}

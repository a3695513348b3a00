import Aggregation
import Client
import Tensor

/// What a round's line says of privacy, and the line of `privacy.jsonl` behind it.
extension Simulation {
  /// A client's ε and what it comes from.
  private struct Spent {
    let client: Int
    let batches: [Int]
    let share: NoisePlan.Share
    var epsilon: Epsilon
  }

  /// The record of a round and its line for `privacy.jsonl`; nil without privacy.
  ///
  /// `exact`: whether privacy loss distributions are asked too, for the largest and the median ε;
  /// else Rényi divergences alone, which are quick.
  func privacyTrace(
    _ outcome: PrivacyOutcome,
    exact: Bool
  ) -> (record: RoundRecord.Privacy, line: JSON)? {
    guard let privacy = arena.privacy else { return nil }
    var audit = privacy.audit
    audit.add(undeclared: outcome.undeclared.sorted())
    switch privacy.settings.unit {
    case .example(let mechanism):
      return exampleTrace(privacy, mechanism, audit, outcome, exact: exact)
    case .client(let mechanism):
      return clientTrace(privacy, mechanism, audit, outcome)
    }
  }

  // MARK: - Examples

  private func exampleTrace(
    _ privacy: RunPrivacy,
    _ mechanism: PrivacySettings.ExampleMechanism,
    _ audit: ReleaseAudit,
    _ outcome: PrivacyOutcome,
    exact: Bool
  ) -> (RoundRecord.Privacy, JSON) {
    let accounting = ExampleAccounting(privacy.settings, mechanism)
    var spent: [Spent] = []
    for (client, share) in privacy.plan.shares.enumerated() {
      guard let share, let drawn = memories[client]?[RunPrivacy.batchesName] else { continue }
      let batches = drawn.map { Int(clamping: $0) }
      let epsilon = accounting.epsilon(share, batches: batches, exact: false)
      spent.append(Spent(client: client, batches: batches, share: share, epsilon: epsilon))
    }
    let ordered = spent.indices.sorted { spent[$0].epsilon.rdp < spent[$1].epsilon.rdp }
    var (largest, median) = (0.0, 0.0)
    if let last = ordered.last {
      let middle = ordered[(ordered.count - 1) / 2]
      if exact {
        for index in Set([last, middle]) {
          let one = spent[index]
          spent[index].epsilon = accounting.epsilon(one.share, batches: one.batches, exact: true)
        }
      }
      largest = exact ? spent[last].epsilon.pld : spent[last].epsilon.rdp
      median = exact ? spent[middle].epsilon.pld : spent[middle].epsilon.rdp
    }
    let did = outcome.training
    let valid = did.examples - did.invalid
    // What leaks has no epsilon.
    let isWhole = audit.leaks.isEmpty
    let record = RoundRecord.Privacy(
      epsilonMax: isWhole ? largest : .infinity,
      epsilonMedian: isWhole ? median : .infinity,
      delta: privacy.settings.delta,
      accountant: exact ? "pld" : "rdp",
      hasGuarantee: isWhole && largest.isFinite,
      clipped: valid > 0 ? Double(did.clipped) / Double(valid) : nil,
      norm: valid > 0 ? did.normSum / Double(valid) : nil,
      noiseToSignal: did.signalSum > 0 ? did.noiseSum / did.signalSum : nil,
      clip: privacy.settings.clip,
      error: mechanism.errorFeedback != nil && did.gradients > 0
        ? did.errorSum / Double(did.gradients) : nil,
      stopped: outcome.stopped
    )
    let clients = spent.map { one in
      JSON.object([
        ("client", .int(one.client)), ("batches", .int(one.batches.reduce(0, +))),
        ("rate", .number(one.share.rate)), ("noiseMultiplier", .number(one.share.multiplier)),
        ("rdp", .number(isWhole ? one.epsilon.rdp : .infinity)),
      ])
    }
    var line = head(record, "example", accounting.label, audit)
    line.append(("invalid", .int(did.invalid)))
    if isWhole { line.append(("histogram", Self.histogram(spent.map(\.epsilon.rdp)))) }
    line.append(("clients", .array(clients)))
    return (record, .object(line))
  }

  /// How many clients have an ε in each of ten bins of equal width, by Rényi divergences.
  private static func histogram(_ epsilons: [Double]) -> JSON {
    let finite = epsilons.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return .array([]) }
    let width = (high - low) / 10
    var counts = [Int](repeating: 0, count: width > 0 ? 10 : 1)
    for epsilon in finite {
      let bin = width > 0 ? Int(clamping: (epsilon - low) / width) : 0
      counts[min(counts.count - 1, bin)] += 1
    }
    return .array(
      counts.enumerated().map { index, count in
        .object([
          ("from", .number(low + Double(index) * width)),
          ("to", .number(index + 1 == counts.count ? high : low + Double(index + 1) * width)),
          ("clients", .int(count)),
        ])
      }
    )
  }

  // MARK: - Clients

  private func clientTrace(
    _ privacy: RunPrivacy,
    _ mechanism: PrivacySettings.ClientMechanism,
    _ audit: ReleaseAudit,
    _ outcome: PrivacyOutcome
  ) -> (RoundRecord.Privacy, JSON) {
    let accounting = ClientAccounting(privacy.settings, mechanism, privacy.plan.cohorts)
    // Where clients add their own noise, the one that was drawn most often has released most.
    let releases = round * method.exchanges
    let most =
      mechanism.placement == .local
      ? min(releases, privacy.plan.releases) : releases
    let epsilon = accounting.epsilon(privacy.plan.multiplier, releases: most)
    let clip = outcome.clip ?? privacy.settings.clip
    let finite = outcome.norms.filter(\.isFinite)
    let isWhole = audit.leaks.isEmpty
    let spent = isWhole ? epsilon.pld : .infinity
    let record = RoundRecord.Privacy(
      epsilonMax: spent,
      epsilonMedian: spent,
      delta: privacy.settings.delta,
      accountant: "pld",
      hasGuarantee: spent.isFinite,
      clipped: finite.isEmpty
        ? nil : Double(finite.count { $0 > clip }) / Double(finite.count),
      norm: finite.isEmpty ? nil : finite.reduce(0, +) / Double(finite.count),
      noiseToSignal: outcome.signal > 0 ? outcome.noise / outcome.signal : nil,
      clip: clip,
      error: nil,
      stopped: []
    )
    var line = head(record, "client", accounting.label, audit)
    line.append(("noiseMultiplier", .number(privacy.plan.multiplier)))
    line.append(("releases", .int(most)))
    line.append(("rdp", .number(isWhole ? epsilon.rdp : .infinity)))
    return (record, .object(line))
  }

  /// What every line begins with.
  private func head(
    _ record: RoundRecord.Privacy,
    _ unit: String,
    _ label: String?,
    _ audit: ReleaseAudit
  ) -> [(String, JSON)] {
    var line: [(String, JSON)] = [("round", .int(round)), ("unit", .string(unit))]
    line += (record.json.members ?? []).map { ($0.key, $0.value) }
    if let label { line.append(("label", .string(label))) }
    line.append(
      (
        "leaks",
        .array(
          audit.leaks.map {
            .object([("name", .string($0.name)), ("what", .string($0.what))])
          }
        )
      )
    )
    line.append(("assumptions", .array(audit.assumptions.map(JSON.string))))
    return line
  }
}

import Accounting
import Aggregation
import Base
import Client
import Data
import Records
import Scenario

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
  /// `exact`: whether privacy loss distributions are asked for every client's ε; else Rényi
  /// divergences alone, which are quick and never below the truth.
  func privacyTrace(
    _ outcome: PrivacyOutcome,
    exact: Bool
  ) -> (record: RoundRecord.Privacy, line: JSON)? {
    guard let privacy = arena.privacy else { return nil }
    var audit = privacy.audit
    audit.add(undeclared: undeclared.sorted())
    switch privacy.settings.unit {
    case .example(let mechanism):
      return exampleTrace(privacy, mechanism, audit, outcome, exact: exact)
    case .client(let mechanism):
      return clientTrace(privacy, mechanism, audit, outcome)
    }
  }

  // MARK: - Examples

  /// ε of every client that drew something, ascending by client.
  private func spent(
    _ privacy: RunPrivacy,
    _ mechanism: PrivacySettings.ExampleMechanism,
    exact: Bool
  ) -> [Spent] {
    let accounting = ExampleAccounting(privacy.settings, mechanism)
    var clients: [(client: Int, batches: [Int], share: NoisePlan.Share)] = []
    for (client, share) in privacy.plan.shares.enumerated() {
      guard let share, let drawn = memories[client]?[RunPrivacy.batchesName] else { continue }
      clients.append((client, drawn.map { Int($0) }, share))
    }
    let epsilons = privacy.epsilons.epsilons(
      clients.map { EpsilonTable.Ledger($0.share, batches: $0.batches) },
      exact: exact,
      arena.pool
    ) { ledger in
      guard let share = ledger.share else { return Epsilon(rdp: .infinity, pld: .infinity) }
      return accounting.epsilon(share, batches: ledger.batches, exact: exact)
    }
    return zip(clients, epsilons).map { one, epsilon in
      Spent(client: one.client, batches: one.batches, share: one.share, epsilon: epsilon)
    }
  }

  private func exampleTrace(
    _ privacy: RunPrivacy,
    _ mechanism: PrivacySettings.ExampleMechanism,
    _ audit: ReleaseAudit,
    _ outcome: PrivacyOutcome,
    exact: Bool
  ) -> (RoundRecord.Privacy, JSON) {
    let label = ExampleAccounting(privacy.settings, mechanism).label
    // What leaks has no epsilon.
    let isWhole = audit.leaks.isEmpty
    let spent = spent(privacy, mechanism, exact: exact && isWhole)
    let epsilons = spent.map { exact ? $0.epsilon.pld : $0.epsilon.rdp }
    let (largest, median) = EpsilonTable.summary(epsilons)
    let did = outcome.training
    let valid = did.examples - did.invalid
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
      var row: [(String, JSON)] = [
        ("client", .int(one.client)), ("batches", .int(one.batches.reduce(0, +))),
        ("rate", .number(one.share.rate)), ("noiseMultiplier", .number(one.share.multiplier)),
        ("rdp", .number(isWhole ? one.epsilon.rdp : .infinity)),
      ]
      if exact { row.append(("pld", .number(isWhole ? one.epsilon.pld : .infinity))) }
      return JSON.object(row)
    }
    var line = head(record, "example", label, audit)
    line.append(("invalid", .int(did.invalid)))
    if isWhole { line.append(("histogram", Self.histogram(epsilons))) }
    line.append(("clients", .array(clients)))
    return (record, .object(line))
  }

  /// How many clients have an ε in each of ten bins of equal width.
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
    let multiplier = privacy.plan.multiplier
    let senders = releases(privacy, mechanism, upTo: round)
    let ledgers = senders.map { EpsilonTable.Ledger(releases: $0.count) }
    let epsilons = privacy.epsilons.epsilons(ledgers, exact: true, arena.pool) {
      accounting.epsilon(multiplier, releases: $0.releases)
    }
    let most = senders.map(\.count).max() ?? 0
    let (largest, median) = EpsilonTable.summary(epsilons.map(\.pld))
    let clip = outcome.clip ?? privacy.settings.clip
    let finite = outcome.norms.filter(\.isFinite)
    let isWhole = audit.leaks.isEmpty
    let record = RoundRecord.Privacy(
      epsilonMax: isWhole ? largest : .infinity,
      epsilonMedian: isWhole ? median : .infinity,
      delta: privacy.settings.delta,
      accountant: "pld",
      hasGuarantee: isWhole && largest.isFinite,
      clipped: finite.isEmpty
        ? nil : Double(finite.count { $0 > clip }) / Double(finite.count),
      norm: finite.isEmpty ? nil : finite.reduce(0, +) / Double(finite.count),
      noiseToSignal: outcome.signal > 0 ? outcome.noise / outcome.signal : nil,
      clip: clip,
      error: nil,
      stopped: outcome.stopped
    )
    var line = head(record, "client", accounting.label, audit)
    line.append(("noiseMultiplier", .number(privacy.plan.multiplier)))
    line.append(("releases", .int(most)))
    let slow = epsilons.map(\.rdp).max() ?? 0
    line.append(("rdp", .number(isWhole ? slow : .infinity)))
    guard mechanism.placement == .local else { return (record, .object(line)) }
    let clients = zip(senders, epsilons).map { sender, epsilon in
      JSON.object([
        ("client", .int(sender.client)), ("releases", .int(sender.count)),
        ("rdp", .number(isWhole ? epsilon.rdp : .infinity)),
        ("pld", .number(isWhole ? epsilon.pld : .infinity)),
      ])
    }
    line.append(("clients", .array(clients)))
    return (record, .object(line))
  }

  /// Noisy messages so far: of each client that adds its own noise and was drawn, ascending; else
  /// the sums, in one row for all.
  ///
  /// Clients that dropped out count as if they had sent.
  private func releases(
    _ privacy: RunPrivacy,
    _ mechanism: PrivacySettings.ClientMechanism,
    upTo round: Int
  ) -> [(client: Int, count: Int)] {
    guard Method.sendsUploads else { return [] }
    let exchanges = method.exchanges
    guard mechanism.placement == .local else { return [(0, round * exchanges)] }
    let rounds = privacy.epsilons.participations(upTo: round, arena.sampler)
    return rounds.keys.sorted().compactMap { client in
      guard !arena.split.clients[client].isEmpty else { return nil }
      return (client, privacy.releases(exchanges, of: rounds[client, default: 0]))
    }
  }

  /// ε of each client, or that of the sums, at the end of a run that goes as planned, ascending;
  /// empty without a guarantee.
  ///
  /// For rehearsals that stop before the end.
  package func plannedEpsilons() -> [Double] {
    guard let privacy = arena.privacy, privacy.audit.leaks.isEmpty, undeclared.isEmpty else {
      return []
    }
    let epsilons: [Epsilon]
    switch privacy.settings.unit {
    case .example(let mechanism):
      let accounting = ExampleAccounting(privacy.settings, mechanism)
      let ledgers = privacy.plan.shares.compactMap { share -> EpsilonTable.Ledger? in
        guard let share, share.plannedBatches > 0 else { return nil }
        var batches = [Int](repeating: 0, count: share.gradientsPerBatch)
        batches[share.gradientsPerBatch - 1] = min(share.plannedBatches, share.limit ?? .max)
        return EpsilonTable.Ledger(share, batches: batches)
      }
      epsilons = privacy.epsilons.epsilons(ledgers, exact: true, arena.pool) { ledger in
        guard let share = ledger.share else { return Epsilon(rdp: .infinity, pld: .infinity) }
        return accounting.epsilon(share, batches: ledger.batches, exact: true)
      }
    case .client(let mechanism):
      let accounting = ClientAccounting(privacy.settings, mechanism, privacy.plan.cohorts)
      let senders = releases(privacy, mechanism, upTo: arena.scenario.federation.rounds)
      let ledgers = senders.map { EpsilonTable.Ledger(releases: $0.count) }
      epsilons = privacy.epsilons.epsilons(ledgers, exact: true, arena.pool) {
        accounting.epsilon(privacy.plan.multiplier, releases: $0.releases)
      }
    }
    let values = epsilons.map(\.pld)
    return values.allSatisfy(\.isFinite) ? values.sorted() : []
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

import Accounting
import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// Example-level privacy: clients' gradients are clipped and noised while they train, their budgets
/// decide who takes part, and the accountant is asked what was spent.
final class ExamplePrivacyStage: PrivacyStage {
  private let privacy: RunPrivacy
  private let mechanism: PrivacySettings.ExampleMechanism
  private let run: StageContext
  private(set) var stopped: [Int] = []
  /// What all clients of the round did.
  private var training = PrivateTraining.Statistics()
  var leaks = LeakWatch()

  init(_ privacy: RunPrivacy, _ mechanism: PrivacySettings.ExampleMechanism, _ run: StageContext) {
    self.privacy = privacy
    self.mechanism = mechanism
    self.run = run
  }

  var sectionName: String? { RunPrivacy.section }

  func canTrain(_ client: Int) -> Bool {
    privacy.canTrain(client, run.state.clients[client]?[RunPrivacy.section])
  }

  func beginRound(_ round: Round) { training = PrivateTraining.Statistics() }

  /// Clients whose budget does not pay for this round are left out.
  func choose(_ round: Round) throws(RoundFailure) {
    guard round.isSynchronous else {
      stopped = run.context.split.clients.indices.filter { !canTrain($0) }
      return
    }
    if run.method.population == .pooled {
      // One site has one budget, whoever's examples it trains on.
      stopped = canTrain(0) ? [] : round.cohort
    } else {
      stopped = round.cohort.filter { !canTrain($0) }
    }
    guard !stopped.isEmpty else { return }
    let left = Set(stopped)
    round.cohort = round.cohort.filter { !left.contains($0) }
  }

  func prepare(_ exchange: Exchange) throws(RoundFailure) -> (any ClientStage)? {
    PrivateGradients(privacy: privacy, rounds: run.context.problem.rounds)
  }

  func arrive(_ arrival: inout Arrival, _ exchange: Exchange) {
    if arrival.fate == .dropped { return }
    if let done = arrival.message.notes[PrivateTraining.Statistics.self] { training.add(done) }
    if run.method.population == .cohort { leaks.note(arrival.message.shape, privacy) }
  }

  // MARK: - What it cost

  /// A client's ε and what it comes from.
  private struct Spent {
    let client: Int
    let batches: [Int]
    let share: NoisePlan.Share
    var epsilon: Epsilon
  }

  /// ε of every client that drew something, ascending by client.
  private func spent(exact: Bool) -> [Spent] {
    let accounting = ExampleAccounting(privacy.settings, mechanism)
    var clients: [(client: Int, batches: [Int], share: NoisePlan.Share)] = []
    for (client, share) in privacy.plan.shares.enumerated() {
      guard let share else { continue }
      let drawn = run.state.clients[client]?[RunPrivacy.section][RunPrivacy.batchesName]
      // Who has not trained yet has released statistics of its features, where clients do.
      guard drawn != nil || mechanism.statisticsNoise != nil else { continue }
      clients.append((client, (drawn ?? []).map { Int($0) }, share))
    }
    let epsilons = epsilons(
      clients.map { EpsilonTable.Ledger($0.share, batches: $0.batches) }, accounting, exact: exact)
    return zip(clients, epsilons).map { one, epsilon in
      Spent(client: one.client, batches: one.batches, share: one.share, epsilon: epsilon)
    }
  }

  private func epsilons(
    _ ledgers: [EpsilonTable.Ledger], _ accounting: ExampleAccounting, exact: Bool
  ) -> [Epsilon] {
    privacy.epsilons.epsilons(ledgers, exact: exact, run.context.pool) { ledger in
      guard let share = ledger.share else { return Epsilon(rdp: .infinity, pld: .infinity) }
      return accounting.epsilon(share, batches: ledger.batches, exact: exact)
    }
  }

  func trace(exact: Bool) -> (record: RoundRecord.Privacy, line: JSON) {
    var audit = privacy.audit
    audit.add(undeclared: leaks.undeclared.sorted())
    // What leaks has no epsilon.
    let isWhole = audit.leaks.isEmpty
    let spent = spent(exact: exact && isWhole)
    let epsilons = spent.map { exact ? $0.epsilon.pld : $0.epsilon.rdp }
    let record = record(epsilons, exact: exact, isWhole: isWhole)
    let clients = spent.map { one in
      PrivacyLine.Client(
        client: one.client, batches: one.batches.reduce(0, +), rate: one.share.rate,
        noiseMultiplier: one.share.multiplier, rdp: isWhole ? one.epsilon.rdp : .infinity,
        pld: exact ? isWhole ? one.epsilon.pld : .infinity : nil)
    }
    var line = PrivacyLine(
      record, round: run.state.round, unit: "example",
      label: ExampleAccounting(privacy.settings, mechanism).label, audit)
    line.invalid = training.invalid
    line.histogram = isWhole ? PrivacyLine.histogram(epsilons) : nil
    line.clients = clients
    return (record, line.json)
  }

  private func record(_ epsilons: [Double], exact: Bool, isWhole: Bool) -> RoundRecord.Privacy {
    let (largest, median) = EpsilonTable.summary(epsilons)
    let valid = training.examples - training.invalid
    return RoundRecord.Privacy(
      epsilonMax: isWhole ? largest : .infinity, epsilonMedian: isWhole ? median : .infinity,
      delta: privacy.settings.delta, accountant: exact ? "pld" : "rdp",
      hasGuarantee: isWhole && largest.isFinite,
      clipped: valid > 0 ? Double(training.clipped) / Double(valid) : nil,
      norm: valid > 0 ? training.normSum / Double(valid) : nil,
      noiseToSignal: training.signalSum > 0 ? training.noiseSum / training.signalSum : nil,
      clip: privacy.settings.clip(round: run.state.round, of: run.context.problem.rounds),
      error: mechanism.errorFeedback != nil && training.gradients > 0
        ? training.errorSum / Double(training.gradients) : nil, stopped: stopped)
  }

  func plannedEpsilons() -> [Double] {
    guard privacy.audit.leaks.isEmpty, leaks.undeclared.isEmpty else { return [] }
    let accounting = ExampleAccounting(privacy.settings, mechanism)
    let ledgers = privacy.plan.shares.compactMap { share -> EpsilonTable.Ledger? in
      guard let share, share.plannedBatches > 0 else { return nil }
      var batches = [Int](repeating: 0, count: share.gradientsPerBatch)
      batches[share.gradientsPerBatch - 1] = min(share.plannedBatches, share.limit ?? .max)
      return EpsilonTable.Ledger(share, batches: batches)
    }
    let values = epsilons(ledgers, accounting, exact: true).map(\.pld)
    return values.allSatisfy(\.isFinite) ? values.sorted() : []
  }
}

/// Gradients of examples that are clipped, noised and counted on a client.
struct PrivateGradients: ClientStage {
  let privacy: RunPrivacy
  let rounds: Int

  func training(_ turn: ClientTurn, _ state: ClientState) -> PrivateTraining? {
    privacy.training(
      of: turn.client, state[RunPrivacy.section],
      clip: privacy.settings.clip(round: turn.round, of: rounds), worker: turn.worker,
      exchange: turn.number)
  }

  func leave(_ message: inout ClientMessage, _ device: Device, _ turn: ClientTurn)
    throws(RoundFailure)
  {
    guard let training = device.privacy else { return }
    privacy.remember(training, &message.state[RunPrivacy.section])
    message.notes[PrivateTraining.Statistics.self] = training.statistics
  }
}

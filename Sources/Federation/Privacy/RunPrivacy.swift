import Accounting
import Aggregation
import Base
import Client
import Scenario
import Tensor

/// What privacy adds to one run; constant while it runs.
package struct RunPrivacy: Sendable {
  package let settings: PrivacySettings
  /// How much noise there is.
  package let plan: NoisePlan
  /// What leaves without protection.
  package let audit: ReleaseAudit
  /// Blocks of uploads that the method declares under its settings.
  let declared: [Disclosure]
  /// B̂.
  package let batch: Int
  /// m: what the noisy sum of a cohort is divided by.
  let cohortSize: Double
  /// Where each worker keeps gradients of examples.
  package let memories: WorkerExampleMemories
  /// ε of what clients released so far.
  package let epsilons = EpsilonTable()
  /// Whether batches are Poisson; only a measurement of speed has others.
  package var drawsBatches = true

  package init(
    settings: PrivacySettings, plan: NoisePlan, audit: ReleaseAudit, declared: [Disclosure],
    batch: Int, cohortSize: Double, memories: WorkerExampleMemories, drawsBatches: Bool = true
  ) {
    self.settings = settings
    self.plan = plan
    self.audit = audit
    self.declared = declared
    self.batch = batch
    self.cohortSize = cohortSize
    self.memories = memories
    self.drawsBatches = drawsBatches
  }

  /// The section of clients and server, and the names in it.
  static let section = "privacy"
  static let batchesName = "privacy.batches"
  static let clipName = "privacy.clip"
  static let errorPrefix = "privacy.error/"

  /// How a client's training is made private; nil when nothing is done there.
  ///
  /// `clip`: C of the round; nil for the scenario's.
  package func example(of client: Int, clip: Double? = nil) -> ExamplePrivacy? {
    guard let mechanism = settings.exampleLevel, client < plan.shares.count,
      let share = plan.shares[client]
    else { return nil }
    var privacy = ExamplePrivacy(
      clip: clip ?? settings.clip, clipping: mechanism.clipping, noiseMultiplier: share.multiplier,
      batch: batch, copies: mechanism.copies, errorFeedback: mechanism.errorFeedback)
    privacy.drawsBatches = drawsBatches
    return privacy
  }

  /// What the best test of membership finds at most in all that the run plans to release, at some
  /// shares of false alarms: the largest of all clients.
  ///
  /// Nil where nothing is claimed, where DiceSGD is accounted for as one release, and for more than
  /// twenty different clients, which would take long.
  package func attackPower(falsePositives: [Double]) -> [AttackPower]? {
    guard audit.leaks.isEmpty else { return nil }
    var ledgers: [PrivacyLedger] = []
    if let mechanism = settings.exampleLevel {
      let accounting = ExampleAccounting(settings, mechanism)
      guard accounting.isComposed else { return nil }
      let shares = Set(plan.shares.compactMap { $0 }.filter { $0.plannedBatches > 0 })
      for share in shares {
        var batches = [Int](repeating: 0, count: share.gradientsPerBatch)
        batches[share.gradientsPerBatch - 1] = min(share.plannedBatches, share.limit ?? .max)
        if let ledger = try? accounting.ledger(share, batches: batches) { ledgers.append(ledger) }
      }
    } else if let mechanism = settings.clientLevel,
      let event = try? ClientAccounting(self, mechanism).event(
        plan.multiplier, releases: min(plan.releases, plan.limit ?? .max))
    {
      ledgers = [PrivacyLedger([event])]
    }
    guard !ledgers.isEmpty, ledgers.count <= 20 else { return nil }
    let all = ledgers.map { PLDAccountant().attackPower($0, falsePositives: falsePositives) }
    return falsePositives.indices.map { place in
      AttackPower(
        falsePositives: falsePositives[place],
        truePositives: all.map { $0[place].truePositives }.max() ?? 1)
    }
  }

  /// Whether a client's budget pays for another round after what it has drawn.
  func canTrain(_ client: Int, _ memory: StateTensors?) -> Bool {
    guard let mechanism = settings.exampleLevel, client < plan.shares.count,
      let share = plan.shares[client], let limit = share.limit
    else { return true }
    var batches = (memory?[Self.batchesName] ?? []).map { Int($0) }
    let drawn = batches.reduce(0, +)
    guard drawn + share.batchesPerRound <= limit else { return false }
    // The limit counts batches as planned; where more gradients were taken on some, the accountant
    // is asked.
    if batches.count <= share.gradientsPerBatch { return true }
    guard let target = settings.target else { return true }
    batches[share.gradientsPerBatch - 1] += share.batchesPerRound
    let accounting = ExampleAccounting(settings, mechanism)
    return accounting.epsilon(share, batches: batches, exact: true).pld <= target.epsilon
  }

  /// Whether a client that adds its own noise may send the messages of another round after so many
  /// that it took part in.
  func canSend(_ exchanges: Int, after rounds: Int) -> Bool {
    guard let limit = plan.limit else { return true }
    return (rounds + 1) * exchanges <= limit
  }

  /// Messages that a client has sent when it was drawn in so many rounds.
  package func releases(_ exchanges: Int, of rounds: Int) -> Int {
    guard let limit = plan.limit, exchanges > 0 else { return rounds * exchanges }
    return min(rounds, limit / exchanges) * exchanges
  }

  /// Whether the method declares a block that was sent.
  func declares(_ block: PayloadBlock) -> Bool {
    let releases = declared.filter { $0.covers(block.name) }
    if settings.exampleLevel != nil { return !releases.isEmpty }
    // Client-level noise is on everything but whole numbers.
    return block.tensors.allSatisfy { tensor in
      tensor.element == .float32 || releases.contains { $0.wholeNumbers.contains(tensor.name) }
    }
  }

  /// Private training of a client with what it remembers.
  package func training(
    of client: Int, _ memory: StateTensors, clip: Double, worker: Int, exchange: Int
  ) -> PrivateTraining? {
    guard let settings = example(of: client, clip: clip) else { return nil }
    var errors: [String: [Float]] = [:]
    for name in memory.names where name.hasPrefix(Self.errorPrefix) {
      errors[String(name.dropFirst(Self.errorPrefix.count))] = memory[name]
    }
    return PrivateTraining(
      settings, memory: memories[worker], errors: errors, phase: .start(exchange))
  }

  /// Puts what private training leaves into a client's memory.
  func remember(_ training: PrivateTraining, _ memory: inout StateTensors) {
    for (name, error) in training.errors { memory[Self.errorPrefix + name] = error }
    var batches = memory[Self.batchesName] ?? []
    for (index, count) in training.statistics.batches.enumerated() {
      if index == batches.count { batches.append(0) }
      batches[index] += Float(count)
    }
    memory[Self.batchesName] = batches
  }
}

/// One place for gradients of examples per worker.
package final class WorkerExampleMemories: @unchecked Sendable {
  // @unchecked: a worker touches only the place of its own number.
  private let places: [ExampleMemory]

  package init(workers: Int) { places = (0..<workers).map { _ in ExampleMemory() } }

  package subscript(worker: Int) -> ExampleMemory { places[worker] }
}

extension RunContext {
  /// How examples or clients are protected; nil for not at all.
  package var privacy: RunPrivacy? {
    get { features[RunPrivacy.self] }
    set { features[RunPrivacy.self] = newValue }
  }
}

import Accounting
import Records
import Synchronization

/// ε of a run's ledgers, each different one accounted for once.
///
/// A client's ledger changes only when it takes part, and clients alike share one, so that a run
/// asks an accountant at most once for each client's part in a round.
package final class EpsilonTable: Sendable {
  /// All that an ε is a function of, within one run.
  package struct Ledger: Hashable, Sendable {
    /// The client's sampling and noise; nil where the releases are those of messages.
    package var share: NoisePlan.Share?
    /// Example-level: `batches[k − 1]` batches with k gradients each.
    package var batches: [Int] = []
    /// Client-level: noisy releases.
    package var releases = 0

    /// What a client drew with its share of the noise.
    init(_ share: NoisePlan.Share, batches: [Int]) {
      var share = share
      // None of these enters an ε.
      share.plannedBatches = 0
      share.batchesPerRound = 0
      share.limit = nil
      self.share = share
      self.batches = batches
    }

    init(releases: Int) { self.releases = releases }
  }

  private struct Known {
    var fast: [Ledger: Epsilon] = [:]
    var exact: [Ledger: Epsilon] = [:]
  }
  private struct Counted {
    var round = 0
    var clients: [Int: Int] = [:]
  }

  /// Never held while an ε is computed.
  private let known = Mutex(Known())
  private let counted = Mutex(Counted())

  /// The ε that the ledgers have.
  ///
  /// - Parameters:
  ///   - ledgers: of all clients.
  ///   - isExact: whether both accountants are asked, else the fast one alone.
  ///   - pool: the workers that share the ones not known yet.
  ///   - compute: one ε; runs on a worker.
  /// - Returns: an ε for each ledger.
  package func epsilons(
    _ ledgers: [Ledger], exact isExact: Bool, _ pool: WorkerPool,
    _ compute: @escaping @Sendable (Ledger) -> Epsilon
  ) -> [Epsilon] {
    var known = self.known.withLock { isExact ? $0.exact : $0.fast }
    var missing: [Ledger] = []
    var seen = Set<Ledger>()
    for ledger in ledgers where known[ledger] == nil && seen.insert(ledger).inserted {
      missing.append(ledger)
    }
    if !missing.isEmpty {
      let found = pool.map(missing.count) { [missing] _, index in compute(missing[index]) }
      for (ledger, epsilon) in zip(missing, found) { known[ledger] = epsilon }
      self.known.withLock { [known] in if isExact { $0.exact = known } else { $0.fast = known } }
    }
    return ledgers.map { known[$0] ?? Epsilon(rdp: .infinity, pld: .infinity) }
  }

  /// In how many of the rounds 1…round each client was drawn; clients never drawn are left out.
  func participations(upTo round: Int, _ sampler: CohortSampler) -> [Int: Int] {
    counted.withLock { counted in
      if counted.round > round { counted = Counted() }
      while counted.round < round {
        counted.round += 1
        for client in sampler.cohort(round: counted.round) {
          counted.clients[client, default: 0] += 1
        }
      }
      return counted.clients
    }
  }

  /// The largest of some, and their median: the mean of the two in the middle where there are two.
  ///
  /// 0 of none.
  package static func summary(_ epsilons: [Double]) -> (largest: Double, median: Double) {
    let sorted = epsilons.sorted()
    return (sorted.last ?? 0, Metrics.median(ofSorted: sorted) ?? 0)
  }
}

import Base
import Client

/// The training set as the clients of one seed see it: images for pre-training and for the public
/// set go first, then come the long tail, the partition, and last the clients' own hold-out.
///
/// Before a client's hold-out the pooled histogram is exactly the long tail's, whatever the
/// partition does, but for partitions that leave images unused (`dirichlet-prior`, `file`).
package struct Split: Sendable {
  /// All indices that train some client, ascending.
  package let trainIndices: [Int]
  /// Training-set indices of every client: disjoint, without those held out.
  ///
  /// Ascending, but for a partition file, whose order is kept.
  package private(set) var clients: [[Int]]
  /// What each client holds out for its own test; nil under other policies.
  package let holdout: [[Int]]?
  /// n_kc, training images per client and class.
  package let clientClassCounts: ClassCounts
  /// n_c, training images per class.
  package let classCounts: [Int]
  /// The public set: training-set indices that no client holds, ascending, which is the order that
  /// everybody agrees on.
  package var publicIndices: [Int] = []
  /// Images held out for pre-training, ascending; the same under every seed of a scenario.
  package var pretrainIndices: [Int] = []
  /// Images of each class of the public set and of those for pre-training, where there are any.
  var heldOutCounts: [(name: String, perClass: [Int])] = []
  /// Images of each class that the long tail kept; nil without one.
  package var longTailCounts: [Int]?
  /// What each client keeps for validation; nil without one.
  package var validation: [[Int]]?
  /// What clients have that never train for the server; no part of any count above.
  package var unseen: Unseen?

  /// The same with other training images at the clients; what is counted and held out stays.
  package func keeping(_ clients: [[Int]]) -> Split {
    var split = self
    split.clients = clients
    return split
  }

  /// Clients beside those of the federation.
  package struct Unseen: Sendable {
    /// Training-set indices of each.
    package let clients: [[Int]]
    /// What each holds out for its own test; nil under other policies.
    package let holdout: [[Int]]?
    /// n_kc of them.
    package let classCounts: ClassCounts
  }

  package init(
    trainIndices: [Int], clients: [[Int]], holdout: [[Int]]?, clientClassCounts: ClassCounts,
    classCounts: [Int], publicIndices: [Int] = [], pretrainIndices: [Int] = [],
    heldOutCounts: [(name: String, perClass: [Int])] = [], longTailCounts: [Int]? = nil
  ) {
    self.trainIndices = trainIndices
    self.clients = clients
    self.holdout = holdout
    self.clientClassCounts = clientClassCounts
    self.classCounts = classCounts
    self.publicIndices = publicIndices
    self.pretrainIndices = pretrainIndices
    self.heldOutCounts = heldOutCounts
    self.longTailCounts = longTailCounts
  }

  /// Clients without a training image; they are never useful in a cohort.
  package var emptyClients: [Int] { clients.indices.filter { clients[$0].isEmpty } }

  /// The text of `split/partition.json`.
  package var partitionJSON: String {
    PartitionSummary.partitionJSON(
      clients: clients, holdout: holdout, publicIndices: publicIndices,
      pretrainIndices: pretrainIndices,
      others: [
        ("validation", validation), ("unseen", unseen?.clients), ("unseenHoldout", unseen?.holdout),
      ])
  }

  /// The text of `split/summary.csv`.
  package var summaryCSV: String { PartitionSummary.csv(clientClassCounts, sets: heldOutCounts) }
}

/// Makes splits.
package enum SplitBuilder {
  /// The split of a seed.
  ///
  /// It depends on the data's labels, the data settings, the number of clients and the seed; not on
  /// the strategy, so that strategies are compared on the same split.
  ///
  /// - Throws: exit code 3 when the settings cannot be met by this data set, 4 when a partition
  ///   file is missing or wrong.
  package static func split(
    _ data: LabelledData, settings: DataSettings, clients: Int, seed: UInt64
  ) throws(Failure) -> Split {
    let train = data.train
    let trained = clients
    let clients = trained + settings.unseenClients
    try settings.styles?.requireFit(train.shape)
    let heldOut = try HeldOutImages(data, settings: settings, clients: clients, seed: seed)
    var kept = heldOut.rest
    var tail: LongTail?
    if let longTail = settings.longTail {
      let profile = try LongTail(longTail, available: train.classCounts(of: kept))
      kept = profile.keep(train.labels, among: kept, seed: seed)
      tail = profile
    }
    let pool = Pool(
      kept: kept, labelOf: train.labels, classes: train.classes, clients: clients, seed: seed)
    var lists = try self.lists(settings.partition, pool: pool, data: data)
    var holdout: [[Int]]?
    if settings.localTest.policy == .holdout {
      let parts = lists.enumerated().map { client, list in
        holdOut(list, share: settings.localTest.holdoutShare, client: client, seed: seed)
      }
      lists = parts.map(\.train)
      holdout = parts.map(\.test)
    }
    var unseen: Split.Unseen?
    if settings.unseenClients > 0 {
      let their = Array(lists[trained...])
      unseen = Split.Unseen(
        clients: their, holdout: holdout.map { Array($0[trained...]) },
        classCounts: ClassCounts(their, labels: train.labels, classes: train.classes))
      lists.removeLast(their.count)
      holdout?.removeLast(their.count)
    }
    var validation: [[Int]]?
    if settings.validation > 0 {
      let parts = lists.enumerated().map { client, list in
        holdOut(list, share: settings.validation, client: client, seed: seed, step: 2)
      }
      lists = parts.map(\.train)
      validation = parts.map(\.test)
    }
    let counts = ClassCounts(lists, labels: train.labels, classes: train.classes)
    var split = Split(
      trainIndices: lists.flatMap { $0 }.sorted(), clients: lists, holdout: holdout,
      clientClassCounts: counts, classCounts: counts.pooled())
    split.validation = validation
    split.unseen = unseen
    split.publicIndices = heldOut.publicSet
    split.pretrainIndices = heldOut.pretraining
    for (name, list) in [("public", heldOut.publicSet), ("pretrain", heldOut.pretraining)]
    where !list.isEmpty { split.heldOutCounts.append((name, train.classCounts(of: list))) }
    split.longTailCounts = tail?.counts
    return split
  }

  private static func lists(_ partition: DataSettings.Partition, pool: Pool, data: LabelledData)
    throws(Failure) -> [[Int]]
  {
    switch partition {
    case .iid: return pool.iid()
    case .dirichlet(let alpha, let minimum):
      return try pool.dirichlet(alpha: alpha, minimum: minimum)
    case .dirichletCut(let alpha, let minimum):
      return try pool.dirichletCut(alpha: alpha, minimum: minimum)
    case .dirichletBalanced(let alpha): return pool.dirichletBalanced(alpha: alpha)
    case .dirichletPrior(let alpha, let perClient, let minimum):
      return try pool.dirichletPrior(alpha: alpha, perClient: perClient, minPerClass: minimum)
    case .shards(let perClient): return try pool.shards(perClient: perClient)
    case .quantity(let law, let minimum): return try pool.quantity(law, minimum: minimum)
    case .file(let path): return try pool.file(path, trainingImages: data.train.count)
    case .natural: return try pool.natural(data.naturalClients)
    }
  }

  /// Takes round(share·n) images away for testing, at least one and never all; a client with one
  /// image keeps it for training.
  ///
  /// The order of what stays is kept.
  static func holdOut(_ list: [Int], share: Double, client: Int, seed: UInt64, step: Int = 0) -> (
    train: [Int], test: [Int]
  ) {
    guard list.count > 1 else { return (list, []) }
    let wanted = Int(clamping: (share * Double(list.count)).rounded())
    let size = max(1, min(wanted, list.count - 1))
    var stream = RandomStream(seed: seed, .localTests, client: client, step: step)
    let taken = stream.permutation(list.count).prefix(size).sorted()
    let isTaken = Set(taken)
    return (list.indices.filter { !isTaken.contains($0) }.map { list[$0] }, taken.map { list[$0] })
  }
}

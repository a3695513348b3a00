import Base
import Client

/// What each client's personal accuracy is measured on.
///
/// All three policies have the same form: a list of images per client, from the test or from the
/// training set, and a weight for every class. A client's accuracy is
/// Σ_c w_kc · (share of its images of class c that are right).
package struct LocalTests: Sendable {
  /// Which images the indices count.
  package enum Source: Sendable, Equatable {
    /// The test set of the data.
    case testSet
    /// The training set; the images are held out of training.
    case trainingSet
  }

  private enum Lists: Sendable {
    case shared([Int])
    case own([[Int]])
  }

  package let policy: DataSettings.LocalTest.Policy
  /// Where the images are.
  package let source: Source
  /// Clients that cannot be measured: no test image, or none of a class they have.
  package let excludedClients: [Int]
  /// Test images in the lists of two or more clients; 0 where all share one list by design
  /// (`prior-weighted`) or none is shared (`holdout`).
  package let sharedImages: Int

  private let isMasked: Bool
  private let lists: Lists
  private let counts: ClassCounts
  private let testable: [Bool]
  private let isExcluded: [Bool]

  /// The local tests of a split.
  ///
  /// `seed` is the seed of the split; draws are addressed by (seed, client).
  package init(_ settings: DataSettings.LocalTest, split: Split, test: ImageSet, seed: UInt64) {
    self.init(
      settings, split.clientClassCounts, holdout: split.holdout, first: 0,
      training: split.trainIndices.count, test: test, seed: seed)
  }

  /// Those of the clients that never train for the server; nil without such.
  package init?(
    unseenOf split: Split, _ settings: DataSettings.LocalTest, test: ImageSet, seed: UInt64
  ) {
    guard let unseen = split.unseen else { return nil }
    self.init(
      settings, unseen.classCounts, holdout: unseen.holdout, first: split.clients.count,
      training: split.trainIndices.count, test: test, seed: seed)
  }

  /// `first`: the number of the first client; `training`: all clients' training images.
  private init(
    _ settings: DataSettings.LocalTest, _ counts: ClassCounts, holdout: [[Int]]?, first: Int,
    training: Int, test: ImageSet, seed: UInt64
  ) {
    policy = settings.policy
    isMasked = settings.isMasked
    self.counts = counts
    switch settings.policy {
    case .priorWeighted:
      source = .testSet
      let images = Self.first(settings.perClass, of: test)
      lists = .shared(images)
      testable = test.classCounts(of: images).map { $0 > 0 }
      sharedImages = 0
    case .matchClientLabels:
      source = .testSet
      let drawn = Self.matching(counts, first: first, training: training, test: test, seed: seed)
      lists = .own(drawn)
      testable = []
      sharedImages = Self.countShared(drawn, images: test.count)
    case .holdout:
      source = .trainingSet
      lists = .own(holdout ?? [[Int]](repeating: [], count: counts.clients))
      testable = []
      sharedImages = 0
    }
    var excluded = [Bool](repeating: false, count: counts.clients)
    for client in excluded.indices {
      switch lists {
      case .own(let all): excluded[client] = all[client].isEmpty
      case .shared: excluded[client] = !zip(testable, counts[client]).contains { $0 && $1 > 0 }
      }
    }
    isExcluded = excluded
    excludedClients = excluded.indices.filter { excluded[$0] }
  }

  /// Whether a client is left out of every personal number.
  package func excludes(_ client: Int) -> Bool { isExcluded[client] }

  /// The images of a client, as indices into `source`.
  package func images(of client: Int) -> [Int] {
    switch lists {
    case .shared(let all): all
    case .own(let all): all[client]
    }
  }

  /// Whether every client is measured on the same images, so that one pass of a model that is
  /// common to all serves everyone.
  package var sharesOneList: Bool {
    if case .shared = lists { return true }
    return false
  }

  /// w_k: weight of each class in the client's accuracy; they sum to 1, or all are 0 for an
  /// excluded client.
  ///
  /// Under `prior-weighted` w_kc = n_kc/n_k over the classes that have a test image. Under the
  /// other policies every image counts alike: w_kc is the share of class c among the client's
  /// images. `labels` are the labels of `source`.
  package func classWeights(of client: Int, labels: [Int32]) -> [Double] {
    var weights = [Double](repeating: 0, count: counts.classes)
    switch lists {
    case .shared:
      for label in weights.indices where testable[label] {
        weights[label] = Double(counts[client, label])
      }
    case .own(let all): for index in all[client] { weights[Int(labels[index])] += 1 }
    }
    var total = 0.0
    for weight in weights { total += weight }
    guard total > 0 else { return weights }
    return weights.map { $0 / total }
  }

  /// The classes that a model may predict for a client: those of `classWeights` above 0; nil for
  /// all.
  package func mask(of client: Int, labels: [Int32]) -> ClassMask? {
    isMasked ? ClassMask(classWeights(of: client, labels: labels).map { $0 > 0 }) : nil
  }

  // MARK: - The policies

  /// The first `perClass` images of each class, ascending.
  private static func first(_ perClass: Int, of test: ImageSet) -> [Int] {
    var taken = [Int](repeating: 0, count: test.classes)
    return test.labels.indices.filter { index in
      let label = Int(test.labels[index])
      taken[label] += 1
      return taken[label] <= perClass
    }
  }

  /// t_kc = ⌊N_test · n_kc/N⌋ test images of class c for client k, drawn without replacement inside
  /// a client, but never more than there are.
  ///
  /// Clients may share images.
  ///
  /// - Source: the local test sets of Xiao et al., ICLR 2024 (FedLoGe).
  private static func matching(
    _ counts: ClassCounts, first: Int, training total: Int, test: ImageSet, seed: UInt64
  ) -> [[Int]] {
    guard total > 0 else { return [[Int]](repeating: [], count: counts.clients) }
    var byClass = [[Int]](repeating: [], count: test.classes)
    for (index, label) in test.labels.enumerated() { byClass[Int(label)].append(index) }
    return (0..<counts.clients).map { client in
      var stream = RandomStream(seed: seed, .localTests, client: first + client, step: 1)
      var mine: [Int] = []
      for label in byClass.indices {
        let held = counts[client, label]
        let wanted = min(test.count * held / total, byClass[label].count)
        mine += Self.sample(wanted, of: byClass[label], from: &stream)
      }
      return mine.sorted()
    }
  }

  /// `count` different entries: the first steps of a Fisher–Yates shuffle.
  private static func sample(_ count: Int, of list: [Int], from stream: inout RandomStream)
    -> ArraySlice<Int>
  {
    guard count > 0 else { return [] }
    var all = list
    for position in 0..<count {
      all.swapAt(position, position + stream.below(all.count - position))
    }
    return all[..<count]
  }

  private static func countShared(_ lists: [[Int]], images: Int) -> Int {
    var uses = [Int](repeating: 0, count: images)
    for list in lists { for index in list { uses[index] += 1 } }
    return uses.count { $0 > 1 }
  }
}

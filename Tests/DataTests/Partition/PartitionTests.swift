import Base
import Data
import Fixtures
import Testing

@Suite("Partitions")
struct PartitionTests {
  typealias Rule = DataSettings.Partition

  /// 1,240 images with class sizes 500 299 179 107 64 38 23 13 8 9, every third index unused.
  static func pool(_ clients: Int, seed: UInt64 = 1, sizes: [Int]? = nil) -> Pool {
    let sizes = sizes ?? [500, 299, 179, 107, 64, 38, 23, 13, 8, 9]
    var labels = sizes.enumerated().flatMap { [Int32](repeating: Int32($0), count: $1) }
    var order = RandomStream(seed: 99, .test)
    labels = order.permutation(labels.count).map { labels[$0] }
    var labelOf: [Int32] = []
    var kept: [Int] = []
    for label in labels {
      if labelOf.count % 3 == 2 { labelOf.append(0) }
      kept.append(labelOf.count)
      labelOf.append(label)
    }
    return Pool(kept: kept, labelOf: labelOf, classes: sizes.count, clients: clients, seed: seed)
  }

  static func lists(_ rule: Rule, _ pool: Pool) throws -> [[Int]] {
    switch rule {
    case .iid: pool.iid()
    case .dirichlet(let alpha, let minimum): try pool.dirichlet(alpha: alpha, minimum: minimum)
    case .dirichletCut(let alpha, let minimum):
      try pool.dirichletCut(alpha: alpha, minimum: minimum)
    case .dirichletBalanced(let alpha): pool.dirichletBalanced(alpha: alpha)
    case .dirichletPrior(let alpha, let perClient, let minimum):
      try pool.dirichletPrior(alpha: alpha, perClient: perClient, minPerClass: minimum)
    case .shards(let perClient): try pool.shards(perClient: perClient)
    case .quantity(let law, let minimum): try pool.quantity(law, minimum: minimum)
    case .file, .natural: []
    }
  }

  static let rules: [Rule] =
    [0.001, 0.1, 0.5, 10, 1e6].flatMap { alpha -> [Rule] in
      [
        .dirichlet(alpha: alpha, minPerClient: 0), .dirichletCut(alpha: alpha, minPerClient: 0),
        .dirichletBalanced(alpha: alpha),
      ]
    } + [
      .iid, .shards(perClient: 1), .shards(perClient: 2), .shards(perClient: 7),
      .quantity(.logNormal(sigma: 0), minPerClient: 0),
      .quantity(.logNormal(sigma: 3), minPerClient: 0),
      .quantity(.logNormal(sigma: 1e6), minPerClient: 0),
      .quantity(.powerLaw(exponent: 1.5), minPerClient: 0),
      .quantity(.powerLaw(exponent: 500), minPerClient: 0),
    ]

  @Test("every rule uses every image once, whatever seed and number of clients", arguments: rules)
  func isPartition(rule: Rule) throws {
    for clients in [1, 2, 7, 10, 23, 40, 2000] {
      for seed in 1...3 as ClosedRange<UInt64> {
        let pool = Self.pool(clients, seed: seed)
        let lists = try Self.lists(rule, pool)
        #expect(lists.count == clients)
        #expect(lists.flatMap { $0 }.sorted() == pool.indices, "\(rule), K = \(clients)")
        #expect(lists.allSatisfy { $0 == $0.sorted() })
      }
    }
  }

  @Test(
    "the same seed repeats a partition, another changes it, input order does neither",
    arguments: rules)
  func isRepeatable(rule: Rule) throws {
    let pool = Self.pool(10)
    let first = try Self.lists(rule, pool)
    #expect(first == (try Self.lists(rule, pool)))
    // A steep enough power law gives client 0 everything, whatever the seed.
    if first[0].count < pool.count {
      #expect(first != (try Self.lists(rule, Self.pool(10, seed: 2))))
    }
    var labelOf = [Int32](repeating: 0, count: (pool.indices.last ?? 0) + 1)
    for (index, label) in zip(pool.indices, pool.labels) { labelOf[index] = Int32(label) }
    let reversed = Pool(
      kept: pool.indices.reversed(), labelOf: labelOf, classes: pool.classes, clients: 10, seed: 1)
    #expect(first == (try Self.lists(rule, reversed)))
  }

  @Test("IID and balanced Dirichlet sizes differ by at most 1", arguments: [0.001, 0.5, 1e6])
  func evenSizes(alpha: Double) {
    for clients in [1, 3, 10, 20, 33, 100] {
      let pool = Self.pool(clients)
      for lists in [pool.iid(), pool.dirichletBalanced(alpha: alpha)] {
        let sizes = lists.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
      }
    }
  }

  /// Mean over clients of the total variation distance between a client's classes and the pool's.
  static func skew(_ lists: [[Int]], _ pool: Pool) -> Double {
    let labelAt = Dictionary(uniqueKeysWithValues: zip(pool.indices, pool.labels))
    func shares(_ list: [Int]) -> [Double] {
      var counts = [Double](repeating: 0, count: pool.classes)
      for index in list { counts[labelAt[index] ?? 0] += 1 / Double(list.count) }
      return counts
    }
    let whole = shares(pool.indices)
    let distances = lists.filter { !$0.isEmpty }.map { list in
      zip(shares(list), whole).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
    }
    return distances.reduce(0, +) / Double(distances.count)
  }

  @Test("large α gives every client the pooled mix, small α few classes")
  func alphaLimits() throws {
    let pool = Self.pool(10, sizes: [Int](repeating: 1000, count: 10))
    for (name, lists) in [
      ("P1", { try pool.dirichlet(alpha: $0, minimum: 0) }),
      ("P2", { try pool.dirichletCut(alpha: $0, minimum: 0) }),
      ("P3", { pool.dirichletBalanced(alpha: $0) }),
    ] as [(String, (Double) throws -> [[Int]])] {
      let even = Self.skew(try lists(1e4), pool)
      let middle = Self.skew(try lists(0.5), pool)
      let few = Self.skew(try lists(0.01), pool)
      // 100 images per class and client: one standard deviation is 10 %, and the mean absolute
      // deviation of ten classes halves that, so 0.08 leaves room.
      #expect(even < 0.08, "\(name)")
      #expect(middle > 0.2 && middle < 0.7, "\(name): \(middle)")
      #expect(few > 0.75, "\(name): \(few)")
    }
  }

  @Test("P1's urn has the law of per-class Dirichlet shares")
  func urnLaw() throws {
    // One class, two clients, α = 1: the number at client 0 is uniform on 0...n (Beta-binomial).
    let draws = 4400
    var counts = [Int](repeating: 0, count: 11)
    for seed in 0..<draws {
      let pool = Pool(
        kept: Array(0..<10), labelOf: [Int32](repeating: 0, count: 10), classes: 1, clients: 2,
        seed: UInt64(seed))
      counts[try pool.dirichlet(alpha: 1, minimum: 0)[0].count] += 1
    }
    // Chi-squared with 10 degrees of freedom; 35.6 has probability 1e-4.
    let expected = Double(draws) / 11
    let statistic = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    #expect(statistic / expected < 35.6)
  }

  @Test("minimum sizes hold")
  func minimum() throws {
    for seed in 0..<20 as Range<UInt64> {
      let pool = Self.pool(10, seed: seed)
      for rule in [
        Rule.dirichlet(alpha: 1, minPerClient: 20), .dirichletCut(alpha: 0.5, minPerClient: 20),
        .quantity(.logNormal(sigma: 2), minPerClient: 20),
        .quantity(.powerLaw(exponent: 3), minPerClient: 124),
      ] { #expect(try Self.lists(rule, pool).allSatisfy { $0.count >= 20 }, "\(rule)") }
    }
  }

  @Test("P2 gives nothing of a later class to a client that is already full")
  func cap() throws {
    // Class 0 alone fills whoever gets a tenth; class 1 must avoid those above N/K.
    let sizes = [600, 600]
    let pool = Self.pool(4, sizes: sizes)
    let labelAt = Dictionary(uniqueKeysWithValues: zip(pool.indices, pool.labels))
    for list in try pool.dirichletCut(alpha: 0.3, minimum: 0) {
      let ofFirst = list.count { labelAt[$0] == 0 }
      if ofFirst >= 300 { #expect(ofFirst == list.count) }
    }
  }

  @Test("shards give a client at most its number of classes when borders fit")
  func shards() throws {
    let pool = Self.pool(20, sizes: [Int](repeating: 80, count: 10))
    let labelAt = Dictionary(uniqueKeysWithValues: zip(pool.indices, pool.labels))
    for list in try pool.shards(perClient: 2) {
      #expect(list.count == 40)
      #expect(Set(list.map { labelAt[$0] }).count <= 2)
    }
  }

  @Test("quantity sizes follow their law")
  func quantityLaw() throws {
    let pool = Self.pool(4, sizes: [1000])
    // 1, 1/2, 1/3, 1/4 of 1000·12/25 = 480.
    let sizes = try pool.quantity(.powerLaw(exponent: 1), minimum: 0).map(\.count)
    #expect(sizes == [480, 240, 160, 120])
    #expect(
      try pool.quantity(.logNormal(sigma: 0), minimum: 9).map(\.count) == [250, 250, 250, 250])
  }

  @Test("apportioned pieces sum to the total and respect the minimum")
  func apportion() {
    var stream = RandomStream(seed: 3, .test)
    for total in [0, 1, 9, 10, 1000, 12_406] {
      for count in [1, 3, 9] {
        let shares = stream.dirichlet(0.2, count: count)
        let minimum = total / count / 2
        let pieces = Pool.apportion(total, shares: shares, minimum: minimum)
        #expect(pieces.reduce(0, +) == total)
        #expect(pieces.allSatisfy { $0 >= minimum })
      }
    }
  }

  @Test("a minimum that cannot be met is refused at once, one that is never drawn after a bound")
  func impossibleMinimum() {
    for rule in [
      Rule.dirichlet(alpha: 0.5, minPerClient: 10), .dirichletCut(alpha: 0.5, minPerClient: 10),
      .quantity(.logNormal(sigma: 1), minPerClient: 10), .dirichlet(alpha: 1, minPerClient: .max),
    ] {
      expectFailure(.scenarioInvalid, "E3411", ["1000000 clients", "10 training images"]) {
        _ = try Self.lists(rule, Self.pool(1_000_000, sizes: [5, 5]))
      }
    }
    for rule in [
      Rule.dirichlet(alpha: 0.001, minPerClient: 100),
      .dirichletCut(alpha: 0.001, minPerClient: 120),
    ] {
      expectFailure(.scenarioInvalid, "E3412", ["alpha 0.001", "10 clients", "poorest"]) {
        _ = try Self.lists(rule, Self.pool(10))
      }
    }
    expectFailure(.scenarioInvalid, "E3413", ["shards"]) {
      _ = try Self.pool(10).shards(perClient: .max)
    }
  }

  @Test("a million clients share ten images quickly", .timeLimit(.minutes(1)))
  func manyClients()
    throws
  {
    let pool = Self.pool(1_000_000, sizes: [4, 0, 6])
    for rule in [
      Rule.iid, .dirichlet(alpha: 0.1, minPerClient: 0), .dirichletCut(alpha: 0.1, minPerClient: 0),
      .dirichletBalanced(alpha: 0.1), .shards(perClient: 2),
      .quantity(.powerLaw(exponent: 1), minPerClient: 0),
    ] {
      let lists = try Self.lists(rule, pool)
      #expect(lists.count == 1_000_000)
      #expect(lists.reduce(0) { $0 + $1.count } == 10)
    }
  }
}

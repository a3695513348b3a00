import Base
import Data
import Fixtures
import Testing

@Suite("Clients with class priors")
struct DirichletPriorTests {
  static func labels(_ pool: Pool) -> [Int: Int] {
    Dictionary(uniqueKeysWithValues: zip(pool.indices, pool.labels))
  }

  @Test("every client has exactly K images, nobody shares one", arguments: [0.001, 0.1, 1, 1e6])
  func sizes(alpha: Double) throws {
    for (clients, size) in [(1, nil), (10, nil), (10, 60), (40, 31), (7, 1), (100, nil)] {
      for seed in 1...3 as ClosedRange<UInt64> {
        let pool = PartitionTests.pool(clients, seed: seed)
        let lists = try pool.dirichletPrior(alpha: alpha, perClient: size, minPerClass: 0)
        let expected = size ?? pool.count / clients
        #expect(lists.count == clients)
        #expect(lists.allSatisfy { $0.count == expected && $0 == $0.sorted() })
        let all = lists.flatMap { $0 }
        #expect(Set(all).count == all.count)
        #expect(Set(all).isSubset(of: pool.indices))
      }
    }
  }

  @Test("every client has the minimum of each class while there is any", arguments: [0.01, 1])
  func minimum(alpha: Double) throws {
    let pool = PartitionTests.pool(12, sizes: [Int](repeating: 100, count: 10))
    let labelAt = Self.labels(pool)
    for minimum in [1, 3, 5] {
      let lists = try pool.dirichletPrior(alpha: alpha, perClient: 50, minPerClass: minimum)
      var left = [Int](repeating: 100, count: 10)
      for list in lists {
        var counts = [Int](repeating: 0, count: 10)
        for index in list { counts[labelAt[index] ?? 0] += 1 }
        for label in 0..<10 {
          #expect(counts[label] >= min(minimum, left[label]))
          left[label] -= counts[label]
        }
      }
    }
  }

  @Test("the rule by hand: floors, minimum, giving back, largest remainders, exhausted classes")
  func byHand() {
    typealias Case = (size: Int, prior: [Double], left: [Int], minimum: Int, taken: [Int])
    let plenty = [99, 99, 99]
    let cases: [Case] = [
      // Floors 5, 2, 2; remainders 0, 0.5, 0.5: the lower label.
      (10, [0.5, 0.25, 0.25], plenty, 0, [5, 3, 2]),
      // 10·0.66 = 6.6, 2.9, 0.5: the largest remainder is class 1's.
      (10, [0.66, 0.29, 0.05], plenty, 0, [7, 3, 0]),
      // Floors 9, 0, 0 raised to 9, 1, 1: class 0 gives one back.
      (10, [0.98, 0.01, 0.01], plenty, 1, [8, 1, 1]),
      // Class 0 has two left; what it cannot give goes where K·q − n is largest, one at a time.
      (10, [0.8, 0.15, 0.05], [2, 99, 99], 0, [2, 5, 3]),
      // An exhausted class has no minimum either.
      (4, [0.5, 0.5, 0], [0, 99, 99], 1, [0, 3, 1]), (3, [1, 0, 0], [0, 2, 1], 0, [0, 2, 1]),
    ]
    for test in cases {
      let taken = Pool.fill(test.size, prior: test.prior, left: test.left, minimum: test.minimum)
      #expect(taken == test.taken, "\(test)")
    }
  }

  @Test("large α gives everyone the same mix, small α mostly one class")
  func skew() throws {
    let pool = PartitionTests.pool(10, sizes: [Int](repeating: 1000, count: 10))
    func skew(_ alpha: Double) throws -> Double {
      let lists = try pool.dirichletPrior(alpha: alpha, perClient: 100, minPerClass: 0)
      return PartitionTests.skew(lists, pool)
    }
    // 10 of each class up to rounding: at most one image in ten classes of ten.
    #expect(try skew(1e6) < 0.06)
    let middle = try skew(0.5)
    #expect(middle > 0.25 && middle < 0.75, "\(middle)")
    #expect(try skew(0.01) > 0.8)
  }

  @Test("a client's mix does not depend on how many clients come after it")
  func prefix() throws {
    let few = PartitionTests.pool(3, sizes: [Int](repeating: 500, count: 10))
    let many = PartitionTests.pool(20, sizes: [Int](repeating: 500, count: 10))
    let short = try few.dirichletPrior(alpha: 0.3, perClient: 40, minPerClass: 1)
    let long = try many.dirichletPrior(alpha: 0.3, perClient: 40, minPerClass: 1)
    #expect(short == Array(long.prefix(3)))
    #expect(short == (try few.dirichletPrior(alpha: 0.3, perClient: 40, minPerClass: 1)))
    let other = PartitionTests.pool(3, seed: 2, sizes: [Int](repeating: 500, count: 10))
    #expect(short != (try other.dirichletPrior(alpha: 0.3, perClient: 40, minPerClass: 1)))
  }

  @Test("a split counts only what clients use")
  func split() throws {
    let split = try HeldOutTests.split(
      HeldOutTests.settings(
        publicSize: 100, partition: .dirichletPrior(alpha: 0.2, perClient: 30, minPerClass: 1)))
    #expect(split.trainIndices.count == 240)
    #expect(split.trainIndices == split.clients.flatMap { $0 }.sorted())
    #expect(split.classCounts.reduce(0, +) == 240)
  }

  @Test("sizes that do not fit are refused")
  func refused() {
    let pool = PartitionTests.pool(10)
    for (size, minimum, words) in [
      (125, 0, ["10 clients", "125", "1240"]), (.max, 0, ["do not fit"]), (9, 1, ["10 classes"]),
      (20, .max, ["minPerClass"]),
    ] as [(Int, Int, [String])] {
      expectFailure(.scenarioInvalid, "E3257", words) {
        _ = try pool.dirichletPrior(alpha: 1, perClient: size, minPerClass: minimum)
      }
    }
    expectFailure(.scenarioInvalid, "E3257", ["2000 clients", "1240"]) {
      _ = try PartitionTests.pool(2000).dirichletPrior(alpha: 1, perClient: nil, minPerClass: 0)
    }
  }
}

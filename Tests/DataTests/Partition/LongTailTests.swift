import Base
import Data
import Fixtures
import Testing

@Suite("Long tails")
struct LongTailTests {
  typealias Settings = DataSettings.LongTail

  static func counts(_ profile: Settings.Profile, classes: Int, each: Int, cap: Int? = nil) throws
    -> [Int]
  {
    try LongTail(
      Settings(profile: profile, maxPerClass: cap),
      available: [Int](repeating: each, count: classes)
    ).counts
  }

  static let published: [(Double, [Int])] = [
    (10, [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]),
    (50, [5000, 3237, 2096, 1357, 878, 568, 368, 238, 154, 100]),
    (100, [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]),
    (1, [Int](repeating: 5000, count: 10)),
  ]

  @Test("CIFAR-10-LT has the published class sizes", arguments: published)
  func exponential(
    factor: Double, expected: [Int]
  ) throws {
    #expect(try Self.counts(.exponential(factor: factor), classes: 10, each: 5000) == expected)
  }

  /// Data set, factor, total, smallest class, groups by rule A and by rule B.
  typealias Row = (
    classes: Int, each: Int, factor: Double, total: Int, smallest: Int, absolute: [Int],
    cumulative: [Int]
  )

  static let table: [Row] = [
    (10, 5000, 10, 20_431, 500, [10, 0, 0], [5, 4, 1]),
    (10, 5000, 50, 13_996, 100, [9, 1, 0], [4, 3, 3]),
    (10, 5000, 100, 12_406, 50, [8, 2, 0], [3, 3, 4]),
    (10, 5000, 200, 11_203, 25, [7, 3, 0], [3, 2, 5]),
    (100, 500, 10, 19_573, 50, [69, 31, 0], [49, 35, 16]),
    (100, 500, 50, 12_608, 10, [41, 41, 18], [34, 34, 32]),
    (100, 500, 100, 10_847, 5, [35, 35, 30], [30, 31, 39]),
    (100, 500, 200, 9_502, 2, [30, 31, 39], [26, 28, 46]),
  ]

  @Test("totals and shot groups of CIFAR-10-LT and CIFAR-100-LT", arguments: Self.table)
  func totalsAndGroups(row: Row) throws {
    let counts = try Self.counts(
      .exponential(factor: row.factor), classes: row.classes, each: row.each)
    #expect(counts.reduce(0, +) == row.total)
    #expect(counts.last == row.smallest)
    func sizes(_ groups: ShotGroups) -> [Int] {
      ShotGroups.Group.allCases.map { groups.classes(in: $0).count }
    }
    #expect(sizes(ShotGroups(.absolute, classCounts: counts)) == row.absolute)
    #expect(sizes(ShotGroups(.cumulative, classCounts: counts)) == row.cumulative)
  }

  @Test("step keeps the first half whole")
  func step() throws {
    #expect(try Self.counts(.step(factor: 10), classes: 5, each: 99) == [99, 99, 9, 9, 9])
    #expect(try Self.counts(.step(factor: 3), classes: 2, each: 300) == [300, 100])
  }

  @Test("Pareto falls from n_max to n_max/factor", arguments: [2, 10, 100])
  func pareto(
    classes: Int
  ) throws {
    let counts = try Self.counts(.pareto(factor: 50), classes: classes, each: 500)
    #expect(counts.first == 500)
    #expect(counts.last == 10)
    #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 >= $1 })
    // (i+1)^(−ln IF/ln C) at i+1 = √C is IF^(−1/2).
    if classes == 100 { #expect(counts[9] == 70) }
  }

  @Test("products that are whole are not floored to one less")
  func wholeProducts() throws {
    for factor in 1...1000 {
      let counts = try Self.counts(
        .exponential(factor: Double(factor)), classes: 3, each: 6 * factor)
      #expect(counts.last == 6)
      let pareto = try Self.counts(.pareto(factor: Double(factor)), classes: 7, each: 6 * factor)
      #expect(pareto.last == 6)
    }
  }

  @Test("one class keeps everything under every profile")
  func oneClass() throws {
    for profile in [Settings.Profile.exponential(factor: 9), .step(factor: 9), .pareto(factor: 9)] {
      #expect(try Self.counts(profile, classes: 1, each: 50) == [50])
    }
  }

  @Test("n_max is the smallest full class, or the cap when that is less")
  func largest() throws {
    let settings = Settings(profile: .step(factor: 2), maxPerClass: nil)
    #expect(try LongTail(settings, available: [90, 40, 70, 60]).counts == [40, 40, 20, 20])
    #expect(try Self.counts(.step(factor: 2), classes: 2, each: 90, cap: 30) == [30, 15])
    #expect(try Self.counts(.step(factor: 2), classes: 2, each: 90, cap: 300) == [90, 45])
  }

  @Test("counts that cannot be met say which class and how many it has")
  func impossible() {
    func expect(_ code: String, _ words: [String], _ profile: Settings.Profile, _ full: [Int]) {
      expectFailure(.scenarioInvalid, code, words) {
        _ = try LongTail(Settings(profile: profile, maxPerClass: nil), available: full)
      }
    }
    expect("E3404", ["11", "class 1", "10"], .explicit(counts: [5, 11]), [10, 10])
    expect("E3404", ["-1", "class 0"], .explicit(counts: [-1, 5]), [10, 10])
    expect("E3403", ["3 entries", "2 classes"], .explicit(counts: [1, 1, 1]), [10, 10])
    expect("E3405", ["no image"], .explicit(counts: [0, 0]), [10, 10])
    expect("E3402", ["class 1", "at most 10"], .exponential(factor: 11), [10, 10])
    expect("E3402", ["class 1"], .exponential(factor: 1e308), [10, 10])
    expect("E3401", ["class 1", "no training image"], .step(factor: 2), [10, 0])
  }

  @Test("kept images are of the right class, seeded, ascending and nested in flatter tails")
  func kept() throws {
    let labels = (0..<1000).map { Int32($0 * 7 % 10) }
    let available = [Int](repeating: 100, count: 10)
    func keep(_ factor: Double, _ seed: UInt64) throws -> [Int] {
      let settings = Settings(profile: .exponential(factor: factor), maxPerClass: nil)
      return try LongTail(settings, available: available).keep(labels, seed: seed)
    }
    let steep = try keep(50, 1)
    var counts = [Int](repeating: 0, count: 10)
    for index in steep { counts[Int(labels[index])] += 1 }
    #expect(counts == (try Self.counts(.exponential(factor: 50), classes: 10, each: 100)))
    #expect(steep == steep.sorted())
    #expect(steep == (try keep(50, 1)))
    #expect(steep != (try keep(50, 2)))
    #expect(Set(steep).isSubset(of: Set(try keep(10, 1))))
  }

  @Test("rule A has its borders at 100 and 20, rule B gives a crossing class to the upper group")
  func groupBorders() {
    #expect(
      ShotGroups(.absolute, classCounts: [101, 100, 20, 19, 0]).groups == [
        .head, .middle, .middle, .tail, .tail,
      ])
    // Sums before each class, of 100: 0, 50, 75, 90, 95.
    #expect(
      ShotGroups(.cumulative, classCounts: [5, 50, 15, 25, 5]).groups == [
        .middle, .head, .middle, .head, .tail,
      ])
    #expect(ShotGroups(.cumulative, classCounts: [0, 0]).groups == [.tail, .tail])
    #expect(ShotGroups(.cumulative, classCounts: [7, 0]).groups == [.head, .tail])
  }
}

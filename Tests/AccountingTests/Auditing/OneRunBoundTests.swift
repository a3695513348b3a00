import Foundation
import Testing

@testable import Accounting

/// The bound of the one-run audit: published values, reference rows, and a slow computation.
@Suite("One-run bound")
struct OneRunBoundTests {
  private func bound(_ m: Int, _ g: Int, _ v: Int) throws -> OneRunBound {
    try OneRunBound(canaries: m, guesses: g, correct: v)
  }

  /// Scores (i + ½)/n-quantiles of a normal distribution, as in the tests of jax_privacy
  /// (auditing_test.py, test_epsilon_one_run_close; Apache License 2.0), by halving.
  private static func scores(_ n: Int, shift: Double) -> [Double] {
    (0..<n).map { index in
      let p = (Double(index) + 0.5) / Double(n)
      var (low, high) = (-10.0, 10.0)
      for _ in 0..<80 {
        let middle = (low + high) / 2
        if 0.5 * erfc(-middle / 2.0.squareRoot()) < p { low = middle } else { high = middle }
      }
      return low + shift
    }
  }

  /// Right and wrong guesses of "in" at each threshold that is a corner of the convex hull of the
  /// ROC curve; the published values allow for having looked at all of them (Bonferroni).
  private static func corners(shift: Double) -> [(right: Int, wrong: Int)] {
    let (inside, outside) = (scores(10_000, shift: shift), scores(10_000, shift: 0))
    func below(_ threshold: Double, _ sorted: [Double]) -> Int {
      var (low, high) = (0, sorted.count)
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle] < threshold { low = middle + 1 } else { high = middle }
      }
      return low
    }
    var hull: [(x: Int, y: Int)] = []
    for threshold in (inside + outside).sorted() + [.infinity] {
      let point = (x: below(threshold, inside), y: below(threshold, outside))
      while hull.count > 1 {
        let (a, b) = (hull[hull.count - 2], hull[hull.count - 1])
        guard (b.y - a.y) * (point.x - b.x) <= (point.y - b.y) * (b.x - a.x) else { break }
        hull.removeLast()
      }
      hull.append(point)
    }
    return hull.map { (inside.count - $0.x, outside.count - $0.y) }
  }

  @Test(
    "published values: the largest bound of any threshold, delta 1e-6",
    arguments: [(0.0, 0.0), (1, 1.13346), (2, 2.311945), (4, 4.395568)])
  func published(shift: Double, expected: Double) throws {
    let corners = Self.corners(shift: shift)
    let error = 0.05 / Double(corners.count)
    var best = 0.0
    for (right, wrong) in corners {
      let found = try bound(20_000, right + wrong, right)
      guard found.probability(epsilon: best + 1e-9, delta: 1e-6) <= error else { continue }
      best = max(best, found.epsilon(delta: 1e-6, error: error))
    }
    #expect(abs(best - expected) <= 1e-5 * expected + 1e-12, "\(best)")
  }

  @Test(
    "published values of the Gaussian hypothesis",
    arguments: [(1.0, 2.164749), (2, 4.7218075), (4, 9.133752)])
  func publishedShift(shift: Double, expected: Double) throws {
    let corners = Self.corners(shift: shift)
    let error = 0.05 / Double(corners.count)
    func found(_ place: Int) throws -> Double {
      let (right, wrong) = corners[place]
      return try bound(20_000, right + wrong, right).gaussianShift(error: error)
    }
    // Around the best of every twelfth corner, all of them.
    let coarse = try stride(from: 0, to: corners.count, by: 12).map { ($0, try found($0)) }
    let centre = try #require(coarse.max { $0.1 < $1.1 }).0
    var best = 0.0
    for place in max(0, centre - 12)...min(corners.count - 1, centre + 12) {
      best = max(best, try found(place))
    }
    let epsilon = GaussianMechanism(shift: best).epsilon(delta: 1e-6)
    #expect(abs(epsilon - expected) <= 1e-5 * expected, "\(epsilon)")
  }

  /// m, G, v, ε for δ = 0, ε for δ = 1e-5, μ, ε of μ at 1e-5: scipy 1.17.1, its binom.sf, norm and
  /// brentq.
  static let rows: [(Int, Int, Int, Double, Double, Double, Double)] = [
    (10, 10, 10, 1.0518732, 1.0515101, 0.6779575, 2.80618),
    (100, 10, 10, 1.0518732, 1.0482371, 0.41641005, 1.625892),
    (100, 50, 50, 2.7847274, 2.7818893, 1.2798869, 5.839971),
    (100, 100, 100, 3.4929654, 3.490216, 1.7031603, 8.216186),
    (100, 100, 80, 0.95839205, 0.95808637, 0.53068909, 2.130336),
    (500, 100, 100, 3.4929654, 3.4791954, 1.3319567, 6.121754),
    (1000, 100, 95, 2.172434, 2.1651758, 0.78681181, 3.3233),
    (1000, 100, 100, 3.4929654, 3.4653763, 1.2255335, 5.549028),
    (1000, 500, 400, 1.1986454, 1.1979686, 0.51875336, 2.076807),
    (1000, 1000, 750, 0.97666696, 0.97636747, 0.46062523, 1.818896),
    (1000, 1000, 900, 2.0212332, 2.0206456, 0.88039563, 3.779338),
    (5000, 200, 200, 4.19363, 4.0555219, 1.301157, 5.954716),
    (5000, 1000, 990, 4.0632061, 4.0429238, 1.3765743, 6.365582),
  ]

  @Test("rows of a reference", arguments: rows)
  func reference(row: (Int, Int, Int, Double, Double, Double, Double)) throws {
    let found = try bound(row.0, row.1, row.2)
    #expect(abs(found.epsilon(delta: 0) - row.3) < 1e-6 * row.3)
    #expect(abs(found.epsilon(delta: 1e-5) - row.4) < 1e-6 * row.4)
    let mu = found.gaussianShift()
    #expect(abs(mu - row.5) < 1e-6 * row.5)
    #expect(abs(GaussianMechanism(shift: mu).epsilon(delta: 1e-5) - row.6) < 2e-6 * row.6)
  }

  @Test("probabilities of a reference, scipy 1.17.1")
  func probabilities() throws {
    let small = try bound(10, 4, 4)
    #expect(abs(small.probability(epsilon: 1, delta: 0) - 0.2856332168) < 1e-9)
    #expect(abs(small.probability(epsilon: 1, delta: 1e-3) - 0.2940395038) < 1e-9)
    let large = try bound(100, 20, 18)
    #expect(abs(large.probability(epsilon: 1, delta: 1e-5) - 0.06510764632) < 1e-9)
  }

  @Test("all guesses right: logit of 0.05^(1/G)", arguments: [5, 10, 100, 1000, 100_000])
  func allRight(guesses: Int) throws {
    // 1 − 0.05^(1/G) without its rounding.
    let rest = -expm1(log(0.05) / Double(guesses))
    let exact = log((1 - rest) / rest)
    let found = try bound(guesses, guesses, guesses).epsilon(delta: 0)
    #expect(found <= exact && exact - found < 1e-9 * exact)
  }

  @Test("nothing known: no bound")
  func nothing() throws {
    #expect(try bound(0, 0, 0).epsilon(delta: 0) == 0)
    #expect(try bound(100, 0, 0).epsilon(delta: 1e-5) == 0)
    #expect(try bound(100, 50, 0).epsilon(delta: 0) == 0)
    #expect(try bound(100, 50, 25).epsilon(delta: 0) == 0)
    #expect(try bound(100, 50, 25).gaussianShift() == 0)
    // Four right guesses of four happen to a fair coin with 1/16 > 0.05, five with 1/32.
    #expect(try bound(4, 4, 4).epsilon(delta: 0) == 0)
    #expect(try bound(5, 5, 5).epsilon(delta: 0) > 0)
    // δ = 1 promises nothing.
    #expect(try bound(1000, 1000, 1000).epsilon(delta: 1) == 0)
    for (m, g, v) in [(-1, 0, 0), (5, 6, 0), (5, 5, 6), (5, 5, -1), (.max, 1, 1)] {
      #expect(throws: AccountingError.self) { _ = try bound(m, g, v) }
    }
  }

  @Test("random counts against sums of factorials")
  func random() throws {
    var dice = SystemDice(seed: 7)
    for _ in 0..<4000 {
      let m = 1 + dice.below(400)
      let g = 1 + dice.below(m)
      let v = dice.below(g + 1)
      let epsilon = 6 * dice.uniform() * dice.uniform()
      let delta = dice.below(3) == 0 ? 0 : pow(10, -8 * dice.uniform())
      let found = try bound(m, g, v)
      let slow = Self.slow(m, g, v, epsilon, delta)
      let fast = found.probability(epsilon: epsilon, delta: delta)
      #expect(abs(fast - slow) <= 1e-9 * slow + 2e-28, "\(m) \(g) \(v) \(epsilon) \(delta)")
    }
  }

  @Test("more right guesses say more, a larger delta less, and none more than all right")
  func monotone() throws {
    var dice = SystemDice(seed: 11)
    for _ in 0..<150 {
      let m = 2 + dice.below(1500)
      let g = 1 + dice.below(m)
      let v = dice.below(g)
      let delta = pow(10, -9 * dice.uniform())
      let (less, more) = (try bound(m, g, v), try bound(m, g, v + 1))
      let found = more.epsilon(delta: delta)
      #expect(less.epsilon(delta: delta) <= found)
      #expect(found <= more.epsilon(delta: delta / 2) + 1e-12)
      #expect(found <= more.epsilon(delta: 0) + 1e-12)
      #expect(found <= more.epsilon(delta: delta, error: 0.1))
      let rest = -expm1(log(0.05) / Double(g))
      #expect(found <= max(0, log((1 - rest) / rest)) + 1e-12)
      // The bound itself is contradicted, and a little more is not.
      if found > 0 {
        #expect(more.probability(epsilon: found, delta: delta) <= 0.05)
        #expect(more.probability(epsilon: found + 1e-6, delta: delta) > 0.05)
      }
      #expect(less.gaussianShift() <= more.gaussianShift() + 1e-12)
    }
  }

  @Test("a mechanism that is (ε, 0)-private is contradicted in at most one of twenty runs")
  func coverage() throws {
    // Randomised response reaches the bound: each guess is right with e^ε/(1 + e^ε).
    var dice = SystemDice(seed: 3)
    for epsilon in [0.2, 1, 3] {
      let right = exp(epsilon) / (1 + exp(epsilon))
      var wrongs = 0
      for _ in 0..<2000 {
        let v = (0..<60).count { _ in dice.uniform() < right }
        if try bound(60, 60, v).epsilon(delta: 0) > epsilon { wrongs += 1 }
      }
      // 100 expected at the most, 10 the deviation.
      #expect(wrongs <= 140, "\(epsilon): \(wrongs)")
    }
  }

  /// The bound as it is written, from logarithms of factorials.
  private static func slow(_ m: Int, _ g: Int, _ v: Int, _ epsilon: Double, _ delta: Double)
    -> Double
  {
    var logs = [0.0]
    for k in 1...max(1, g) { logs.append(logs[k - 1] + log(Double(k))) }
    let p = exp(epsilon) / (1 + exp(epsilon))
    func mass(_ k: Int) -> Double {
      exp(logs[g] - logs[k] - logs[g - k] + Double(k) * log(p) + Double(g - k) * log1p(-p))
    }
    let beta = (v...g).reduce(0) { $0 + mass($1) }
    if v == 0 { return min(1, beta) }
    var (sum, largest) = (0.0, 0.0)
    for i in 1...v {
      sum += mass(v - i)
      largest = max(largest, sum / Double(i))
    }
    return min(1, beta + 2 * Double(m) * delta * largest)
  }
}

/// A small generator of its own.
struct SystemDice {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }
  mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}

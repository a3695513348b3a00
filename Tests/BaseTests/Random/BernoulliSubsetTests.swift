import Base
import Testing

@Suite("Poisson sampling")
struct BernoulliSubsetTests {
  @Test("Every number is kept at its rate, and pairs independently", arguments: [0.02, 0.3, 0.9])
  func frequencies(rate: Double) {
    let (count, rounds) = (40, 20_000)
    var kept = [Int](repeating: 0, count: count)
    var pairs = 0
    var empty = 0
    for round in 0..<rounds {
      var stream = RandomStream(seed: 31, .dpSampling, round: round)
      let subset = stream.bernoulliSubset(count: count, rate: rate)
      #expect(subset == Array(Set(subset)).sorted())
      for index in subset { kept[index] += 1 }
      if subset.contains(3), subset.contains(4) { pairs += 1 }
      if subset.isEmpty { empty += 1 }
    }
    func isNear(_ found: Int, _ p: Double) -> Bool {
      abs(Double(found) - p * Double(rounds)) <= 5 * (p * (1 - p) * Double(rounds)).squareRoot() + 1
    }
    for found in kept { #expect(isNear(found, rate)) }
    #expect(isNear(pairs, rate * rate))
    var none = 1.0
    for _ in 0..<count { none *= 1 - rate }
    #expect(isNear(empty, none))
  }

  @Test("Rates at and beyond the ends draw nothing from the stream")
  func ends() {
    var stream = RandomStream(seed: 32, .dpSampling)
    #expect(stream.bernoulliSubset(count: 5, rate: 1) == [0, 1, 2, 3, 4])
    #expect(stream.bernoulliSubset(count: 3, rate: 2) == [0, 1, 2])
    #expect(stream.bernoulliSubset(count: 5, rate: 0).isEmpty)
    #expect(stream.bernoulliSubset(count: 5, rate: -1).isEmpty)
    #expect(stream.bernoulliSubset(count: 5, rate: .nan).isEmpty)
    #expect(stream.bernoulliSubset(count: 0, rate: 0.5).isEmpty)
    #expect(stream.counter == 0)
    #expect(stream.bernoulliSubset(count: 1_000_000, rate: 1e-18).isEmpty)
  }

  @Test("Large sets cost what is kept")
  func size() {
    var stream = RandomStream(seed: 33, .dpSampling)
    let subset = stream.bernoulliSubset(count: 1 << 40, rate: 1000 / Double(1 << 40))
    #expect(abs(Double(subset.count) - 1000) < 5 * 1000.0.squareRoot())
    #expect(stream.counter == UInt64(subset.count) + 1)
  }
}

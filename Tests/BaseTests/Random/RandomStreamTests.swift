import Base
import Testing

/// The generator's numbers, their distribution, and the independence of addresses.
@Suite("Random streams")
struct RandomStreamTests {
  // From a Python program of eight lines that follows the doc comment; SplitMix64 itself checked
  // there against its published first output for the state 1234567, 6457827717110365317.
  @Test("The first numbers of three addresses are what they always were")
  func pinned() {
    var a = RandomStream(seed: 0, .test)
    #expect(a.key == 0x6AD2_2DB6_BAAE_3083)
    let first = (0..<3).map { _ in a.next() }
    #expect(first == [0x338E_8D2E_A82B_230A, 0x5B83_0F9C_5D58_0140, 0x02ED_F15A_DA79_9ADF])
    var b = RandomStream(seed: 1, .initialWeights, step: 5)
    #expect(b.next() == 0xFC63_103D_CA63_51C8)
    var c = RandomStream(seed: .max, .batchOrder, round: 12, client: 345, step: 6)
    #expect(c.key == 0xCE99_D3C8_E45F_03AE)
    #expect(c.next() == 0x33DB_571A_65E8_B5C1)
    #expect(c.counter == 1)
  }

  @Test("Purposes keep their numbers: results depend on them")
  func purposes() {
    #expect(
      Purpose.allCases.map(\.rawValue) == [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 20, 21, 22, 30, 31, 32, 33, 40, 50, 51, 52, 53, 54, 55,
        60, 61, 62, 63, 70, 80, 99,
      ])
  }

  @Test("Uniform numbers fill [0, 1) evenly: χ² over 100 cells")
  func uniform() {
    var stream = RandomStream(seed: 1, .test)
    var cells = [Double](repeating: 0, count: 100)
    for _ in 0..<100_000 {
      let u = stream.uniform()
      #expect(u >= 0 && u < 1)
      cells[Int(u * 100)] += 1
    }
    let chi = cells.map { ($0 - 1000) * ($0 - 1000) / 1000 }.reduce(0, +)
    // 99 degrees of freedom, standard deviation √198: five of them either way.
    #expect(abs(chi - 99) < 5 * 198.0.squareRoot())
  }

  @Test("Every bit is one half of the time")
  func bits() {
    var stream = RandomStream(seed: 2, .test)
    var ones = [Int](repeating: 0, count: 64)
    for _ in 0..<20_000 {
      let word = stream.next()
      for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 { ones[bit] += 1 }
    }
    for count in ones { #expect(abs(Double(count) - 10_000) < 5 * 5_000.0.squareRoot()) }
  }

  @Test("`below` is even over its range", arguments: [1, 2, 3, 7, 10, 64, 100])
  func below(
    bound: Int
  ) {
    var stream = RandomStream(seed: 3, .test, step: bound)
    var counts = [Double](repeating: 0, count: bound)
    let draws = 1000 * bound
    for _ in 0..<draws { counts[stream.below(bound)] += 1 }
    let chi = counts.map { ($0 - 1000) * ($0 - 1000) / 1000 }.reduce(0, +)
    #expect(chi < Double(bound - 1) + 5 * (2 * Double(bound)).squareRoot())
  }

  @Test("`below` has no bias where 2⁶⁴ is no multiple of the bound")
  func belowLarge() {
    // Without rejection, ⌊word·3/8⌋ has 3, 3 and 2 words for the remainders 0, 1 and 2 of a draw.
    let bound = 3 << 61
    var stream = RandomStream(seed: 4, .test)
    var remainders = [Double](repeating: 0, count: 3)
    for _ in 0..<30_000 {
      let draw = stream.below(bound)
      #expect(draw >= 0 && draw < bound)
      remainders[draw % 3] += 1
    }
    let deviation = (30_000 * (1 / 3.0) * (2 / 3.0)).squareRoot()
    for count in remainders { #expect(abs(count - 10_000) < 5 * deviation) }
    // A quarter of the words is rejected.
    #expect(abs(Double(stream.counter) * 0.75 - 30_000) < 5 * 100)
  }

  @Test("Neighbouring addresses share no number and are not correlated")
  func addresses() {
    var seen: Set<UInt64> = []
    var keys = 0
    for seed in [UInt64(0), 1, 2, .max] {
      for purpose in [Purpose.cohort, .partition] {
        for round in 0..<4 {
          for client in 0..<4 {
            for step in 0..<4 {
              var stream = RandomStream(
                seed: seed, purpose, round: round, client: client, step: step)
              for _ in 0..<8 { seen.insert(stream.next()) }
              keys += 1
            }
          }
        }
      }
    }
    #expect(seen.count == 8 * keys)

    let n = 20_000
    let base = numbers(RandomStream(seed: 5, .test, round: 1), n)
    let others = [
      RandomStream(seed: 6, .test, round: 1), RandomStream(seed: 5, .cohort, round: 1),
      RandomStream(seed: 5, .test, round: 2), RandomStream(seed: 5, .test, client: 1),
      RandomStream(seed: 5, .test, round: 1, step: 1),
    ]
    for other in others {
      let covariance = zip(base, numbers(other, n)).map { ($0 - 0.5) * ($1 - 0.5) }.reduce(0, +)
      // A product of two uniform deviations has standard deviation 1/12.
      #expect(abs(covariance) < 5 * Double(n).squareRoot() / 12)
    }
  }

  private func numbers(_ stream: RandomStream, _ count: Int) -> [Double] {
    var stream = stream
    return (0..<count).map { _ in stream.uniform() }
  }

  @Test("All permutations of four are equally likely")
  func permutations() {
    var stream = RandomStream(seed: 7, .test)
    var counts: [[Int]: Double] = [:]
    for _ in 0..<24_000 { counts[stream.permutation(4), default: 0] += 1 }
    #expect(counts.count == 24)
    let chi = counts.values.map { ($0 - 1000) * ($0 - 1000) / 1000 }.reduce(0, +)
    #expect(chi < 23 + 5 * 46.0.squareRoot())
  }

  @Test("Shuffling keeps the elements", arguments: [0, 1, 2, 100])
  func shuffle(count: Int) {
    var stream = RandomStream(seed: 8, .test)
    #expect(stream.permutation(count).sorted() == Array(0..<count))
  }
  @Test("Streams of different addresses share no word")
  func overlap() {
    var seen: Set<UInt64> = []
    var count = 0
    for purpose in Purpose.allCases {
      for (round, client, step) in [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 3, 4)] {
        var stream = RandomStream(seed: 5, purpose, round: round, client: client, step: step)
        for _ in 0..<1000 { seen.insert(stream.next()) }
        count += 1000
      }
    }
    // Two equal words among 10⁵ would be a chance of 3·10⁻¹⁰.
    #expect(seen.count == count)
  }
}

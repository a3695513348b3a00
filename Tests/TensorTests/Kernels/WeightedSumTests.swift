import Base
import Tensor
import TestSupport
import Testing

@Suite("Weighted sums of many vectors")
struct WeightedSumTests {
  /// Around the vector width, the eight terms and the block of columns.
  static let sizes = [
    (0, 3), (1, 0), (1, 1), (15, 7), (16, 8), (17, 9), (100, 24), (65_536, 8), (65_553, 11),
    (140_001, 17),
  ]

  private func random(_ count: Int, _ step: Int) -> [Float] {
    var stream = RandomStream(seed: 2, .test, client: count, step: step)
    return (0..<count).map { _ in Float(stream.gaussian()) }
  }

  /// Runs `body` with pointers to all arrays.
  private func withTerms(
    _ weights: [Float], _ values: [[Float]], _ body: ([WeightedDifferenceSum.Term]) -> Void
  ) {
    var terms: [WeightedDifferenceSum.Term] = []
    func next(_ index: Int) {
      guard index < values.count else { return body(terms) }
      values[index].withUnsafeBufferPointer { buffer in
        if let start = buffer.baseAddress {
          terms.append(WeightedDifferenceSum.Term(weight: weights[index], vector: start))
        }
        next(index + 1)
      }
    }
    next(0)
  }

  private func add(
    _ terms: [WeightedDifferenceSum.Term], _ y: UnsafeMutableBufferPointer<Float>,
    _ elements: Range<Int>
  ) {
    guard let start = y.baseAddress else { return }
    WeightedDifferenceSum.add(terms, to: start, elements: elements, fresh: false)
  }

  @Test("the bits are those of one scaled addition after the other", arguments: sizes)
  func bits(
    columns: Int, terms: Int
  ) {
    let values = (0..<terms).map { random(columns, $0) }
    let weights = random(terms, 1000)
    let start = random(columns, 2000)
    var expected = start
    for (weight, x) in zip(weights, values) { VectorArithmetic.addScaled(&expected, weight, x) }
    var y = start
    y.withUnsafeMutableBufferPointer { buffer in
      withTerms(weights, values) { add($0, buffer, 0..<columns) }
    }
    #expect(y == expected)
  }

  @Test("ranges of columns leave the others alone and make up the whole")
  func ranges() {
    let values = (0..<10).map { random(1000, $0) }
    let weights = random(10, 1000)
    var whole = [Float](repeating: 0, count: 1000)
    var parts = whole
    withTerms(weights, values) { terms in
      whole.withUnsafeMutableBufferPointer { add(terms, $0, 0..<1000) }
      parts.withUnsafeMutableBufferPointer { buffer in add(terms, buffer, 3..<500) }
    }
    #expect(parts[..<3] == [0, 0, 0] && parts[500...].allSatisfy { $0 == 0 })
    #expect(parts[3..<500] == whole[3..<500])
    withTerms(weights, values) { terms in
      parts.withUnsafeMutableBufferPointer { buffer in
        add(terms, buffer, 0..<3)
        add(terms, buffer, 500..<1000)
        add(terms, buffer, 7..<7)
      }
    }
    #expect(parts == whole)
  }

  @Test("loops that show the machine's limits compute what they say")
  func speedLoops() {
    // acc ← y + acc·x with x = 1, y = 1: after t turns the chain that began at y + k has
    // 1 + k + t; whatever the number of chains, the mean of all is whole.
    let ones = [Float](repeating: 1, count: 32)
    let sums = [0, 1, 10].map { SpeedLoops.multiplyAdds(turns: $0, ones) }
    #expect(sums[1] - sums[0] == Float(SpeedLoops.flopsPerTurn / 2))
    #expect(sums[2] - sums[0] == 10 * Float(SpeedLoops.flopsPerTurn / 2))
    let count = 4 * SpeedLoops.stride
    let x = (0..<count).map { Float($0 % 7) }
    let total = x.reduce(0, +)
    #expect(SpeedLoops.read(x, count: count) == total)
    #expect(SpeedLoops.readInOrder(x, count: count) == total)
    var z = [Float](repeating: -1, count: count)
    SpeedLoops.copy(x, to: &z, count: count)
    #expect(z == x)
    SpeedLoops.triad(x, x, to: &z, count: count)
    #expect(z == x.map { 4 * $0 })
  }
}

import Aggregation
import Base
import Codecs
import Testing

@Suite("Factors of a cohort's mean")
struct SharedFactorsTests {
  private func vector(_ count: Int, _ step: Int) -> [Float] {
    var stream = RandomStream(seed: 9, .test, step: step)
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  private func plan(rank: Int) throws -> CodecPlan {
    try CodecPlan(
      shapes: [[6, 5], [4], [3, 7]],
      codecs: [
        .lowRank(LowRankCodec(rank: rank)), .dense(.float32), .lowRank(LowRankCodec(rank: rank)),
      ])
  }

  private func mean(_ vectors: [[Float]]) -> [Float] {
    vectors[0].indices.map { i in
      Float(vectors.reduce(0.0) { $0 + Double($1[i]) } / Double(vectors.count))
    }
  }

  /// One round of two sums.
  private func round(_ shared: SharedFactors, _ clients: [[Float]], _ q: inout [Float]) -> [Float] {
    let left = shared.orthonormal(mean(clients.map { shared.left(of: $0, factors: q) }))
    let right = mean(clients.map { shared.right(of: $0, left: left) })
    q = right
    return shared.product(left: left, right: right)
  }

  @Test("with enough columns the mean comes back, whatever single clients have")
  func wholeRank()
    throws
  {
    let shared = SharedFactors(try plan(rank: 6))
    #expect(shared.leftCount == 5 * 6 + 4 + 3 * 3 && shared.rightCount == 5 * 5 + 3 * 7)
    var stream = RandomStream(seed: 1, .test)
    var q = shared.firstFactors(&stream)
    let clients = (0..<3).map { vector(55, $0) }
    let found = round(shared, clients, &q)
    let expected = mean(clients)
    #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test("one column follows the mean's largest singular vector, against matrices in Double")
  func oneColumn() throws {
    let shared = SharedFactors(try plan(rank: 1))
    var stream = RandomStream(seed: 2, .test)
    var q = shared.firstFactors(&stream)
    let clients = (0..<4).map { vector(55, 10 + $0) }
    let target = mean(clients)
    var slow = q.prefix(5).map(Double.init)
    for _ in 0..<3 {
      let found = round(shared, clients, &q)
      var p = (0..<6).map { i in (0..<5).reduce(0.0) { $0 + Double(target[i * 5 + $1]) * slow[$1] }
      }
      let norm = p.reduce(0.0) { $0 + $1 * $1 }.squareRoot()
      p = p.map { $0 / norm }
      slow = (0..<5).map { j in (0..<6).reduce(0.0) { $0 + Double(target[$1 * 5 + j]) * p[$1] } }
      for i in 0..<6 {
        for j in 0..<5 { #expect(abs(Double(found[i * 5 + j]) - p[i] * slow[j]) < 1e-4) }
      }
      // The dense tensor is the mean itself.
      for i in 30..<34 { #expect(abs(found[i] - target[i]) < 1e-6) }
    }
  }

  @Test("errors add up: what was meant is what was told and what is kept")
  func errors() throws {
    let shared = SharedFactors(try plan(rank: 1))
    var stream = RandomStream(seed: 3, .test)
    var q = shared.firstFactors(&stream)
    let m = vector(55, 20)
    let told = round(shared, [m], &q)
    let left = shared.orthonormal(shared.left(of: m, factors: shared.firstFactors(&stream)))
    let error = shared.error(of: m, left: left, right: shared.right(of: m, left: left))
    #expect(error[30..<34].allSatisfy { $0 == 0 })
    let second = shared.product(left: left, right: shared.right(of: m, left: left))
    for i in m.indices where !(30..<34).contains(i) {
      #expect(abs(second[i] + error[i] - m[i]) < 1e-5)
    }
    #expect(told != second)
  }
}

import Base
import Tensor
import Testing

@Suite("Sums of weighted differences")
struct WeightedDifferenceSumTests {
  private static func vector(_ count: Int, step: Int) -> [Float] {
    var stream = RandomStream(seed: 11, .test, round: count, step: step)
    return (0..<count).map { _ in Float(stream.normal()) }
  }

  /// Adds the terms `size` at a time.
  private static func sum(
    _ vectors: [[Float]], _ bases: [[Float]?], from start: [Float], size: Int, fresh: Bool
  ) -> [UInt32] {
    var y = start
    // Copies that live in this function: their addresses stay.
    let x = vectors.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: $0.count + 1) }
    let b = bases.map {
      $0.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: $0.count + 1) }
    }
    defer {
      for pointer in x { pointer.deallocate() }
      for pointer in b { pointer?.deallocate() }
    }
    var terms: [WeightedDifferenceSum.Term] = []
    for k in vectors.indices {
      _ = x[k].update(fromContentsOf: vectors[k])
      if let base = bases[k] { _ = b[k]?.update(fromContentsOf: base) }
      guard let start = x[k].baseAddress else { continue }
      terms.append(
        WeightedDifferenceSum.Term(
          weight: 0.1 + Float(k) / 7, vector: start,
          base: b[k].flatMap { $0.baseAddress.map { UnsafePointer($0) } }))
    }
    y.withUnsafeMutableBufferPointer { target in
      guard let start = target.baseAddress else { return }
      var first = 0
      while first < terms.count {
        let part = Array(terms[first..<min(first + size, terms.count)])
        WeightedDifferenceSum.add(part, to: start, count: target.count, fresh: fresh && first == 0)
        first += size
      }
    }
    return y.map(\.bitPattern)
  }

  @Test(
    "terms together give the bits of terms one by one, and those of the formula",
    arguments: [1, 15, 63, 64, 65, 200], [true, false])
  func batches(_ count: Int, _ fresh: Bool) {
    let vectors = (0..<5).map { Self.vector(count, step: $0) }
    let common: [Float]? = Self.vector(count, step: 9)
    let start = Self.vector(count, step: 10)
    let mixed: [[Float]?] = [nil, common, Self.vector(count, step: 12), nil, common]
    for bases in [[[Float]?](repeating: common, count: 5), [nil, nil, nil, nil, nil], mixed] {
      var expected = fresh ? [Float](repeating: 0, count: count) : start
      for k in vectors.indices {
        let weight = 0.1 + Float(k) / 7
        for i in 0..<count {
          expected[i] += weight * (bases[k].map { vectors[k][i] - $0[i] } ?? vectors[k][i])
        }
      }
      for size in 1...5 {
        let found = Self.sum(vectors, bases, from: start, size: size, fresh: fresh)
        #expect(found == expected.map(\.bitPattern), "\(size) at a time")
      }
    }
  }

  @Test("a fresh sum never reads what was there")
  func fresh() {
    let start = [Float](repeating: .nan, count: 70)
    let found = Self.sum([Self.vector(70, step: 1)], [nil], from: start, size: 1, fresh: true)
    #expect(found.allSatisfy { Float(bitPattern: $0).isFinite })
  }
}

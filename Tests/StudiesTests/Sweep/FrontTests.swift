import Testing

@testable import Base
@testable import Records
@testable import Studies

@Suite("Pareto fronts and their hypervolume")
struct FrontTests {
  @Test("volumes by hand")
  func byHand() {
    #expect(Hypervolume.volume([], reference: [0, 0]) == 0)
    #expect(Hypervolume.volume([[2, 3]], reference: [0, 0]) == 6)
    #expect(Hypervolume.volume([[2, 3]], reference: [1, 1]) == 2)
    // Two overlapping boxes: 3 + 3 - 1; the third is inside the first.
    #expect(Hypervolume.volume([[1, 3], [3, 1], [1, 2]], reference: [0, 0]) == 5)
    #expect(
      Hypervolume.volume([[1, 3], [1, 3]], reference: [0, 0]) == 3, "equal points count once")
    // A staircase of four in two dimensions: 4·1 + 3·1 + 2·1 + 1·1.
    #expect(Hypervolume.volume([[1, 4], [2, 3], [3, 2], [4, 1]], reference: [0, 0]) == 10)
    #expect(Hypervolume.volume([[2, 2, 1], [1, 1, 3]], reference: [0, 0, 0]) == 4 + 3 - 1)
    #expect(Hypervolume.volume([[5]], reference: [2]) == 3)
    // On or beyond the reference, or infinite: nothing.
    #expect(Hypervolume.volume([[0, 9], [-1, 4], [.infinity, 1]], reference: [0, 0]) == 0)
  }

  /// Inclusion and exclusion over all subsets: exact and hopelessly slow.
  private func slow(_ points: [[Double]], _ reference: [Double]) -> Double {
    var sum = 0.0
    for mask in 1..<(1 << points.count) {
      let chosen = points.indices.filter { mask >> $0 & 1 == 1 }.map { points[$0] }
      let corner = reference.indices.map { axis in chosen.map { $0[axis] }.min() ?? 0 }
      let box = zip(corner, reference).reduce(1) { $0 * max(0, $1.0 - $1.1) }
      sum += chosen.count % 2 == 1 ? box : -box
    }
    return sum
  }

  @Test("any number of objectives agrees with inclusion and exclusion", arguments: 1...6)
  func againstSlow(objectives: Int) {
    var stream = RandomStream(seed: 11, .test, round: objectives)
    for count in 1...9 {
      // Whole numbers, so that there are ties; both sums are then exact.
      let points = (0..<count).map { _ in (0..<objectives).map { _ in Double(stream.below(7)) } }
      let reference = (0..<objectives).map { _ in Double(stream.below(3)) }
      let expected = slow(points, reference)
      #expect(Hypervolume.volume(points, reference: reference) == expected, "\(points)")
      #expect(Hypervolume.volume(points.reversed(), reference: reference) == expected)
    }
  }

  // MARK: Fronts

  private func run(_ accuracy: Double?, bytes: Int, epsilon: Double? = nil, guarantee: Bool = true)
    -> StrategyRun
  {
    var record = RoundRecord(
      round: 1, sampled: [0], bytes: RoundRecord.Bytes(up: bytes, down: 7),
      time: RoundRecord.Time(wall: 1), digest: "0")
    record.generic = accuracy.map {
      RoundRecord.Generic(accuracy: $0, loss: 1, balancedAccuracy: $0, macroF1: $0, perClass: [])
    }
    record.privacy = epsilon.map {
      RoundRecord.Privacy(
        epsilonMax: $0, epsilonMedian: $0, delta: 1e-5, accountant: "rdp", hasGuarantee: guarantee,
        clipped: nil, norm: nil, noiseToSignal: nil, clip: 1, error: nil, stopped: [])
    }
    return StrategyRun(seed: 1, records: [record])
  }

  @Test("a front over accuracy, epsilon and bytes by hand")
  func front() {
    let front = ParetoFront(
      [
        (1, "a", [run(0.5, bytes: 10, epsilon: 1), run(0.7, bytes: 10, epsilon: 1)]),  // 0.6
        (2, "a", [run(0.8, bytes: 20)]),  // no privacy: infinite
        (3, "a", [run(0.55, bytes: 10, epsilon: 2)]),  // behind 1
        (4, "a", [run(0.7, bytes: 20, epsilon: 3, guarantee: false)]),  // behind 2
        (5, "a", [run(0.6, bytes: 30, epsilon: 0.5)]),
        (5, "alone", [run(nil, bytes: 0)]),  // has no accuracy
      ], FrontSettings())
    #expect(
      front.objectives.map(\.metric.name) == [
        "generic.accuracy", "privacy.epsilon.max", "bytes.up",
      ])
    #expect(front.points.map(\.trial) == [1, 2, 3, 4, 5])
    #expect(front.front.map { front.points[$0].trial } == [1, 2, 5])
    #expect(front.leftOut == 1)
    #expect(front.points[1].values == [0.8, .infinity, 20])
    // The worst finite values.
    #expect(front.objectives.map(\.reference) == [0.55, 2, 30])
    // Points 1 and 5 only: 2 has no finite epsilon, 5 has bytes at the reference.
    let volume = (0.6 - 0.55) * (2.0 - 1.0) * (30.0 - 10.0)
    #expect(abs((front.hypervolume ?? 0) - volume) < 1e-12)
    #expect(front.winners(0).map(\.trial) == [2])
  }

  @Test("costs that nobody asked for count only where they differ")
  func defaults() {
    let front = ParetoFront(
      [(1, "a", [run(0.5, bytes: 10)]), (2, "a", [run(0.6, bytes: 10)])], FrontSettings())
    #expect(front.objectives.map(\.metric.name) == ["generic.accuracy"])
    #expect(front.front.map { front.points[$0].trial } == [2])
    #expect(ParetoFront([], FrontSettings()).hypervolume == nil)
  }

  @Test("equal points are on the front together; a given reference holds")
  func equal() throws {
    var settings = FrontSettings()
    settings.minimise = [try #require(ComparisonMetric("bytes.up"))]
    settings.reference = ["generic.accuracy": 0.4, "bytes.up": 20]
    let front = ParetoFront(
      [
        (1, "a", [run(0.5, bytes: 10)]), (1, "b", [run(0.5, bytes: 10)]),
        (2, "a", [run(0.5, bytes: 11)]),
      ], settings)
    #expect(front.front == [0, 1])
    #expect(abs((front.hypervolume ?? 0) - 0.1 * 10) < 1e-12)
  }
}

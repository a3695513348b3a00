import Data
import Records
import Testing

@Suite("Metrics")
struct ReportMetricsTests {
  /// Four classes; class 3 has no images but attracts one prediction.
  ///
  ///     true 0: 8 1 1 0    recall 8/10
  ///     true 1: 2 3 0 0    recall 3/5
  ///     true 2: 1 0 0 1    recall 0/2
  let confusion = ConfusionMatrix(rows: [
    [8, 1, 1, 0], [2, 3, 0, 0], [1, 0, 0, 1], [0, 0, 0, 0],
  ])

  @Test("accuracy is the share of the diagonal: 11 of 17")
  func accuracy() {
    #expect(confusion.accuracy == 11.0 / 17)
  }

  @Test("recalls are per row; a class without images has none")
  func recalls() {
    #expect(Array(confusion.recalls.prefix(3)) == [0.8, 0.6, 0])
    #expect(confusion.recalls[3].isNaN)
  }

  @Test("balanced accuracy leaves out classes without images: (0.8 + 0.6 + 0) / 3")
  func balanced() { #expect(abs(confusion.balancedAccuracy - 1.4 / 3) < 1e-15) }

  /// F1 of class 0: 16 / (10 + 11); 1: 6 / (5 + 4); 2: 0 / (2 + 1); 3: 0 / (0 + 1), counted
  /// because it was predicted.
  @Test("macro-F1 counts a class that was only predicted")
  func macroF1() {
    #expect(abs(confusion.macroF1 - (16.0 / 21 + 6.0 / 9 + 0 + 0) / 4) < 1e-15)
  }

  @Test("macro-F1 leaves out a class that occurs nowhere")
  func macroF1Absent() {
    #expect(ConfusionMatrix(rows: [[1, 0], [0, 0]]).macroF1 == 1)
  }

  @Test("weights change the mix of classes: (3·0.8 + 1·0.6) / 4")
  func weighted() {
    #expect(abs(confusion.accuracy(weights: [3, 1, 0, 5]) - 3.0 / 4) < 1e-15)
    #expect(confusion.accuracy(weights: [0, 0, 0, 5]).isNaN)
  }

  @Test("counting one by one or in parts gives the same matrix")
  func merging() {
    var first = ConfusionMatrix(classes: 2)
    first.add(truth: 0, predicted: 1)
    first.add(truth: 1, predicted: 1, times: 3)
    var second = ConfusionMatrix(classes: 2)
    second.add(truth: 0, predicted: 0)
    first.merge(second)
    #expect(first == ConfusionMatrix(rows: [[1, 1], [0, 3]]))
  }

  /// Numbers of head, middle and tail classes of the common long-tailed data sets, counted by an
  /// independent program from the exact exponential profile.
  @Test(
    "groups of the common long-tailed data sets",
    arguments: [
      (10, 5000, 10, [5, 4, 1], [10, 0, 0]), (10, 5000, 50, [4, 3, 3], [9, 1, 0]),
      (10, 5000, 100, [3, 3, 4], [8, 2, 0]), (10, 5000, 200, [3, 2, 5], [7, 3, 0]),
      (100, 500, 100, [30, 31, 39], [35, 35, 30]), (100, 500, 50, [34, 34, 32], [41, 41, 18]),
    ])
  func groups(_ classes: Int, _ most: Int, _ factor: Int, _ share: [Int], _ absolute: [Int]) {
    let counts = exponential(classes, most, Double(factor))
    #expect(sizes(ShotGroups.cumulativeShare(counts)) == share)
    #expect(sizes(ShotGroups.absolute(counts)) == absolute)
  }

  @Test("equally frequent classes have no head and no tail")
  func noGroups() {
    #expect(ShotGroups.cumulativeShare([7, 7, 7]) == nil)
    #expect(ShotGroups.cumulativeShare([]) == nil)
  }

  @Test("a class without training images is in the tail, whatever its place")
  func emptyClass() {
    #expect(ShotGroups.cumulativeShare([0, 100])?.groups == [.tail, .head])
  }

  @Test("the accuracy of a group is the mean over its classes; an empty group has none")
  func groupAccuracies() {
    // 75 of 100 are reached by the first two classes, 95 by the third.
    let shots = ShotGroups.cumulativeShare([60, 30, 9, 1])?.accuracies([0.9, 0.7, 0.5, 0.2])
    #expect(shots?.head == 0.8)
    #expect(shots?.middle == 0.5)
    #expect(shots?.tail == 0.2)
    let absolute = ShotGroups.absolute([500, 101, 100, 20]).accuracies([1, 0, 0.5, 0.7])
    #expect(absolute.head == 0.5)
    #expect(absolute.middle == 0.6)
    #expect(absolute.tail == nil)
  }

  /// numpy 2.4.6: mean 0.45, std 0.2683281572999748, percentile(…, 10) 0.18.
  @Test("fairness over clients as NumPy computes it")
  func fairness() throws {
    let personal = try #require(
      Metrics.personal([0.4, 0.1, 0.9, 0.55, 0.3], model: .own, alone: [0.3, 0.1, 0.95, 0.5, 0.2]))
    #expect(abs(personal.accuracy - 0.45) < 1e-15)
    #expect(abs(personal.fairness.std - 0.2683281572999748) < 1e-15)
    #expect(abs(personal.fairness.p10 - 0.18) < 1e-15)
    #expect(personal.fairness.worst == 0.1)
    #expect(personal.fairness.helped == 0.6)  // equal does not count as better
  }

  @Test("what clients' own models know of their classes, of rare classes, and beyond")
  func perClass() throws {
    let personal = try #require(
      Metrics.personal(
        [0.5, 0.25, .nan, 0.75], model: .own,
        perClass: [[1, 0.5, .nan], [0, 0.25, .nan], [], [0.5, .nan, .nan]],
        global: [0.5, 0.25, nil, 0.75], trainCounts: [90, 8, 2]))
    #expect(personal.perClass[0] == 0.5)
    #expect(personal.perClass[1] == 0.375)
    #expect(personal.perClass[2].isNaN)  // nobody holds it
    #expect(personal.shots?.head == 0.5)
    #expect(personal.shots?.middle == 0.375)
    #expect(personal.shots?.tail == nil)
    #expect(personal.global == 0.5)
    #expect(personal.fairness.worstDecile == 0.25)
    // Of 11 clients the worst tenth is two.
    let many = (1...11).map { Double($0) / 16 }
    #expect(Metrics.personal(many, model: .own)?.fairness.worstDecile == 1.5 / 16)
  }

  @Test("clients without a local test are left out; without any there is no number")
  func missingClients() {
    #expect(Metrics.personal([.nan, 0.5], model: .generic)?.accuracy == 0.5)
    #expect(Metrics.personal([.nan], model: .generic) == nil)
    #expect(Metrics.helped([0.5, 0.6], alone: [.nan, 0.5]) == 1)
  }

  @Test("percentiles interpolate", arguments: [(0.0, 1.0), (0.5, 2.5), (0.1, 1.3), (1.0, 4.0)])
  func percentile(_ share: Double, _ expected: Double) {
    #expect(abs(Metrics.percentile([3, 1, 4, 2], share) - expected) < 1e-15)
  }

  private func sizes(_ groups: ShotGroups?) -> [Int] {
    ShotGroups.Group.allCases.map { wanted in groups?.groups.filter { $0 == wanted }.count ?? 0 }
  }

  /// ⌊n_max · factor^(−c/(C−1))⌋ by repeated square roots is not needed: a power by multiplication
  /// of the C−1-th root found by bisection is exact enough for a floor, with a small guard.
  private func exponential(_ classes: Int, _ most: Int, _ factor: Double) -> [Int] {
    var (low, high) = (0.0, 1.0)
    for _ in 0..<200 {
      let middle = (low + high) / 2
      let power = (1..<classes).reduce(1.0) { value, _ in value * middle }
      if power < 1 / factor { low = middle } else { high = middle }
    }
    return (0..<classes).map { label in
      let share = (0..<label).reduce(1.0) { value, _ in value * high }
      return Int(Double(most) * share + 1e-9)
    }
  }
}

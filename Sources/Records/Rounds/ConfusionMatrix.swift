/// Counts of (true class, predicted class) over a test set.
package struct ConfusionMatrix: Sendable, Equatable {
  /// Number of classes C.
  package let classes: Int
  /// Row-major [C][C]: row is the true class, column the predicted one.
  package private(set) var counts: [Int]

  /// No predictions yet.
  package init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  package init(rows: [[Int]]) {
    precondition(
      rows.allSatisfy { $0.count == rows.count }, "ConfusionMatrix: \(rows.count) rows, not square")
    classes = rows.count
    counts = rows.flatMap(\.self)
  }

  /// Counts `times` images of class `truth` that were taken for `predicted`.
  package mutating func add(truth: Int, predicted: Int, times: Int = 1) {
    counts[truth * classes + predicted] += times
  }

  /// Adds the counts of another part of the same test set.
  package mutating func merge(_ other: ConfusionMatrix) {
    precondition(
      other.classes == classes, "ConfusionMatrix.merge: \(other.classes) and \(classes) classes")
    for index in counts.indices { counts[index] += other.counts[index] }
  }

  /// Images of each true class, [C].
  package var support: [Int] {
    (0..<classes).map { row in (0..<classes).reduce(0) { $0 + counts[row * classes + $1] } }
  }

  /// Images taken for each class, [C].
  package var predicted: [Int] {
    (0..<classes).map { column in (0..<classes).reduce(0) { $0 + counts[$1 * classes + column] } }
  }

  /// Images classified correctly, per class, [C].
  package var correct: [Int] { (0..<classes).map { counts[$0 * classes + $0] } }

  package var total: Int { counts.reduce(0, +) }

  /// Share of images classified correctly; NaN without images.
  package var accuracy: Double { Double(correct.reduce(0, +)) / Double(total) }

  /// Recall of each class, [C]; NaN for a class without images.
  package var recalls: [Double] { zip(correct, support).map { Double($0) / Double($1) } }

  /// Mean recall over the classes that have images.
  package var balancedAccuracy: Double { Metrics.mean(recalls.filter(\.isFinite)) }

  /// Mean over classes of 2·tp / (images + predictions); classes that occur neither in truth nor
  /// in prediction are left out.
  package var macroF1: Double {
    let (hits, images, guesses) = (correct, support, predicted)
    let scores = (0..<classes).compactMap { index -> Double? in
      let weight = images[index] + guesses[index]
      return weight == 0 ? nil : 2 * Double(hits[index]) / Double(weight)
    }
    return Metrics.mean(scores)
  }

  /// Accuracy when class c occurs with weight w_c: Σ w_c·recall_c / Σ w_c.
  ///
  /// - Parameter weights: [C], such as a client's training counts.
  /// - Returns: the mean over the classes that have images; NaN when no weight is left.
  package func accuracy(weights: [Double]) -> Double {
    precondition(
      weights.count == classes,
      "ConfusionMatrix.accuracy: \(weights.count) weights, \(classes) classes")
    var sum = 0.0
    var weight = 0.0
    for (share, recall) in zip(weights, recalls) where recall.isFinite {
      sum += share * recall
      weight += share
    }
    return sum / weight
  }
}

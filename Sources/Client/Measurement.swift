import Tensor

/// Counts of predictions by true class, and the loss by true class.
public struct Measurement: Sendable, Equatable {
  /// Number of classes C.
  public let classes: Int
  /// [C × C]: images of true class t predicted as p at [t·C + p].
  public var confusion: [Int]
  /// [C]: Σ of cross-entropy over the images of a true class.
  public var lossByClass: [Double]
  /// How far confidence is from accuracy.
  public var calibration = CalibrationBins()

  /// Nothing measured yet.
  public init(classes: Int) {
    self.classes = classes
    confusion = [Int](repeating: 0, count: classes * classes)
    lossByClass = [Double](repeating: 0, count: classes)
  }

  /// Images per true class.
  public var classCounts: [Int] {
    (0..<classes).map { t in confusion[t * classes..<(t + 1) * classes].reduce(0, +) }
  }

  /// Adds another part of the same test; parts must be added in a fixed order.
  public mutating func add(_ other: Measurement) {
    for i in confusion.indices { confusion[i] += other.confusion[i] }
    for c in lossByClass.indices { lossByClass[c] += other.lossByClass[c] }
    calibration.add(other.calibration)
  }
}

extension Network {
  /// Images per evaluation batch: bounded by memory, a function of the network alone, because the
  /// size of a product may change its last bits.
  public var evaluationBatch: Int { min(256, max(8, 2_000_000 / activationsPerExample)) }

  /// Measures the model in the workspace on some images, without augmentation or dropout.
  ///
  /// `indices`: images, in any number; cut into evaluation batches in order.
  public func measure(
    _ workspace: Workspace, _ loader: BatchLoader, _ indices: some RandomAccessCollection<Int>
  ) -> Measurement {
    var measurement = Measurement(classes: classes)
    let loss = SoftmaxCrossEntropy()
    let batchSize = min(evaluationBatch, workspace.capacity)
    var rest = indices[...]
    while !rest.isEmpty {
      let batch = rest.prefix(batchSize)
      rest = rest.dropFirst(batchSize)
      loader.fill(workspace, batch)
      forward(workspace, batch: batch.count, training: false)
      guard let logits = workspace.logits.baseAddress, let labels = workspace.labels.baseAddress
      else { continue }
      for example in 0..<batch.count {
        let row = logits + example * classes
        let label = Int(labels[example])
        var winner = 0
        for c in 1..<max(1, classes) where row[c] > row[winner] { winner = c }
        measurement.confusion[label * classes + winner] += 1
        measurement.calibration.add(
          confidence: CalibrationBins.confidence(row, classes: classes, winner: winner),
          isCorrect: winner == label)
        measurement.lossByClass[label] +=
          loss.evaluate(logits: row, labels: labels + example, batch: 1, classes: classes).lossSum
      }
    }
    return measurement
  }
}

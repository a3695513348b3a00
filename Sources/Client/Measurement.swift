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
    let all = measure(workspace, loader, indices, within: [nil])
    return all[0]
  }

  /// The same under each of several restrictions, with one forward pass for all.
  ///
  /// Complexity: O(images · masks · C) beside the forward pass.
  ///
  /// `masks`: classes that may be predicted, nil for all; images of other classes are not counted.
  public func measure(
    _ workspace: Workspace, _ loader: BatchLoader, _ indices: some RandomAccessCollection<Int>,
    within masks: [ClassMask?]
  ) -> [Measurement] {
    var measurements = [Measurement](repeating: Measurement(classes: classes), count: masks.count)
    var masked = [Float](repeating: 0, count: classes)
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
        let (row, label) = (logits + example * classes, labels + example)
        for (place, mask) in masks.enumerated() {
          guard let mask else {
            measurements[place].add(row, label)
            continue
          }
          guard mask.allows[Int(label.pointee)] else { continue }
          for c in masked.indices { masked[c] = mask.allows[c] ? row[c] : -.infinity }
          masked.withUnsafeBufferPointer { row in
            if let row = row.baseAddress { measurements[place].add(row, label) }
          }
        }
      }
    }
    return measurements
  }
}

/// Classes among which a prediction has to be.
public struct ClassMask: Sendable, Hashable {
  /// [C]; at least one is true.
  public let allows: [Bool]

  /// nil where no class is allowed.
  public init?(_ allows: [Bool]) {
    guard allows.contains(true) else { return nil }
    self.allows = allows
  }
}

extension Measurement {
  /// Counts one image by its [C] logits; −∞ is never predicted.
  fileprivate mutating func add(_ row: UnsafePointer<Float>, _ label: UnsafePointer<Int32>) {
    let own = Int(label.pointee)
    var winner = 0
    for c in 1..<max(1, classes) where row[c] > row[winner] { winner = c }
    confusion[own * classes + winner] += 1
    calibration.add(
      confidence: CalibrationBins.confidence(row, classes: classes, winner: winner),
      isCorrect: winner == own)
    lossByClass[own] +=
      SoftmaxCrossEntropy().evaluate(logits: row, labels: label, batch: 1, classes: classes).lossSum
  }
}

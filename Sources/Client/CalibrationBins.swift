import Base

/// How far a model's confidence is from its accuracy: predictions in bins of equal width.
///
/// The confidence of a prediction is the largest probability p = max_c softmax(z)_c, and bin m of
/// M = 15 holds p in ((m − 1)/M, m/M]. With n predictions in all, B_m those of bin m, and acc and
/// conf the means over a bin,
///
///     ECE = Σ_m |B_m|/n · |acc(B_m) − conf(B_m)| = (1/n)·Σ_m |right_m − Σ_{i ∈ B_m} p_i|
///
/// - Source: Guo, Pleiss, Sun and Weinberger, ICML 2017, arXiv:1706.04599, equations 2 and 3.
public struct CalibrationBins: Sendable, Equatable {
  /// Number of bins M.
  public static let bins = 15

  /// [M]: predictions of each bin.
  public private(set) var counts = [Int](repeating: 0, count: bins)
  /// [M]: those that are right.
  public private(set) var correct = [Int](repeating: 0, count: bins)
  /// [M]: sums of their confidences.
  public private(set) var confidence = [Double](repeating: 0, count: bins)

  /// No prediction yet.
  public init() {}

  /// Bins as they were written; nil unless there are M of each.
  public init?(counts: [Int], correct: [Int], confidence: [Double]) {
    guard [counts.count, correct.count, confidence.count].allSatisfy({ $0 == Self.bins }) else {
      return nil
    }
    self.counts = counts
    self.correct = correct
    self.confidence = confidence
  }

  /// Adds a prediction; a confidence that is not finite makes ECE not finite.
  public mutating func add(confidence p: Double, isCorrect: Bool) {
    let place = (p * Double(Self.bins)).rounded(.up)
    let bin = place >= 1 ? min(Self.bins, Int(clamping: min(place, Double(Self.bins)))) - 1 : 0
    counts[bin] += 1
    correct[bin] += isCorrect ? 1 : 0
    confidence[bin] += p
  }

  /// Adds another part of the same test; parts must be added in a fixed order.
  public mutating func add(_ other: CalibrationBins) {
    for bin in 0..<Self.bins {
      counts[bin] += other.counts[bin]
      correct[bin] += other.correct[bin]
      confidence[bin] += other.confidence[bin]
    }
  }

  /// Predictions in all.
  public var total: Int { counts.reduce(0, +) }

  /// The expected calibration error in [0, 1]; nil of no prediction.
  public var error: Double? {
    let n = total
    guard n > 0 else { return nil }
    let gaps = (0..<Self.bins).map { abs(Double(correct[$0]) - confidence[$0]) }
    return gaps.reduce(0, +) / Double(n)
  }

  /// p = 1 / Σ_c exp(z_c − z_w) of logits [C] whose largest is z_w; in double precision.
  public static func confidence(_ logits: UnsafePointer<Float>, classes: Int, winner: Int) -> Double
  {
    let top = Double(logits[winner])
    var sum = 0.0
    for c in 0..<classes { sum += exp(Double(logits[c]) - top) }
    return 1 / sum
  }
}

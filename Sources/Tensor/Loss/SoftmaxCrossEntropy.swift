#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Softmax cross-entropy with optional per-class logit offsets and weights:
/// ℓ(z, y) = −w_y·(z_y + o_y − log Σ_c exp(z_c + o_c)), averaged as PyTorch's CrossEntropyLoss:
/// Σ ℓ / Σ w_y over the batch.
///
/// With o = log n it is balanced softmax (Ren et al. 2020, arXiv:2007.10740), with o = τ·log π
/// logit adjustment (Menon et al. 2021, arXiv:2007.07314, equation 10). An offset of −∞ takes a
/// class out of the softmax.
public struct SoftmaxCrossEntropy: Sendable, Equatable {
  /// o, [C], or nil for zeros.
  public var offsets: [Float]?
  /// w, [C], ≥ 0, or nil for ones.
  public var weights: [Float]?

  /// What one batch gave.
  public struct Result: Sendable, Equatable {
    /// Σ ℓ over the batch; divide by `weight` for the mean.
    public var lossSum: Double
    /// Σ w_y over the batch.
    public var weight: Double
    /// Examples whose largest (offset) logit is the label's.
    public var correct: Int

    /// The parts of a result.
    public init(lossSum: Double, weight: Double, correct: Int) {
      self.lossSum = lossSum
      self.weight = weight
      self.correct = correct
    }
  }

  /// A loss; nil means no offsets, no weights.
  public init(offsets: [Float]? = nil, weights: [Float]? = nil) {
    self.offsets = offsets
    self.weights = weights
  }

  /// The loss of `batch` examples, and the gradient of their mean with respect to the logits.
  ///
  /// `logits`: [batch × classes], read from the workspace.
  ///
  /// `labels`: [batch], in 0 ..< classes.
  ///
  /// `gradient`: [batch × classes], overwritten with w_y·(softmax(z + o) − e_y) / Σ w_y; nil when
  /// only the loss is wanted.
  ///
  /// `totalWeight`: Σ w_y of the batch that these examples are a part of; by default they are all.
  ///
  /// - Complexity: O(batch · classes), no allocation.
  public func evaluate(
    logits: UnsafePointer<Float>,
    labels: UnsafePointer<Int32>,
    batch: Int,
    classes: Int,
    gradient: UnsafeMutablePointer<Float>? = nil,
    totalWeight: Double? = nil
  ) -> Result {
    precondition(
      offsets.map { $0.count == classes } ?? true && weights.map { $0.count == classes } ?? true,
      "SoftmaxCrossEntropy: offsets or weights are not [\(classes)]"
    )
    var result = Result(lossSum: 0, weight: 0, correct: 0)
    for example in 0..<batch {
      result.weight += Double(weights?[Int(labels[example])] ?? 1)
    }
    let total = totalWeight ?? result.weight
    let share = total > 0 ? Float(1 / total) : 0
    for example in 0..<batch {
      let z = logits + example * classes
      let label = Int(labels[example])
      let weight = weights?[label] ?? 1
      var largest = -Float.infinity
      var winner = 0
      for c in 0..<classes where z[c] + offset(c) > largest {
        largest = z[c] + offset(c)
        winner = c
      }
      var sum = 0.0
      for c in 0..<classes {
        let e = expf(z[c] + offset(c) - largest)
        sum += Double(e)
        if let gradient { gradient[example * classes + c] = e }
      }
      let loss = log(sum) - Double(z[label] + offset(label) - largest)
      result.lossSum += Double(weight) * loss
      if winner == label { result.correct += 1 }
      guard let gradient else { continue }
      let row = gradient + example * classes
      let inverse = Float(1 / sum)
      for c in 0..<classes {
        let p = row[c] * inverse
        row[c] = weight * share * (c == label ? p - 1 : p)
      }
    }
    return result
  }

  /// w_y of a label.
  public func weight(of label: Int32) -> Double { Double(weights?[Int(label)] ?? 1) }

  private func offset(_ c: Int) -> Float { offsets?[c] ?? 0 }
}

import Base

/// Softmax cross-entropy with what long-tailed methods add to it: per-class logit offsets, margins
/// and weights, a scale, and a focus on examples that are still wrong.
///
/// u_c = s·(z_c − Δ_c·[c = y]) + o_c,  p = softmax(u),  ℓ(z, y) = −w_y·(1 − p_y)^γ·log p_y,
/// averaged as PyTorch's CrossEntropyLoss: Σ ℓ / Σ w_y over the batch.
///
/// | method | constants |
/// |---|---|
/// | balanced softmax (Ren et al. 2020, arXiv:2007.10740) | o = log n |
/// | logit adjustment (Menon et al. 2021, arXiv:2007.07314, equation 10) | o = τ·log π |
/// | LDAM (Cao et al. 2019, arXiv:1906.07413) | Δ, s |
/// | focal loss (Lin et al. 2017, arXiv:1708.02002, equation 5) | γ |
///
/// An offset of −∞ takes a class out of the softmax; examples of that class then have an infinite
/// loss. Constants that are left out cost nothing and change no bit.
public struct SoftmaxCrossEntropy: Sendable, Equatable {
  /// o, [C], below +∞, or nil for zeros.
  public var offsets: [Float]?
  /// w, [C], ≥ 0, or nil for ones.
  public var weights: [Float]?
  /// Δ, [C], finite and usually ≥ 0: how much the label's logit must lead; nil for zeros.
  public var margins: [Float]?
  /// s > 0, which multiplies the logits after the margin and before the offset.
  public var scale: Float
  /// γ ≥ 0; 0 is cross-entropy.
  public var focus: Float

  /// What one batch gave.
  public struct Result: Sendable, Equatable {
    /// Σ ℓ over the batch; divide by `weight` for the mean.
    public var lossSum: Double
    /// Σ w_y over the batch.
    public var weight: Double
    /// Examples whose largest s·z + o is the label's; margins, which know the label, do not count.
    public var correct: Int
    /// Σ ℓ² over the batch.
    public var squareSum = 0.0

    /// The parts of a result, of no squares.
    public init(lossSum: Double, weight: Double, correct: Int) {
      self.lossSum = lossSum
      self.weight = weight
      self.correct = correct
    }
  }

  /// A loss; what is left out changes nothing.
  public init(
    offsets: [Float]? = nil, weights: [Float]? = nil, margins: [Float]? = nil, scale: Float = 1,
    focus: Float = 0
  ) {
    precondition(scale > 0, "SoftmaxCrossEntropy: scale is \(scale)")
    precondition(focus >= 0, "SoftmaxCrossEntropy: focus is \(focus)")
    self.offsets = offsets
    self.weights = weights
    self.margins = margins
    self.scale = scale
    self.focus = focus
  }

  /// The loss of `batch` examples, and the gradient of their mean with respect to the logits.
  ///
  /// `logits`: [batch × classes], read from the workspace.
  ///
  /// `labels`: [batch], in 0 ..< classes.
  ///
  /// `gradient`: [batch × classes], overwritten with w_y·s·F·(p − e_y) / Σ w_y, where F = 1 without
  /// focus and (1 − p_y)^γ·(1 − γ·p_y·log p_y / (1 − p_y)) with it; nil when only the loss is
  /// wanted.
  ///
  /// `totalWeight`: Σ w_y of the batch that these examples are a part of; by default they are all.
  ///
  /// - Complexity: O(batch · classes), no allocation.
  public func evaluate(
    logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, batch: Int, classes: Int,
    gradient: UnsafeMutablePointer<Float>? = nil, totalWeight: Double? = nil
  ) -> Result {
    precondition(
      (offsets?.count ?? classes) == classes && (weights?.count ?? classes) == classes
        && (margins?.count ?? classes) == classes,
      "SoftmaxCrossEntropy: offsets, weights or margins are not [\(classes)]")
    var result = Result(lossSum: 0, weight: 0, correct: 0)
    for example in 0..<batch { result.weight += Double(weights?[Int(labels[example])] ?? 1) }
    let total = totalWeight ?? result.weight
    let share = total > 0 ? Float(1 / total) : 0
    for example in 0..<batch {
      let z = logits + example * classes
      let label = Int(labels[example])
      let weight = weights?[label] ?? 1
      var largest = -Float.infinity
      var winner = 0
      for c in 0..<classes where logit(z, c) > largest {
        largest = logit(z, c)
        winner = c
      }
      if winner == label { result.correct += 1 }
      var own = logit(z, label)
      if let margins {
        own = scale * (z[label] - margins[label]) + offset(label)
        largest = own
        for c in 0..<classes where c != label { largest = max(largest, logit(z, c)) }
      }
      var sum = 0.0
      for c in 0..<classes {
        let e = expf((c == label ? own : logit(z, c)) - largest)
        sum += Double(e)
        if let gradient { gradient[example * classes + c] = e }
      }
      let loss = log(sum) - Double(own - largest)
      let focal = focus > 0 ? Focal(loss, focus) : .none
      let weighted = Double(weight) * loss * focal.value
      result.lossSum += weighted
      result.squareSum += weighted * weighted
      guard let gradient else { continue }
      let row = gradient + example * classes
      let inverse = Float(1 / sum)
      let factor = weight * share * (scale * focal.slope)
      for c in 0..<classes {
        let p = row[c] * inverse
        row[c] = factor * (c == label ? p - 1 : p)
      }
      // Where p_y is nearly 1, p_y − 1 has few digits left.
      if let miss = focal.miss { row[label] = -factor * miss }
    }
    return result
  }

  /// The modulating factor of one example, and what it does to the gradient.
  private struct Focal {
    /// (1 − p)^γ.
    let value: Double
    /// F = dℓ/dL for L = −log p and ℓ = (1 − p)^γ·L.
    let slope: Float
    /// 1 − p, or nil without focus.
    let miss: Float?

    static let none = Focal(value: 1, slope: 1, miss: nil)

    private init(value: Double, slope: Float, miss: Float?) {
      self.value = value
      self.slope = slope
      self.miss = miss
    }

    init(_ loss: Double, _ focus: Float) {
      let miss = -expm1(-loss)
      value = pow(miss, Double(focus))
      // p·L/(1 − p) goes to 1 where L goes to 0, and to 0 where L goes to ∞.
      let ratio = miss > 0 && loss.isFinite ? exp(-loss) * loss / miss : miss > 0 ? 0 : 1
      slope = Float(value * (1 + Double(focus) * ratio))
      self.miss = Float(miss)
    }
  }

  /// w_y of a label.
  public func weight(of label: Int32) -> Double { Double(weights?[Int(label)] ?? 1) }

  /// u_c of a class that is not the label.
  private func logit(_ z: UnsafePointer<Float>, _ c: Int) -> Float { scale * z[c] + offset(c) }

  private func offset(_ c: Int) -> Float { offsets?[c] ?? 0 }
}

import Base

/// Distillation from soft targets: τ²·KL(q ‖ σ_τ(z)) with σ_τ(z) = softmax(z/τ), whose gradient
/// with respect to the logits is τ·(σ_τ(z) − q).
///
/// The factor τ² keeps the gradient's size when τ changes. q are probabilities at the same
/// temperature: another model's `softmax` of its logits, or other probabilities after `temper`.
///
/// Where q is what `softmax` makes of the same logits, loss and gradient are exactly 0. All sums
/// are in double precision and in the order of the classes; nothing is allocated.
///
/// - Source: Hinton, Vinyals and Dean 2015, arXiv:1503.02531, section 2.
public struct Distillation: Sendable, Equatable {
  /// τ > 0; 1 compares probabilities as they are, larger ones give small probabilities more say.
  public var temperature: Float

  /// A distillation loss at a temperature.
  public init(temperature: Float = 1) {
    precondition(temperature > 0, "Distillation: temperature is \(temperature)")
    self.temperature = temperature
  }

  /// τ²·Σ over rows of KL(q ‖ σ_τ(z)); adds weight·τ·(σ_τ(z) − q) to a gradient.
  ///
  /// `logits`: z, [rows × classes].
  ///
  /// `targets`: q, [rows × classes], ≥ 0, each row's sum 1 to rounding; q = 0 adds nothing.
  ///
  /// `weight`: of each row in the gradient, such as λ divided by the batch's size; the loss that is
  /// returned is without it.
  ///
  /// `gradient`: [rows × classes], or nil when only the loss is wanted.
  ///
  /// - Returns: a sum ≥ 0 up to the rounding of q.
  /// - Complexity: O(rows · classes).
  public func evaluate(
    logits: UnsafePointer<Float>, targets: UnsafePointer<Float>, rows: Int, classes: Int,
    weight: Float = 1, addingTo gradient: UnsafeMutablePointer<Float>? = nil
  ) -> Double {
    var total = 0.0
    for r in 0..<rows {
      let z = logits + r * classes
      let q = targets + r * classes
      let row = TemperedRow(z, classes, temperature)
      for c in 0..<classes {
        let p = row.probability(z[c])
        if let gradient { gradient[r * classes + c] += weight * (temperature * (p - q[c])) }
        // Equal as Floats: the logarithms differ by the rounding of q and by nothing else.
        guard q[c] > 0, q[c] != p else { continue }
        total += Double(q[c]) * (log(Double(q[c])) - row.logProbability(z[c]))
      }
    }
    return Double(temperature) * Double(temperature) * total
  }

  /// softmax(z/τ) of each row.
  ///
  /// `logits`, `probabilities`: [rows × classes]; they may be the same memory.
  ///
  /// - Complexity: O(rows · classes).
  public static func softmax(
    _ logits: UnsafePointer<Float>, rows: Int, classes: Int, temperature: Float,
    into probabilities: UnsafeMutablePointer<Float>
  ) {
    for r in 0..<rows {
      let z = logits + r * classes
      let row = TemperedRow(z, classes, temperature)
      for c in 0..<classes { probabilities[r * classes + c] = row.probability(z[c]) }
    }
  }

  /// p_c^(1/τ) / Σ_j p_j^(1/τ) of each row: what softmax(z/τ) is when p = softmax(z).
  ///
  /// Probabilities below 1e-8 count as 1e-8, so that a class that was never seen keeps a share.
  ///
  /// `probabilities`, `result`: [rows × classes]; they may be the same memory.
  ///
  /// - Complexity: O(rows · classes).
  public static func temper(
    _ probabilities: UnsafePointer<Float>, rows: Int, classes: Int, temperature: Float,
    into result: UnsafeMutablePointer<Float>
  ) {
    let exponent = 1 / Double(temperature)
    for start in stride(from: 0, to: rows * classes, by: max(1, classes)) {
      var sum = 0.0
      for i in start..<start + classes {
        let power = Float(pow(Double(max(probabilities[i], 1e-8)), exponent))
        result[i] = power
        sum += Double(power)
      }
      for i in start..<start + classes { result[i] = Float(Double(result[i]) / sum) }
    }
  }
}

/// What softmax(z/τ) of a row needs besides the logit itself.
private struct TemperedRow {
  private let largest: Float
  private let temperature: Float
  private let sum: Double
  private let logSum: Double

  init(_ z: UnsafePointer<Float>, _ classes: Int, _ temperature: Float) {
    var largest = -Float.infinity
    for c in 0..<classes where z[c] > largest { largest = z[c] }
    var sum = 0.0
    for c in 0..<classes { sum += Double(expf((z[c] - largest) / temperature)) }
    self.largest = largest
    self.temperature = temperature
    self.sum = sum
    logSum = log(sum)
  }

  @inline(__always) func probability(_ logit: Float) -> Float {
    Float(Double(expf((logit - largest) / temperature)) / sum)
  }

  @inline(__always) func logProbability(_ logit: Float) -> Double {
    Double((logit - largest) / temperature) - logSum
  }
}

import Base
import Tensor

/// Features whose gradient at a linear head resembles a given one.
///
/// For features U [m × d] of one class, z = U·Wᵀ + b, P = softmax(z), R = P − 1·e_yᵀ [m × C], the
/// gradient of the mean cross-entropy is G = Rᵀ·U/m and g = Rᵀ·1/m. The distance to a target (T, t)
/// is
///
/// D = Σ_c (1 − cos(G_c, T_c)) + 1 − cos(g, t),   cos(x, y) = x·y/(‖x‖·‖y‖ + 10⁻⁶),
///
/// with rows G_c. With A = ∂D/∂G [C × d], a = ∂D/∂g [C] and S = U·Aᵀ + 1·aᵀ [m × C],
///
/// ∂D/∂U = (R·A + Q·W)/m,   Q_jc = P_jc·(S_jc − Σ_i P_ji·S_ji).
///
/// Shang et al., IJCAI 2022, arXiv:2204.13399.
package struct GradientMatching {
  private let classes: Int
  private let width: Int
  private let rows: Int
  /// W [C × d], then b [C].
  private let head: [Float]
  private let product: LinearProduct
  /// For sums over classes: [C, m]ᵀ·[C, d].
  private let transposed: LinearProduct
  private var scratch: [Float]
  private var logits: [Float]
  private var p: [Float]
  private var slopes: [Float]
  /// G and g, then A and a.
  private var gradient: [Float]
  private var direction: [Float]
  private var columns: [Float]

  /// A head and the number m of features.
  ///
  /// `head`: [C·d + C].
  package init(head: [Float], classes: Int, width: Int, rows: Int) {
    precondition(
      head.count == classes * width + classes && rows > 0,
      "GradientMatching: a head of [\(head.count)], \(rows) features")
    self.classes = classes
    self.width = width
    self.rows = rows
    self.head = head
    product = LinearProduct(inputs: width, outputs: classes)
    transposed = LinearProduct(inputs: width, outputs: rows)
    scratch = [Float](repeating: 0, count: product.scratchCount)
    logits = [Float](repeating: 0, count: rows * classes)
    p = logits
    slopes = logits
    columns = logits
    gradient = [Float](repeating: 0, count: head.count)
    direction = gradient
  }

  /// D, and ∂D/∂U in `result`.
  ///
  /// `features`: U, [m × d]; `label`: y; `target`: T [C × d], then t [C]; `result`: [m × d].
  ///
  /// - Complexity: 10·m·C·d floating-point operations, no allocation.
  package mutating func evaluate(
    _ features: [Float], label: Int, target: [Float], into result: inout [Float]
  ) -> Double {
    precondition(
      features.count == rows * width && result.count == features.count
        && target.count == head.count,
      "GradientMatching: features [\(features.count)], target [\(target.count)]")
    classify(features, label)
    let distance = compare(target)
    differentiate(features, into: &result)
    return distance
  }

  /// P, R (in `slopes`), G and g.
  private mutating func classify(_ features: [Float], _ label: Int) {
    for r in 0..<rows {
      for c in 0..<classes { logits[r * classes + c] = head[classes * width + c] }
    }
    product.add(features, rows: rows, weight: head, to: &logits, scratch: &scratch)
    Distillation.softmax(logits, rows: rows, classes: classes, temperature: 1, into: &p)
    let share = 1 / Float(rows)
    for i in gradient.indices { gradient[i] = 0 }
    for r in 0..<rows {
      for c in 0..<classes {
        let slope = p[r * classes + c] - (c == label ? 1 : 0)
        slopes[r * classes + c] = share * slope
        gradient[classes * width + c] += share * slope
      }
    }
    product.addWeightGradient(slopes, features, rows: rows, to: &gradient)
  }

  /// D; A and a in `direction`.
  private mutating func compare(_ target: [Float]) -> Double {
    var distance = 0.0
    for c in 0...classes {
      let row = c < classes ? c * width..<(c + 1) * width : classes * width..<gradient.count
      var (gg, tt, gt) = (0.0, 0.0, 0.0)
      for i in row {
        let (g, t) = (Double(gradient[i]), Double(target[i]))
        gg += g * g
        tt += t * t
        gt += g * t
      }
      let (own, other) = (gg.squareRoot(), tt.squareRoot())
      let divisor = own * other + 1e-6
      distance += 1 - gt / divisor
      // ∂cos/∂g = t/D − cos/D·‖t‖·g/‖g‖.
      let along = own > 0 ? gt / divisor / divisor * other / own : 0
      for i in row {
        direction[i] = Float(along * Double(gradient[i]) - Double(target[i]) / divisor)
      }
    }
    return distance
  }

  /// (R·A + Q·W)/m; `slopes` hold R/m.
  private mutating func differentiate(_ features: [Float], into result: inout [Float]) {
    for i in result.indices { result[i] = 0 }
    transpose(slopes)
    transposed.addWeightGradient(columns, direction, rows: classes, to: &result)
    for r in 0..<rows {
      for c in 0..<classes { logits[r * classes + c] = direction[classes * width + c] }
    }
    product.add(features, rows: rows, weight: direction, to: &logits, scratch: &scratch)
    let share = 1 / Float(rows)
    for start in stride(from: 0, to: rows * classes, by: classes) {
      var mean = 0.0
      for i in start..<start + classes { mean += Double(p[i]) * Double(logits[i]) }
      for i in start..<start + classes { slopes[i] = share * p[i] * (logits[i] - Float(mean)) }
    }
    transpose(slopes)
    transposed.addWeightGradient(columns, head, rows: classes, to: &result)
  }

  /// [m × C] → `columns`, [C × m].
  private mutating func transpose(_ matrix: [Float]) {
    for r in 0..<rows { for c in 0..<classes { columns[c * rows + r] = matrix[r * classes + c] } }
  }
}

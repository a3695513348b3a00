/// One step of an optimizer on a range of flat vectors, wherever they lie.
///
/// `Optimizer` and `VectorOptimizer` differ in who owns the memory and in nothing else.
struct UpdateRule {
  let spec: OptimizerSpec
  /// Which step this is, from 1.
  let number: Int
  /// η of this step.
  let learningRate: Double

  /// Moves `w` in `range` by the gradient `g`.
  ///
  /// `first`, `second`: the moments, as many as `Optimizer.momentCount` says.
  ///
  /// - Complexity: O(range), no allocation.
  func step(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>,
    _ first: UnsafeMutablePointer<Float>?, _ second: UnsafeMutablePointer<Float>?,
    _ range: Range<Int>
  ) {
    switch spec.kind {
    case .sgd: sgd(w, g, first, range)
    case .adam, .adamw:
      guard let first, let second else { return }
      adam(w, g, first, second, range)
    }
  }

  /// g ← g + λw; v ← ρv + g; w ← w − η·v, or w − η·(g + ρv) with Nesterov.
  private func sgd(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>,
    _ moment: UnsafeMutablePointer<Float>?, _ range: Range<Int>
  ) {
    let rate = Float(learningRate)
    let decay = Float(spec.weightDecay)
    let momentum = Float(spec.momentum)
    guard momentum > 0, let v = moment else {
      for i in range { w[i] -= rate * (g[i] + decay * w[i]) }
      return
    }
    if spec.nesterov {
      for i in range {
        let gradient = g[i] + decay * w[i]
        v[i] = momentum * v[i] + gradient
        w[i] -= rate * (gradient + momentum * v[i])
      }
    } else {
      for i in range {
        v[i] = momentum * v[i] + (g[i] + decay * w[i])
        w[i] -= rate * v[i]
      }
    }
  }

  /// m ← m + (1 − β₁)(g − m); v ← β₂v + (1 − β₂)g²; w ← w − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
  ///
  /// Kingma and Ba 2015, arXiv:1412.6980, algorithm 1; weight decay joins g (Adam) or shrinks w
  /// first (AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101).
  private func adam(
    _ w: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>,
    _ v: UnsafeMutablePointer<Float>, _ range: Range<Int>
  ) {
    var power1 = 1.0
    var power2 = 1.0
    for _ in 0..<number {
      power1 *= spec.beta1
      power2 *= spec.beta2
    }
    let stepSize = Float(learningRate / (1 - power1))
    let root = Float((1 - power2).squareRoot())
    let beta2 = Float(spec.beta2)
    let rest1 = Float(1 - spec.beta1)
    let rest2 = Float(1 - spec.beta2)
    let epsilon = Float(spec.epsilon)
    let joined = spec.kind == .adam ? Float(spec.weightDecay) : 0
    let shrink = spec.kind == .adamw ? Float(1 - learningRate * spec.weightDecay) : 1
    for i in range {
      w[i] *= shrink
      let gradient = g[i] + joined * w[i]
      m[i] += rest1 * (gradient - m[i])
      v[i] = beta2 * v[i] + rest2 * gradient * gradient
      w[i] -= stepSize * m[i] / (v[i].squareRoot() / root + epsilon)
    }
  }
}

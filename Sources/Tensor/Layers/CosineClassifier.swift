/// A classifier that sees directions alone: z_c = β·⟨v_c, x/‖x‖⟩ with x [n, d], W [C, d], z [n, C].
///
/// With unit rows v_c = w_c/‖w_c‖ it is the normalised linear layer of LDAM (Cao et al., NeurIPS
/// 2019, arXiv:1906.07413); with v_c = w_c and W an equiangular frame that of FedETF (Li et al.,
/// ICCV 2023, arXiv:2303.10058, equation 4). An x shorter than 10⁻¹² has logits 0 and passes no
/// gradient on.
///
/// With q = β·Σ_c dz_c·v_c and x̂ = x/‖x‖: dx = (q − x̂·⟨x̂, q⟩)/‖x‖, dβ = Σ dz_c·⟨v_c, x̂⟩,
/// dv_c = β·Σ_n dz_c·x̂, and dw_c = (dv_c − v_c·⟨v_c, dv_c⟩)/‖w_c‖ where rows are normalised.
package struct CosineClassifier: Operation {
  package let name: String
  package let input: Int
  package let output: Int
  /// Slot of x̂ [d], the cosines ⟨v_c, x̂⟩ [C] and 1/‖x‖ of each example.
  package let saved: Int
  package let inputs: Int
  package let outputs: Int
  package let weight: Int
  /// Where β is; nil for β = 1.
  package let scale: Int?
  /// v_c = w_c/‖w_c‖, else v_c = w_c.
  package let normalisesRows: Bool

  /// The smallest length that has a direction, as in PyTorch's `normalize`.
  package static let shortest = 1e-12

  package var summary: String {
    "\(name): Cosine(\(inputs), \(outputs), unit rows=\(normalisesRows), scale=\(scale != nil))"
  }
  package var forwardFLOPs: Int { 2 * inputs * outputs }
  package var hasParameters: Bool { true }
  package var parameterRanges: [Range<Int>] {
    [weight..<weight + inputs * outputs] + (scale.map { [$0..<$0 + 1] } ?? [])
  }
  /// Unit rows, and the gradient with respect to them.
  package var scratchCount: Int { normalisesRows ? 2 * inputs * outputs : 0 }

  private var savedCount: Int { inputs + outputs + 1 }

  package func forward(_ pass: borrowing Pass) {
    let rows = rows(pass)
    let beta = scale.map { pass.parameters[$0] } ?? 1
    for example in 0..<pass.batch {
      let x = pass.values[input] + example * inputs
      let z = pass.values[output] + example * outputs
      let direction = pass.values[saved] + example * savedCount
      let inverse = Self.inverseLength(x, inputs)
      for i in 0..<inputs { direction[i] = Float(Double(x[i]) * inverse) }
      let cosines = direction + inputs
      for c in 0..<outputs {
        cosines[c] = Float(Self.dot(rows + c * inputs, direction, inputs))
        z[c] = beta * cosines[c]
      }
      cosines[outputs] = Float(inverse)
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    let rows = rows(pass)
    let beta = scale.map { pass.parameters[$0] } ?? 1
    let slopes = pass.gradients[output]
    let direct = pass.gradient + weight
    let target = normalisesRows ? pass.scratch + inputs * outputs : direct
    if normalisesRows || !pass.accumulate { target.update(repeating: 0, count: inputs * outputs) }
    var betaSlope = 0.0
    for example in 0..<pass.batch {
      let direction = pass.values[saved] + example * savedCount
      let dz = slopes + example * outputs
      for c in 0..<outputs {
        betaSlope += Double(dz[c]) * Double(direction[inputs + c])
        let a = beta * dz[c]
        let row = target + c * inputs
        for i in 0..<inputs { row[i] += a * direction[i] }
      }
    }
    if let scale {
      let before = pass.accumulate ? pass.gradient[scale] : 0
      pass.gradient[scale] = before + Float(betaSlope)
    }
    if normalisesRows { project(pass, target, rows, into: direct) }
    if inputGradient != .skip { writeInputGradient(pass, rows, beta, inputGradient) }
  }

  /// v: the weight itself, or its unit rows in the first part of the scratch.
  private func rows(_ pass: borrowing Pass) -> UnsafePointer<Float> {
    let w = UnsafePointer(pass.parameters + weight)
    guard normalisesRows else { return w }
    for c in 0..<outputs {
      let inverse = Self.inverseLength(w + c * inputs, inputs)
      for i in c * inputs..<(c + 1) * inputs { pass.scratch[i] = Float(Double(w[i]) * inverse) }
    }
    return UnsafePointer(pass.scratch)
  }

  /// From dv to dw.
  private func project(
    _ pass: borrowing Pass, _ slopes: UnsafePointer<Float>, _ rows: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>
  ) {
    let w = UnsafePointer(pass.parameters + weight)
    for c in 0..<outputs {
      let inverse = Self.inverseLength(w + c * inputs, inputs)
      let along = Self.dot(rows + c * inputs, slopes + c * inputs, inputs)
      for i in c * inputs..<(c + 1) * inputs {
        let slope = Float((Double(slopes[i]) - Double(rows[i]) * along) * inverse)
        target[i] = pass.accumulate ? target[i] + slope : slope
      }
    }
  }

  /// dx, with q in its place first.
  private func writeInputGradient(
    _ pass: borrowing Pass, _ rows: UnsafePointer<Float>, _ beta: Float, _ how: GradientWrite
  ) {
    for example in 0..<pass.batch {
      let direction = pass.values[saved] + example * savedCount
      let inverse = direction[inputs + outputs]
      let dz = pass.gradients[output] + example * outputs
      let dx = pass.gradients[input] + example * inputs
      // ⟨x̂, q⟩ = β·Σ dz_c·⟨v_c, x̂⟩, so that q needs no memory of its own.
      var along = 0.0
      for c in 0..<outputs { along += Double(dz[c]) * Double(direction[inputs + c]) }
      let radial = -beta * Float(along) * inverse
      for i in 0..<inputs {
        let slope = radial * direction[i]
        dx[i] = how == .add ? dx[i] + slope : slope
      }
      for c in 0..<outputs {
        let a = beta * dz[c] * inverse
        let row = rows + c * inputs
        for i in 0..<inputs { dx[i] += a * row[i] }
      }
    }
  }

  /// 1/‖x‖, or 0 where there is no direction.
  private static func inverseLength(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    let length = dot(x, x, count).squareRoot()
    return length > shortest ? 1 / length : 0
  }

  private static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int)
    -> Double
  {
    var total = 0.0
    for i in 0..<count { total += Double(x[i]) * Double(y[i]) }
    return total
  }
}

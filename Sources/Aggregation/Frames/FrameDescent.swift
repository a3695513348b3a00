import Tensor

/// Gradient descent on the angles and lengths of a sparse frame (`SparseFrame`).
///
/// With u_c = w_c/‖w_c‖, ρ_ij = u_i·u_j and j(i) the first j ≠ i of largest ρ_ij, the angle term
/// adds g_i·u_j(i) to α_i and g_i·u_i to α_j(i), where g_i = a/(C·√(1 − ρ²)), or 0 from |ρ| =
/// 0.99999 on. Then ∂L/∂w_c = (α_c − u_c·(u_c·α_c))/‖w_c‖ + 2b·(‖w_c‖ − γ)·u_c, and 0 where an
/// entry is not kept: its moments stay 0, and so does the entry.
package struct FrameDescent: Sendable {
  /// w, [C × d].
  package private(set) var values: [Float]
  /// ∂L/∂w at the last `computeGradient`, [C × d].
  package private(set) var gradient: [Float]

  private let kept: [Float]
  private let objective: FrameObjective
  private var optimizer: VectorOptimizer
  /// u, [C × d].
  private var unit: [Float]
  /// ρ, [C × C].
  private var cosines: [Float]
  private var lengths: [Double]
  private var scratch: [Float]

  /// A descent from `values`, which are 0 where `kept` is 0 instead of 1.
  package init(
    _ values: [Float], kept: [Float], classes: Int, width: Int, settings: SparseFrame.Settings
  ) {
    self.values = values
    self.kept = kept
    objective = FrameObjective(classes: classes, width: width, settings: settings)
    optimizer = VectorOptimizer(
      OptimizerSpec(kind: .adam, learningRate: settings.learningRate), count: values.count)
    gradient = [Float](repeating: 0, count: values.count)
    unit = gradient
    cosines = [Float](repeating: 0, count: classes * classes)
    lengths = [Double](repeating: 0, count: classes)
    let product = LinearProduct(inputs: width, outputs: classes)
    scratch = [Float](repeating: 0, count: product.scratchCount)
  }

  /// One step of Adam; no allocation.
  package mutating func step() {
    computeGradient()
    optimizer.step(&values, gradient: gradient, learningRate: optimizer.spec.learningRate)
  }

  /// Fills `gradient`.
  package mutating func computeGradient() {
    objective.normalise(values, &unit, &lengths)
    objective.multiply(unit, &cosines, &scratch)
    objective.addNearest(unit, cosines, &gradient)
    objective.project(unit, lengths, kept, &gradient)
  }
}

/// The parts of the gradient in their order; the descent owns the memory.
private struct FrameObjective: Sendable {
  let classes: Int
  let width: Int
  let settings: SparseFrame.Settings

  /// ‖w_c‖ and u_c; a row of zeros has u = 0.
  func normalise(_ values: [Float], _ unit: inout [Float], _ lengths: inout [Double]) {
    var u = unit.mutableSpan
    let w = values.span
    for c in 0..<classes {
      let row = c * width..<(c + 1) * width
      let length = VectorArithmetic.norm(w.extracting(row))
      lengths[c] = length
      let inverse = length > 0 ? Float(1 / length) : 0
      for i in row { u[i] = w[i] * inverse }
    }
  }

  /// ρ.
  func multiply(_ unit: [Float], _ cosines: inout [Float], _ scratch: inout [Float]) {
    let product = LinearProduct(inputs: width, outputs: classes)
    unit.withUnsafeBufferPointer { unit in
      cosines.withUnsafeMutableBufferPointer { cosines in
        scratch.withUnsafeMutableBufferPointer { scratch in
          guard let u = unit.baseAddress, let rho = cosines.baseAddress,
            let scratch = scratch.baseAddress
          else { return }
          rho.update(repeating: 0, count: classes * classes)
          product.add(u, rows: classes, weight: u, to: rho, scratch: scratch)
        }
      }
    }
  }

  /// α, into the gradient.
  func addNearest(_ unit: [Float], _ cosines: [Float], _ gradient: inout [Float]) {
    var alpha = gradient.mutableSpan
    let u = unit.span
    for i in alpha.indices { alpha[i] = 0 }
    for i in 0..<classes {
      var nearest = i == 0 ? 1 : 0
      for j in 0..<classes where j != i {
        if cosines[i * classes + j] > cosines[i * classes + nearest] { nearest = j }
      }
      let rho = Double(cosines[i * classes + nearest])
      guard abs(rho) < 0.99999 else { continue }
      let g = Float(settings.angleWeight / (Double(classes) * (1 - rho * rho).squareRoot()))
      let (mine, other) = (i * width, nearest * width)
      for k in 0..<width { alpha[mine + k] += g * u[other + k] }
      for k in 0..<width { alpha[other + k] += g * u[mine + k] }
    }
  }

  /// From α to ∂L/∂w.
  func project(_ unit: [Float], _ lengths: [Double], _ kept: [Float], _ gradient: inout [Float]) {
    let u = unit.span
    let kept = kept.span
    for c in 0..<classes {
      let row = c * width..<(c + 1) * width
      let length = lengths[c]
      let along = VectorArithmetic.dot(u.extracting(row), gradient.span.extracting(row))
      let inverse = length > 0 ? Float(1 / length) : 0
      let radial = Float(
        2 * settings.normWeight * (length - settings.norm) - Double(inverse) * along)
      var slope = gradient.mutableSpan
      for i in row { slope[i] = kept[i] * (inverse * slope[i] + radial * u[i]) }
    }
  }
}

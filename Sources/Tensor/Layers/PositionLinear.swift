/// y[p] = W·x[p] + b at every position p of a map, PyTorch's Linear on [n, tokens, in]:
/// W [out, in], b [out]; the same weights at all positions.
package struct PositionLinear: WeightedOperation {
  package let name: String
  package let input: Int
  package let output: Int
  /// Positions of one example.
  package let positions: Int
  package let inputs: Int
  package let outputs: Int
  package let weight: Int
  package let bias: Int?
  /// Whether its parameters stay as they are.
  package let frozen: Bool

  package var summary: String {
    "\(name): Linear(\(inputs), \(outputs), bias=\(bias != nil)) at \(positions) positions"
  }
  package var forwardFLOPs: Int { 2 * positions * inputs * outputs }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [weight..<weight + inputs * outputs] + (bias.map { [$0..<$0 + outputs] } ?? [])
  }
  package var scratchCount: Int {
    max(
      DotProducts.scratchCount, MatrixProduct.scratchCount(columns: outputs, depth: inputs),
      MatrixProduct.scratchCount(columns: inputs, depth: max(outputs, 256)))
  }

  package func forward(_ pass: borrowing Pass) {
    let rows = pass.batch * positions
    let x = UnsafePointer(pass.values[input])
    let y = pass.values[output]
    let w = UnsafePointer(pass.parameters + weight)
    let b = bias.map { [parameters = pass.parameters] in UnsafePointer(parameters + $0) }
    // Few rows are not worth laying out the weights.
    if CPUFeatures.prefersOwnKernels, rows <= DotProducts.mostRows {
      if let b {
        Rows.broadcast(b, into: y, rows: rows, columns: outputs)
      } else {
        y.update(repeating: 0, count: rows * outputs)
      }
      DotProducts(x: x, w: w, depth: inputs, scratch: pass.scratch).add(
        rows: rows, outputs: outputs, to: y)
      return
    }
    MatrixProduct(a: x, formA: .normal, aStride: inputs, b: w, formB: .transposed, bStride: inputs)
      .run(
        rows: rows, columns: outputs, depth: inputs, y, stride: outputs,
        b.map { .bias($0) } ?? .overwrite, scratch: pass.scratch)
  }

  package var outerProducts: OuterProducts {
    OuterProducts(
      positions: positions, inputs: inputs, outputs: outputs, hasBias: bias != nil, window: nil)
  }

  package func gateGradient(_ pass: borrowing Pass) {}

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    inputGradient(pass, how)
    if !frozen { weightGradient(pass) }
  }

  /// dx = dy·W.
  package func inputGradient(_ pass: borrowing Pass, _ how: GradientWrite) {
    guard how != .skip else { return }
    MatrixProduct(
      a: pass.gradients[output], formA: .normal, aStride: outputs, b: pass.parameters + weight,
      formB: .normal, bStride: inputs
    ).run(
      rows: pass.batch * positions, columns: inputs, depth: outputs, pass.gradients[input],
      stride: inputs, how == .add ? .add : .overwrite, scratch: pass.scratch)
  }

  /// dW = dyᵀ·x, db = Σ dy, over all positions of the batch.
  package func weightGradient(_ pass: borrowing Pass) {
    let rows = pass.batch * positions
    let dy = UnsafePointer(pass.gradients[output])
    MatrixProduct(
      a: dy, formA: .transposed, aStride: outputs, b: pass.values[input], formB: .normal,
      bStride: inputs
    ).run(
      rows: outputs, columns: inputs, depth: rows, pass.gradient + weight, stride: inputs,
      pass.accumulate ? .add : .overwrite, scratch: pass.scratch)
    guard let bias else { return }
    Rows.sum(
      dy, into: pass.gradient + bias, rows: rows, columns: outputs, accumulate: pass.accumulate)
  }
}

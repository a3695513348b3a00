/// y = x·Wᵀ + b, PyTorch's Linear: x [n, in], W [out, in], b [out], y [n, out].
package struct Dense: Operation {
  package let name: String
  package let input: Int
  package let output: Int
  package let inputs: Int
  package let outputs: Int
  package let weight: Int
  package let bias: Int?

  package var summary: String { "\(name): Linear(\(inputs), \(outputs), bias=\(bias != nil))" }
  package var forwardFLOPs: Int { 2 * inputs * outputs }
  package var hasParameters: Bool { true }

  package func forward(_ pass: borrowing Pass) {
    let x = pass.values[input]
    let y = pass.values[output]
    var beta: Float = 0
    if let bias {
      Rows.broadcast(pass.parameters + bias, into: y, rows: pass.batch, columns: outputs)
      beta = 1
    }
    BLAS.gemm(
      .normal,
      .transposed,
      m: pass.batch,
      n: outputs,
      k: inputs,
      x,
      pass.parameters + weight,
      beta: beta,
      y
    )
  }

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    weightGradient(pass)
    inputGradient(pass, how)
  }

  /// dW = dyᵀ·x, db = Σ dy.
  package func weightGradient(_ pass: borrowing Pass) {
    let dy = pass.gradients[output]
    BLAS.gemm(
      .transposed,
      .normal,
      m: outputs,
      n: inputs,
      k: pass.batch,
      dy,
      pass.values[input],
      beta: pass.accumulate ? 1 : 0,
      pass.gradient + weight
    )
    if let bias {
      Rows.sum(
        dy,
        into: pass.gradient + bias,
        rows: pass.batch,
        columns: outputs,
        accumulate: pass.accumulate
      )
    }
  }

  /// dx = dy·W.
  package func inputGradient(_ pass: borrowing Pass, _ how: GradientWrite) {
    guard how != .skip else { return }
    let dy = pass.gradients[output]
    BLAS.gemm(
      .normal,
      .normal,
      m: pass.batch,
      n: inputs,
      k: outputs,
      dy,
      pass.parameters + weight,
      beta: how == .add ? 1 : 0,
      pass.gradients[input]
    )
  }
}

/// The products of a linear map on plain pointers, for classifiers that are no part of a network:
/// y ← y + x·Wᵀ and dW ← dW + dyᵀ·x, with x [n, in], W [out, in], y [n, out].
///
/// Kernels are chosen as in `Dense`; nothing is read beyond the matrices.
package struct LinearProduct: Sendable {
  /// Columns of x and W.
  package let inputs: Int
  package let outputs: Int

  /// A map of `inputs` numbers to `outputs` numbers.
  package init(inputs: Int, outputs: Int) {
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Floats of scratch that `add` needs.
  package var scratchCount: Int { max(DotProducts.scratchCount, stretch * outputs + 16) }

  /// Inputs per stretch of a transposed weight matrix: it stays in a usual L2 cache.
  private var stretch: Int { min(inputs, max(64, 65_536 / max(1, (outputs + 15) / 16 * 16))) }

  /// y ← y + x·Wᵀ.
  ///
  /// `scratch`: `scratchCount` floats.
  ///
  /// - Complexity: 2·rows·inputs·outputs floating-point operations, no allocation.
  package func add(
    _ x: UnsafePointer<Float>, rows: Int, weight: UnsafePointer<Float>,
    to y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    if !CPUFeatures.prefersOwnKernels {
      BLAS.gemm(.normal, .transposed, m: rows, n: outputs, k: inputs, x, weight, beta: 1, y)
    } else if rows <= DotProducts.mostRows {
      DotProducts(x: x, w: weight, depth: inputs, scratch: scratch).add(
        rows: rows, outputs: outputs, to: y)
    } else {
      addTransposed(x, rows, weight, y, scratch)
    }
  }

  /// Many rows: a stretch of columns of W is transposed once and used for all of them.
  private func addTransposed(
    _ x: UnsafePointer<Float>, _ rows: Int, _ weight: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    var k = 0
    while k < inputs {
      let length = min(stretch, inputs - k)
      Transpose.copy(weight + k, rows: outputs, columns: length, stride: inputs, to: scratch)
      TileProduct(
        a: x + k, aRow: inputs, aOuter: 0, aStep: 1, b: scratch, bOuter: 0, bStep: outputs,
        outer: 1, depth: length
      ).run(rows: rows, columns: outputs, y, row: outputs, .add)
      k += length
    }
  }

  /// dW ← dW + dyᵀ·x.
  ///
  /// - Complexity: 2·rows·inputs·outputs floating-point operations, no allocation.
  package func addWeightGradient(
    _ dy: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int,
    to gradient: UnsafeMutablePointer<Float>
  ) {
    guard CPUFeatures.prefersOwnKernels else {
      BLAS.gemm(.transposed, .normal, m: outputs, n: inputs, k: rows, dy, x, beta: 1, gradient)
      return
    }
    // Tiles read whole vectors of x: the last columns, if they fill none, are added one by one.
    let whole = inputs / 16 * 16
    TileProduct(
      a: dy, aRow: 1, aOuter: 0, aStep: outputs, b: x, bOuter: 0, bStep: inputs, outer: 1,
      depth: rows
    ).run(rows: outputs, columns: whole, gradient, row: inputs, .add, rowBlock: 12)
    for column in whole..<inputs {
      for o in 0..<outputs {
        var sum: Float = 0
        for r in 0..<rows { sum += dy[r &* outputs &+ o] * x[r &* inputs &+ column] }
        gradient[o &* inputs &+ column] += sum
      }
    }
  }
}

/// 2-D cross-correlation, PyTorch's Conv2d with a square kernel, on channels-last maps:
/// y[n, oy, ox, o] = b[o] + Σ w[ky][kx][i][o] · x[n, oy·s + ky − p, ox·s + kx − p, i].
///
/// A tile of the patch matrix (im2col) is made in scratch and multiplied at once.
package struct Convolution: Operation {
  package let name: String
  package let input: Int
  package let output: Int
  package let geometry: ConvolutionGeometry
  package let weight: Int
  package let bias: Int?

  package var summary: String {
    let (i, o) = (geometry.input.channels, geometry.output.channels)
    return "\(name): Conv2d(\(i), \(o), \(geometry.kernel), stride=\(geometry.stride), "
      + "padding=\(geometry.padding), bias=\(bias != nil)) → \(geometry.output)"
  }
  package var forwardFLOPs: Int { 2 * geometry.output.count * geometry.patch }
  package var hasParameters: Bool { true }

  package func forward(_ pass: borrowing Pass) {
    let x = UnsafePointer(pass.values[input])
    let scratch = pass.scratch
    let y = pass.values[output]
    let w = pass.parameters + weight
    let channels = geometry.output.channels
    if let bias {
      Rows.broadcast(
        pass.parameters + bias,
        into: y,
        rows: pass.batch * geometry.output.positions,
        columns: channels
      )
    }
    let beta: Float = bias == nil ? 0 : 1
    forEachTile(batch: pass.batch) { rows in
      let positions = rows.count * geometry.output.width
      let patches = patchMatrix(x, rows, scratch)
      BLAS.gemm(
        .normal,
        .normal,
        m: positions,
        n: channels,
        k: geometry.patch,
        patches,
        w,
        beta: beta,
        y + rows.lowerBound * geometry.output.width * channels
      )
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    weightGradient(pass)
    inputGradient(pass, how)
  }

  /// dw = patchesᵀ·dy, db = Σ dy.
  package func weightGradient(_ pass: borrowing Pass) {
    let x = UnsafePointer(pass.values[input])
    let dy = UnsafePointer(pass.gradients[output])
    let dw = pass.gradient + weight
    let scratch = pass.scratch
    let channels = geometry.output.channels
    if let bias {
      Rows.sum(
        dy,
        into: pass.gradient + bias,
        rows: pass.batch * geometry.output.positions,
        columns: channels,
        accumulate: pass.accumulate
      )
    }
    var weightBeta: Float = pass.accumulate ? 1 : 0
    forEachTile(batch: pass.batch) { rows in
      let patches = patchMatrix(x, rows, scratch)
      BLAS.gemm(
        .transposed,
        .normal,
        m: geometry.patch,
        n: channels,
        k: rows.count * geometry.output.width,
        patches,
        dy + rows.lowerBound * geometry.output.width * channels,
        beta: weightBeta,
        dw
      )
      weightBeta = 1
    }
  }

  /// dpatches = dy·wᵀ, added back to their places.
  package func inputGradient(_ pass: borrowing Pass, _ how: GradientWrite) {
    guard how != .skip else { return }
    let dy = UnsafePointer(pass.gradients[output])
    let w = pass.parameters + weight
    let scratch = pass.scratch
    let channels = geometry.output.channels
    let dx = pass.gradients[input]
    if geometry.isPointwise {
      BLAS.gemm(
        .normal,
        .transposed,
        m: pass.batch * geometry.output.positions,
        n: geometry.patch,
        k: channels,
        dy,
        w,
        beta: how == .add ? 1 : 0,
        dx
      )
      return
    }
    if how == .overwrite {
      dx.update(repeating: 0, count: pass.batch * geometry.input.count)
    }
    forEachTile(batch: pass.batch) { rows in
      BLAS.gemm(
        .normal,
        .transposed,
        m: rows.count * geometry.output.width,
        n: geometry.patch,
        k: channels,
        dy + rows.lowerBound * geometry.output.width * channels,
        w,
        beta: 0,
        scratch
      )
      geometry.scatterAdd(scratch, rows: rows, into: dx)
    }
  }

  private func patchMatrix(
    _ x: UnsafePointer<Float>,
    _ rows: Range<Int>,
    _ scratch: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    if geometry.isPointwise {
      return x + rows.lowerBound * geometry.input.width * geometry.input.channels
    }
    geometry.gather(x, rows: rows, into: scratch)
    return UnsafePointer(scratch)
  }

  private func forEachTile(batch: Int, _ body: (Range<Int>) -> Void) {
    let total = batch * geometry.output.height
    let step = geometry.isPointwise ? total : geometry.rowsPerTile
    var first = 0
    while first < total {
      let next = min(first + step, total)
      body(first..<next)
      first = next
    }
  }
}

/// Convolutions through a patch matrix (im2col) and OpenBLAS, tile by tile.
///
/// For programs that were not compiled for the vectors of the machine they run on: OpenBLAS picks
/// its kernels at run time.
struct PatchConvolution {
  let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  /// Floats of scratch: one tile of the patch matrix.
  var scratchCount: Int { geometry.scratchCount }

  /// y ← or += patches·w, [k·k·in][out].
  func forward(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    batch: Int, scratch: UnsafeMutablePointer<Float>, add: Bool
  ) {
    let channels = geometry.output.channels
    forEachTile(batch: batch) { rows in
      let patches = patchMatrix(x, rows, scratch)
      BLAS.gemm(
        .normal, .normal, m: rows.count * geometry.output.width, n: channels, k: geometry.patch,
        patches, w, beta: add ? 1 : 0, y + rows.lowerBound * geometry.output.width * channels)
    }
  }

  /// dw ← or += patchesᵀ·dy.
  func weightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dw: UnsafeMutablePointer<Float>,
    batch: Int, accumulate: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.output.channels
    var beta: Float = accumulate ? 1 : 0
    forEachTile(batch: batch) { rows in
      let patches = patchMatrix(x, rows, scratch)
      BLAS.gemm(
        .transposed, .normal, m: geometry.patch, n: channels, k: rows.count * geometry.output.width,
        patches, dy + rows.lowerBound * geometry.output.width * channels, beta: beta, dw)
      beta = 1
    }
  }

  /// dx ← or += dy·wᵀ, added back to the places that the patches came from.
  func inputGradient(
    _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    batch: Int, add: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.output.channels
    if geometry.isPointwise {
      BLAS.gemm(
        .normal, .transposed, m: batch * geometry.output.positions, n: geometry.patch, k: channels,
        dy, w, beta: add ? 1 : 0, dx)
      return
    }
    if !add { dx.update(repeating: 0, count: batch * geometry.input.count) }
    forEachTile(batch: batch) { rows in
      BLAS.gemm(
        .normal, .transposed, m: rows.count * geometry.output.width, n: geometry.patch, k: channels,
        dy + rows.lowerBound * geometry.output.width * channels, w, beta: 0, scratch)
      geometry.scatterAdd(scratch, rows: rows, into: dx)
    }
  }

  private func patchMatrix(
    _ x: UnsafePointer<Float>, _ rows: Range<Int>, _ scratch: UnsafeMutablePointer<Float>
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

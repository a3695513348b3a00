/// The three directions of a convolution, by the fastest of three ways for its shape.
///
/// The choice depends on the shape and on what the program was compiled for, never on a clock: the
/// same build gives the same bits. It was made by measuring all ways on all layers of the models
/// here (`fedsim bench kernels`).
package struct ConvolutionKernel: Sendable {
  package enum Method: Sendable, CaseIterable {
    /// Minimal filtering: 3×3 windows, stride 1, channels in full vectors.
    case winograd
    /// From the definition, without a patch matrix.
    case direct
    /// Patch matrix and OpenBLAS.
    case patches
  }

  package let geometry: ConvolutionGeometry
  package let method: Method

  package init(_ geometry: ConvolutionGeometry, method: Method? = nil) {
    self.geometry = geometry
    self.method = method ?? Self.fastest(for: geometry)
  }

  /// Whether minimal filtering can do it.
  package static func canFilter(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernel == 3 && geometry.stride == 1 && geometry.padding <= 2
      && Winograd.suits(geometry.input, geometry.output)
  }

  private static func fastest(for geometry: ConvolutionGeometry) -> Method {
    guard CPUFeatures.prefersOwnKernels else { return .patches }
    // A map of one position would fill a quarter of its tile.
    let isMap = geometry.output.height > 1 && geometry.output.width > 1
    return isMap && canFilter(geometry) ? .winograd : .direct
  }

  private var plane: Int { geometry.input.channels * geometry.output.channels }
  private var forwardFilter: Winograd {
    Winograd(input: geometry.input, output: geometry.output, padding: geometry.padding)
  }
  /// The input gradient is a convolution of dy with the turned window.
  private var backwardFilter: Winograd {
    Winograd(input: geometry.output, output: geometry.input, padding: 2 - geometry.padding)
  }

  package var scratchCount: Int {
    switch method {
    case .winograd:
      preparedCount + max(forwardFilter.scratchCount, backwardFilter.scratchCount, 9 * plane) + 16
    case .direct: DirectConvolution(geometry).scratchCount
    case .patches: PatchConvolution(geometry).scratchCount
    }
  }

  /// Floats of scratch that `prepare` fills, in front of what a product needs.
  private var preparedCount: Int { method == .winograd ? 16 * plane : 0 }

  /// Brings weights into the form that `forwardPrepared` reads, in scratch.
  package func prepare(_ w: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    guard method == .winograd else { return }
    forwardFilter.transformWeights(w, rotated: false, scratch)
  }

  /// y ← x * w (+ b, and max(0, ·) when `rectified`).
  package func forward(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    rectified: Bool, _ y: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    prepare(w, scratch: scratch)
    forwardPrepared(x, w, bias: bias, rectified: rectified, y, batch: batch, scratch: scratch)
  }

  /// The same after `prepare` with the same weights and scratch; for one image after the other.
  package func forwardPrepared(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    rectified: Bool, _ y: UnsafeMutablePointer<Float>, batch: Int,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.output.channels
    let positions = batch * geometry.output.positions
    var finish = Finish.overwrite
    if let bias { finish = Finish(kind: rectified ? .biasReLU : .bias, bias: bias) }
    let rest = scratch + preparedCount
    switch method {
    case .winograd: forwardFilter.forward(x, scratch, y, batch: batch, scratch: rest, finish)
    case .direct: DirectConvolution(geometry).forward(x, w, y, batch: batch, scratch: rest, finish)
    case .patches:
      if let bias { Rows.broadcast(bias, into: y, rows: positions, columns: channels) }
      PatchConvolution(geometry).forward(x, w, y, batch: batch, scratch: rest, add: bias != nil)
      if rectified { Rows.rectify(y, count: positions * channels) }
      return
    }
    if rectified && bias == nil { Rows.rectify(y, count: positions * channels) }
  }

  /// dw ← or += Σ x ⊗ dy.
  package func weightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dw: UnsafeMutablePointer<Float>,
    batch: Int, accumulate: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    switch method {
    case .winograd:
      forwardFilter.weightGradient(
        x, dy, dw, batch: batch, accumulate: accumulate, scratch: scratch)
    case .direct:
      DirectConvolution(geometry).weightGradient(
        x, dy, dw, batch: batch, accumulate: accumulate, scratch: scratch)
    case .patches:
      PatchConvolution(geometry).weightGradient(
        x, dy, dw, batch: batch, accumulate: accumulate, scratch: scratch)
    }
  }

  /// Brings weights into the form that `inputGradientPrepared` reads, in scratch.
  package func prepareTurned(_ w: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>) {
    guard method == .winograd else { return }
    let turned = scratch + preparedCount
    for tap in 0..<9 {
      Transpose.copy(
        w + tap * plane, rows: geometry.input.channels, columns: geometry.output.channels,
        to: turned + tap * plane)
    }
    backwardFilter.transformWeights(turned, rotated: true, scratch)
  }

  /// dx ← or += the gradient with respect to x.
  package func inputGradient(
    _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    batch: Int, add: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    prepareTurned(w, scratch: scratch)
    inputGradientPrepared(dy, w, dx, batch: batch, add: add, scratch: scratch)
  }

  /// The same after `prepareTurned` with the same weights and scratch.
  package func inputGradientPrepared(
    _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    batch: Int, add: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let rest = scratch + preparedCount
    switch method {
    case .winograd:
      backwardFilter.forward(dy, scratch, dx, batch: batch, scratch: rest, add ? .add : .overwrite)
    case .direct:
      DirectConvolution(geometry).inputGradient(dy, w, dx, batch: batch, add: add, scratch: rest)
    case .patches:
      PatchConvolution(geometry).inputGradient(dy, w, dx, batch: batch, add: add, scratch: rest)
    }
  }
}

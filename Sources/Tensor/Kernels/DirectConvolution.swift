/// Convolutions of any window, stride and padding straight from their sums, without a patch matrix.
///
/// With channels last, the part of a window that is in one row of the map is contiguous. So a row
/// of outputs is a product whose left operand is the map itself, read with overlapping rows; the
/// window's rows are the outer sum of `TileProduct`. Borders are read from a copy of one image with
/// zeros around it.
struct DirectConvolution {
  let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  private var kernel: Int { geometry.kernel }
  private var stride: Int { geometry.stride }
  private var padding: Int { geometry.padding }
  private var input: FeatureShape { geometry.input }
  private var output: FeatureShape { geometry.output }
  private var weightCount: Int { geometry.patch * output.channels }

  /// Floats of scratch: one padded image of inputs, or of output gradients and turned weights.
  var scratchCount: Int {
    let image = (input.height + 2 * padding) * (input.width + 2 * padding) * input.channels
    let rows = classes(input.height, output.height)
    let columns = classes(input.width, output.width)
    let gradient = rows.padded * columns.padded * output.channels + weightCount
    return max(image, gradient) + 16
  }

  /// y ← convolution of x with w [k][k][in][out], as `finish` says.
  func forward(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    batch: Int, scratch: UnsafeMutablePointer<Float>, _ finish: Finish
  ) {
    let window = kernel &* input.channels
    for image in 0..<batch {
      let (map, row) = padded(x + image &* input.count, scratch)
      for oy in 0..<output.height {
        TileProduct(
          a: map + oy &* stride &* row, aRow: stride &* input.channels, aOuter: row, aStep: 1, b: w,
          bOuter: window &* output.channels, bStep: output.channels, outer: kernel, depth: window
        ).run(
          rows: output.width, columns: output.channels,
          y + (image &* output.count &+ oy &* output.width &* output.channels),
          row: output.channels, finish)
      }
    }
  }

  /// dw ← (or +=) Σ over positions of x ⊗ dy, [k][k][in][out].
  func weightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dw: UnsafeMutablePointer<Float>,
    batch: Int, accumulate: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let window = kernel &* input.channels
    for image in 0..<batch {
      let (map, row) = padded(x + image &* input.count, scratch)
      for ky in 0..<kernel {
        TileProduct(
          a: map + ky &* row, aRow: 1, aOuter: stride &* row, aStep: stride &* input.channels,
          b: dy + image &* output.count, bOuter: output.width &* output.channels,
          bStep: output.channels, outer: output.height, depth: output.width
        ).run(
          rows: window, columns: output.channels, dw + ky &* window &* output.channels,
          row: output.channels, accumulate || image > 0 ? .add : .overwrite)
      }
    }
  }

  /// dx ← (or +=) the gradient with respect to x.
  ///
  /// Inputs are sorted by their place modulo the stride: those of one class meet the same taps of
  /// the window, and their sums are convolutions of stride 1 over dy.
  func inputGradient(
    _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>,
    batch: Int, add: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let rows = classes(input.height, output.height)
    let columns = classes(input.width, output.width)
    let turned = scratch
    let map = scratch + weightCount
    turn(w, into: turned)
    let row = columns.padded &* output.channels
    for image in 0..<batch {
      surround(
        dy + image &* output.count, output, top: rows.before, left: columns.before,
        height: rows.padded, width: columns.padded, map)
      let target = dx + image &* input.count
      var block = turned
      for y in 0..<stride {
        for x in 0..<stride {
          let down = rows.of(y)
          let across = columns.of(x)
          defer { block += down.taps &* across.taps &* input.channels &* output.channels }
          if down.taps == 0 || across.taps == 0 {
            if !add { clear(target, down, across) }
            continue
          }
          for q in 0..<down.count {
            let from = down.first &+ q &- down.taps &+ 1 &+ rows.before
            let left = across.first &- across.taps &+ 1 &+ columns.before
            let place = (down.place(q) &* input.width &+ across.place(0)) &* input.channels
            TileProduct(
              a: map + (from &* row &+ left &* output.channels), aRow: output.channels, aOuter: row,
              aStep: 1, b: block, bOuter: across.taps &* output.channels &* input.channels,
              bStep: input.channels, outer: down.taps, depth: across.taps &* output.channels
            ).run(
              rows: across.count, columns: input.channels, target + place,
              row: stride &* input.channels, add ? .add : .overwrite)
          }
        }
      }
    }
  }

  // MARK: Borders

  /// The image with zeros around it, and the floats in one of its rows.
  private func padded(_ x: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>) -> (
    UnsafePointer<Float>, Int
  ) {
    guard padding > 0 else { return (x, input.width &* input.channels) }
    let width = input.width &+ 2 &* padding
    surround(
      x, input, top: padding, left: padding, height: input.height &+ 2 &* padding, width: width,
      scratch)
    return (UnsafePointer(scratch), width &* input.channels)
  }

  private func surround(
    _ from: UnsafePointer<Float>, _ shape: FeatureShape, top: Int, left: Int, height: Int,
    width: Int, _ to: UnsafeMutablePointer<Float>
  ) {
    let row = width &* shape.channels
    let inside = shape.width &* shape.channels
    let before = left &* shape.channels
    let after = row &- before &- inside
    to.update(repeating: 0, count: top &* row)
    for y in 0..<shape.height {
      let line = to + (top &+ y) &* row
      line.update(repeating: 0, count: before)
      (line + before).update(from: from + y &* inside, count: inside)
      (line + before + inside).update(repeating: 0, count: after)
    }
    let rest = height &- top &- shape.height
    (to + (top &+ shape.height) &* row).update(repeating: 0, count: rest &* row)
  }

  // MARK: Classes of places

  /// Places i along one direction with (i + padding) mod stride = ρ: i = stride·q + ρ − padding.
  private struct PlaceClass {
    /// Taps of the window that meet them: ρ, ρ + stride, and so on.
    let taps: Int
    let first: Int
    let count: Int
    let stride: Int
    let offset: Int

    /// i of the n-th of them.
    func place(_ n: Int) -> Int { stride &* (first &+ n) &+ offset }
  }

  /// All classes along one direction.
  private struct PlaceClasses {
    let kernel: Int
    let stride: Int
    let padding: Int
    let size: Int
    let outputs: Int

    func of(_ residue: Int) -> PlaceClass {
      let taps = max(0, (kernel - residue + stride - 1) / stride)
      let offset = residue - padding
      let first = offset >= 0 ? 0 : (-offset + stride - 1) / stride
      let last = (size - 1 - offset) / stride
      return PlaceClass(
        taps: taps, first: first, count: size - 1 < offset ? 0 : max(0, last - first + 1),
        stride: stride, offset: offset)
    }

    /// Zeros needed in front of the outputs.
    private(set) var before = 0
    /// Length with the zeros in front and after.
    private(set) var padded = 0

    init(kernel: Int, stride: Int, padding: Int, size: Int, outputs: Int) {
      self.kernel = kernel
      self.stride = stride
      self.padding = padding
      self.size = size
      self.outputs = outputs
      var last = outputs
      for residue in 0..<stride {
        let places = of(residue)
        before = max(before, places.taps - 1 - places.first)
        last = max(last, places.first + places.count)
      }
      padded = before + last
    }
  }

  private func classes(_ size: Int, _ outputs: Int) -> PlaceClasses {
    PlaceClasses(kernel: kernel, stride: stride, padding: padding, size: size, outputs: outputs)
  }

  private func clear(_ dx: UnsafeMutablePointer<Float>, _ down: PlaceClass, _ across: PlaceClass) {
    for q in 0..<down.count {
      for p in 0..<across.count {
        let place = (down.place(q) &* input.width &+ across.place(p)) &* input.channels
        (dx + place).update(repeating: 0, count: input.channels)
      }
    }
  }

  /// Weights class by class, [taps down][taps across][out][in], the last tap first.
  private func turn(_ w: UnsafePointer<Float>, into turned: UnsafeMutablePointer<Float>) {
    let plane = input.channels &* output.channels
    var target = turned
    for y in 0..<stride {
      for x in 0..<stride {
        var ky = lastTap(y)
        while ky >= y {
          var kx = lastTap(x)
          while kx >= x {
            Transpose.copy(
              w + (ky &* kernel &+ kx) &* plane, rows: input.channels, columns: output.channels,
              to: target)
            target += plane
            kx &-= stride
          }
          ky &-= stride
        }
      }
    }
  }

  /// The largest tap ρ + j·stride of the window; below 0 when there is none.
  private func lastTap(_ residue: Int) -> Int {
    residue < kernel ? residue + (kernel - 1 - residue) / stride * stride : -1
  }
}

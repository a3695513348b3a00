/// Sizes of a square convolution or pooling window sliding over a channels-last map.
package struct ConvolutionGeometry: Sendable {
  package let input: FeatureShape
  package let output: FeatureShape
  package let kernel: Int
  package let stride: Int
  package let padding: Int

  package init(input: FeatureShape, channels: Int, kernel: Int, stride: Int, padding: Int) {
    precondition(
      kernel > 0 && stride > 0 && padding >= 0 && input.height + 2 * padding >= kernel
        && input.width + 2 * padding >= kernel,
      "convolution: a \(kernel)×\(kernel) window with padding \(padding) on \(input)")
    self.input = input
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    output = FeatureShape(
      height: (input.height + 2 * padding - kernel) / stride + 1,
      width: (input.width + 2 * padding - kernel) / stride + 1, channels: channels)
  }

  /// Floats per row of the patch matrix: kh·kw·in.
  package var patch: Int { kernel * kernel * input.channels }

  /// A 1×1 window at every position: the input itself is the patch matrix.
  package var isPointwise: Bool { kernel == 1 && stride == 1 && padding == 0 }

  /// Output rows (of one image's width) per tile: the patch matrix of a tile stays near 256 KiB,
  /// a quarter of a usual L2 cache, so that it is still there when the product reads it.
  package var rowsPerTile: Int { max(1, 65_536 / (output.width * patch)) }

  /// Floats of scratch: one tile of the patch matrix.
  package var scratchCount: Int { isPointwise ? 0 : rowsPerTile * output.width * patch }

  /// Fills the patch matrix for output rows `rows`, counted over all images of the batch
  /// (row r is row r mod H_out of image r / H_out): im2col, channels last.
  package func gather(
    _ x: UnsafePointer<Float>, rows: Range<Int>, into columns: UnsafeMutablePointer<Float>
  ) {
    let run = kernel * input.channels
    var target = columns
    for row in rows {
      let image = x + row / output.height * input.count
      let top = row % output.height * stride - padding
      for ox in 0..<output.width {
        let left = ox * stride - padding
        // The part of a kernel row that is inside the image.
        let first = max(0, -left)
        let last = min(kernel, input.width - left)
        for ky in 0..<kernel {
          let y = top + ky
          if y < 0 || y >= input.height || first >= last {
            target.update(repeating: 0, count: run)
          } else {
            let before = first * input.channels
            let inside = (last - first) * input.channels
            target.update(repeating: 0, count: before)
            (target + before).update(
              from: image + (y * input.width + left + first) * input.channels, count: inside)
            (target + before + inside).update(repeating: 0, count: run - before - inside)
          }
          target += run
        }
      }
    }
  }

  /// Adds the patch matrix of output rows `rows` back to the places it came from: col2im.
  package func scatterAdd(
    _ columns: UnsafePointer<Float>, rows: Range<Int>, into dx: UnsafeMutablePointer<Float>
  ) {
    let run = kernel * input.channels
    var source = columns
    for row in rows {
      let image = dx + row / output.height * input.count
      let top = row % output.height * stride - padding
      for ox in 0..<output.width {
        let left = ox * stride - padding
        let first = max(0, -left)
        let last = min(kernel, input.width - left)
        for ky in 0..<kernel {
          let y = top + ky
          if y >= 0 && y < input.height && first < last {
            let from = source + first * input.channels
            let to = image + (y * input.width + left + first) * input.channels
            for i in 0..<(last - first) * input.channels { to[i] += from[i] }
          }
          source += run
        }
      }
    }
  }
}

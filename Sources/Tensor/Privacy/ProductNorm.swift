/// The squared norm of one example's weight gradient, G = Σ_t b_t ⊗ a_t over T positions, without
/// the gradient: ‖G‖² = Σ_{t,s} ⟨a_t, a_s⟩·⟨b_t, b_s⟩, for one position ‖a‖²·‖b‖²; and of the bias
/// gradient, ‖Σ_t b_t‖².
///
/// Under a window, ⟨a_t, a_s⟩ is the sum over the window's places of products of two pixels, so
/// products of all pairs of pixels are formed once, and their sums instead of longer products.
///
/// Several rows of a batch that are one example are more positions.
/// - Source: Goodfellow 2015, arXiv:1510.01799; Li et al. 2021, arXiv:2110.05679, section 4;
///   windows as sums of products of pixels follow from the definition.
package struct ProductNorm: Sendable {
  let products: OuterProducts
  /// Rows of a batch that are one example.
  package let rows: Int

  /// The norm of a layer's gradient over so many rows.
  package init(_ products: OuterProducts, rows: Int) {
    self.products = products
    self.rows = rows
  }

  /// Positions of b of one example.
  private var positions: Int { rows * products.positions }
  /// Vectors whose pairs are multiplied instead of a's: pixels under windows.
  private var pixels: Int { products.window.map { rows * $0.input.positions } ?? positions }
  /// Floats of such a vector.
  private var pixelWidth: Int { products.window?.input.channels ?? products.inputs }

  /// Floats that one example's input takes, and one example's b.
  package var inputCount: Int { pixels * pixelWidth }
  var outputCount: Int { positions * products.outputs }

  /// Floating-point operations for one example.
  package var operationCount: Int {
    guard positions > 1 else { return 2 * (products.inputs + products.outputs) }
    let window = products.window.map { $0.kernel * $0.kernel } ?? 0
    return 2 * pixels * pixels * pixelWidth + 2 * positions * positions * products.outputs + 2
      * window * positions * positions
  }

  /// Whether this costs less than a gradient that is written, read for its norm and read for a sum,
  /// and that in so much memory that fewer examples pass through the network together.
  ///
  /// Measured on the models here: a weight costs as much as 16 operations where the gradient is
  /// still in a usual second-level cache when its norm is taken, and as 64 where it is not.
  var isCheap: Bool {
    if positions == 1, products.window == nil { return true }
    let weights = products.inputs * products.outputs
    return operationCount <= (weights > 1 << 16 ? 64 : 16) * weights
  }

  /// Floats of scratch: both matrices of products, the bias gradient, and what products need.
  package var scratchCount: Int {
    guard positions > 1 || products.window != nil else { return 0 }
    return matrixCount(pixels) + matrixCount(positions) + (products.outputs + 15) / 16 * 16
      + max(
        MatrixProduct.scratchCount(columns: pixels, depth: pixelWidth),
        MatrixProduct.scratchCount(columns: positions, depth: products.outputs)) + 16
  }

  private func matrixCount(_ side: Int) -> Int { (side * side + 15) / 16 * 16 }

  /// ‖G‖² + ‖Σ b_t‖² of one example, or nil where so much cancels that rounding would show.
  ///
  /// Products are summed in Float, products of products in Double. Their rounding errors are about
  /// 10⁻⁷ of Σ_t ‖a_t‖²·‖b_t‖²; where the norm is far below that, the gradient itself must be
  /// looked at.
  ///
  /// - Complexity: `operationCount`, no allocation.
  package func squared(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) -> Double? {
    if positions == 1, products.window == nil {
      let ofB = ScaledRows.squaredLength(b, products.outputs)
      let ofA = ScaledRows.squaredLength(a, products.inputs)
      return ofA * ofB + (products.hasBias ? ofB : 0)
    }
    let ofPixels = scratch
    let ofB = ofPixels + matrixCount(pixels)
    let bias = ofB + matrixCount(positions)
    let rest = bias + (products.outputs + 15) / 16 * 16
    Self.pairs(a, count: pixels, width: pixelWidth, ofPixels, scratch: rest)
    Self.pairs(b, count: positions, width: products.outputs, ofB, scratch: rest)
    let (total, diagonal) =
      products.window.map { windowed($0, ofPixels, ofB) } ?? plain(ofPixels, ofB)
    guard total >= 0.25 * diagonal else { return nil }
    guard products.hasBias else { return total }
    ChannelSums.sum(b, into: bias, positions: positions, channels: products.outputs)
    return total + ScaledRows.squaredLength(bias, products.outputs)
  }

  /// ⟨x_t, x_s⟩ for all pairs of `count` rows.
  private static func pairs(
    _ x: UnsafePointer<Float>, count: Int, width: Int, _ products: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    MatrixProduct(a: x, formA: .normal, aStride: width, b: x, formB: .transposed, bStride: width)
      .run(
        rows: count, columns: count, depth: width, products, stride: count, .overwrite,
        scratch: scratch)
  }

  /// Σ_{t,s} A_ts·B_ts and Σ_t A_tt·B_tt.
  private func plain(_ ofA: UnsafePointer<Float>, _ ofB: UnsafePointer<Float>) -> (Double, Double) {
    var diagonal = 0.0
    for t in 0..<positions {
      let place = t &* positions &+ t
      diagonal += Double(ofA[place]) * Double(ofB[place])
    }
    return (Self.product(ofA, ofB, positions &* positions), diagonal)
  }

  /// The same where A_ts is a sum over the places of a window.
  private func windowed(
    _ window: ConvolutionGeometry, _ ofPixels: UnsafePointer<Float>, _ ofB: UnsafePointer<Float>
  ) -> (Double, Double) {
    var (total, diagonal) = (0.0, 0.0)
    let (height, width) = (window.output.height, window.output.width)
    for ky in 0..<window.kernel {
      let down = Self.inside(height, window.input.height, window, ky)
      for kx in 0..<window.kernel {
        let across = Self.inside(width, window.input.width, window, kx)
        guard !down.isEmpty, !across.isEmpty else { continue }
        // Where position (image, oy, ox) has this place of its window.
        func pixel(_ image: Int, _ oy: Int, _ ox: Int) -> Int {
          let y = oy &* window.stride &+ ky &- window.padding
          let x = ox &* window.stride &+ kx &- window.padding
          return (image &* window.input.height &+ y) &* window.input.width &+ x
        }
        for image in 0..<rows {
          for oy in down {
            for ox in across {
              let t = (image &* height &+ oy) &* width &+ ox
              let p = pixel(image, oy, ox)
              let ofPixel = ofPixels + p &* pixels
              let ofPosition = ofB + t &* positions
              diagonal += Double(ofPixel[p]) * Double(ofPosition[t])
              for other in 0..<rows {
                for line in down {
                  let s = (other &* height &+ line) &* width &+ across.lowerBound
                  total += Self.product(
                    ofPixel + pixel(other, line, across.lowerBound), ofPosition + s, across.count,
                    stride: window.stride)
                }
              }
            }
          }
        }
      }
    }
    return (total, diagonal)
  }

  /// Outputs whose window has its place `tap` inside the input.
  private static func inside(
    _ outputs: Int, _ inputs: Int, _ window: ConvolutionGeometry, _ tap: Int
  ) -> Range<Int> {
    let shift = window.padding - tap
    let first = shift > 0 ? (shift + window.stride - 1) / window.stride : 0
    let last = (inputs - 1 + shift) / window.stride
    return inputs - 1 + shift < 0 || first > last
      ? 0..<0 : first..<max(first, min(outputs, last + 1))
  }

  /// Σ x[i·stride]·y[i] in Double.
  @inline(__always) private static func product(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int, stride: Int = 1
  ) -> Double {
    var sums = SIMD8<Double>()
    var i = 0
    if stride == 1 {
      while i &+ 8 <= count {
        let left = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self)
        let right = UnsafeRawPointer(y + i).loadUnaligned(as: SIMD8<Float>.self)
        sums += SIMD8<Double>(left) * SIMD8<Double>(right)
        i &+= 8
      }
    }
    var total = sums.sum()
    while i < count {
      total += Double(x[i &* stride]) * Double(y[i])
      i &+= 1
    }
    return total
  }
}

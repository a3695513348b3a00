import Base
import Tensor

/// How like two images are.
package struct ImageScore: Sendable, Equatable {
  /// 10·log₁₀(range²/MSE) in decibels, at most `largestPSNR`.
  package let psnr: Double
  /// Structural similarity in [−1, 1]; 1 for equal images.
  package let ssim: Double

  /// Stands for equal images, whose PSNR is infinite.
  package static let largestPSNR = 200.0

  /// Compares a reconstruction with the original; both channels last, in the same units.
  ///
  /// - Parameters:
  ///   - found: the reconstruction, [shape.count].
  ///   - truth: the original, [shape.count].
  ///   - range: the largest minus the smallest value that a pixel can have, > 0.
  ///   - shape: size of the images.
  package init(_ found: [Float], _ truth: [Float], range: Double, shape: FeatureShape) {
    psnr = Self.psnr(meanSquare: Self.meanSquare(found, truth), range: range)
    ssim = Self.similarity(found, truth, range: range, shape: shape)
  }

  /// Σ (a − b)²/n.
  static func meanSquare(_ a: [Float], _ b: [Float]) -> Double {
    var sum = 0.0
    for (x, y) in zip(a, b) {
      let difference = Double(x) - Double(y)
      sum += difference * difference
    }
    return sum / Double(max(1, a.count))
  }

  static func psnr(meanSquare: Double, range: Double) -> Double {
    guard meanSquare > 0 else { return meanSquare == 0 ? largestPSNR : 0 }
    return min(largestPSNR, 10 * log10(range * range / meanSquare))
  }

  /// The mean similarity over channels and over all 7×7 windows that lie in the image, smaller ones
  /// where the image is.
  ///
  ///     (2·μ_x·μ_y + C₁)(2·σ_xy + C₂) / ((μ_x² + μ_y² + C₁)(σ_x² + σ_y² + C₂))
  ///
  /// per window, with sample (co)variances, C₁ = (0.01·range)² and C₂ = (0.03·range)².
  ///
  /// - Complexity: O(49 · pixels).
  /// - Source: Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13(4), 2004, with the uniform window
  ///   that scikit-image takes.
  static func similarity(_ a: [Float], _ b: [Float], range: Double, shape: FeatureShape) -> Double {
    let (rows, columns) = (min(7, shape.height), min(7, shape.width))
    let c1 = 1e-4 * range * range
    let c2 = 9e-4 * range * range
    let n = Double(rows * columns)
    // One pixel has no variance: its two factors are then 1.
    let unbiased = n > 1 ? n / (n - 1) : 0
    var total = 0.0
    var windows = 0
    for channel in 0..<shape.channels {
      for top in 0...(shape.height - rows) {
        for left in 0...(shape.width - columns) {
          var (x, y, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
          for row in top..<top + rows {
            for column in left..<left + columns {
              let at = (row * shape.width + column) * shape.channels + channel
              let (p, q) = (Double(a[at]), Double(b[at]))
              x += p
              y += q
              xx += p * p
              yy += q * q
              xy += p * q
            }
          }
          x /= n
          y /= n
          let (varX, varY) = (unbiased * (xx / n - x * x), unbiased * (yy / n - y * y))
          let covariance = unbiased * (xy / n - x * y)
          total +=
            (2 * x * y + c1) * (2 * covariance + c2) / ((x * x + y * y + c1) * (varX + varY + c2))
          windows += 1
        }
      }
    }
    return total / Double(max(1, windows))
  }
}

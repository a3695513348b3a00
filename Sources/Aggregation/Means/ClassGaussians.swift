import Base

/// One Gaussian per class of features: from clients' means and covariances to samples.
///
/// With n_kc examples of class c at client k, mean μ_kc and covariance Σ_kc (divisor n_kc − 1):
///
/// μ_c = Σ_k n_kc·μ_kc / n_c,
/// Σ_c = [Σ_k (n_kc − 1)·Σ_kc + Σ_k n_kc·μ_kc·μ_kcᵀ − n_c·μ_c·μ_cᵀ] / (n_c − 1).
///
/// These are the mean and covariance of the union. Luo et al., NeurIPS 2021, arXiv:2106.05001.
/// Symmetric matrices are upper triangles, row by row, [d·(d + 1)/2].
package struct ClassGaussians: Sendable {
  package let width: Int
  /// n_c, [C].
  package private(set) var counts: [Int]
  /// Σ_k n_kc·μ_kc, [d]; empty before the first client.
  private var sums: [[Double]]
  /// Σ_k (n_kc − 1)·Σ_kc + n_kc·μ_kc·μ_kcᵀ.
  private var products: [[Double]]

  package init(classes: Int, width: Int) {
    self.width = width
    counts = [Int](repeating: 0, count: classes)
    sums = [[Double]](repeating: [], count: classes)
    products = sums
  }

  /// Floats of a covariance.
  package static func triangle(_ width: Int) -> Int { width * (width + 1) / 2 }

  /// Mean and covariance of some features.
  ///
  /// `features`: [n × width], n ≥ 1; a single one has covariance 0.
  ///
  /// - Returns: [width] and [width·(width + 1)/2].
  /// - Complexity: O(n·width²).
  package static func measure(_ features: [Float], width: Int) -> (
    mean: [Float], covariance: [Float]
  ) {
    let n = features.count / width
    precondition(n > 0 && features.count == n * width, "ClassGaussians: [\(features.count)]")
    var mean = [Double](repeating: 0, count: width)
    for (i, value) in features.enumerated() { mean[i % width] += Double(value) }
    for i in 0..<width { mean[i] /= Double(n) }
    var covariance = [Double](repeating: 0, count: triangle(width))
    // A few rows at once, in their order: each entry of the triangle is read and written once for
    // all of them, and has the bits of one row after the other.
    for first in stride(from: 0, to: n, by: rowsAtOnce) {
      let rows = (first..<min(first + rowsAtOnce, n)).map { row in
        (0..<width).map { Double(features[row * width + $0]) - mean[$0] }
      }
      addSquares(of: rows, 1, to: &covariance)
    }
    let divisor = Double(max(1, n - 1))
    return (mean.map { Float($0) }, covariance.map { Float($0 / divisor) })
  }

  /// Takes one client's class in.
  ///
  /// `count`: n_kc ≥ 1; `mean`: [width]; `covariance`: [width·(width + 1)/2].
  package mutating func add(class c: Int, count: Int, mean: [Float], covariance: [Float]) {
    precondition(
      mean.count == width && covariance.count == Self.triangle(width),
      "ClassGaussians: mean [\(mean.count)], covariance [\(covariance.count)] for \(width)")
    if counts[c] == 0 {
      sums[c] = [Double](repeating: 0, count: width)
      products[c] = [Double](repeating: 0, count: covariance.count)
    }
    counts[c] += count
    let mean = mean.map(Double.init)
    for i in 0..<width { sums[c][i] += Double(count) * mean[i] }
    for i in covariance.indices { products[c][i] += Double(count - 1) * Double(covariance[i]) }
    Self.addSquare(of: mean, Double(count), to: &products[c])
  }

  /// μ_c, [width], of a class with examples.
  package func mean(_ c: Int) -> [Double] { sums[c].map { $0 / Double(counts[c]) } }

  /// Σ_c, [width·(width + 1)/2]; 0 for a single example.
  package func covariance(_ c: Int) -> [Double] {
    var result = products[c]
    Self.addSquare(of: mean(c), -Double(counts[c]), to: &result)
    let divisor = Double(max(1, counts[c] - 1))
    for i in result.indices { result[i] = counts[c] > 1 ? result[i] / divisor : 0 }
    return result
  }

  /// Draws from N(μ_c, (1 − s)·Σ_c + s·tr(Σ_c)/d·I) of a class with examples.
  ///
  /// `shrinkage`: s in [0, 1]. With 0 and fewer examples than dimensions the Gaussian is flat, and
  /// samples lie where the examples do.
  ///
  /// - Returns: [count × width].
  /// - Complexity: O(width³ + count·width²).
  package func samples(_ c: Int, count: Int, shrinkage: Double, from stream: inout RandomStream)
    -> [Float]
  {
    let mean = mean(c)
    let root = SemidefiniteRoot(covariance(c), width: width, shrinkage: shrinkage)
    return root.samples(count, around: mean, from: &stream)
  }

  /// Rows of features that one pass over a triangle takes in.
  private static let rowsAtOnce = 8

  /// A ← A + a·x·xᵀ.
  private static func addSquare(of x: [Double], _ a: Double, to triangle: inout [Double]) {
    addSquares(of: [x], a, to: &triangle)
  }

  /// A ← A + a·x·xᵀ for one x after the other.
  private static func addSquares(of rows: [[Double]], _ a: Double, to triangle: inout [Double]) {
    guard let width = rows.first?.count else { return }
    let packed = rows.flatMap { $0 }
    packed.withUnsafeBufferPointer { x in
      triangle.withUnsafeMutableBufferPointer { sums in
        var place = 0
        for i in 0..<width {
          for row in 0..<rows.count {
            let factor = a * x[row * width + i]
            let own = row * width + i
            for j in 0..<width - i { sums[place + j] += factor * x[own + j] }
          }
          place += width - i
        }
      }
    }
  }
}

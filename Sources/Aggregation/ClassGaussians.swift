import Tensor

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
  /// d.
  package let width: Int
  /// n_c, [C].
  package private(set) var counts: [Int]
  /// Σ_k n_kc·μ_kc, [d]; empty before the first client.
  private var sums: [[Double]]
  /// Σ_k (n_kc − 1)·Σ_kc + n_kc·μ_kc·μ_kcᵀ.
  private var products: [[Double]]

  /// No client yet.
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
  package static func measure(
    _ features: [Float],
    width: Int
  ) -> (mean: [Float], covariance: [Float]) {
    let n = features.count / width
    precondition(n > 0 && features.count == n * width, "ClassGaussians: [\(features.count)]")
    var mean = [Double](repeating: 0, count: width)
    for (i, value) in features.enumerated() { mean[i % width] += Double(value) }
    for i in 0..<width { mean[i] /= Double(n) }
    var covariance = [Double](repeating: 0, count: triangle(width))
    var centred = mean
    for row in 0..<n {
      for i in 0..<width { centred[i] = Double(features[row * width + i]) - mean[i] }
      addSquare(of: centred, 1, to: &covariance)
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
      "ClassGaussians: mean [\(mean.count)], covariance [\(covariance.count)] for \(width)"
    )
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
  package func samples(
    _ c: Int,
    count: Int,
    shrinkage: Double,
    from stream: inout RandomStream
  ) -> [Float] {
    let mean = mean(c)
    let root = SemidefiniteRoot(covariance(c), width: width, shrinkage: shrinkage)
    var values: [Float] = []
    values.reserveCapacity(count * width)
    var normals = mean
    for _ in 0..<count {
      for i in 0..<width { normals[i] = stream.normal() }
      let offsets = root.times(normals)
      for i in 0..<width { values.append(Float(mean[i] + offsets[i])) }
    }
    return values
  }

  /// A ← A + a·x·xᵀ.
  private static func addSquare(of x: [Double], _ a: Double, to triangle: inout [Double]) {
    var place = 0
    for i in x.indices {
      let factor = a * x[i]
      for j in i..<x.count { triangle[place + j - i] += factor * x[j] }
      place += x.count - i
    }
  }
}

/// A lower triangular L with L·Lᵀ = A for a symmetric A without negative eigenvalues, [d × d].
///
/// Cholesky's decomposition that leaves a column out where nothing is left of its variance: less
/// than 10⁻⁶ of the largest, for A was sent in single precision.
struct SemidefiniteRoot {
  private let width: Int
  private var l: [Double]

  /// The root of (1 − s)·A + s·tr(A)/d·I; `a`: the upper triangle of A, row by row.
  ///
  /// - Complexity: d³/3 floating-point operations.
  init(_ a: [Double], width: Int, shrinkage: Double) {
    self.width = width
    l = [Double](repeating: 0, count: width * width)
    var place = 0
    var trace = 0.0
    for i in 0..<width {
      trace += a[place]
      for j in i..<width { l[j * width + i] = (1 - shrinkage) * a[place + j - i] }
      place += width - i
    }
    var largest = 0.0
    for i in 0..<width {
      l[i * width + i] += shrinkage * trace / Double(width)
      largest = max(largest, l[i * width + i])
    }
    for j in 0..<width {
      var pivot = l[j * width + j]
      for k in 0..<j { pivot -= l[j * width + k] * l[j * width + k] }
      let isFlat = pivot <= 1e-6 * largest
      let root = isFlat ? 0 : pivot.squareRoot()
      l[j * width + j] = root
      for i in j + 1..<max(width, j + 1) {
        var value = l[i * width + j]
        for k in 0..<j { value -= l[i * width + k] * l[j * width + k] }
        l[i * width + j] = isFlat ? 0 : value / root
      }
    }
  }

  /// L·x.
  func times(_ x: [Double]) -> [Double] {
    (0..<width).map { i in
      var sum = 0.0
      for k in 0...i { sum += l[i * width + k] * x[k] }
      return sum
    }
  }
}

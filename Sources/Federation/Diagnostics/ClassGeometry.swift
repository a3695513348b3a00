import Records

/// Where the classes' features lie: their means, and what neural collapse says of them.
///
/// Of C classes with test images, let h_i [d] be the feature of image i, μ_c the mean of class c,
/// μ = (1/C)·Σ_c μ_c, and m_c = μ_c − μ. All classes count alike, as on a balanced test set:
///
///     Σ_W = (1/C)·Σ_c (1/n_c)·Σ_{i ∈ c} (h_i − μ_c)(h_i − μ_c)ᵀ,   Σ_B = (1/C)·Σ_c m_c·m_cᵀ
///
/// Σ_B is d × d but of rank below C, so its pseudo-inverse is found in C × C: with M [C × d] the
/// rows m_c, Σ_B = (1/C)·MᵀM, and the Gram matrix G = (1/C)·MMᵀ = U·Λ·Uᵀ has the same eigenvalues
/// other than zero. The eigenvectors of Σ_B are the columns of V = Mᵀ·U·Λ^(−1/2)/√C, hence
///
///     Σ_B⁺ = V·Λ⁻¹·Vᵀ = PᵀP / C   with   P = Λ⁻¹·Uᵀ·M   [r × d]
///     NC1 = tr(Σ_W·Σ_B⁺)/C = (1/C)·(1/C)·Σ_c (1/n_c)·Σ_{i ∈ c} ‖P·(h_i − μ_c)‖² / C
///
/// where eigenvalues up to max(C, d)·2⁻⁵²·λ_max count as zero.
///
/// - Source: Papyan, Han and Donoho, Prevalence of neural collapse during the terminal phase of
///   deep learning training, PNAS 117(40), 2020, arXiv:2008.08186 (NC1 to NC3).
struct ClassGeometry {
  let width: Int
  /// Classes with images, ascending; C of them.
  let classes: [Int]
  /// μ_c of each of these, [C × d].
  let means: [Double]
  /// M, [C × d].
  let centred: [Double]
  /// Pᵀ, [d × r]; r may be 0.
  let projection: [Double]
  /// r, the rank of Σ_B.
  let rank: Int

  /// The most classes for which the eigenvalues are found.
  static let mostClasses = 256

  /// The geometry of sums of features; nil for fewer than two classes with images, more than
  /// `mostClasses` of them, or features that are not finite.
  ///
  /// O(C²·d + C³).
  ///
  /// - Parameters:
  ///   - sums: Σ h_i of each class, [classes × d].
  ///   - counts: images of each class.
  ///   - width: d.
  init?(sums: [Double], counts: [Int], width: Int) {
    let present = counts.indices.filter { counts[$0] > 0 }
    let c = present.count
    guard c >= 2, c <= Self.mostClasses, width > 0 else { return nil }
    var means = [Double](repeating: 0, count: c * width)
    var centre = [Double](repeating: 0, count: width)
    for (row, label) in present.enumerated() {
      for j in 0..<width {
        let mean = sums[label * width + j] / Double(counts[label])
        means[row * width + j] = mean
        centre[j] += mean
      }
    }
    var centred = means
    for row in 0..<c { for j in 0..<width { centred[row * width + j] -= centre[j] / Double(c) } }
    guard centred.allSatisfy({ abs($0) < 1e100 }) else { return nil }
    self.width = width
    classes = present
    self.means = means
    self.centred = centred
    var gram = [Double](repeating: 0, count: c * c)
    for a in 0..<c {
      for b in a..<c { gram[a * c + b] = Self.dot(centred, a, centred, b, width) / Double(c) }
    }
    let eigen = SymmetricEigen(gram, c)
    let least = Double(max(c, width)) * Double.ulpOfOne * (eigen.values.first ?? 0)
    rank = eigen.values.count { $0 > least && $0 > 1e-200 }
    projection = Self.projection(eigen, rank, centred, c, width)
  }

  /// Pᵀ, [d × r].
  private static func projection(
    _ eigen: SymmetricEigen, _ rank: Int, _ centred: [Double], _ c: Int, _ width: Int
  ) -> [Double] {
    var p = [Double](repeating: 0, count: width * rank)
    for k in 0..<rank {
      for row in 0..<c {
        let factor = eigen.vectors[k * c + row] / eigen.values[k]
        for j in 0..<width { p[j * rank + k] += factor * centred[row * width + j] }
      }
    }
    return p
  }

  private static func dot(_ x: [Double], _ a: Int, _ y: [Double], _ b: Int, _ n: Int) -> Double {
    var sum = 0.0
    for j in 0..<n { sum += x[a * n + j] * y[b * n + j] }
    return sum
  }

  /// ‖P·(h − μ_c)‖² of one feature [d] of the class in row `row`; `scratch` has r places.
  ///
  /// O(d·r), no allocation.
  func spread(_ feature: UnsafePointer<Float>, row: Int, scratch: UnsafeMutablePointer<Double>)
    -> Double
  {
    for k in 0..<rank { scratch[k] = 0 }
    projection.withUnsafeBufferPointer { p in
      means.withUnsafeBufferPointer { means in
        guard let p = p.baseAddress else { return }
        for j in 0..<width {
          let z = Double(feature[j]) - means[row * width + j]
          let line = p + j * rank
          for k in 0..<rank { scratch[k] += z * line[k] }
        }
      }
    }
    var sum = 0.0
    for k in 0..<rank { sum += scratch[k] * scratch[k] }
    return sum
  }

  /// NC1 of `sums`, Σ_i ‖P·(h_i − μ_c)‖² of each row, over `counts` images of each row; nil when
  /// all means are the same.
  func withinClassVariability(_ sums: [Double], _ counts: [Int]) -> Double? {
    guard rank > 0 else { return nil }
    let c = Double(classes.count)
    return zip(sums, counts).reduce(0) { $0 + $1.0 / Double($1.1) } / (c * c * c)
  }

  /// cos(m_a, m_b) of all pairs a < b whose means differ from μ: their standard deviation, and the
  /// mean of |cos + 1/(C − 1)|, which is zero when the classes are as far apart as they can be.
  var cosines: (deviation: Double, gap: Double)? {
    let c = classes.count
    let norms = self.norms
    var values: [Double] = []
    for a in 0..<c where norms[a] > 0 {
      for b in a + 1..<max(a + 1, c) where norms[b] > 0 {
        values.append(Self.dot(centred, a, centred, b, width) / (norms[a] * norms[b]))
      }
    }
    if values.isEmpty { return nil }
    let mean = Metrics.mean(values)
    let variance = Metrics.mean(values.map { ($0 - mean) * ($0 - mean) })
    return (variance.squareRoot(), Metrics.mean(values.map { abs($0 + 1 / Double(c - 1)) }))
  }

  /// Standard deviation of ‖m_c‖ over classes divided by its mean; nil when all are zero.
  var normVariation: Double? {
    let norms = self.norms
    let mean = Metrics.mean(norms)
    guard mean > 0 else { return nil }
    return Metrics.mean(norms.map { ($0 - mean) * ($0 - mean) }).squareRoot() / mean
  }

  /// ‖m_c‖ of each row.
  private var norms: [Double] {
    classes.indices.map { Self.dot(centred, $0, centred, $0, width).squareRoot() }
  }

  /// How a linear classifier's rows lie to the class means: ‖W/‖W‖_F − M/‖M‖_F‖_F, in [0, 2], and
  /// the mean over classes of cos(w_c, m_c); nil where one of both is all zeros.
  ///
  /// `weight`: W, [all classes × d].
  func alignment(_ weight: [Double]) -> (distance: Double, cosine: Double)? {
    let rows = classes.flatMap { weight[$0 * width..<($0 + 1) * width] }
    let (w, m) = (Self.length(rows), Self.length(centred))
    guard w > 0, m > 0, w.isFinite else { return nil }
    var distance = 0.0
    for (a, b) in zip(rows, centred) { distance += (a / w - b / m) * (a / w - b / m) }
    var cosines: [Double] = []
    for row in classes.indices {
      let product = Self.dot(rows, row, centred, row, width)
      let (x, y) = (
        Self.dot(rows, row, rows, row, width), Self.dot(centred, row, centred, row, width)
      )
      if x > 0, y > 0 { cosines.append(product / (x.squareRoot() * y.squareRoot())) }
    }
    return (distance.squareRoot(), Metrics.mean(cosines))
  }

  private static func length(_ x: [Double]) -> Double {
    var sum = 0.0
    for value in x { sum += value * value }
    return sum.squareRoot()
  }
}

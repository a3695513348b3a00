/// Eigenvalues and eigenvectors of a small symmetric matrix in double precision.
///
/// Cyclic Jacobi: each rotation makes one pair of off-diagonal entries zero,
///
///     θ = (a_qq − a_pp) / (2·a_pq),   t = sgn(θ) / (|θ| + √(θ² + 1))
///     c = 1/√(t² + 1),   s = t·c
///
/// and a sweep rotates all pairs in order. Sweeps go on until no entry off the diagonal moves the
/// diagonal any more; some ten are enough, and errors are a few roundings of the largest value.
/// O(n³) a sweep: meant for n up to a few hundred.
///
/// - Source: Golub and Van Loan, Matrix Computations (4th edition, 2013), §8.5.
struct SymmetricEigen {
  let values: [Double]
  /// [n × n]: row k is the unit eigenvector of eigenvalue k.
  let vectors: [Double]

  private static let mostSweeps = 60

  /// Decomposes [n × n], of which the upper triangle is read.
  ///
  /// - Parameters:
  ///   - matrix: by rows, finite.
  ///   - n: ≥ 0.
  init(_ matrix: [Double], _ n: Int) {
    precondition(matrix.count == n * n, "SymmetricEigen: \(matrix.count) numbers, n \(n)")
    var a = matrix
    for i in 0..<n { for j in 0..<i { a[i * n + j] = a[j * n + i] } }
    var v = [Double](repeating: 0, count: n * n)
    for i in 0..<n { v[i * n + i] = 1 }
    for _ in 0..<Self.mostSweeps where Self.sweep(&a, &v, n) == 0 { break }
    let order = (0..<n).sorted { (-a[$0 * n + $0], $0) < (-a[$1 * n + $1], $1) }
    values = order.map { a[$0 * n + $0] }
    vectors = order.flatMap { v[$0 * n..<($0 + 1) * n] }
  }

  /// One sweep; the number of rotations.
  private static func sweep(_ a: inout [Double], _ v: inout [Double], _ n: Int) -> Int {
    var rotations = 0
    for p in 0..<max(0, n - 1) {
      for q in p + 1..<n {
        let (off, app, aqq) = (a[p * n + q], a[p * n + p], a[q * n + q])
        // What is lost in the rounding of both diagonal entries needs no rotation.
        guard abs(off) > .ulpOfOne * (abs(app) * abs(aqq)).squareRoot(), abs(off) > 1e-300 else {
          continue
        }
        rotations += 1
        let theta = (aqq - app) / (2 * off)
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        rotate(&a, &v, n, (p, q), c, t * c)
        a[p * n + p] = app - t * off
        a[q * n + q] = aqq + t * off
        a[p * n + q] = 0
        a[q * n + p] = 0
      }
    }
    return rotations
  }

  private static func rotate(
    _ a: inout [Double], _ v: inout [Double], _ n: Int, _ pair: (p: Int, q: Int), _ c: Double,
    _ s: Double
  ) {
    let (p, q) = pair
    a.withUnsafeMutableBufferPointer { a in
      for k in 0..<n where k != p && k != q {
        let (x, y) = (a[p * n + k], a[q * n + k])
        a[p * n + k] = c * x - s * y
        a[q * n + k] = s * x + c * y
      }
      for k in 0..<n where k != p && k != q {
        a[k * n + p] = a[p * n + k]
        a[k * n + q] = a[q * n + k]
      }
    }
    v.withUnsafeMutableBufferPointer { v in
      for k in 0..<n {
        let (x, y) = (v[p * n + k], v[q * n + k])
        v[p * n + k] = c * x - s * y
        v[q * n + k] = s * x + c * y
      }
    }
  }
}

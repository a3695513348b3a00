import Base
import Tensor
import TestSupport
import Testing

/// The one door to OpenBLAS against three loops.
@Suite("Matrix products")
struct BLASTests {
  static let sizes = [
    (1, 1, 1), (1, 7, 3), (5, 1, 9), (3, 4, 1), (2, 3, 0), (17, 13, 31), (33, 65, 7), (64, 10, 128),
    (100, 3, 257),
  ]
  static let forms: [(BLAS.Form, BLAS.Form)] = [
    (.normal, .normal), (.transposed, .normal), (.normal, .transposed), (.transposed, .transposed),
  ]

  @Test("OpenBLAS is there and names its kernels")
  func facts() {
    #expect(BLAS.facts.failure == nil)
    #expect(!BLAS.facts.coreType.isEmpty && !BLAS.facts.configuration.isEmpty)
  }

  @Test("Odd sizes, all transpositions, α and β, wide rows", arguments: sizes, forms)
  func products(
    size: (Int, Int, Int), forms: (BLAS.Form, BLAS.Form)
  ) {
    let (m, n, k) = size
    for (alpha, beta, extra) in [(Float(1), Float(0), 0), (1, 1, 0), (-0.5, 2, 3)] {
      var stream = RandomStream(seed: 1, .test, client: m, step: n)
      let lda = (forms.0 == .normal ? k : m) + extra
      let ldb = (forms.1 == .normal ? n : k) + extra
      let ldc = n + extra
      let a = (0..<max(1, (forms.0 == .normal ? m : k) * lda)).map { _ in Float(stream.gaussian()) }
      let b = (0..<max(1, (forms.1 == .normal ? k : n) * ldb)).map { _ in Float(stream.gaussian()) }
      let start = (0..<m * ldc).map { _ in beta == 0 ? Float.nan : Float(stream.gaussian()) }
      var c = start
      BLAS.gemm(
        forms.0, forms.1, m: m, n: n, k: k, alpha: alpha, a, lda: max(1, lda), b, ldb: max(1, ldb),
        beta: beta, &c, ldc: ldc)
      for i in 0..<m {
        for j in 0..<ldc {
          guard j < n else {
            #expect(c[i * ldc + j].bitPattern == start[i * ldc + j].bitPattern)
            continue
          }
          var sum = 0.0
          var size = 0.0
          for p in 0..<k {
            let product =
              Double(forms.0 == .normal ? a[i * lda + p] : a[p * lda + i])
              * Double(forms.1 == .normal ? b[p * ldb + j] : b[j * ldb + p])
            sum += product
            size += abs(product)
          }
          let old = beta == 0 ? 0 : Double(beta * start[i * ldc + j])
          // k products and k sums, α and β: the classic bound (k + 3)·u·Σ|terms|.
          let bound = Double(k + 3) * Rounding.unit * (abs(Double(alpha)) * size + abs(old))
          #expect(abs(Double(c[i * ldc + j]) - (Double(alpha) * sum + old)) <= bound)
        }
      }
    }
  }

  @Test("Equal products give equal bits")
  func repeatable() {
    var stream = RandomStream(seed: 2, .test)
    let a = (0..<64 * 300).map { _ in Float(stream.gaussian()) }
    let b = (0..<300 * 48).map { _ in Float(stream.gaussian()) }
    var results: [[Float]] = []
    for _ in 0..<3 {
      var c = [Float](repeating: 0, count: 64 * 48)
      BLAS.gemm(.normal, .normal, m: 64, n: 48, k: 300, a, b, beta: 0, &c)
      results.append(c)
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }
}

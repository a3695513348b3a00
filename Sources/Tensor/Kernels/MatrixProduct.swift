/// C ← op(A)·op(B), or C ← C + op(A)·op(B), or C ← op(A)·op(B) + bias: row-major matrices whose
/// rows may lie apart, through the register tiles or through OpenBLAS.
///
/// For many rows: B is cut into stretches of k and panels of columns that are laid out one after
/// the other before they are used, so that a panel stays in the cache and no stride makes its rows
/// collide there; A is taken in blocks of rows that stay in the second-level cache.
struct MatrixProduct {
  let a: UnsafePointer<Float>
  let formA: BLAS.Form
  /// Floats per stored row of A.
  let aStride: Int
  let b: UnsafePointer<Float>
  let formB: BLAS.Form
  /// Floats per stored row of B.
  let bStride: Int

  /// What becomes of the product.
  enum Outcome {
    case overwrite
    case add
    /// C ← product + one value per column.
    case bias(UnsafePointer<Float>)
  }

  /// Extent of k per stretch: 32 columns of B and 12 rows of A of it stay near the registers.
  private static var stretch: Int { 256 }
  /// Columns of a panel: those of the widest tile.
  private static var panel: Int { 32 }
  /// Rows of A that are finished across all columns before the next: a multiple of a tile's 12.
  private static var rowBlock: Int { 252 }

  /// Floats of scratch for a product with so many columns and so long sums.
  static func scratchCount(columns: Int, depth: Int) -> Int { min(depth, stretch) * columns + 32 }

  /// `rows` × `columns` results at c[r·cStride + column], each a sum of `depth` products.
  ///
  /// - Complexity: 2·rows·columns·depth floating-point operations.
  func run(
    rows: Int, columns: Int, depth: Int, _ c: UnsafeMutablePointer<Float>, stride cStride: Int,
    _ outcome: Outcome, scratch: UnsafeMutablePointer<Float>
  ) {
    guard CPUFeatures.prefersOwnKernels else {
      runLibrary(rows, columns, depth, c, cStride, outcome)
      return
    }
    var k = 0
    while k < depth {
      let length = min(Self.stretch, depth &- k)
      pack(k, length, columns, into: scratch)
      let isFirst = k == 0
      var row = 0
      while row < rows {
        let count = min(Self.rowBlock, rows &- row)
        var column = 0
        while column < columns {
          let width = min(Self.panel, columns &- column)
          TileProduct(
            a: formA == .normal ? a + (row &* aStride &+ k) : a + (k &* aStride &+ row),
            aRow: formA == .normal ? aStride : 1, aOuter: 0, aStep: formA == .normal ? 1 : aStride,
            b: scratch + column &* length, bOuter: 0, bStep: width, outer: 1, depth: length
          ).run(
            rows: count, columns: width, c + (row &* cStride &+ column), row: cStride,
            finish(outcome, isFirst: isFirst, column: column))
          column &+= width
        }
        row &+= count
      }
      k &+= length
    }
  }

  /// Later stretches of k add to what the first has left.
  private func finish(_ outcome: Outcome, isFirst: Bool, column: Int) -> Finish {
    guard isFirst else { return .add }
    return switch outcome {
    case .overwrite: .overwrite
    case .add: .add
    case .bias(let bias): Finish(kind: .bias, bias: bias + column)
    }
  }

  /// Rows k ..< k + length of op(B), panel by panel, each [length × width].
  private func pack(
    _ k: Int, _ length: Int, _ columns: Int, into packed: UnsafeMutablePointer<Float>
  ) {
    var column = 0
    while column < columns {
      let width = min(Self.panel, columns &- column)
      let to = packed + column &* length
      if formB == .transposed {
        Transpose.copy(
          b + (column &* bStride &+ k), rows: width, columns: length, stride: bStride, to: to)
      } else {
        let from = b + (k &* bStride &+ column)
        for r in 0..<length { (to + r &* width).update(from: from + r &* bStride, count: width) }
      }
      column &+= width
    }
  }

  private func runLibrary(
    _ rows: Int, _ columns: Int, _ depth: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int,
    _ outcome: Outcome
  ) {
    var beta: Float = 1
    switch outcome {
    case .overwrite: beta = 0
    case .add: break
    case .bias(let bias): for r in 0..<rows { (c + r * cStride).update(from: bias, count: columns) }
    }
    BLAS.gemm(
      formA, formB, m: rows, n: columns, k: depth, a, lda: aStride, b, ldb: bStride, beta: beta, c,
      ldc: cStride)
  }
}

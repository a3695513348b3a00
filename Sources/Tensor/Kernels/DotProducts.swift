/// y[r, o] ← y[r, o] + Σ_k x[r, k]·w[o, k]: few rows times a transposed matrix, both read along
/// their rows.
///
/// Each weight is read once and used for all rows, so the product of a small batch with a large
/// dense layer runs at the speed of memory. Lanes are summed at the end of each stretch of k, in
/// order.
struct DotProducts {
  let x: UnsafePointer<Float>
  let w: UnsafePointer<Float>
  /// Extent of k, the floats in a row of x and of w.
  let depth: Int
  let scratch: UnsafeMutablePointer<Float>

  /// Two groups of sixteen vectors.
  static var scratchCount: Int { 512 }

  /// Rows for which this is the better way; more are worth a transposition of w.
  static var mostRows: Int { CPUFeatures.compiledForAVX512 ? 24 : 6 }

  /// Floats of k per stretch: that much of twelve rows of x stays in the first-level cache.
  private static var stretch: Int { 512 }
  /// Rows of a tile whose accumulators, two vectors each, fill the registers.
  private static var tileRows: Int { CPUFeatures.compiledForAVX512 ? 12 : 3 }

  /// Adds to y [rows × outputs].
  ///
  /// - Complexity: 2·rows·outputs·depth floating-point operations.
  func add(rows: Int, outputs: Int, to y: UnsafeMutablePointer<Float>) {
    var first = 0
    while first < rows {
      let tiles = (rows &- first &+ Self.tileRows &- 1) / Self.tileRows
      let count = (rows &- first &+ tiles &- 1) / tiles
      var k = 0
      while k < depth {
        let length = min(Self.stretch, depth &- k)
        addStretch(k, length, first, count, outputs, y)
        k &+= length
      }
      first &+= count
    }
  }

  private func addStretch(
    _ k: Int, _ length: Int, _ first: Int, _ rows: Int, _ outputs: Int,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let x = self.x + (first &* depth &+ k)
    var o = 0
    while o < outputs {
      let w = self.w + (o &* depth &+ k)
      let to = y + (first &* outputs &+ o)
      if o &+ 2 <= outputs {
        pair(rows, x, w, length, to, outputs)
        o &+= 2
      } else {
        single(rows, x, w, length, to, outputs)
        o &+= 1
      }
    }
  }

  /// Kept apart for each tile: in one large function the compiler runs out of registers.
  @inline(never) private func multiply<Tile: RegisterTile>(
    _: Tile.Type, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ length: Int,
    _ y: UnsafeMutablePointer<Float>, _ yRow: Int
  ) {
    var tile = Tile.zero
    var k = 0
    // The rows after these lie elsewhere in memory: nothing but us knows that they are next.
    let next = w + Tile.Width.width / 16 &* depth
    while k &+ 16 <= length {
      (next + k).prefetch()
      if Tile.Width.width == 32 { (next + (depth &+ k)).prefetch() }
      tile.accumulateLanes(x + k, depth, Tile.Width(rows: w + k, depth))
      k &+= 16
    }
    // Sums of lanes use other registers than products: apart, neither runs out of them.
    tile.write(scratch, Tile.Width.width, .overwrite)
    addLaneSums(Tile.rows, Tile.Width.width / 16, y, yRow)
    while k < length {
      for r in 0..<Tile.rows {
        for o in 0..<Tile.Width.width / 16 {
          y[r &* yRow &+ o] += x[r &* depth &+ k] * w[o &* depth &+ k]
        }
      }
      k &+= 1
    }
  }

  /// y[r, o] ← y[r, o] + the sum of the lanes of vector r·outputs + o in scratch.
  ///
  /// Sixteen at once: every halving adds neighbouring lanes of two vectors, so sixteen sums take
  /// fifteen additions.
  @inline(never) private func addLaneSums(
    _ rows: Int, _ outputs: Int, _ y: UnsafeMutablePointer<Float>, _ yRow: Int
  ) {
    let count = rows &* outputs
    var first = 0
    while first < count {
      let sums = DotProducts.sums(scratch + 16 &* first)
      scratch.vector = sums
      for i in 0..<min(16, count &- first) {
        let place = first &+ i
        let r = outputs == 2 ? place >> 1 : place
        y[r &* yRow &+ (outputs == 2 ? place & 1 : 0)] += scratch[i]
      }
      first &+= 16
    }
  }

  /// The lane sums of sixteen vectors.
  @inline(__always) private static func sums(_ vectors: UnsafePointer<Float>) -> Vector {
    @inline(__always) func two(_ i: Int) -> Vector {
      .fold1((vectors + 16 &* i).vector, (vectors + 16 &* (i &+ 1)).vector)
    }
    @inline(__always) func four(_ i: Int) -> Vector { .fold2(two(i), two(i &+ 2)) }
    @inline(__always) func eight(_ i: Int) -> Vector { .fold3(four(i), four(i &+ 4)) }
    return .fold4(eight(0), eight(8))
  }

  private func pair(
    _ rows: Int, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ n: Int,
    _ y: UnsafeMutablePointer<Float>, _ yRow: Int
  ) {
    switch rows {
    case 1: multiply(Rows1<TwoVectors>.self, x, w, n, y, yRow)
    case 2: multiply(Rows2<TwoVectors>.self, x, w, n, y, yRow)
    case 3: multiply(Rows3<TwoVectors>.self, x, w, n, y, yRow)
    case 4: multiply(Rows4<TwoVectors>.self, x, w, n, y, yRow)
    case 5: multiply(Rows5<TwoVectors>.self, x, w, n, y, yRow)
    case 6: multiply(Rows6<TwoVectors>.self, x, w, n, y, yRow)
    case 7: multiply(Rows7<TwoVectors>.self, x, w, n, y, yRow)
    case 8: multiply(Rows8<TwoVectors>.self, x, w, n, y, yRow)
    case 9: multiply(Rows9<TwoVectors>.self, x, w, n, y, yRow)
    case 10: multiply(Rows10<TwoVectors>.self, x, w, n, y, yRow)
    case 11: multiply(Rows11<TwoVectors>.self, x, w, n, y, yRow)
    default: multiply(Rows12<TwoVectors>.self, x, w, n, y, yRow)
    }
  }

  private func single(
    _ rows: Int, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ n: Int,
    _ y: UnsafeMutablePointer<Float>, _ yRow: Int
  ) {
    for r in 0..<rows { multiply(Rows1<OneVector>.self, x + r &* depth, w, n, y + r &* yRow, yRow) }
  }
}

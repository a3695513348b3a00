/// The one inner loop: C[r, c] = Σ_o Σ_k A(r, o, k)·B(o, k, c), every operand addressed by strides.
///
/// A(r, o, k) = a[r·aRow + o·aOuter + k·aStep] is broadcast, B(o, k, ·) = b[o·bOuter + k·bStep …]
/// is read as vectors, and a tile of C stays in registers for the whole sum: k within o, in order.
/// With two summation strides a convolution is a product without a patch matrix: k runs along a
/// row of the window and o over its rows (forward), or k along a row of the image and o over rows
/// (weight gradient).
struct TileProduct {
  var a: UnsafePointer<Float>
  var aRow: Int
  var aOuter: Int
  var aStep: Int
  var b: UnsafePointer<Float>
  var bOuter: Int
  var bStep: Int
  var outer: Int
  var depth: Int

  /// The products of `rows` × `columns`, any numbers, written to c[r·cRow + column].
  ///
  /// B is read to the next multiple of 16 columns, so its memory must reach 15 floats further.
  ///
  /// `rowBlock`: rows that are finished across all columns before the next are begun. All by
  /// default, so that a panel of B stays in the cache; few when C is what streams through it.
  ///
  /// - Complexity: 2·rows·columns·outer·depth floating-point operations.
  func run(
    rows: Int, columns: Int, _ c: UnsafeMutablePointer<Float>, row cRow: Int, _ finish: Finish,
    rowBlock: Int = .max
  ) {
    var first = 0
    while first < rows {
      let count = min(rowBlock, rows &- first)
      var part = self
      part.a = a + first &* aRow
      part.runPanels(count, columns, c + first &* cRow, cRow, finish)
      first &+= count
    }
  }

  private func runPanels(
    _ rows: Int, _ columns: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ finish: Finish
  ) {
    var column = 0
    while column < columns {
      let left = columns &- column
      var part = self
      part.b = b + column
      var finish = finish
      finish.bias = finish.bias.map { $0 + column }
      if left >= 32 && Self.widestTile == 2 {
        part.forEachTile(rows, limit: 12) { tile, first, count in
          tile.wide(count, c + (first &* cRow &+ column), cRow, finish)
        }
        column &+= 32
      } else if left >= 16 {
        part.forEachTile(rows, limit: Self.narrowRows) { tile, first, count in
          tile.narrow(count, c + (first &* cRow &+ column), cRow, finish)
        }
        column &+= 16
      } else {
        part.forEachTile(rows, limit: Self.narrowRows) { tile, first, count in
          tile.edge(count, left, c + (first &* cRow &+ column), cRow, finish)
        }
        column = columns
      }
    }
  }

  /// Vectors per row of the widest tile: with 32 registers of 16 floats 12 × 2 accumulators, 2 of B
  /// and a broadcast fit; with fewer or shorter registers a single column of vectors is left.
  @inline(__always) private static var widestTile: Int { CPUFeatures.compiledForAVX512 ? 2 : 1 }

  /// Rows of a tile with one vector per row: as many as keep all registers busy and spill none.
  @inline(__always) private static var narrowRows: Int {
    CPUFeatures.compiledForAVX512 ? 16 : CPUFeatures.compiledWithFMA ? 6 : 2
  }

  /// Cuts rows into tiles of nearly equal height, so that none is left with a single row.
  @inline(__always) private func forEachTile(
    _ rows: Int, limit: Int, _ body: (TileProduct, Int, Int) -> Void
  ) {
    let tiles = (rows &+ limit &- 1) / limit
    guard tiles > 0 else { return }
    let height = rows / tiles
    let taller = rows &- height &* tiles
    var tile = self
    var first = 0
    for index in 0..<tiles {
      let count = height &+ (index < taller ? 1 : 0)
      body(tile, first, count)
      tile.a += count &* aRow
      first &+= count
    }
  }

  @inline(__always) private func multiply<Tile: RegisterTile>(
    _: Tile.Type, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ finish: Finish
  ) {
    var tile = Tile.zero
    var aRowStart = a
    var bRowStart = b
    for _ in 0..<outer {
      var a = aRowStart
      var b = bRowStart
      for _ in 0..<depth {
        tile.accumulate(a, aRow, Tile.Width(b))
        a += aStep
        b += bStep
      }
      aRowStart += aOuter
      bRowStart += bOuter
    }
    tile.write(c, cRow, finish)
  }

  private func wide(_ n: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ finish: Finish) {
    switch n {
    case 1: multiply(Rows1<TwoVectors>.self, c, cRow, finish)
    case 2: multiply(Rows2<TwoVectors>.self, c, cRow, finish)
    case 3: multiply(Rows3<TwoVectors>.self, c, cRow, finish)
    case 4: multiply(Rows4<TwoVectors>.self, c, cRow, finish)
    case 5: multiply(Rows5<TwoVectors>.self, c, cRow, finish)
    case 6: multiply(Rows6<TwoVectors>.self, c, cRow, finish)
    case 7: multiply(Rows7<TwoVectors>.self, c, cRow, finish)
    case 8: multiply(Rows8<TwoVectors>.self, c, cRow, finish)
    case 9: multiply(Rows9<TwoVectors>.self, c, cRow, finish)
    case 10: multiply(Rows10<TwoVectors>.self, c, cRow, finish)
    case 11: multiply(Rows11<TwoVectors>.self, c, cRow, finish)
    default: multiply(Rows12<TwoVectors>.self, c, cRow, finish)
    }
  }

  private func narrow(_ n: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ finish: Finish) {
    switch n {
    case 1: multiply(Rows1<OneVector>.self, c, cRow, finish)
    case 2: multiply(Rows2<OneVector>.self, c, cRow, finish)
    case 3: multiply(Rows3<OneVector>.self, c, cRow, finish)
    case 4: multiply(Rows4<OneVector>.self, c, cRow, finish)
    case 5: multiply(Rows5<OneVector>.self, c, cRow, finish)
    case 6: multiply(Rows6<OneVector>.self, c, cRow, finish)
    case 7: multiply(Rows7<OneVector>.self, c, cRow, finish)
    case 8: multiply(Rows8<OneVector>.self, c, cRow, finish)
    case 9: multiply(Rows9<OneVector>.self, c, cRow, finish)
    case 10: multiply(Rows10<OneVector>.self, c, cRow, finish)
    case 11: multiply(Rows11<OneVector>.self, c, cRow, finish)
    case 12: multiply(Rows12<OneVector>.self, c, cRow, finish)
    case 13: multiply(Rows13<OneVector>.self, c, cRow, finish)
    case 14: multiply(Rows14<OneVector>.self, c, cRow, finish)
    case 15: multiply(Rows15<OneVector>.self, c, cRow, finish)
    default: multiply(Rows16<OneVector>.self, c, cRow, finish)
    }
  }

  /// A tile of fewer than 16 columns: formed at full width beside C, then copied.
  private func edge(
    _ n: Int, _ columns: Int, _ c: UnsafeMutablePointer<Float>, _ cRow: Int, _ finish: Finish
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 16 * 16 + 16) { buffer in
      guard let tile = buffer.baseAddress else { return }
      narrow(n, tile, 16, .overwrite)
      for r in 0..<n {
        for column in 0..<columns {
          let sum = tile[16 &* r &+ column]
          let target = c + (r &* cRow &+ column)
          switch finish.kind {
          case .overwrite: target.pointee = sum
          case .addScaled: target.pointee = target[finish.source] + finish.scale * sum
          case .bias: target.pointee = sum + (finish.bias?[column] ?? 0)
          case .biasReLU: target.pointee = max(0, sum + (finish.bias?[column] ?? 0))
          }
        }
      }
    }
  }
}

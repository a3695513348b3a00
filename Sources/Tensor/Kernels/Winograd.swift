/// 3×3 convolutions of stride 1 by Winograd's minimal filtering F(2×2, 3×3): 2.25 times fewer
/// multiplications than the sum that defines them, in all three directions.
///
/// Lavin and Gray 2016, arXiv:1509.09308, section 4.1. Tiles of a block are transformed, multiplied
/// point by point (16 products of [tiles × in]·[in × out]) and transformed back while they are
/// still in the cache. Rounding errors are a small multiple of the direct sum's.
struct Winograd {
  /// The map that is read, whose channels are summed over; a multiple of 16 of them.
  let input: FeatureShape
  /// The map that is written; a multiple of 16 channels.
  let output: FeatureShape
  /// Rows and columns of zeros around the input, 0…2.
  let padding: Int

  init(input: FeatureShape, output: FeatureShape, padding: Int) {
    self.input = input
    self.output = output
    self.padding = padding
  }

  /// Whether the channels fill vectors.
  static func suits(_ input: FeatureShape, _ output: FeatureShape) -> Bool {
    input.channels % 16 == 0 && output.channels % 16 == 0
  }

  private var tileColumns: Int { (output.width &+ 1) / 2 }
  private var tilesPerImage: Int { (output.height &+ 1) / 2 &* tileColumns }

  /// Tiles per block: a block's transformed tiles fill part of a usual L2 cache (1 MiB), unless the
  /// transformed weights do not fit there; then a block must be large enough to be worth reading
  /// them again.
  var blockTiles: Int {
    let weights = 64 * input.channels * output.channels
    return weights <= 1 << 18 ? 48 : 128
  }

  /// Floats of one block's input and output points.
  private var blockCount: Int { 16 &* blockTiles &* (input.channels &+ output.channels) }
  /// Floats of transformed weights.
  var weightCount: Int { 16 * input.channels * output.channels }
  /// Floats of scratch that each of the three directions needs.
  var scratchCount: Int { blockCount + weightCount }

  // MARK: Products

  /// y ← convolution of x with weights that were transformed before, as `finish` says.
  ///
  /// `u`: [16][in][out] from `transformWeights`.
  func forward(
    _ x: UnsafePointer<Float>, _ u: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    batch: Int, scratch: UnsafeMutablePointer<Float>, _ finish: Finish
  ) {
    let (from, to) = (input.channels, output.channels)
    forEachBlock(batch) { tiles in
      let v = scratch
      let m = scratch + 16 &* tiles.count &* from
      transformInput(x, tiles, v)
      for point in 0..<16 {
        TileProduct(
          a: v + point &* tiles.count &* from, aRow: from, aOuter: 0, aStep: 1,
          b: u + point &* from &* to, bOuter: 0, bStep: to, outer: 1, depth: from
        ).run(rows: tiles.count, columns: to, m + point &* tiles.count &* to, row: to, .overwrite)
      }
      transformOutput(m, tiles, y, finish)
    }
  }

  /// dw ← (or +=) Σ over positions of x ⊗ dy, [3][3][in][out].
  func weightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ dw: UnsafeMutablePointer<Float>,
    batch: Int, accumulate: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    let (from, to) = (input.channels, output.channels)
    let du = scratch
    let v = scratch + weightCount
    var finish = Finish.overwrite
    forEachBlock(batch) { tiles in
      let z = v + 16 &* tiles.count &* from
      transformInput(x, tiles, v)
      transformOutputGradient(dy, tiles, z)
      for point in 0..<16 {
        TileProduct(
          a: v + point &* tiles.count &* from, aRow: 1, aOuter: 0, aStep: from,
          b: z + point &* tiles.count &* to, bOuter: 0, bStep: to, outer: 1, depth: tiles.count
        ).run(rows: from, columns: to, du + point &* from &* to, row: to, finish)
      }
      finish = .add
    }
    transformWeightGradient(du, dw, accumulate: accumulate)
  }

  // MARK: Transforms

  /// u[4i + j] ← (G·g·Gᵀ)ᵢⱼ for each pair of channels; `rotated` turns the window by 180°, as the
  /// input gradient needs it.
  func transformWeights(_ w: UnsafePointer<Float>, rotated: Bool, _ u: UnsafeMutablePointer<Float>)
  {
    let plane = input.channels &* output.channels
    // Turning the filter turns its points: 0 and 3 change places in both directions.
    let first = rotated ? w + 8 &* plane : w
    let step = rotated ? -plane : plane
    var at = 0
    while at < plane {
      let from = first + at
      let filter = WinogradTransform.Tile(
        a: Winograd.line(from, step), b: Winograd.line(from + 3 &* step, step),
        c: Winograd.line(from + 6 &* step, step), d: .zero)
      filter.weights.store(u + at, plane)
      at &+= 16
    }
  }

  @inline(__always) private static func line(_ from: UnsafePointer<Float>, _ step: Int)
    -> WinogradTransform.Line
  {
    WinogradTransform.Line(
      a: from.vector, b: (from + step).vector, c: (from + 2 &* step).vector, d: Vector())
  }

  private func transformWeightGradient(
    _ du: UnsafePointer<Float>, _ dw: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    let plane = input.channels &* output.channels
    var at = 0
    while at < plane {
      let g = WinogradTransform.Tile(points: du + at, plane).weightGradient
      Winograd.deliver(g.a, dw + at, plane, accumulate)
      Winograd.deliver(g.b, dw + (at &+ 3 &* plane), plane, accumulate)
      Winograd.deliver(g.c, dw + (at &+ 6 &* plane), plane, accumulate)
      at &+= 16
    }
  }

  @inline(__always) private static func deliver(
    _ line: WinogradTransform.Line, _ to: UnsafeMutablePointer<Float>, _ plane: Int,
    _ accumulate: Bool
  ) {
    if accumulate {
      to.vector += line.a
      (to + plane).vector += line.b
      (to + 2 &* plane).vector += line.c
    } else {
      to.vector = line.a
      (to + plane).vector = line.b
      (to + 2 &* plane).vector = line.c
    }
  }

  private func transformInput(
    _ x: UnsafePointer<Float>, _ tiles: Range<Int>, _ v: UnsafeMutablePointer<Float>
  ) {
    let channels = input.channels
    let points = tiles.count &* channels
    var target = v
    forEachTile(tiles) { image, row, column in
      let top = row &- padding
      let left = column &- padding
      let map = x + image &* input.count
      let isInside = top >= 0 && left >= 0 && top &+ 4 <= input.height && left &+ 4 <= input.width
      if isInside {
        let patch = map + (top &* input.width &+ left) &* channels
        var c = 0
        while c < channels {
          WinogradTransform.Tile(patch: patch + c, row: input.width &* channels, column: channels)
            .input.store(target + c, points)
          c &+= 16
        }
      } else {
        var c = 0
        while c < channels {
          let border = Border(map: map + c, shape: input, top: top, left: left)
          WinogradTransform.Tile(
            a: border.line(0), b: border.line(1), c: border.line(2), d: border.line(3)
          ).input.store(target + c, points)
          c &+= 16
        }
      }
      target += channels
    }
  }

  private func transformOutputGradient(
    _ dy: UnsafePointer<Float>, _ tiles: Range<Int>, _ z: UnsafeMutablePointer<Float>
  ) {
    let channels = output.channels
    let points = tiles.count &* channels
    var target = z
    forEachTile(tiles) { image, row, column in
      let map = dy + image &* output.count
      var c = 0
      while c < channels {
        let border = Border(map: map + c, shape: output, top: row, left: column)
        WinogradTransform.Tile(a: border.pair(0), b: border.pair(1), c: .zero, d: .zero)
          .outputGradient.store(target + c, points)
        c &+= 16
      }
      target += channels
    }
  }

  private func transformOutput(
    _ m: UnsafePointer<Float>, _ tiles: Range<Int>, _ y: UnsafeMutablePointer<Float>,
    _ finish: Finish
  ) {
    let channels = output.channels
    let points = tiles.count &* channels
    var source = m
    forEachTile(tiles) { image, row, column in
      let to = y + (image &* output.count &+ (row &* output.width &+ column) &* channels)
      let hasRight = column &+ 1 < output.width
      let hasLower = row &+ 1 < output.height
      let below = output.width &* channels
      var c = 0
      while c < channels {
        let tile = WinogradTransform.Tile(points: source + c, points).output
        finish.apply(tile.0, at: to + c, column: c)
        if hasRight { finish.apply(tile.1, at: to + (channels &+ c), column: c) }
        if hasLower { finish.apply(tile.2, at: to + (below &+ c), column: c) }
        if hasRight && hasLower {
          finish.apply(tile.3, at: to + (below &+ channels &+ c), column: c)
        }
        c &+= 16
      }
      source += channels
    }
  }

  /// Sixteen channels of a patch that may reach beyond its map, where zeros are read.
  private struct Border {
    let map: UnsafePointer<Float>
    let shape: FeatureShape
    let top: Int
    let left: Int

    @inline(__always) func line(_ i: Int) -> WinogradTransform.Line {
      WinogradTransform.Line(a: at(i, 0), b: at(i, 1), c: at(i, 2), d: at(i, 3))
    }

    @inline(__always) func pair(_ i: Int) -> WinogradTransform.Line {
      WinogradTransform.Line(a: at(i, 0), b: at(i, 1), c: Vector(), d: Vector())
    }

    @inline(__always) private func at(_ i: Int, _ j: Int) -> Vector {
      let y = top &+ i
      let x = left &+ j
      guard y >= 0 && y < shape.height && x >= 0 && x < shape.width else { return Vector() }
      return (map + (y &* shape.width &+ x) &* shape.channels).vector
    }
  }

  // MARK: Walking

  @inline(__always) private func forEachBlock(_ batch: Int, _ body: (Range<Int>) -> Void) {
    let total = batch &* tilesPerImage
    var first = 0
    while first < total {
      let next = min(first &+ blockTiles, total)
      body(first..<next)
      first = next
    }
  }

  /// Calls `body` with image and upper left output position of each tile.
  @inline(__always) private func forEachTile(_ tiles: Range<Int>, _ body: (Int, Int, Int) -> Void) {
    let perImage = tilesPerImage
    let columns = tileColumns
    var image = tiles.lowerBound / perImage
    var rest = tiles.lowerBound % perImage
    var row = rest / columns
    var column = rest % columns
    rest = perImage / columns
    for _ in tiles {
      body(image, 2 &* row, 2 &* column)
      column &+= 1
      if column == columns {
        column = 0
        row &+= 1
        if row == rest {
          row = 0
          image &+= 1
        }
      }
    }
  }
}

import Tensor

/// The three directions of a convolution as loops over their definition, in double precision, with
/// what bounds a single-precision computation of them.
package struct NaiveConvolution {
  package let geometry: ConvolutionGeometry
  package let batch: Int

  package init(_ geometry: ConvolutionGeometry, batch: Int) {
    self.geometry = geometry
    self.batch = batch
  }

  /// A value for each element and, for each, Σ |terms| of its sum.
  package struct Sums {
    package var values: [Double]
    package var magnitudes: [Double]

    init(_ count: Int) {
      values = [Double](repeating: 0, count: count)
      magnitudes = values
    }

    mutating func add(_ product: Double, at index: Int) {
      values[index] += product
      magnitudes[index] += abs(product)
    }
  }

  /// Calls `body` with the indices of y, x and w of every product in the definition.
  private func forEachProduct(_ body: (Int, Int, Int) -> Void) {
    let (input, output) = (geometry.input, geometry.output)
    for image in 0..<batch {
      for oy in 0..<output.height {
        for ox in 0..<output.width {
          for ky in 0..<geometry.kernel {
            for kx in 0..<geometry.kernel {
              let iy = oy * geometry.stride + ky - geometry.padding
              let ix = ox * geometry.stride + kx - geometry.padding
              guard iy >= 0, iy < input.height, ix >= 0, ix < input.width else { continue }
              let y = ((image * output.height + oy) * output.width + ox) * output.channels
              let x = ((image * input.height + iy) * input.width + ix) * input.channels
              let w = (ky * geometry.kernel + kx) * input.channels * output.channels
              for i in 0..<input.channels {
                for o in 0..<output.channels { body(y + o, x + i, w + i * output.channels + o) }
              }
            }
          }
        }
      }
    }
  }

  package func forward(_ x: [Float], _ w: [Float], bias: [Float]? = nil) -> Sums {
    var y = Sums(batch * geometry.output.count)
    if let bias {
      for index in y.values.indices { y.add(Double(bias[index % bias.count]), at: index) }
    }
    forEachProduct { yi, xi, wi in y.add(Double(x[xi]) * Double(w[wi]), at: yi) }
    return y
  }

  package func weightGradient(_ x: [Float], _ dy: [Float]) -> Sums {
    var dw = Sums(geometry.patch * geometry.output.channels)
    forEachProduct { yi, xi, wi in dw.add(Double(x[xi]) * Double(dy[yi]), at: wi) }
    return dw
  }

  package func inputGradient(_ dy: [Float], _ w: [Float]) -> Sums {
    var dx = Sums(batch * geometry.input.count)
    forEachProduct { yi, xi, wi in dx.add(Double(dy[yi]) * Double(w[wi]), at: xi) }
    return dx
  }
}

/// How large the intermediate values of minimal filtering F(2×2, 3×3) get: the same algorithm with
/// absolute values everywhere.
///
/// Each output is a sum over channels (or tiles) of products of transformed values. A transform of
/// a tile has two levels of at most two additions, that of weights and back again as many, so an
/// element sees n + 14 roundings of at most u relative to these magnitudes, n the length of the
/// sum (Higham, Accuracy and Stability, 2nd edition, lemma 3.1).
package enum FilterMagnitude {
  private static let input: [[Double]] = [
    [1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1],
  ]
  private static let weights: [[Double]] = [
    [1, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0, 0, 1],
  ]
  private static let output: [[Double]] = [[1, 1, 1, 0], [0, 1, 1, 1]]

  /// Roundings beside those of the sum.
  package static let transformRoundings = 14.0

  private static func multiply(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    a.map { row in b[0].indices.map { j in row.indices.map { row[$0] * b[$0][j] }.reduce(0, +) } }
  }

  private static func transpose(_ a: [[Double]]) -> [[Double]] {
    a[0].indices.map { j in a.map { $0[j] } }
  }

  private static func sandwich(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
    multiply(multiply(a, b), transpose(a))
  }

  private static func tile(
    _ map: [Float], _ shape: FeatureShape, _ image: Int,
    _ place: (top: Int, left: Int, channel: Int), side: Int
  ) -> [[Double]] {
    (0..<side).map { i in
      (0..<side).map { j in
        let (y, x) = (place.top + i, place.left + j)
        guard y >= 0, y < shape.height, x >= 0, x < shape.width else { return 0 }
        let at = ((image * shape.height + y) * shape.width + x) * shape.channels + place.channel
        return Double(abs(map[at]))
      }
    }
  }

  private static func filter(_ w: [Float], _ i: Int, _ o: Int, _ from: Int, _ to: Int) -> [[Double]]
  { (0..<3).map { ky in (0..<3).map { Double(abs(w[((ky * 3 + $0) * from + i) * to + o])) } } }

  /// One magnitude for each output of y = x * w.
  package static func forward(_ g: ConvolutionGeometry, _ x: [Float], _ w: [Float]) -> [Double] {
    let (from, to) = (g.input.channels, g.output.channels)
    let filters = (0..<from).map { i in
      (0..<to).map { sandwich(weights, filter(w, i, $0, from, to)) }
    }
    let batch = x.count / g.input.count
    var magnitudes = [Double](repeating: 0, count: batch * g.output.count)
    for image in 0..<batch {
      for top in stride(from: 0, to: g.output.height, by: 2) {
        for left in stride(from: 0, to: g.output.width, by: 2) {
          let tiles = (0..<from).map { channel in
            let place = (top: top - g.padding, left: left - g.padding, channel: channel)
            return sandwich(input, tile(x, g.input, image, place, side: 4))
          }
          for o in 0..<to {
            var sum = [[Double]](repeating: [0, 0, 0, 0], count: 4)
            for i in 0..<from {
              for p in 0..<4 {
                for q in 0..<4 { sum[p][q] += tiles[i][p][q] * filters[i][o][p][q] }
              }
            }
            let result = sandwich(output, sum)
            for y in 0..<min(2, g.output.height - top) {
              for x in 0..<min(2, g.output.width - left) {
                let at = (image * g.output.height + top + y) * g.output.width + left + x
                magnitudes[at * to + o] = result[y][x]
              }
            }
          }
        }
      }
    }
    return magnitudes
  }

  /// One magnitude for each element of dw, and the number of tiles that it sums.
  package static func weightGradient(_ g: ConvolutionGeometry, _ x: [Float], _ dy: [Float]) -> (
    magnitudes: [Double], tiles: Int
  ) {
    let (from, to) = (g.input.channels, g.output.channels)
    let zero = [[Double]](repeating: [0, 0, 0, 0], count: 4)
    var sums = [[[Double]]](repeating: zero, count: from * to)
    var count = 0
    for image in 0..<x.count / g.input.count {
      for top in stride(from: 0, to: g.output.height, by: 2) {
        for left in stride(from: 0, to: g.output.width, by: 2) {
          count += 1
          let gradients = (0..<to).map {
            sandwich(
              transpose(output),
              tile(dy, g.output, image, (top: top, left: left, channel: $0), side: 2))
          }
          for i in 0..<from {
            let place = (top: top - g.padding, left: left - g.padding, channel: i)
            let values = sandwich(input, tile(x, g.input, image, place, side: 4))
            for o in 0..<to {
              for p in 0..<4 {
                for q in 0..<4 { sums[i * to + o][p][q] += values[p][q] * gradients[o][p][q] }
              }
            }
          }
        }
      }
    }
    var magnitudes = [Double](repeating: 0, count: 9 * from * to)
    for pair in sums.indices {
      let result = sandwich(transpose(weights), sums[pair])
      for ky in 0..<3 {
        for kx in 0..<3 { magnitudes[(ky * 3 + kx) * from * to + pair] = result[ky][kx] }
      }
    }
    return (magnitudes, count)
  }
}

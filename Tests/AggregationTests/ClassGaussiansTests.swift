import Aggregation
import Base
import TestSupport
import Testing

@Suite("Gaussians of classes")
struct ClassGaussiansTests {
  private func normals(_ count: Int, step: Int) -> [Float] {
    var stream = RandomStream(seed: 3, .test, step: step)
    return (0..<count).map { _ in Float(2 + stream.normal()) }
  }

  /// Mean and full covariance by plain loops.
  private func moments(_ x: [Float], _ width: Int) -> (mean: [Double], covariance: [Double]) {
    let rows = stride(from: 0, to: x.count, by: width).map { x[$0..<$0 + width].map(Double.init) }
    let mean = (0..<width).map { i in rows.map { $0[i] }.reduce(0, +) / Double(rows.count) }
    var upper: [Double] = []
    for i in 0..<width {
      for j in i..<width {
        let sum = rows.map { ($0[i] - mean[i]) * ($0[j] - mean[j]) }.reduce(0, +)
        upper.append(sum / Double(max(1, rows.count - 1)))
      }
    }
    return (mean, upper)
  }

  @Test("three clients' statistics make those of the union, a single example among them")
  func union() {
    let width = 5
    let all = normals(22 * width, step: 1)
    var gaussians = ClassGaussians(classes: 2, width: width)
    for range in [0..<9, 9..<10, 10..<22] {
      let part = Array(all[range.lowerBound * width..<range.upperBound * width])
      let (mean, covariance) = ClassGaussians.measure(part, width: width)
      let expected = moments(part, width)
      expectClose(mean, expected.mean, bound: Rounding.unit)
      expectClose(covariance, expected.covariance, bound: 2 * Rounding.unit)
      gaussians.add(class: 1, count: range.count, mean: mean, covariance: covariance)
    }
    #expect(gaussians.counts == [0, 22])
    let expected = moments(all, width)
    expectClose(gaussians.mean(1).map { Float($0) }, expected.mean, bound: 2 * Rounding.unit)
    // Means of about 2 were sent with u each: differences of their squares are variances of 1.
    expectClose(
      gaussians.covariance(1).map { Float($0) }, expected.covariance,
      bound: 2 * 2 * 4 * Rounding.unit)
  }

  @Test("samples are mean plus root times normals: two dimensions by hand")
  func samples() {
    var gaussians = ClassGaussians(classes: 1, width: 2)
    // (1, 2), (3, 2), (5, 8) have mean (3, 4) and covariance [[4, 6], [6, 12]].
    let (mean, covariance) = ClassGaussians.measure([1, 2, 3, 2, 5, 8], width: 2)
    #expect(mean == [3, 4])
    #expect(covariance == [4, 6, 12])
    gaussians.add(class: 0, count: 3, mean: mean, covariance: covariance)
    let address = RandomStream(seed: 1, .test, step: 7)
    func root(_ x: Double) -> Double { x.squareRoot() }
    let cases: [(Double, [Double])] = [
      (0, [2, 3, root(3)]), (0.5, [root(6), 3 / root(6), root(8.5)]), (1, [root(8), 0, root(8)]),
    ]
    for (s, root) in cases {
      // With s: [[4 + 4s, 6 − 6s], [6 − 6s, 12 − 4s]]; the trace is 16.
      var (first, second) = (address, address)
      let drawn = gaussians.samples(0, count: 4, shrinkage: s, from: &first)
      var expected: [Double] = []
      for _ in 0..<4 {
        let (a, b) = (second.normal(), second.normal())
        expected += [3 + root[0] * a, 4 + root[1] * a + root[2] * b]
      }
      expectClose(drawn, expected, bound: 2 * Rounding.unit)
    }
  }

  @Test("a flat Gaussian's samples lie where its examples do")
  func flat() {
    var gaussians = ClassGaussians(classes: 2, width: 3)
    // On the line t·(1, −2, 0) + (0, 0, 5), and a single example.
    let line: [Float] = [1, -2, 5, 2, -4, 5, 4, -8, 5]
    for (c, points) in [(0, line), (1, [7, 8, 9])] {
      let (mean, covariance) = ClassGaussians.measure(points, width: 3)
      gaussians.add(class: c, count: points.count / 3, mean: mean, covariance: covariance)
    }
    var stream = RandomStream(seed: 1, .test, step: 8)
    let drawn = gaussians.samples(0, count: 50, shrinkage: 0, from: &stream)
    for row in 0..<50 {
      // Nothing is left of the second coordinate's variance: to the rounding of what was sent.
      #expect(abs(drawn[3 * row + 1] + 2 * drawn[3 * row]) < 1e-5)
      #expect(drawn[3 * row + 2] == 5)
    }
    #expect(Set(drawn).count > 50)
    #expect(gaussians.samples(1, count: 2, shrinkage: 0.5, from: &stream) == [7, 8, 9, 7, 8, 9])
  }

  /// Root and samples by plain loops, one entry after the other.
  private func plainSamples(
    _ covariance: [Double], _ mean: [Double], count: Int, shrinkage: Double,
    from stream: inout RandomStream
  ) -> [Float] {
    let d = mean.count
    var a = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
    var (place, trace, largest) = (0, 0.0, 0.0)
    for i in 0..<d {
      trace += covariance[place]
      for j in i..<d { a[j][i] = (1 - shrinkage) * covariance[place + j - i] }
      place += d - i
    }
    for i in 0..<d {
      a[i][i] += shrinkage * trace / Double(d)
      largest = max(largest, a[i][i])
    }
    for j in 0..<d {
      var pivot = a[j][j]
      for k in 0..<j { pivot -= a[j][k] * a[j][k] }
      let isFlat = pivot <= 1e-6 * largest
      a[j][j] = isFlat ? 0 : pivot.squareRoot()
      for i in j + 1..<max(d, j + 1) {
        var value = a[i][j]
        for k in 0..<j { value -= a[i][k] * a[j][k] }
        a[i][j] = isFlat ? 0 : value / a[j][j]
      }
    }
    var values: [Float] = []
    for _ in 0..<count {
      let x = (0..<d).map { _ in stream.normal() }
      for i in 0..<d {
        var sum = 0.0
        for k in 0...i { sum += a[i][k] * x[k] }
        values.append(Float(mean[i] + sum))
      }
    }
    return values
  }

  @Test(
    "blocks, lanes and columns left out give the bits of plain loops",
    arguments: [(1, 3), (7, 5), (40, 100), (75, 20), (129, 300)])
  func bits(
    width: Int, examples: Int
  ) {
    let features = normals(examples * width, step: width)
    let (mean, covariance) = ClassGaussians.measure(features, width: width)
    // One example after the other, each on the whole triangle.
    var centre = [Double](repeating: 0, count: width)
    for (i, value) in features.enumerated() { centre[i % width] += Double(value) }
    centre = centre.map { $0 / Double(examples) }
    var sums = [Double](repeating: 0, count: ClassGaussians.triangle(width))
    for row in 0..<examples {
      let x = (0..<width).map { Double(features[row * width + $0]) - centre[$0] }
      var place = 0
      for i in 0..<width {
        for j in i..<width {
          sums[place] += x[i] * x[j]
          place += 1
        }
      }
    }
    #expect(covariance == sums.map { Float($0 / Double(max(1, examples - 1))) })
    var gaussians = ClassGaussians(classes: 1, width: width)
    gaussians.add(class: 0, count: examples, mean: mean, covariance: covariance)
    for shrinkage in [0, 0.3] {
      let address = RandomStream(seed: 4, .test, step: width)
      var (one, other) = (address, address)
      let drawn = gaussians.samples(0, count: 11, shrinkage: shrinkage, from: &one)
      let expected = plainSamples(
        gaussians.covariance(0), gaussians.mean(0), count: 11, shrinkage: shrinkage, from: &other)
      #expect(drawn == expected, "width \(width), shrinkage \(shrinkage)")
    }
  }
}

import Aggregation
import Tensor
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
      gaussians.covariance(1).map { Float($0) },
      expected.covariance,
      bound: 2 * 2 * 4 * Rounding.unit
    )
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
      gaussians.add(
        class: c,
        count: points.count / 3,
        mean: mean,
        covariance: covariance
      )
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
}

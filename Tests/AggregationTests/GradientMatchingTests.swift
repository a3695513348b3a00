import Aggregation
import Base
import Tensor
import TestSupport
import Testing

/// The distance of gradients in double precision, by plain loops.
struct SlowMatching {
  let head: [Double]
  let classes: Int
  let width: Int
  let label: Int
  let target: [Double]

  /// The gradient of the mean cross-entropy at the head: [C × d], then [C].
  func gradient(_ u: [Double]) -> [Double] {
    var g = head.map { _ in 0.0 }
    let rows = u.count / width
    for r in 0..<rows {
      var z = Array(head[(classes * width)...])
      for c in 0..<classes { for i in 0..<width { z[c] += head[c * width + i] * u[r * width + i] } }
      let total = z.map { exp($0) }.reduce(0, +)
      for c in 0..<classes {
        let slope = (exp(z[c]) / total - (c == label ? 1 : 0)) / Double(rows)
        for i in 0..<width { g[c * width + i] += slope * u[r * width + i] }
        g[classes * width + c] += slope
      }
    }
    return g
  }

  func distance(_ u: [Double]) -> Double {
    let g = gradient(u)
    var total = 0.0
    for c in 0...classes {
      let row = c < classes ? c * width..<(c + 1) * width : classes * width..<g.count
      var (own, other, product) = (0.0, 0.0, 0.0)
      for i in row {
        own += g[i] * g[i]
        other += target[i] * target[i]
        product += g[i] * target[i]
      }
      total += 1 - product / (own.squareRoot() * other.squareRoot() + 1e-6)
    }
    return total
  }

  /// ∂D/∂u by central differences.
  func slope(_ u: [Double]) -> [Double] {
    u.indices.map { i in
      var (up, down) = (u, u)
      up[i] += 1e-5
      down[i] -= 1e-5
      return (distance(up) - distance(down)) / 2e-5
    }
  }
}

@Suite("Features whose gradient resembles a given one")
struct GradientMatchingTests {
  /// A head, features and a target of random numbers.
  private func draw(_ classes: Int, _ width: Int, _ rows: Int) -> ([Float], [Float], [Float]) {
    var stream = RandomStream(seed: 11, .test, step: classes + 100 * width)
    func normals(_ count: Int, _ scale: Double) -> [Float] {
      (0..<count).map { _ in Float(scale * stream.normal()) }
    }
    let head = normals(classes * width + classes, 1 / Double(width).squareRoot())
    return (head, normals(rows * width, 1), normals(head.count, 0.1))
  }

  @Test(
    "distance and gradient are those of central differences in double precision",
    arguments: [(3, 2, 1), (4, 7, 5), (10, 33, 20), (2, 16, 3)])
  func differences(
    _ classes: Int, _ width: Int, _ rows: Int
  ) {
    let (head, features, target) = draw(classes, width, rows)
    for label in [0, classes - 1] {
      let slow = SlowMatching(
        head: head.map(Double.init), classes: classes, width: width, label: label,
        target: target.map(Double.init))
      var matching = GradientMatching(head: head, classes: classes, width: width, rows: rows)
      var slope = [Float](repeating: .nan, count: features.count)
      let distance = matching.evaluate(features, label: label, target: target, into: &slope)
      let u = features.map(Double.init)
      // Sums of d, of m, and of C products follow one another, there and back: four standard
      // deviations. Central differences are good to 1e-9.
      let depth = 2 * (width.root + rows.root + classes.root)
      let bound = 4 * Rounding.unit * depth
      #expect(abs(distance - slow.distance(u)) <= bound * Double(classes + 1))
      expectClose(slope, slow.slope(u), bound: bound + 1e-8, "\(classes)×\(width), label \(label)")
    }
  }

  @Test("the own gradient is at distance 0, its opposite at 2 for each row")
  func extremes() {
    let (classes, width, rows) = (4, 6, 3)
    let (head, features, _) = draw(classes, width, rows)
    let slow = SlowMatching(
      head: head.map(Double.init), classes: classes, width: width, label: 1, target: [])
    let own = slow.gradient(features.map(Double.init))
    var matching = GradientMatching(head: head, classes: classes, width: width, rows: rows)
    var slope = [Float](repeating: 0, count: features.count)
    // The 10⁻⁶ in the denominators takes its share of each cosine.
    let norms = (0...classes).map { c in
      own[c * width..<min(own.count, (c + 1) * width)].map { $0 * $0 }.reduce(0, +)
    }
    let guardShare = norms.map { 1e-6 / $0 }.reduce(0, +)
    for (sign, expected) in [(1.0, 0.0), (-1, 2 * Double(classes + 1))] {
      let target = own.map { Float(sign * $0) }
      let distance = matching.evaluate(features, label: 1, target: target, into: &slope)
      #expect(abs(distance - expected) <= 1.1 * guardShare + 1e-6)
    }
  }

  @Test("a hundred steps bring features to the gradient of others")
  func descent() {
    let (classes, width, rows) = (5, 8, 10)
    let (head, start, others) = draw(classes, width, rows)
    let slow = SlowMatching(
      head: head.map(Double.init), classes: classes, width: width, label: 2, target: [])
    let target = slow.gradient(others.prefix(4 * width).map { Double($0) * 10 }).map { Float($0) }
    var matching = GradientMatching(head: head, classes: classes, width: width, rows: rows)
    var slope = [Float](repeating: 0, count: start.count)
    var u = start
    var distances: [Double] = []
    for _ in 0..<100 {
      distances.append(matching.evaluate(u, label: 2, target: target, into: &slope))
      VectorArithmetic.addScaled(&u, -0.1, slope)
    }
    #expect(distances[99] < distances[0] / 2)
  }
}

extension Int { fileprivate var root: Double { Double(self).squareRoot() } }

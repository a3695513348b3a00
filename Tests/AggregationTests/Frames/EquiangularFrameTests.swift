import Aggregation
import Base
import TestSupport
import Testing

@Suite("Equiangular frame")
struct EquiangularFrameTests {
  private func frame(_ classes: Int, _ width: Int, seed: UInt64 = 1) -> EquiangularFrame {
    var stream = RandomStream(seed: seed, .strategy)
    return EquiangularFrame(classes: classes, width: width, stream: &stream)
  }

  @Test(
    "Rows have length 1, cosine −1/(C − 1) pairwise, and the sum 0",
    arguments: [(2, 2), (2, 7), (10, 10), (10, 128), (64, 64), (100, 512)])
  func simplex(
    classes: Int, width: Int
  ) {
    let values = frame(classes, width).values.map(Double.init)
    #expect(values.count == classes * width)
    for i in 0..<classes {
      for j in 0...i {
        let product = (0..<width).reduce(0.0) {
          $0 + values[i * width + $1] * values[j * width + $1]
        }
        let expected = i == j ? 1 : -1 / Double(classes - 1)
        // Entries are rounded to Float once: by u of their size, and rows have length 1.
        #expect(abs(product - expected) <= 4 * Rounding.unit, "\(i), \(j)")
      }
    }
    for k in 0..<width {
      let column = (0..<classes).reduce(0.0) { $0 + values[$1 * width + k] }
      #expect(abs(column) <= Double(classes) * Rounding.unit)
    }
    let facts = FrameFacts(frame(classes, width).values, classes: classes, width: width)
    #expect(abs(facts.meanAngle - facts.targetAngle) < 1e-3 && facts.angleDeviation < 1e-3)
    #expect(abs(facts.meanNorm - 1) < 4 * Rounding.unit)
  }

  @Test("The rank is C − 1: any C − 1 rows are independent")
  func rank() {
    // The Gram matrix of C − 1 rows has determinant C^(C−2)/(C−1)^(C−1) · … > 0; by elimination.
    let (classes, width) = (6, 9)
    let values = frame(classes, width).values.map(Double.init)
    func determinant(_ count: Int) -> Double {
      var gram = (0..<count).map { i in
        (0..<count).map { j in
          (0..<width).reduce(0.0) { $0 + values[i * width + $1] * values[j * width + $1] }
        }
      }
      var product = 1.0
      for i in 0..<count {
        product *= gram[i][i]
        for j in i + 1..<max(count, i + 1) {
          let factor = gram[j][i] / gram[i][i]
          for k in i..<count { gram[j][k] -= factor * gram[i][k] }
        }
      }
      return product
    }
    // G = (C/(C−1))·I − 1·1ᵀ/(C−1) on n rows: (C/(C−1))ⁿ·(1 − n/C).
    let c = Double(classes)
    for count in 1..<classes {
      let truth = pow(c / (c - 1), Double(count)) * (1 - Double(count) / c)
      #expect(abs(determinant(count) - truth) < 1e-6)
    }
    #expect(abs(determinant(classes)) < 1e-6)
  }

  @Test("A frame is a function of its stream")
  func random() {
    #expect(frame(10, 32) == frame(10, 32))
    #expect(frame(10, 32) != frame(10, 32, seed: 2))
    var stream = RandomStream(seed: 1, .strategy)
    _ = EquiangularFrame(classes: 4, width: 8, stream: &stream)
    #expect(stream.counter == 32)
  }

  @Test("What cannot be is said, not tried")
  func impossible() {
    #expect(EquiangularFrame.impossibility(width: 10, classes: 10) == nil)
    #expect(EquiangularFrame.impossibility(width: 9, classes: 10)?.contains("9 features") == true)
    #expect(EquiangularFrame.impossibility(width: 9, classes: 1) != nil)
  }

  @Test("Facts of vectors that can be drawn on paper")
  func facts() {
    // 45°, 90° and 45° between (1, 0), (2, 2) and (0, 3); lengths 1, √8, 3.
    let facts = FrameFacts([1, 0, 2, 2, 0, 3], classes: 3, width: 2)
    #expect(abs(facts.meanAngle - 60) < 1e-12)
    #expect(abs(facts.angleDeviation - 450.0.squareRoot()) < 1e-12)
    #expect(abs(facts.meanNorm - (4 + 8.0.squareRoot()) / 3) < 1e-12)
    #expect(abs(facts.targetAngle - 120) < 1e-12)
    #expect(FrameFacts([1, 0, 0, 0], classes: 2, width: 2).meanAngle == 90)
  }
}

import Base
import Tensor
import TestSupport
import Testing

/// Flat vectors: lengths around the vector widths, and exactness where it is promised.
@Suite("Vector arithmetic")
struct VectorArithmeticTests {
  static let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 1000]

  private func random(_ count: Int, _ step: Int) -> [Float] {
    var stream = RandomStream(seed: 1, .test, client: count, step: step)
    return (0..<count).map { _ in Float(stream.gaussian()) }
  }

  @Test("Element-wise results are one rounding per operation", arguments: lengths)
  func elementwise(
    count: Int
  ) {
    let (x, v) = (random(count, 0), random(count, 1))
    let start = random(count, 2)
    var y = start
    VectorArithmetic.addScaled(&y, 0.3, x)
    for i in y.indices {
      let product = Double(Float(0.3)) * Double(x[i])
      // Two roundings, or one when the compiler fuses them.
      let bound = 2 * Rounding.unit * (abs(Double(start[i])) + abs(product))
      #expect(abs(Double(y[i]) - (Double(start[i]) + product)) <= bound)
    }

    y = start
    var target = y.mutableSpan
    VectorArithmetic.addScaledDifference(&target, 1, x.span, v.span)
    for i in start.indices { #expect(y[i] == start[i] + (x[i] - v[i])) }

    y = start
    VectorArithmetic.scale(&y, by: -0.5)
    #expect(y == start.map { -0.5 * $0 })
    #expect(VectorArithmetic.difference(x.span, v.span) == zip(x, v).map { $0 - $1 })
  }

  @Test("The dot product is exact to double rounding", arguments: lengths)
  func dot(count: Int) {
    let (x, y) = (random(count, 0), random(count, 1))
    // Products of Floats are exact in Double; only the sum rounds.
    let truth = zip(x, y).map { Double($0) * Double($1) }.reduce(0, +)
    let size = zip(x, y).map { abs(Double($0) * Double($1)) }.reduce(0, +)
    #expect(abs(VectorArithmetic.dot(x.span, y.span) - truth) <= Double(count) * 0x1p-53 * size)
    let square = x.map { Double($0) * Double($0) }.reduce(0, +)
    let norm = VectorArithmetic.norm(x.span)
    #expect(abs(norm * norm - square) <= Double(count + 4) * 0x1p-53 * square)
  }

  @Test("The order of summation is eight interleaved lanes, folded, then the tail")
  func order() {
    // 2⁵³ swallows a 1 that is added to it: which ones survive shows the order.
    var x = [Float](repeating: 1, count: 17)
    x[0] = 0x1p53
    let ones = [Float](repeating: 1, count: 17)
    // Lane 0: 2⁵³ + 1 → 2⁵³ (ties to even); lanes 1…7 hold 2 each: 2⁵³ + 14; the tail's 1 makes a
    // tie again, which goes up to 2⁵³ + 16. One sum in index order would stay at 2⁵³.
    let sum = VectorArithmetic.dot(x.span, ones.span)
    #expect(sum == 0x1p53 + 16)
    // Folded from lane 0, each single 1 is lost; folded from lane 7, seven would survive.
    let short = VectorArithmetic.dot(x[0..<9].span, ones[0..<9].span)
    #expect(short == 0x1p53)
  }

  @Test("Infinity and NaN are found anywhere", arguments: lengths.dropFirst())
  func finite(
    count: Int
  ) {
    var x = random(count, 0)
    #expect(isFinite(x))
    for place in Set([0, count / 2, count - 1]) {
      for value in [Float.infinity, -.infinity, .nan, .greatestFiniteMagnitude] {
        let kept = x[place]
        x[place] = value
        #expect(isFinite(x) == value.isFinite)
        x[place] = kept
      }
    }
    #expect(isFinite([]))
  }

  // A span cannot travel through the #expect macro.
  private func isFinite(_ x: [Float]) -> Bool { VectorArithmetic.isFinite(x.span) }
}

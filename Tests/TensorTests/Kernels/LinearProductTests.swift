import Base
import Tensor
import TestSupport
import Testing

@Suite("Products of a linear map")
struct LinearProductTests {
  @Test(
    "Both products against a plain loop, and nothing beyond the matrices is touched",
    arguments: [(1, 1, 1), (3, 5, 2), (24, 64, 10), (25, 64, 10), (40, 17, 33), (100, 512, 100)])
  func plain(rows: Int, inputs: Int, outputs: Int) {
    var stream = RandomStream(seed: UInt64(inputs), .test)
    func draw(_ count: Int) -> [Float] { (0..<count).map { _ in Float(stream.gaussian()) } }
    let (x, w, dy) = (draw(rows * inputs), draw(outputs * inputs), draw(rows * outputs))
    let (y, dw) = (draw(rows * outputs), draw(outputs * inputs))
    let product = LinearProduct(inputs: inputs, outputs: outputs)
    var scratch = [Float](repeating: .nan, count: product.scratchCount)

    // What comes after a matrix must neither be read into a result nor be written.
    var sums = y + [Float](repeating: .nan, count: 32)
    product.add(
      x + [Float](repeating: .nan, count: 32), rows: rows,
      weight: w + [Float](repeating: .nan, count: 32), to: &sums, scratch: &scratch)
    var gradient = dw + [Float](repeating: .nan, count: 32)
    product.addWeightGradient(
      dy + [Float](repeating: .nan, count: 32), x + [Float](repeating: .nan, count: 32), rows: rows,
      to: &gradient)
    #expect(sums[(rows * outputs)...].allSatisfy { $0.isNaN })
    #expect(gradient[(outputs * inputs)...].allSatisfy { $0.isNaN })

    let truth = (0..<rows * outputs).map { i in
      let (r, o) = (i / outputs, i % outputs)
      return (0..<inputs).reduce(Double(y[i])) {
        $0 + Double(x[r * inputs + $1]) * Double(w[o * inputs + $1])
      }
    }
    let slopes = (0..<outputs * inputs).map { i in
      let (o, k) = (i / inputs, i % inputs)
      return (0..<rows).reduce(Double(dw[i])) {
        $0 + Double(dy[$1 * outputs + o]) * Double(x[$1 * inputs + k])
      }
    }
    let (forward, backward) = (Double(inputs).squareRoot(), Double(rows).squareRoot())
    expectClose(Array(sums[..<(rows * outputs)]), truth, bound: 4 * forward * Rounding.unit)
    expectClose(Array(gradient[..<(outputs * inputs)]), slopes, bound: 4 * backward * Rounding.unit)
  }
}

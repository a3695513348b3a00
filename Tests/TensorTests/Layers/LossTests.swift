import Tensor
import TestSupport
import Testing

/// Identities of softmax cross-entropy; PyTorch's numbers are in GoldenTrainingTests.
@Suite("Softmax cross-entropy")
struct LossTests {
  private func evaluate(_ loss: SoftmaxCrossEntropy, _ logits: [Float], _ labels: [Int32]) -> (
    SoftmaxCrossEntropy.Result, [Float]
  ) {
    var gradient = [Float](repeating: .nan, count: logits.count)
    let result = loss.evaluate(
      logits: logits, labels: labels, batch: labels.count, classes: logits.count / labels.count,
      gradient: &gradient)
    return (result, gradient)
  }

  @Test("Equal logits lose log C, and count the first class as the winner")
  func uniform() {
    let (result, gradient) = evaluate(
      SoftmaxCrossEntropy(), [Float](repeating: 3, count: 8), [0, 2])
    #expect(abs(result.lossSum - 2 * 1.386_294_361_119_890_6) < 1e-12)
    #expect(result.correct == 1)
    #expect(gradient == [-0.375, 0.125, 0.125, 0.125, 0.125, 0.125, -0.375, 0.125])
  }

  @Test("Logits of ±10⁴ neither overflow nor give NaN")
  func extremes() {
    let (result, gradient) = evaluate(SoftmaxCrossEntropy(), [1e4, -1e4, 0, -1e4, 1e4, 0], [0, 0])
    #expect(result.lossSum == 20_000)
    #expect(result.correct == 1)
    #expect(gradient == [0, 0, 0, -0.5, 0.5, 0])
  }

  @Test("An offset of −∞ takes a class out of the softmax")
  func excluded() {
    let cut = SoftmaxCrossEntropy(offsets: [0, 0, -.infinity])
    let (result, gradient) = evaluate(cut, [1, 2, 9], [1])
    let (without, rest) = evaluate(SoftmaxCrossEntropy(), [1, 2], [1])
    #expect(result.lossSum == without.lossSum && result.correct == 1)
    #expect(gradient == [rest[0], rest[1], 0])
  }

  @Test("Adding a constant to all offsets changes nothing but rounding")
  func shift() {
    let logits: [Float] = [0.3, -1.2, 2.5, 0.1]
    let (plain, a) = evaluate(SoftmaxCrossEntropy(), logits, [1])
    let (moved, b) = evaluate(SoftmaxCrossEntropy(offsets: [4, 4, 4, 4]), logits, [1])
    // z + 4 is below 8: rounded to 2⁻²².
    #expect(abs(plain.lossSum - moved.lossSum) < 4 * 0x1p-22)
    for (x, y) in zip(a, b) { #expect(abs(x - y) < 4 * 0x1p-22) }
  }

  @Test("A weight of 2 is an example given twice")
  func weights() {
    let z: [Float] = [0.3, -1.2, 2.5, 0.1, 0.7, -0.4]
    let (weighted, a) = evaluate(SoftmaxCrossEntropy(weights: [2, 1, 1]), z, [0, 1])
    let (twice, b) = evaluate(SoftmaxCrossEntropy(), Array(z[0..<3]) + z, [0, 0, 1])
    #expect(abs(weighted.lossSum - twice.lossSum) < 1e-12 && weighted.weight == twice.weight)
    for i in 0..<3 {
      expectClose(a[i], Double(b[i]) + Double(b[3 + i]), ulps: 2)
      expectClose(a[3 + i], Double(b[6 + i]), ulps: 2)
    }
  }

  @Test("Weights of zero give no gradient instead of NaN")
  func noWeight() {
    let (result, gradient) = evaluate(SoftmaxCrossEntropy(weights: [0, 1]), [1, 2], [0])
    #expect(result.weight == 0 && result.lossSum == 0)
    #expect(gradient == [0, 0])
  }
}

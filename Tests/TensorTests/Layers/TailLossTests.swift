import Base
import Tensor
import TestSupport
import Testing

/// Margins, scale and focus: identities and derivatives; PyTorch's numbers are in GoldenLossTests.
@Suite("Softmax losses for long tails")
struct TailLossTests {
  private let logits: [Float] = [0.3, -1.2, 2.5, 0.1, 0.7, -0.4, 1.5, 1.25, -3, 0, 4, 0.5]
  private let labels: [Int32] = [0, 3, 2]

  private func evaluate(_ loss: SoftmaxCrossEntropy, _ logits: [Float], _ labels: [Int32]) -> (
    SoftmaxCrossEntropy.Result, [Float]
  ) {
    var gradient = [Float](repeating: .nan, count: logits.count)
    let result = loss.evaluate(
      logits: logits, labels: labels, batch: labels.count, classes: logits.count / labels.count,
      gradient: &gradient)
    return (result, gradient)
  }

  /// The mean loss in Double, from the definition.
  private func reference(_ loss: SoftmaxCrossEntropy, _ logits: [Double]) -> Double {
    let classes = logits.count / labels.count
    var total = 0.0
    var weight = 0.0
    for (example, label) in labels.enumerated() {
      let label = Int(label)
      let u = (0..<classes).map { c in
        Double(loss.scale)
          * (logits[example * classes + c] - (c == label ? Double(loss.margins?[c] ?? 0) : 0))
          + Double(loss.offsets?[c] ?? 0)
      }
      let p = exp(u[label]) / u.map { exp($0) }.reduce(0, +)
      let w = Double(loss.weights?[label] ?? 1)
      total -= w * pow(1 - p, Double(loss.focus)) * log(p)
      weight += w
    }
    return total / weight
  }

  static let losses = [
    SoftmaxCrossEntropy(margins: [0.5, 0.25, 0.1, 0]),
    SoftmaxCrossEntropy(weights: [1, 2, 0.5, 3], margins: [0.5, 0.2, 0.1, 0.3], scale: 5),
    SoftmaxCrossEntropy(focus: 2),
    SoftmaxCrossEntropy(offsets: [0, 1, -2, 0.5], weights: [1, 2, 0.5, 3], focus: 0.5),
    SoftmaxCrossEntropy(offsets: [0, 1, -2, 0.5], margins: [0.5, 0, 0, 1], scale: 2, focus: 3),
  ]

  @Test("Loss and gradient are the definition's and its differences'", arguments: losses)
  func differences(loss: SoftmaxCrossEntropy) {
    let (result, gradient) = evaluate(loss, logits, labels)
    let exact = logits.map(Double.init)
    let mean = reference(loss, exact)
    // As in GoldenLossTests; logits are at most 4.
    let bound = 16 * Rounding.unit * (1 + Double(loss.scale) / 2)
    #expect(abs(result.lossSum / result.weight - mean) <= bound * max(1, mean))
    let step = 1e-5  // curvature of about 1e-10, rounding of about 1e-11
    let slopes = exact.indices.map { i in
      var moved = exact
      moved[i] += step
      let above = reference(loss, moved)
      moved[i] -= 2 * step
      return (above - reference(loss, moved)) / (2 * step)
    }
    expectClose(gradient, slopes, bound: bound + 1e-8, "gradient")
  }

  @Test("Constants that do nothing leave every bit")
  func neutral() {
    for plain in [SoftmaxCrossEntropy(), SoftmaxCrossEntropy(offsets: [0, 1, -2, 0.5])] {
      var same = plain
      same.margins = [0, 0, 0, 0]
      let (a, x) = evaluate(plain, logits, labels)
      let (b, y) = evaluate(same, logits, labels)
      #expect(a == b && x.map(\.bitPattern) == y.map(\.bitPattern))
    }
  }

  @Test("Cross-entropy's bits are those of the formula written out, focus 0 included")
  func plainBits() {
    for focus in [Float(0), -0.0] {
      let (result, gradient) = evaluate(SoftmaxCrossEntropy(focus: focus), logits, labels)
      var sum = 0.0
      var expected: [Float] = []
      for (example, label) in labels.enumerated() {
        let z = logits[example * 4..<example * 4 + 4].map { $0 }
        let largest = z.max() ?? 0
        let e = z.map { expf($0 - largest) }
        let total = e.map(Double.init).reduce(0, +)
        sum += log(total) - Double(z[Int(label)] - largest)
        for c in 0..<4 {
          let p = e[c] * Float(1 / total)
          expected.append(Float(1.0 / 3.0) * (c == Int(label) ? p - 1 : p))
        }
      }
      #expect(result.lossSum == sum)
      #expect(gradient.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }

  @Test("A margin on all classes alike is felt, a scale of the logits is a scale of the gradient")
  func scales() {
    let (doubled, a) = evaluate(SoftmaxCrossEntropy(scale: 2), logits, labels)
    let (given, b) = evaluate(SoftmaxCrossEntropy(), logits.map { 2 * $0 }, labels)
    #expect(doubled == given && a == b.map { 2 * $0 })
    let (without, _) = evaluate(SoftmaxCrossEntropy(), logits, labels)
    let (with, _) = evaluate(SoftmaxCrossEntropy(margins: [1, 1, 1, 1]), logits, labels)
    #expect(with.lossSum > without.lossSum)
    #expect(with.correct == without.correct)
  }

  @Test("Margins do not change who won")
  func correct() {
    let (result, _) = evaluate(SoftmaxCrossEntropy(margins: [9, 0], scale: 30), [1, 0], [0])
    #expect(result.correct == 1)
    // s·((1 − 9) − 0) = −240: log(1 + e^240) = 240 to Double.
    #expect(result.lossSum == 240)
  }

  @Test("Focus leaves nothing of an example that is right, and all of one that is wrong")
  func focusLimits() {
    let focal = SoftmaxCrossEntropy(focus: 2)
    let (right, none) = evaluate(focal, [200, 0], [0])
    #expect(right.lossSum == 0 && none == [0, 0])
    let (wrong, all) = evaluate(focal, [0, 200], [0])
    #expect(wrong.lossSum == 200 && all == [-1, 1])
    // Nearly right: p = 1/(1 + e), 1 − p = e/(1 + e) with e = exp(−12).
    let (near, slope) = evaluate(focal, [12, 0], [0])
    let e = exp(-12.0)
    let loss = log1p(e)
    let miss = e / (1 + e)
    expectClose(Float(near.lossSum), miss * miss * loss, ulps: 256)
    let factor = miss * miss + 2 * miss * (1 - miss) * loss
    expectClose(slope[0], -factor * miss, ulps: 256)
    expectClose(slope[1], factor * miss, ulps: 256)
  }

  @Test("Half a focus has a finite gradient where the loss is 0")
  func halfFocus() {
    for gap: Float in [5, 15, 18, 40, 90, 110] {
      let (result, gradient) = evaluate(SoftmaxCrossEntropy(focus: 0.5), [gap, 0], [0])
      #expect(result.lossSum >= 0 && gradient.allSatisfy(\.isFinite), "\(gap)")
    }
  }

  @Test("A class of offset −∞ is away also with margins, scale and focus")
  func excluded() {
    let cut = SoftmaxCrossEntropy(
      offsets: [0, 0, -.infinity], margins: [0.5, 0.25, 1], scale: 3, focus: 1)
    let rest = SoftmaxCrossEntropy(margins: [0.5, 0.25], scale: 3, focus: 1)
    let (a, x) = evaluate(cut, [1, 2, 9], [1])
    let (b, y) = evaluate(rest, [1, 2], [1])
    #expect(a == b && x == [y[0], y[1], 0])
  }
}

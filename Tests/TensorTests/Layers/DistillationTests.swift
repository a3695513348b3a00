import Base
import Tensor
import TestSupport
import Testing

/// Identities of soft targets; PyTorch's numbers are in GoldenLossTests.
@Suite("Distillation")
struct DistillationTests {
  private let logits: [Float] = [0.3, -1.2, 2.5, 0.1, 0.7, -0.4, -3, 0, 40]
  private let classes = 3

  private func softmax(_ z: [Float], _ temperature: Float) -> [Float] {
    var p = [Float](repeating: .nan, count: z.count)
    Distillation.softmax(
      z, rows: z.count / classes, classes: classes, temperature: temperature, into: &p)
    return p
  }

  private func evaluate(_ loss: Distillation, _ z: [Float], _ q: [Float], weight: Float = 1) -> (
    Double, [Float]
  ) {
    var gradient = [Float](repeating: 0, count: z.count)
    let value = loss.evaluate(
      logits: z, targets: q, rows: z.count / classes, classes: classes, weight: weight,
      addingTo: &gradient)
    return (value, gradient)
  }

  @Test("One's own softmax costs nothing at all", arguments: [0.25, 1, 2, 3.7, 20] as [Float])
  func zero(temperature: Float) {
    let (value, gradient) = evaluate(
      Distillation(temperature: temperature), logits, softmax(logits, temperature))
    #expect(value == 0 && gradient.allSatisfy { $0 == 0 })
  }

  @Test("The gradient is the loss's differences'", arguments: [0.5, 1, 3] as [Float])
  func differences(temperature: Float) {
    let z: [Float] = [0.3, -1.2, 2.5, 0.1, 0.7, -0.4]
    let q = softmax([1, 0, -1, 2, 2, -2], temperature)
    let (value, gradient) = evaluate(Distillation(temperature: temperature), z, q)
    let t = Double(temperature)
    func reference(_ z: [Double]) -> Double {
      var total = 0.0
      for row in 0..<2 {
        let u = (0..<3).map { z[row * 3 + $0] / t }
        let logSum = log(u.map { exp($0) }.reduce(0, +))
        for c in 0..<3 {
          let target = Double(q[row * 3 + c])
          total += target * (log(target) - u[c] + logSum)
        }
      }
      return t * t * total
    }
    let exact = z.map(Double.init)
    // Eight roundings of z/τ, which is at most 5.
    let bound = 8 * Rounding.unit * 5
    #expect(abs(value - reference(exact)) <= bound * value)
    let slopes = exact.indices.map { i in
      var moved = exact
      moved[i] += 1e-5
      let above = reference(moved)
      moved[i] -= 2e-5
      return (above - reference(moved)) / 2e-5
    }
    expectClose(gradient, slopes, bound: bound, "gradient")
  }

  @Test("The gradient is added, times the weight; the loss is without it")
  func weight() {
    let q: [Float] = [0.5, 0.25, 0.25, 0, 1, 0, 0.25, 0.5, 0.25]
    let loss = Distillation(temperature: 2)
    let (value, gradient) = evaluate(loss, logits, q)
    let (same, half) = evaluate(loss, logits, q, weight: 0.5)
    #expect(value == same && half == gradient.map { 0.5 * $0 })
    var sum = gradient
    let alone = loss.evaluate(logits: logits, targets: q, rows: 3, classes: 3, addingTo: &sum)
    #expect(alone == value && sum == gradient.map { 2 * $0 })
    #expect(loss.evaluate(logits: logits, targets: q, rows: 3, classes: 3) == value)
  }

  @Test("A target of one class is cross-entropy")
  func hard() {
    let q: [Float] = [0, 0, 1, 1, 0, 0, 0, 1, 0]
    let (value, gradient) = evaluate(Distillation(temperature: 1), logits, q)
    var slope = [Float](repeating: 0, count: 9)
    let result = SoftmaxCrossEntropy().evaluate(
      logits: logits, labels: [2, 0, 1], batch: 3, classes: 3, gradient: &slope, totalWeight: 1)
    #expect(abs(value - result.lossSum) <= 4 * Rounding.unit * value)
    for (a, b) in zip(gradient, slope) { #expect(abs(a - b) <= 2 * Float(Rounding.unit)) }
  }

  @Test("Softmax and temper work in place, and rows sum to 1")
  func inPlace() {
    let p = softmax(logits, 2)
    var z = logits
    z.withUnsafeMutableBufferPointer { z in
      guard let z = z.baseAddress else { return }
      Distillation.softmax(z, rows: 3, classes: 3, temperature: 2, into: z)
    }
    #expect(z == p)
    for row in 0..<3 {
      let sum = p[3 * row..<3 * row + 3].map(Double.init).reduce(0, +)
      #expect(abs(sum - 1) <= 3 * Rounding.unit)
    }
  }

  @Test("Tempered probabilities are the softmax at that temperature; what is 0 counts as 1e-8")
  func temper() {
    let z: [Float] = [0.3, -1.2, 2.5]
    var p = softmax(z, 1)
    Distillation.temper(p, rows: 1, classes: 3, temperature: 4, into: &p)
    for (a, b) in zip(p, softmax(z, 4)) { expectClose(a, Double(b), ulps: 8) }
    var clamped = [Float](repeating: .nan, count: 3)
    Distillation.temper([1, 0, 0], rows: 1, classes: 3, temperature: 2, into: &clamped)
    // √1e-8 = 1e-4.
    for (a, b) in zip(clamped, [1 / 1.0002, 1e-4 / 1.0002, 1e-4 / 1.0002]) {
      expectClose(a, b, ulps: 2)
    }
  }
}

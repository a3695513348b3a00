import Base
import Client
import Tensor
import TestSupport
import Testing

@Suite("Corrections of a trained classifier")
struct PostHocTests {
  private let weight: [Float] = [3, 4, 0, 0.5, -6, 8, 1e-3, 2e-3]
  private let bias: [Float] = [0.5, -1, 2, 3]
  private let counts = [60, 30, 10, 0]

  private func apply(_ how: PostHoc, counts: [Int]? = nil) -> (weight: [Float], bias: [Float]) {
    var (w, b) = (weight, bias)
    how.apply(weight: &w, bias: &b, counts: counts ?? self.counts)
    return (w, b)
  }

  @Test("τ = 0 and no correction leave every bit")
  func nothing() {
    for how in [PostHoc.none, .tauNormalised(tau: 0, keepsBias: true), .logitAdjustment(tau: 0)] {
      let (w, b) = apply(how)
      #expect(w == weight && b == bias)
    }
    #expect(apply(.tauNormalised(tau: 0, keepsBias: false)).bias == [0, 0, 0, 0])
  }

  @Test("τ = 1 makes unit rows that point where they did, and is done after once")
  func unit() {
    let once = apply(.tauNormalised(tau: 1, keepsBias: true))
    #expect(once.bias == bias)
    for (a, b) in zip(once.weight, [0.6, 0.8, 0, 1, -0.6, 0.8]) { expectClose(a, b, ulps: 1) }
    for c in 0..<4 {
      let norm = VectorArithmetic.norm(Array(once.weight[2 * c..<2 * c + 2]).span)
      #expect(abs(norm - 1) <= 2 * Rounding.unit)
    }
    var (w, b) = once
    PostHoc.tauNormalised(tau: 1, keepsBias: true).apply(weight: &w, bias: &b, counts: counts)
    for (x, y) in zip(w, once.weight) { expectClose(x, Double(y), ulps: 2) }
  }

  @Test("τ between: a row of length 5 becomes one of length 5^(1 − τ)")
  func between() {
    let (w, _) = apply(.tauNormalised(tau: 0.5, keepsBias: true))
    expectClose(w[0], 3 / 5.0.squareRoot(), ulps: 1)
    expectClose(w[1], 4 / 5.0.squareRoot(), ulps: 1)
    expectClose(w[4], -6 / 10.0.squareRoot(), ulps: 1)
  }

  @Test("A row of zeros stays")
  func zeros() {
    var w: [Float] = [0, 0, 3, 4]
    var b: [Float] = [1, 1]
    PostHoc.tauNormalised(tau: 1.5, keepsBias: true).apply(weight: &w, bias: &b, counts: [1, 1])
    #expect(w[0] == 0 && w[1] == 0 && w[2].isFinite && w[2] > 0)
  }

  @Test("Logit adjustment moves the bias by −τ·log π; an absent class counts as one example")
  func adjustment() {
    let (w, b) = apply(.logitAdjustment(tau: 2))
    #expect(w == weight)
    let shifts = [0.6, 0.3, 0.1, 0.01].map { 2 * log($0) }
    for c in 0..<4 { expectClose(b[c], Double(bias[c]) - shifts[c], ulps: 2) }
    let (_, same) = apply(.logitAdjustment(tau: 1), counts: [0, 0, 0, 0])
    #expect(same == bias)
  }

  @Test("It takes back the offsets that the loss of the same name adds")
  func inverse() throws {
    let all = [60, 30, 10, 5]
    let loss = LossSpec.logitAdjustment(tau: 1.5, prior: .global).loss(
      own: [], pooled: all, round: 1, rounds: 1)
    let (_, b) = apply(.logitAdjustment(tau: 1.5), counts: all)
    for (c, offset) in try #require(loss.offsets).enumerated() {
      expectClose(b[c] + offset, Double(bias[c]), ulps: 8)
    }
  }
}

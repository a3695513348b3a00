import Base
import Client
import Tensor
import TestSupport
import Testing

@Suite("Losses for long tails")
struct LossSpecTests {
  /// CIFAR-10-LT with imbalance factor 100.
  static let longTail = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
  static let gaps = [40, 0, 7, 1, 0, 300, 2, 2, 9, 1]

  private func loss(
    _ spec: LossSpec, own: [Int] = gaps, pooled: [Int] = longTail, round: Int = 1, rounds: Int = 10
  ) -> SoftmaxCrossEntropy { spec.loss(own: own, pooled: pooled, round: round, rounds: rounds) }

  private func gradient(_ loss: SoftmaxCrossEntropy) -> (Double, [Float]) {
    var stream = RandomStream(seed: 5, .test)
    let logits = (0..<80).map { _ in Float(3 * stream.gaussian()) }
    var gradient = [Float](repeating: .nan, count: 80)
    let labels: [Int32] = [0, 2, 3, 5, 6, 7, 8, 9]
    let result = loss.evaluate(
      logits: logits, labels: labels, batch: 8, classes: 10, gradient: &gradient)
    return (result.lossSum / result.weight, gradient)
  }

  /// Logits of up to 20 and offsets of up to 32 are rounded, and probabilities feel it.
  private let bound = 32 * Rounding.unit

  private func expectSame(_ a: SoftmaxCrossEntropy, _ b: SoftmaxCrossEntropy) {
    let (x, dx) = gradient(a)
    let (y, dy) = gradient(b)
    #expect(abs(x - y) <= bound * max(1, y))
    // A gradient is a difference of probabilities, over eight examples.
    expectClose(dx, dy.map(Double.init), bound: bound, floor: 0.125)
  }

  @Test("Balanced softmax is logit adjustment with τ = 1", arguments: Prior.allCases)
  func balanced(
    prior: Prior
  ) {
    let one = loss(.balancedSoftmax(prior: prior))
    expectSame(one, loss(.logitAdjustment(tau: 1, prior: prior)))
    let half = loss(.logitAdjustment(tau: 0.5, prior: prior))
    #expect(gradient(half).1 != gradient(one).1)
  }

  @Test("A uniform prior is cross-entropy, for every τ", arguments: [0.5, 1, 2])
  func uniform(
    tau: Double
  ) {
    let equal = [Int](repeating: 77, count: 10)
    let spec = LossSpec.logitAdjustment(tau: tau, prior: .local)
    expectSame(loss(spec, own: equal), loss(.crossEntropy))
    #expect(loss(.crossEntropy) == SoftmaxCrossEntropy())
    let zero = loss(.logitAdjustment(tau: 0, prior: .local))
    #expect(gradient(zero).1 == gradient(SoftmaxCrossEntropy()).1)
  }

  @Test("Each prior reads its own counts and no others")
  func priors() {
    let local = LossSpec.balancedSoftmax(prior: .local)
    let global = LossSpec.balancedSoftmax(prior: .global)
    #expect(!local.needsPooledCounts && global.needsPooledCounts)
    #expect(LossSpec.logitAdjustment(tau: 1, prior: .global).needsPooledCounts)
    #expect(loss(local) == loss(local, pooled: []))
    #expect(loss(global) == loss(global, own: Self.longTail))
    #expect(loss(global).offsets?[9] == Float(log(50.0)))
    #expect(loss(local).offsets?[9] == 0)
    #expect(loss(.logitAdjustment(tau: 2, prior: .local)).offsets?[0] == Float(2 * log(40.0 / 362)))
  }

  @Test("A class without examples has the logarithm of 1e-8, and a finite loss")
  func absent() {
    let local = loss(.balancedSoftmax(prior: .local))
    #expect(local.offsets?[1] == Float(log(1e-8)))
    let value = local.evaluate(
      logits: [Float](repeating: 0, count: 10), labels: [1], batch: 1, classes: 10)
    // Equal logits: −log(1e-8 / 362).
    #expect(abs(value.lossSum - log(362 / 1e-8)) < 64 * Rounding.unit)
  }

  @Test("A client without examples has cross-entropy, or what needs no counts")
  func nobody() {
    let none = [Int](repeating: 0, count: 10)
    let plain = SoftmaxCrossEntropy()
    #expect(loss(.balancedSoftmax(prior: .local), own: none) == plain)
    #expect(loss(.logitAdjustment(tau: 1, prior: .local), own: none) == plain)
    #expect(loss(.classBalanced(beta: 0.999), own: none) == plain)
    let ldam = LossSpec.ldam(maxMargin: 0.5, scale: 30, reweightFrom: 0, beta: 0.999)
    #expect(loss(ldam, own: none) == SoftmaxCrossEntropy(scale: 30))
  }

  @Test("Focal loss with γ = 0 is cross-entropy")
  func focal() {
    #expect(loss(.focal(gamma: 0)) == SoftmaxCrossEntropy())
    #expect(loss(.focal(gamma: 2)) == SoftmaxCrossEntropy(focus: 2))
  }

  @Test("Margins: the authors' numbers, the largest 0.5, smaller where there is more")
  func margins() throws {
    let spec = LossSpec.ldam(maxMargin: 0.5, scale: 30, reweightFrom: 1, beta: 0.9999)
    let ldam = loss(spec, own: Self.longTail)
    let margins = try #require(ldam.margins)
    // m = n ** -0.25; m * 0.5 / max(m), by NumPy.
    let numpy = [
      0.15811388, 0.179697, 0.20423771, 0.23209115, 0.26382903, 0.29976765, 0.34067519, 0.38722091,
      0.44049703, 0.5,
    ]
    for (a, b) in zip(margins, numpy) { #expect(abs(Double(a) - b) < 1e-8 + Rounding.unit) }
    #expect(margins.max() == 0.5 && margins == margins.sorted())
    #expect(ldam.scale == 30 && ldam.weights == nil && ldam.offsets == nil)
    // By hand, with classes that are not there: the fourth root of 16 is 2, of 81 is 3.
    let gaps = try #require(loss(spec, own: [16, 1, 0, 81]).margins)
    for (a, b) in zip(gaps, [0.25, 0.5, 0.5, 0.5 / 3]) { expectClose(a, b, ulps: 1) }
  }

  @Test(
    "Deferred weights begin when that share of the rounds is over",
    arguments: [(0.8, 200, 161), (0.07, 100, 8), (0, 10, 1), (0.5, 3, 3), (1, 10, 11)])
  func deferred(share: Double, rounds: Int, first: Int) {
    let spec = LossSpec.ldam(maxMargin: 0.5, scale: 1, reweightFrom: share, beta: 0.9)
    for round in 1...rounds {
      let weights = loss(spec, round: round, rounds: rounds).weights
      #expect((weights != nil) == (round >= first), "round \(round)")
      if let weights { #expect(weights == loss(.classBalanced(beta: 0.9)).weights) }
    }
  }

  @Test("Class-balanced weights: the authors' numbers, the sum C")
  func weights() throws {
    let weights = try #require(loss(.classBalanced(beta: 0.9999), own: Self.longTail).weights)
    // (1 - β) / (1 - β ** n), scaled to the sum 10, by NumPy.
    let numpy = [
      0.05061136, 0.07689979, 0.12113387, 0.19503667, 0.31880537, 0.52458985, 0.86834894,
      1.44262727, 2.40922305, 3.99272382,
    ]
    for (a, b) in zip(weights, numpy) { #expect(abs(Double(a) - b) < 1e-8 + 4 * Rounding.unit) }
    #expect(abs(weights.map(Double.init).reduce(0, +) - 10) < 10 * 10 * Rounding.unit)
    // By hand with β = ½: 1, (1 − ½)/(1 − ¼) = ⅔, and no examples; 3/(5/3) = 1.8.
    let few = try #require(loss(.classBalanced(beta: 0.5), own: [1, 2, 0]).weights)
    for (a, b) in zip(few, [1.8, 1.2, 0]) { expectClose(a, b, ulps: 1) }
    // β = 0 sees one example where there are any; β near 1 sees n of n.
    #expect(loss(.classBalanced(beta: 0), own: [1, 20, 300]).weights == [1, 1, 1])
    let inverse = try #require(loss(.classBalanced(beta: 1 - 1e-12), own: [1, 2, 4]).weights)
    for (a, b) in zip(inverse, [12.0 / 7, 6.0 / 7, 3.0 / 7]) { expectClose(a, b, ulps: 2) }
  }
}

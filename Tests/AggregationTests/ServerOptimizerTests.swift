import Aggregation
import Base
import TestSupport
import Testing

@Suite("Optimizers at the server")
struct ServerOptimizerTests {
  @Test("Adam by hand: β₁ = β₂ = ½, τ = 2, two updates of 2")
  func adam() {
    // v stays 4 = ½·4 + ½·2²; u is 1, then 3/2; steps u/(2 + 2).
    let optimizer = ServerOptimizer(.adam, beta1: 0.5, beta2: 0.5, tau: 2)
    var memory = StateTensors()
    #expect(optimizer.step(for: [2, -2], &memory) == [0.25, -0.25])
    #expect(optimizer.step(for: [2, -2], &memory) == [0.375, -0.375])
    #expect(memory["second-moment"] == [4, 4])
    #expect(memory["momentum"] == [1.5, -1.5])
  }

  @Test("Yogi by hand: the second moment rises to a large update, and falls by a small one")
  func yogi() {
    let optimizer = ServerOptimizer(.yogi, beta1: 0.5, beta2: 0.25, tau: 2)
    var memory = StateTensors()
    // v: 4 + ¾·16 = 16, so u/(4 + 2) with u = 2; where Δ² = v = 4, nothing moves it.
    #expect(optimizer.step(for: [4, 2], &memory) == [2 / 6, 0.25])
    #expect(memory["second-moment"] == [16, 4])
    _ = optimizer.step(for: [1, 0], &memory)
    #expect(memory["second-moment"] == [15.25, 4])
    #expect(memory["momentum"] == [1.5, 0.5])
  }

  @Test("Adagrad by hand: squares add up from τ², and there is no first moment")
  func adagrad() {
    let optimizer = ServerOptimizer(.adagrad, beta1: 0.5, tau: 2)
    var memory = StateTensors()
    // v: 4 + 9/4 = (5/2)².
    #expect(optimizer.step(for: [1.5], &memory) == [1.5 / 4.5])
    #expect(memory["second-moment"] == [6.25])
    #expect(memory.names == ["second-moment"])
  }

  @Test(
    "twenty updates agree with a slow computation in double precision",
    arguments: [ServerOptimizer.Kind.adagrad, .adam, .yogi], [1e-3, 0.1])
  func reference(
    _ kind: ServerOptimizer.Kind, _ tau: Double
  ) {
    let (beta1, beta2) = (kind == .adagrad ? 0 : 0.8, 0.95)
    let optimizer = ServerOptimizer(kind, beta1: 0.8, beta2: beta2, tau: tau)
    var stream = RandomStream(seed: 5, .test, step: 1)
    var memory = StateTensors()
    let size = 40
    var u = [Double](repeating: 0, count: size)
    var v = [Double](repeating: tau * tau, count: size)
    var moved: [Float] = []
    var expected: [Double] = []
    for _ in 0..<20 {
      let delta = (0..<size).map { _ in Float(0.05 * stream.normal()) }
      moved = optimizer.step(for: delta, &memory)
      expected = []
      for i in 0..<size {
        let d = Double(delta[i])
        u[i] = beta1 * u[i] + (1 - beta1) * d
        switch kind {
        case .adagrad: v[i] += d * d
        case .adam: v[i] = beta2 * v[i] + (1 - beta2) * d * d
        default: v[i] += (1 - beta2) * d * d * (v[i] > d * d ? -1 : 1)
        }
        expected.append(u[i] / (v[i].squareRoot() + tau))
      }
    }
    // Three roundings per update and moment, with signs at random: √60 of them, four deviations.
    let bound = 4 * Rounding.unit * 60.0.squareRoot()
    expectClose(moved, expected, bound: bound, "\(kind)")
    expectClose(memory["second-moment"] ?? [], v, bound: bound, "v of \(kind)")
  }

  @Test("with β₂ = 1 and τ = 1 Adam is a momentum of (1 − β₁)/2 the size")
  func adamIsMomentum() {
    let adam = ServerOptimizer(.adam, beta1: 0.75, beta2: 1, tau: 1)
    let sgd = ServerOptimizer(.sgd, momentum: 0.75)
    var (first, second) = (StateTensors(), StateTensors())
    for step in 1...5 {
      let delta: [Float] = [Float(step) / 8, -1]
      let a = adam.step(for: delta, &first)
      let b = sgd.step(for: delta, &second)
      // Multiples of 2⁻¹³ below 4: all of this is exact.
      #expect(a == b.map { $0 / 8 })
    }
  }
}

import Accounting
import Base
import Testing

@Suite("Reports that are private by themselves, and their shuffling")
struct LocalMechanismsTests {
  // MARK: Shuffling

  /// δ(ε) in both directions from every outcome (a, c), masses by Pascal's rule.
  private func enumerated(_ n: Int, _ local: Double, _ epsilon: Double) -> (Double, Double) {
    func binomial(_ n: Int, _ p: Double) -> [Double] {
      var masses = [1.0]
      for _ in 0..<n {
        var next = [Double](repeating: 0, count: masses.count + 1)
        for (k, mass) in masses.enumerated() {
          next[k] += (1 - p) * mass
          next[k + 1] += p * mass
        }
        masses = next
      }
      return masses
    }
    let alpha = exp(local) / (1 + exp(local))
    var (forward, backward) = (0.0, 0.0)
    for (c, weight) in binomial(n - 1, exp(-local)).enumerated() {
      let coins = binomial(c, 0.5)
      for a in 0...c + 1 {
        let (same, less) = (a <= c ? coins[a] : 0, a > 0 ? coins[a - 1] : 0)
        let p = weight * (alpha * less + (1 - alpha) * same)
        let q = weight * ((1 - alpha) * less + alpha * same)
        forward += max(0, p - exp(epsilon) * q)
        backward += max(0, q - exp(epsilon) * p)
      }
    }
    return (forward, backward)
  }

  @Test("delta is that of all outcomes, in both directions")
  func outcomes() {
    var stream = RandomStream(seed: 1, .test)
    for _ in 0..<300 {
      let n = 1 + stream.below(40)
      let local = 0.05 + 5 * stream.uniform()
      let epsilon = local * stream.uniform()
      let found = ShuffleAmplification(clients: n, localEpsilon: local).delta(epsilon: epsilon)
      let (forward, backward) = enumerated(n, local, epsilon)
      #expect(abs(found - forward) < 1e-13 && abs(found - backward) < 1e-13)
    }
  }

  @Test("nobody else to hide among: randomised response itself")
  func alone() {
    let one = ShuffleAmplification(clients: 1, localEpsilon: 2)
    // α − e^ε·(1 − α) with α = e²/(1 + e²).
    let alpha = exp(2.0) / (1 + exp(2.0))
    #expect(abs(one.delta(epsilon: 1) - (alpha - exp(1.0) * (1 - alpha))) < 1e-15)
    #expect(one.delta(epsilon: 2) == 0)
    #expect(abs(one.epsilon(delta: 1e-12) - 2) < 1e-9)
  }

  @Test("published numbers: 100,000 reports of epsilon 4 at delta 1e-6")
  func published() {
    let many = ShuffleAmplification(clients: 100_000, localEpsilon: 4)
    let found = many.epsilon(delta: 1e-6)
    // Bounds and closed form in the README of the authors' ml-shuffling-amplification.
    #expect(found > 0.1675 && found < 0.1728)
    #expect(abs((many.closedForm(delta: 1e-6) ?? 0) - 0.5378) < 5e-5)
    // A hundred clients gain nothing from 4 on, and the closed form says nothing.
    let few = ShuffleAmplification(clients: 100, localEpsilon: 4)
    #expect(few.epsilon(delta: 1e-6) > 3.9999 && few.closedForm(delta: 1e-6) == nil)
  }

  @Test("more clients, larger delta and smaller reports never cost more")
  func monotone() {
    var stream = RandomStream(seed: 2, .test)
    for _ in 0..<60 {
      let n = 2 + stream.below(3000)
      let local = 0.1 + 4 * stream.uniform()
      let delta = exp(-3 - 20 * stream.uniform())
      let found = ShuffleAmplification(clients: n, localEpsilon: local).epsilon(delta: delta)
      let slack = 1e-9
      #expect(found >= 0 && found <= local)
      let more = ShuffleAmplification(clients: 2 * n, localEpsilon: local)
      #expect(more.epsilon(delta: delta) <= found + slack)
      #expect(more.epsilon(delta: 2 * delta) <= more.epsilon(delta: delta) + slack)
      let smaller = ShuffleAmplification(clients: n, localEpsilon: 0.8 * local)
      #expect(smaller.epsilon(delta: delta) <= found + slack)
      if let closed = more.closedForm(delta: delta) {
        #expect(closed >= more.epsilon(delta: delta) - slack)
      }
    }
  }

  // MARK: PrivUnitG

  @Test("the tail's quantile is its inverse, down to 1e-300")
  func quantile() {
    var stream = RandomStream(seed: 3, .test)
    for _ in 0..<4000 {
      let p = exp(-690 * stream.uniform())
      let x = NormalTail.quantile(p)
      #expect(abs(NormalTail.probability(x) / p - 1) < 1e-12 * (1 + x * x))
    }
    #expect(NormalTail.quantile(0.5) == 0)
    #expect(abs(NormalTail.quantile(0.975) + 1.959963984540054) < 1e-14)
  }

  @Test("the two densities differ by e^epsilon, and the mean is the vector")
  func definition() {
    for epsilon in [0.001, 0.1, 0.5, 1, 2, 4, 8, 16, 40, 100] {
      let report = PrivUnitG(epsilon: epsilon)
      let (p, q) = (report.probability, report.share)
      let above = p / q
      let below = (1 - p) / (1 - q)
      #expect(abs(log(above / below) - epsilon) < 1e-9 * max(1, epsilon))
      #expect(abs(NormalTail.probability(report.threshold) / q - 1) < 1e-10)
      // E t = φ(γ)·(p/q − (1 − p)/(1 − q)), and σ·E t = 1.
      let mean = NormalTail.density(report.threshold) * (above - below)
      #expect(abs(report.scale * mean - 1) < 1e-9)
    }
  }

  @Test("no other p is better, and more epsilon is less noise")
  func best() {
    var last = Double.infinity
    for step in 1...120 {
      let epsilon = 0.1 * Double(step)
      let best = PrivUnitG(epsilon: epsilon)
      #expect(best.scale < last)
      last = best.scale
      for shift in [-0.3, -0.01, 0.01, 0.3] {
        let logit = log(best.probability / (1 - best.probability)) + shift
        let p = 1 / (1 + exp(-logit))
        let q = 1 / (1 + exp(epsilon) * (1 - p) / p)
        let x = NormalTail.quantile(q)
        let scale = 1 / (NormalTail.density(x) * (p / q - (1 - p) / (1 - q)))
        #expect(scale >= best.scale * (1 - 1e-12))
      }
    }
  }

  @Test("numbers by SciPy: minimize_scalar over p, norm.isf and norm.pdf")
  func golden() {
    let rows = [
      (0.5, 0.5452292, 5.017953), (1, 0.5893257, 2.515957), (2, 0.6703232, 1.271488),
      (4, 0.7909458, 0.6597883), (8, 0.9010232, 0.3645717), (16, 0.9575998, 0.2192345),
    ]
    for (epsilon, probability, scale) in rows {
      let report = PrivUnitG(epsilon: epsilon)
      #expect(abs(report.scale / scale - 1) < 1e-6)
      #expect(abs(report.probability - probability) < 2e-4)
    }
  }

  @Test("Laplace noise, randomised response and the error of a mean by hand")
  func others() {
    // b = 2·3/4 = 1.5; √2·1.5.
    #expect(abs(LocalReports.laplaceDeviation(epsilon: 4, clip: 3) - 2.1213203435596424) < 1e-15)
    #expect(abs(LocalReports.keepProbability(epsilon: 1, answers: 2) - 0.7310585786300049) < 1e-15)
    #expect(LocalReports.keepProbability(epsilon: 0, answers: 4) == 0.25)
    // 40,000 coordinates, 100 clients, variance 0.435: about 13 times the largest report.
    let error = LocalReports.meanError(dimension: 40_000, variance: 0.435, clients: 100)
    #expect(abs(error - 13.19) < 0.01)
  }
}

import Base
import Fixtures

/// FedLoGe with one hidden layer of ReLUs, in double precision, from the paper's equations.
///
/// It shares no code with the engine. θ is the hidden layer, weight [d × inputs] and bias [d]; a
/// head is a weight [C × d] and a bias [C].
struct ReferenceFedLoGe {
  let inputs: Int
  let width: Int
  let classes: Int
  let clients: [[ReferenceExample]]
  let batch: Int
  let epochs: Int
  let sgd: ReferenceSGD

  var theta: [Double]
  let frame: [Double]
  var psi: [Double]
  let firstHead: [Double]
  var phi: [Int: [Double]] = [:]
  /// Local steps so far, of all clients.
  var steps = 0

  /// h of one example.
  private func features(_ theta: [Double], _ x: [Double]) -> [Double] {
    (0..<width).map { j in
      var sum = theta[width * inputs + j]
      for i in 0..<inputs { sum += theta[j * inputs + i] * x[i] }
      return max(sum, 0)
    }
  }

  /// softmax(head·h) − e_y.
  private func slopes(_ head: [Double], _ h: [Double], _ label: Int) -> [Double] {
    let logits = (0..<classes).map { c in
      (0..<width).reduce(head[classes * width + c]) { $0 + head[c * width + $1] * h[$1] }
    }
    let powers = logits.map { exp($0 - (logits.max() ?? 0)) }
    let total = powers.reduce(0, +)
    return (0..<classes).map { powers[$0] / total - ($0 == label ? 1 : 0) }
  }

  /// Mean gradient of a head on given features.
  private func gradient(_ head: [Double], _ features: [[Double]], _ examples: [ReferenceExample])
    -> [Double]
  {
    var g = head.map { _ in 0.0 }
    for (h, example) in zip(features, examples) {
      for (c, slope) in slopes(head, h, example.label).enumerated() {
        for j in 0..<width { g[c * width + j] += slope * h[j] / Double(examples.count) }
        g[classes * width + c] += slope / Double(examples.count)
      }
    }
    return g
  }

  /// Mean gradient of θ through the frame.
  private func bodyGradient(
    _ theta: [Double], _ features: [[Double]], _ examples: [ReferenceExample]
  ) -> [Double] {
    var g = theta.map { _ in 0.0 }
    for (h, example) in zip(features, examples) {
      let slopes = slopes(frame, h, example.label)
      for j in 0..<width where h[j] > 0 {
        let slope =
          (0..<classes).reduce(0) { $0 + slopes[$1] * frame[$1 * width + j] }
          / Double(examples.count)
        for i in 0..<inputs { g[j * inputs + i] += slope * example.values[i] }
        g[width * inputs + j] += slope
      }
    }
    return g
  }

  /// w and its velocity after one step.
  private func step(_ w: inout [Double], _ v: inout [Double], _ g: [Double]) {
    for i in w.indices {
      let slope = g[i] + sgd.decay * w[i]
      v[i] = sgd.momentum * v[i] + slope
      w[i] -= sgd.rate * (sgd.nesterov ? slope + sgd.momentum * v[i] : v[i])
    }
  }

  /// One client's round from (θ, ψ, φ_k).
  private mutating func train(_ k: Int) -> (theta: [Double], psi: [Double]) {
    var (body, shared, own) = (theta, psi, phi[k] ?? firstHead)
    var velocities = [body, shared, own].map { $0.map { _ in 0.0 } }
    for _ in 0..<epochs {
      var first = 0
      while first < clients[k].count {
        let examples = Array(clients[k][first..<min(first + batch, clients[k].count)])
        first += batch
        let h = examples.map { features(body, $0.values) }
        let slopes = (
          bodyGradient(body, h, examples), gradient(shared, h, examples), gradient(own, h, examples)
        )
        step(&body, &velocities[0], slopes.0)
        step(&shared, &velocities[1], slopes.1)
        step(&own, &velocities[2], slopes.2)
        steps += 1
      }
    }
    phi[k] = own
    return (body, shared)
  }

  /// One round; shares are by examples.
  mutating func run(_ cohort: [Int]) {
    let total = cohort.map { clients[$0].count }.reduce(0, +)
    var next = (theta.map { _ in 0.0 }, psi.map { _ in 0.0 })
    for k in cohort {
      let share = Double(clients[k].count) / Double(total)
      let trained = train(k)
      for i in next.0.indices { next.0[i] += share * trained.theta[i] }
      for i in next.1.indices { next.1[i] += share * trained.psi[i] }
    }
    (theta, psi) = next
  }

  /// ‖w_c‖ of each class.
  func lengths(_ head: [Double]) -> [Double] {
    (0..<classes).map { norm(Array(head[$0 * width..<($0 + 1) * width]), minus: nil) }
  }

  /// ψ'.
  func generic(scale: Double) -> [Double] {
    let lengths = lengths(psi)
    return psi.indices.map { i in i < classes * width ? scale * psi[i] / lengths[i / width] : psi[i]
    }
  }

  /// φ'_k.
  func personal(_ k: Int) -> [Double] {
    let lengths = lengths(phi[k] ?? firstHead)
    return psi.indices.map { i in i < classes * width ? psi[i] * lengths[i / width] : psi[i] }
  }
}

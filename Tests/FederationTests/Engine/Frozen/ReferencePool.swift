import Base
import Fixtures
import Tensor

/// FedIns on a perceptron with one frozen hidden layer, by plain loops over doubles, straight from
/// the equations: forward pass, loss, gradients by hand, local SGD, mean.
struct ReferencePool {
  /// Tensors of a pool, entry by entry.
  struct Entries {
    /// κ, [P][D].
    var keys: [[Double]]
    /// γ and β of the one site, [P][D].
    var scale: [[Double]]
    var shift: [[Double]]
    /// W, [P][C·D], and b, [P][C].
    var weight: [[Double]]
    var bias: [[Double]]

    /// Σ of a share of another pool.
    mutating func add(_ share: Double, _ other: Entries) {
      for path in Self.paths {
        for p in self[keyPath: path].indices {
          for i in self[keyPath: path][p].indices {
            self[keyPath: path][p][i] += share * other[keyPath: path][p][i]
          }
        }
      }
    }

    /// The same shapes, all zero.
    var zeros: Entries {
      var copy = self
      for path in Self.paths { copy[keyPath: path] = self[keyPath: path].map { $0.map { _ in 0 } } }
      return copy
    }

    /// Everything, tensor by tensor.
    var flat: [Double] { Self.paths.flatMap { self[keyPath: $0].flatMap { $0 } } }

    private static var paths: [WritableKeyPath<Entries, [[Double]]>] {
      [\.keys, \.scale, \.shift, \.weight, \.bias]
    }
  }

  /// The frozen layer: D rows, and D constants.
  let rows: [[Double]]
  let constants: [Double]
  let classes: Int
  let matched: Int
  let matchingWeight: Double
  let batchAveraged: Bool
  /// Optimizer steps so far.
  private(set) var steps = 0

  init(
    rows: [[Double]], constants: [Double], classes: Int, matched: Int, matchingWeight: Double,
    batchAveraged: Bool
  ) {
    self.rows = rows
    self.constants = constants
    self.classes = classes
    self.matched = matched
    self.matchingWeight = matchingWeight
    self.batchAveraged = batchAveraged
  }

  /// The frozen layer's output before its ReLU.
  func linear(_ x: [Double]) -> [Double] { zip(rows, constants).map { dot($0, x) + $1 } }

  /// The entries of an input: indices of the k largest cosines, and all cosines.
  func match(_ x: [Double], _ pool: Entries) -> (taken: [Int], cosines: [Double]) {
    let q = linear(x).map { max($0, 0) }
    let cosines = pool.keys.map { dot(q, $0) / (length(q) * length($0)) }
    let order = cosines.indices.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }
    return (Array(order.prefix(matched)), cosines)
  }

  /// The gradient of the mean of (1 − λ)·CE + λ·(1 − r) over a batch.
  func gradient(_ pool: Entries, _ batch: [ReferenceExample]) -> Entries {
    let matches = batch.map { match($0.values, pool) }
    let size = Double(batch.count)
    var shares = matches.map { match in
      pool.keys.indices.map { match.taken.contains($0) ? 1 / Double(matched) : 0 }
    }
    if batchAveraged {
      let mean = pool.keys.indices.map { p in shares.map { $0[p] }.reduce(0, +) / size }
      shares = shares.map { _ in mean }
    }
    var g = pool.zeros
    for (n, example) in batch.enumerated() {
      let share = shares[n]
      func mean(_ tensor: [[Double]]) -> [Double] {
        tensor[0].indices.map { i in share.indices.reduce(0) { $0 + share[$1] * tensor[$1][i] } }
      }
      let (scale, shift) = (mean(pool.scale), mean(pool.shift))
      let (weight, bias) = (mean(pool.weight), mean(pool.bias))
      let u = linear(example.values)
      let v = u.indices.map { scale[$0] * u[$0] + shift[$0] }
      let h = v.map { max($0, 0) }
      let z = (0..<classes).map { c in
        bias[c] + h.indices.reduce(0) { $0 + weight[c * h.count + $1] * h[$1] }
      }
      let largest = z.max() ?? 0
      let powers = z.map { exp($0 - largest) }
      let total = powers.reduce(0, +)
      let delta = powers.indices.map { c in
        (1 - matchingWeight) * (powers[c] / total - (c == example.label ? 1 : 0)) / size
      }
      let below = h.indices.map { i in
        v[i] > 0 ? (0..<classes).reduce(0) { $0 + delta[$1] * weight[$1 * h.count + i] } : 0
      }
      for p in share.indices where share[p] > 0 {
        for i in h.indices {
          g.scale[p][i] += share[p] * below[i] * u[i]
          g.shift[p][i] += share[p] * below[i]
          for c in 0..<classes { g.weight[p][c * h.count + i] += share[p] * delta[c] * h[i] }
        }
        for c in 0..<classes { g.bias[p][c] += share[p] * delta[c] }
      }
      let q = u.map { max($0, 0) }
      for p in matches[n].taken {
        let key = pool.keys[p]
        for i in q.indices {
          let away = q[i] / length(q) - matches[n].cosines[p] * key[i] / length(key)
          g.keys[p][i] -= matchingWeight / size * away / length(key)
        }
      }
    }
    return g
  }

  /// Local SGD on examples in their order, the last batch of an epoch short.
  mutating func train(
    _ start: Entries, _ examples: [ReferenceExample], batch: Int, epochs: Int, rate: Double
  ) -> Entries {
    var pool = start
    for _ in 0..<epochs {
      for first in stride(from: 0, to: examples.count, by: batch) {
        let part = Array(examples[first..<min(first + batch, examples.count)])
        pool.add(-rate, gradient(pool, part))
        steps += 1
      }
    }
    return pool
  }

  private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).map(*).reduce(0, +) }
  private func length(_ x: [Double]) -> Double { max(dot(x, x).squareRoot(), 1e-12) }
}

extension ReferencePool.Entries {
  /// A pool out of a network's parameters.
  init(_ network: Network, _ vector: [Float], layer: String) throws {
    func tensor(_ name: String) -> [[Double]] {
      guard let entry = network.layout["pool." + name] else { return [] }
      let values = network.layout.exported(entry, from: vector).map(Double.init)
      let size = values.count / entry.shape[0]
      return (0..<entry.shape[0]).map { Array(values[$0 * size..<($0 + 1) * size]) }
    }
    self.init(
      keys: tensor("keys"), scale: tensor(layer + ".scale"), shift: tensor(layer + ".shift"),
      weight: tensor("head.weight"), bias: tensor("head.bias"))
  }
}

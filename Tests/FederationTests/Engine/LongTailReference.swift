import Base

/// What CCVR and CReFF do at the server, in double precision by plain loops; random numbers come
/// from the same addresses.
struct HeadReference {
  let classes: Int
  let width: Int
  let clients: Int

  /// The stream of the server in a round.
  func stream(_ round: Int, _ step: Int) -> RandomStream {
    RandomStream(seed: 1, .server, round: round, client: clients, step: step)
  }

  /// The gradient of the mean cross-entropy on some features: [C × d], then [C].
  func gradient(_ head: [Double], _ features: [[Double]], _ labels: [Int]) -> [Double] {
    var g = head.map { _ in 0.0 }
    for (x, label) in zip(features, labels) {
      var z = Array(head[(classes * width)...])
      for c in 0..<classes { for i in 0..<width { z[c] += head[c * width + i] * x[i] } }
      let total = z.map { exp($0) }.reduce(0, +)
      for c in 0..<classes {
        let slope = (exp(z[c]) / total - (c == label ? 1 : 0)) / Double(labels.count)
        for i in 0..<width { g[c * width + i] += slope * x[i] }
        g[classes * width + c] += slope
      }
    }
    return g
  }

  /// SGD with momentum on a head, epoch by epoch in the order of a stream.
  func train(
    _ start: [Double], _ features: [[Double]], _ labels: [Int], epochs: Int, batch: Int,
    rate: Double, momentum: Double, order: (Int) -> RandomStream
  ) -> [Double] {
    var head = start
    var velocity = head.map { _ in 0.0 }
    for epoch in 0..<epochs {
      var stream = order(epoch)
      var rest = stream.permutation(labels.count)[...]
      while !rest.isEmpty {
        let part = rest.prefix(batch)
        rest = rest.dropFirst(batch)
        let g = gradient(head, part.map { features[$0] }, part.map { labels[$0] })
        for i in head.indices {
          velocity[i] = momentum * velocity[i] + g[i]
          head[i] -= rate * velocity[i]
        }
      }
    }
    return head
  }

  /// Samples of N(μ, (1 − s)·Σ + s·tr(Σ)/d·I), by Cholesky's decomposition of the full matrix.
  func samples(
    _ features: [[Double]], count: Int, shrinkage s: Double, _ stream: inout RandomStream
  ) -> [[Double]] {
    let n = Double(features.count)
    let mean = (0..<width).map { i in features.map { $0[i] }.reduce(0, +) / n }
    func covariance(_ i: Int, _ j: Int) -> Double {
      var sum = 0.0
      for x in features { sum += (x[i] - mean[i]) * (x[j] - mean[j]) }
      return sum / (n - 1)
    }
    let trace = (0..<width).map { covariance($0, $0) }.reduce(0, +)
    var l = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
    for i in 0..<width {
      for j in 0...i {
        var value = (1 - s) * covariance(i, j) + (i == j ? s * trace / Double(width) : 0)
        for k in 0..<j { value -= l[i][k] * l[j][k] }
        l[i][j] = i == j ? value.squareRoot() : value / l[j][j]
      }
    }
    var drawn: [[Double]] = []
    for _ in 0..<count {
      var z: [Double] = []
      for _ in 0..<width { z.append(stream.normal()) }
      var x = mean
      for i in 0..<width { for k in 0...i { x[i] += l[i][k] * z[k] } }
      drawn.append(x)
    }
    return drawn
  }

  /// Σ over rows of 1 − cosine between the gradient on features of one class and a target.
  func distance(_ head: [Double], _ features: [[Double]], _ label: Int, _ target: [Double])
    -> Double
  {
    let g = gradient(head, features, features.map { _ in label })
    var total = 0.0
    for c in 0...classes {
      let row = c < classes ? c * width..<(c + 1) * width : classes * width..<g.count
      let lengths = norm(Array(g[row]), minus: nil) * norm(Array(target[row]), minus: nil)
      var product = 0.0
      for i in row { product += g[i] * target[i] }
      total += 1 - product / (lengths + 1e-6)
    }
    return total
  }

  /// Steps of SGD on features, with central differences for gradients.
  func match(
    _ start: [[Double]], _ head: [Double], _ label: Int, _ target: [Double], steps: Int,
    rate: Double
  ) -> [[Double]] {
    var u = start
    for _ in 0..<steps {
      var next = u
      for r in u.indices {
        for i in 0..<width {
          var (up, down) = (u, u)
          up[r][i] += 1e-5
          down[r][i] -= 1e-5
          let slope =
            (distance(head, up, label, target) - distance(head, down, label, target)) / 2e-5
          next[r][i] -= rate * slope
        }
      }
      u = next
    }
    return u
  }
}

import Tensor

/// The definitions of a pool's operations, entry by entry.
extension ReferenceNetwork {
  /// The k best cosines of each example, their entries and their sum.
  func poolMatch(_ layer: PoolMatch, _ x: [Double], _ batch: Int, _ outcome: inout Outcome) {
    let width = layer.width
    var chosen: [Double] = []
    var sums: [Double] = []
    for n in 0..<batch {
      let q = Array(x[n * width..<(n + 1) * width])
      let cosines = (0..<layer.mixture.entries).map { p in
        let start = layer.keys + p * width
        let key = Array(parameters[start..<start + width])
        let lengths = max(dot(q, q).squareRoot(), 1e-12) * max(dot(key, key).squareRoot(), 1e-12)
        return dot(q, key) / lengths
      }
      // A stable order: of equal cosines the lower index comes first.
      let order = cosines.indices.sorted { (-cosines[$0], $0) < (-cosines[$1], $1) }
      let best = order.prefix(layer.mixture.matched)
      chosen += best.map(Double.init)
      sums.append(best.map { cosines[$0] }.reduce(0, +))
      outcome.pattern += best.map(Int32.init)
    }
    outcome.slots[layer.mixture.selection] = chosen
    outcome.slots[layer.output] = sums
  }

  /// The weight of each entry for each example: rows of sum 1.
  private func weights(_ mixture: PoolMixture, _ batch: Int, _ outcome: Outcome) -> [[Double]] {
    let (entries, k) = (mixture.entries, mixture.matched)
    if mixture.choice == .everything {
      return Array(
        repeating: [Double](repeating: 1 / Double(entries), count: entries), count: batch)
    }
    let rows = (0..<batch).map { n in
      var row = [Double](repeating: 0, count: entries)
      for j in 0..<k { row[Int(outcome.slots[mixture.selection][n * k + j])] += 1 / Double(k) }
      return row
    }
    guard mixture.choice == .perBatch else { return rows }
    let mean = (0..<entries).map { p in rows.map { $0[p] }.reduce(0, +) / Double(batch) }
    return Array(repeating: mean, count: batch)
  }

  /// Σ_p w_p·(γ_p ⊙ x + β_p).
  func poolScale(_ layer: PoolScale, _ x: [Double], _ batch: Int, _ outcome: Outcome) -> [Double] {
    let weights = weights(layer.mixture, batch, outcome)
    let channels = layer.shape.channels
    return x.indices.map { index in
      let c = index % channels
      return weights[index / layer.shape.count].enumerated().map { p, weight in
        let place = p * channels + c
        return weight
          * (parameters[layer.scale + place] * x[index] + parameters[layer.shift + place])
      }.reduce(0, +)
    }
  }

  /// Σ_p w_p·(W_p·h + b_p): a mean of logits.
  func poolHead(_ layer: PoolHead, _ x: [Double], _ batch: Int, _ outcome: Outcome) -> [Double] {
    let weights = weights(layer.mixture, batch, outcome)
    var z: [Double] = []
    for n in 0..<batch {
      let h = Array(x[n * layer.inputs..<(n + 1) * layer.inputs])
      for o in 0..<layer.outputs {
        var mean = 0.0
        for p in 0..<layer.mixture.entries {
          let row = p * layer.outputs + o
          let start = layer.weight + row * layer.inputs
          let logit =
            dot(h, Array(parameters[start..<start + layer.inputs])) + parameters[layer.bias + row]
          mean += weights[n][p] * logit
        }
        z.append(mean)
      }
    }
    return z
  }

  private func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).map(*).reduce(0, +) }
}

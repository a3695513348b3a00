import Base
import Tensor

/// The definitions of a transformer's layers, one loop per index.
extension ReferenceNetwork {
  /// y[p, o] = b[o] + Σ_i w[o, i]·x[p, i] at every position of the batch.
  func positionLinear(_ layer: PositionLinear, _ x: [Double], _ batch: Int) -> [Double] {
    var y: [Double] = []
    y.reserveCapacity(batch * layer.positions * layer.outputs)
    for position in 0..<batch * layer.positions {
      for o in 0..<layer.outputs {
        var sum = layer.bias.map { parameters[$0 + o] } ?? 0
        for i in 0..<layer.inputs {
          sum += parameters[layer.weight + o * layer.inputs + i] * x[position * layer.inputs + i]
        }
        y.append(sum)
      }
    }
    return y
  }

  /// Each head's softmax(q·k/√d) weights times its values, query by query.
  func attention(_ layer: Attention, _ x: [Double], _ batch: Int) -> [Double] {
    let (tokens, width) = (layer.tokens, layer.width)
    let d = width / layer.heads
    var y = [Double](repeating: 0, count: batch * tokens * width)
    for n in 0..<batch {
      // The value of channel c of token t in part 0 (q), 1 (k) or 2 (v).
      func value(_ part: Int, _ t: Int, _ c: Int) -> Double {
        x[(n * tokens + t) * 3 * width + part * width + c]
      }
      for head in 0..<layer.heads {
        let channels = head * d..<(head + 1) * d
        for t in 0..<tokens {
          let scores = (0..<tokens).map { s in
            channels.map { value(0, t, $0) * value(1, s, $0) }.reduce(0, +) / Double(d).squareRoot()
          }
          let largest = scores.max() ?? 0
          let weights = scores.map { exp($0 - largest) }
          let sum = weights.reduce(0, +)
          for c in channels {
            y[(n * tokens + t) * width + c] = (0..<tokens).map {
              weights[$0] / sum * value(2, $0, c)
            }.reduce(0, +)
          }
        }
      }
    }
    return y
  }

  /// The class token in front, and the embedding of each place added.
  func classToken(_ layer: ClassToken, _ x: [Double], _ batch: Int) -> [Double] {
    var y: [Double] = []
    for n in 0..<batch {
      for t in 0...layer.positions {
        for c in 0..<layer.width {
          let token =
            t == 0
            ? parameters[layer.token + c] : x[(n * layer.positions + t - 1) * layer.width + c]
          y.append(token + parameters[layer.embedding + t * layer.width + c])
        }
      }
    }
    return y
  }
}

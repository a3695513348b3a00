import Tensor

/// The layers' definitions, one loop per index.
extension ReferenceNetwork {
  /// y[n, o] = b[o] + Σ_i w[o, i]·x[n, i].
  func dense(_ layer: Dense, _ x: [Double], _ batch: Int) -> [Double] {
    var y = [Double](repeating: 0, count: batch * layer.outputs)
    for n in 0..<batch {
      for o in 0..<layer.outputs {
        var sum = layer.bias.map { parameters[$0 + o] } ?? 0
        for i in 0..<layer.inputs {
          sum += parameters[layer.weight + o * layer.inputs + i] * x[n * layer.inputs + i]
        }
        y[n * layer.outputs + o] = sum
      }
    }
    return y
  }

  /// z[n, c] = β·⟨v[c], x[n]⟩/‖x[n]‖, v[c] being w[c] or w[c]/‖w[c]‖.
  func cosine(_ layer: CosineClassifier, _ x: [Double], _ batch: Int) -> [Double] {
    func length(_ v: ArraySlice<Double>) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    var z = [Double](repeating: 0, count: batch * layer.outputs)
    for n in 0..<batch {
      let features = x[n * layer.inputs..<(n + 1) * layer.inputs]
      for c in 0..<layer.outputs {
        let start = layer.weight + c * layer.inputs
        let row = parameters[start..<start + layer.inputs]
        let product = zip(row, features).reduce(0) { $0 + $1.0 * $1.1 }
        let scale = layer.scale.map { parameters[$0] } ?? 1
        z[n * layer.outputs + c] =
          scale * product / length(features) / (layer.normalisesRows ? length(row) : 1)
      }
    }
    return z
  }

  /// The sum over a window of w[ky][kx][i][o]·x at the places inside the image.
  func convolution(_ layer: Convolution, _ x: [Double], _ batch: Int) -> [Double] {
    let count = layer.geometry.patch * layer.geometry.output.channels
    let weights = Array(parameters[layer.weight..<layer.weight + count])
    return convolution(layer.geometry, weights, bias: layer.bias, x, batch)
  }

  /// The same with γ·(w − mean)/√max(Σ(w − mean)², 1e-4) of each output channel in place of w.
  func convolution(_ layer: StandardisedConvolution, _ x: [Double], _ batch: Int) -> [Double] {
    let (patch, channels) = (layer.geometry.patch, layer.geometry.output.channels)
    var weights = Array(parameters[layer.weight..<layer.weight + patch * channels])
    for o in 0..<channels {
      let places = (0..<patch).map { $0 * channels + o }
      let mean = places.reduce(0) { $0 + weights[$1] } / Double(patch)
      let square = places.reduce(0) { $0 + (weights[$1] - mean) * (weights[$1] - mean) }
      for place in places {
        weights[place] =
          parameters[layer.gain + o] * (weights[place] - mean) / max(square, 1e-4).squareRoot()
      }
    }
    return convolution(layer.geometry, weights, bias: layer.bias, x, batch)
  }

  private func convolution(
    _ geometry: ConvolutionGeometry, _ weights: [Double], bias: Int?, _ x: [Double], _ batch: Int
  ) -> [Double] {
    let (from, to) = (geometry.input, geometry.output)
    var y = [Double](repeating: 0, count: batch * to.count)
    for n in 0..<batch {
      for oy in 0..<to.height {
        for ox in 0..<to.width {
          let target = n * to.count + (oy * to.width + ox) * to.channels
          for o in 0..<to.channels { y[target + o] = bias.map { parameters[$0 + o] } ?? 0 }
          forEachPlace(geometry, oy, ox) { ky, kx, position in
            for i in 0..<from.channels {
              let value = x[n * from.count + position * from.channels + i]
              let w = ((ky * geometry.kernel + kx) * from.channels + i) * to.channels
              for o in 0..<to.channels { y[target + o] += weights[w + o] * value }
            }
          }
        }
      }
    }
    return y
  }

  /// Maximum or mean of each window; the mean counts padding as zeros.
  func pooling(_ layer: Pooling, _ x: [Double], _ batch: Int, _ pattern: inout [Int32]) -> [Double]
  {
    let (from, to) = (layer.geometry.input, layer.geometry.output)
    var y = [Double](repeating: 0, count: batch * to.count)
    for n in 0..<batch {
      for oy in 0..<to.height {
        for ox in 0..<to.width {
          for c in 0..<to.channels {
            var best = -Double.infinity
            var winner = -1
            var sum = 0.0
            forEachPlace(layer.geometry, oy, ox) { _, _, position in
              let value = x[n * from.count + position * from.channels + c]
              sum += value
              if value > best { (best, winner) = (value, position) }
            }
            let target = n * to.count + (oy * to.width + ox) * to.channels + c
            switch layer.kind {
            case .max:
              y[target] = best
              pattern.append(Int32(winner))
            case .average: y[target] = sum / Double(layer.geometry.kernel * layer.geometry.kernel)
            }
          }
        }
      }
    }
    return y
  }

  /// Calls `body` with each kernel row, kernel column and image position of one window.
  private func forEachPlace(
    _ geometry: ConvolutionGeometry, _ oy: Int, _ ox: Int, _ body: (Int, Int, Int) -> Void
  ) {
    for ky in 0..<geometry.kernel {
      let y = oy * geometry.stride + ky - geometry.padding
      guard y >= 0 && y < geometry.input.height else { continue }
      for kx in 0..<geometry.kernel {
        let x = ox * geometry.stride + kx - geometry.padding
        guard x >= 0 && x < geometry.input.width else { continue }
        body(ky, kx, y * geometry.input.width + x)
      }
    }
  }

  /// Mean over the positions of each channel.
  func globalMean(_ shape: FeatureShape, _ x: [Double], _ batch: Int) -> [Double] {
    var y = [Double](repeating: 0, count: batch * shape.channels)
    for n in 0..<batch {
      for p in 0..<shape.positions {
        for c in 0..<shape.channels {
          y[n * shape.channels + c] +=
            x[n * shape.count + p * shape.channels + c] / Double(shape.positions)
        }
      }
    }
    return y
  }

  /// Normalises each example's groups of neighbouring channels.
  func groupNorm(_ layer: GroupNorm, _ x: [Double], _ batch: Int) -> [Double] {
    let shape = layer.shape
    let perGroup = shape.channels / layer.groups
    var y = x
    for n in 0..<batch {
      for g in 0..<layer.groups {
        var members: [Int] = []
        for p in 0..<shape.positions {
          for c in 0..<perGroup {
            members.append(n * shape.count + p * shape.channels + g * perGroup + c)
          }
        }
        let (mean, variance) = moments(x, members)
        for index in members {
          let c = index % shape.channels
          y[index] =
            (x[index] - mean) / (variance + 1e-5).squareRoot() * parameters[layer.scale + c]
            + parameters[layer.shift + c]
        }
      }
    }
    return y
  }

  /// Normalises each position's channels.
  func layerNorm(_ layer: LayerNorm, _ x: [Double], _ batch: Int) -> [Double] {
    let channels = layer.shape.channels
    var y = x
    for position in 0..<batch * layer.shape.positions {
      let members = Array(position * channels..<(position + 1) * channels)
      let (mean, variance) = moments(x, members)
      for (c, index) in members.enumerated() {
        y[index] =
          (x[index] - mean) / (variance + layer.epsilon).squareRoot() * parameters[layer.scale + c]
          + parameters[layer.shift + c]
      }
    }
    return y
  }

  /// Normalises each channel over the batch, or with running statistics.
  func batchNorm(_ layer: BatchNorm, _ x: [Double], _ batch: Int, _ outcome: inout Outcome)
    -> [Double]
  {
    let channels = layer.shape.channels
    var y = x
    var means: [Double] = []
    var variances: [Double] = []
    for c in 0..<channels {
      let members = (0..<batch * layer.shape.positions).map { $0 * channels + c }
      var (mean, variance) = moments(x, members)
      means.append(mean)
      variances.append(variance)
      if !training || layer.frozen {
        mean = parameters[layer.runningMean + c]
        variance = parameters[layer.runningVariance + c]
      }
      for index in members {
        y[index] =
          (x[index] - mean) / (variance + 1e-5).squareRoot() * parameters[layer.scale + c]
          + parameters[layer.shift + c]
      }
    }
    outcome.statistics[layer.runningMean] = (means, variances)
    return y
  }

  /// Mean and biased variance of some elements.
  private func moments(_ x: [Double], _ members: [Int]) -> (Double, Double) {
    let count = Double(members.count)
    let mean = members.map { x[$0] }.reduce(0, +) / count
    let variance = members.map { (x[$0] - mean) * (x[$0] - mean) }.reduce(0, +) / count
    return (mean, variance)
  }
}

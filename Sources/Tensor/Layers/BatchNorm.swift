/// Batch normalisation, PyTorch's BatchNorm2d with eps = 1e-5 and momentum 0.1: in training with
/// the batch's mean and biased variance, updating running statistics (running variance unbiased);
/// in evaluation with the running statistics.
///
/// Ioffe and Szegedy 2015, arXiv:1502.03167.
package struct BatchNorm: Operation {
  package let input: Int
  package let output: Int
  /// Slot of μ and 1/√(σ² + eps) per channel.
  package let saved: Int
  package let shape: FeatureShape
  package let scale: Int
  package let shift: Int
  package let runningMean: Int
  package let runningVariance: Int
  /// Whether its parameters and running statistics stay as they are, and serve in training too.
  package var frozen = false

  package static let epsilon = 1e-5
  package static let momentum: Float = 0.1

  package var summary: String { "BatchNorm2d(\(shape.channels))" }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [scale..<scale + shape.channels, shift..<shift + shape.channels]
  }

  package func forward(_ pass: borrowing Pass) {
    let channels = shape.channels
    let positions = pass.batch * shape.positions
    let x = pass.values[input]
    let mean = pass.values[saved]
    let inverse = mean + channels
    if pass.training && !frozen {
      takeStatistics(pass, x, positions, mean, inverse)
    } else {
      mean.update(from: pass.parameters + runningMean, count: channels)
      for c in 0..<channels {
        let variance = Double(pass.parameters[runningVariance + c])
        inverse[c] = Float(1 / (variance + Self.epsilon).squareRoot())
      }
    }
    let factor = pass.scratch
    let constant = pass.scratch + channels
    for c in 0..<channels {
      factor[c] = pass.parameters[scale + c] * inverse[c]
      constant[c] = pass.parameters[shift + c] - mean[c] * factor[c]
    }
    ChannelSums.affine(
      x, factor, constant, into: pass.values[output], positions: positions, channels: channels)
  }

  private func takeStatistics(
    _ pass: borrowing Pass, _ x: UnsafePointer<Float>, _ positions: Int,
    _ mean: UnsafeMutablePointer<Float>, _ inverse: UnsafeMutablePointer<Float>
  ) {
    let channels = shape.channels
    let sums = pass.scratch
    // Sums per image in Float, over images in Double: no long Float sum.
    let totals = UnsafeMutableRawPointer(pass.scratch + 2 * channels).bindMemory(
      to: Double.self, capacity: channels)
    totals.update(repeating: 0, count: channels)
    for image in 0..<pass.batch {
      Rows.sum(
        x + image * shape.count, into: sums, rows: shape.positions, columns: channels,
        accumulate: false)
      for c in 0..<channels { totals[c] += Double(sums[c]) }
    }
    for c in 0..<channels {
      mean[c] = Float(totals[c] / Double(positions))
      totals[c] = 0
    }
    for image in 0..<pass.batch {
      ChannelSums.squaredDeviations(
        x + image * shape.count, around: mean, into: sums, positions: shape.positions,
        channels: channels)
      for c in 0..<channels { totals[c] += Double(sums[c]) }
    }
    guard let moved = pass.moved else { preconditionFailure("BatchNorm: no training pass") }
    let averages = moved + runningMean
    let variances = moved + runningVariance
    for c in 0..<channels {
      let variance = totals[c] / Double(positions)
      inverse[c] = Float(1 / (variance + Self.epsilon).squareRoot())
      // One value has no unbiased variance; PyTorch refuses it, we keep the biased one.
      let unbiased = positions > 1 ? totals[c] / Double(positions - 1) : variance
      averages[c] += Self.momentum * (mean[c] - averages[c])
      variances[c] += Self.momentum * (Float(unbiased) - variances[c])
    }
  }

  /// As group norm's, with a channel of the whole batch for a group; dx = γ·dy/√(σ² + eps) when
  /// frozen.
  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    if frozen { frozenGradient(pass, inputGradient) } else { trainedGradient(pass, inputGradient) }
  }

  private func frozenGradient(_ pass: borrowing Pass, _ how: GradientWrite) {
    let channels = shape.channels
    let inverse = pass.values[saved] + channels
    let coefficients = pass.scratch
    coefficients.update(repeating: 0, count: 3 * channels)
    for c in 0..<channels { coefficients[c] = pass.parameters[scale + c] * inverse[c] }
    ChannelSums.combine(
      pass.gradients[output], pass.values[input], coefficients, into: pass.gradients[input],
      positions: pass.batch * shape.positions, channels: channels, how)
  }

  private func trainedGradient(_ pass: borrowing Pass, _ inputGradient: GradientWrite) {
    let channels = shape.channels
    let positions = pass.batch * shape.positions
    let x = UnsafePointer(pass.values[input])
    let dy = pass.gradients[output]
    let mean = pass.values[saved]
    let inverse = mean + channels
    let sumDy = pass.scratch
    let sumDyX = pass.scratch + channels
    let coefficients = pass.scratch + 2 * channels
    ChannelSums.gradientSums(dy, x, sumDy, sumDyX, positions: positions, channels: channels)
    for c in 0..<channels {
      let gamma = pass.parameters[scale + c]
      let normalised = (sumDyX[c] - mean[c] * sumDy[c]) * inverse[c]
      let keep: Float = pass.accumulate ? 1 : 0
      pass.gradient[scale + c] = keep * pass.gradient[scale + c] + normalised
      pass.gradient[shift + c] = keep * pass.gradient[shift + c] + sumDy[c]
      let m1 = gamma * sumDy[c] / Float(positions)
      let m2 = gamma * normalised / Float(positions)
      coefficients[c] = gamma * inverse[c]
      coefficients[channels + c] = -inverse[c] * inverse[c] * m2
      coefficients[2 * channels + c] = inverse[c] * (inverse[c] * mean[c] * m2 - m1)
    }
    ChannelSums.combine(
      dy, x, coefficients, into: pass.gradients[input], positions: positions, channels: channels,
      inputGradient)
  }
}

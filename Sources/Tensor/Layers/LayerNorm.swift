/// Layer normalisation over the channels of every position, PyTorch's LayerNorm(C) on channels-last
/// maps with its eps of 1e-5, or another.
///
/// Ba et al. 2016, arXiv:1607.06450.
package struct LayerNorm: Operation {
  package let input: Int
  package let output: Int
  /// Slot of μ and 1/√(σ² + eps) per position.
  package let saved: Int
  package let shape: FeatureShape
  package let scale: Int
  package let shift: Int
  /// Keeps the root from 0.
  package var epsilon = 1e-5
  /// Whether its parameters stay as they are.
  package var frozen = false

  package var summary: String { "LayerNorm(\(shape.channels))" }
  package var ownSlots: [Int] { [saved] }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [scale..<scale + shape.channels, shift..<shift + shape.channels]
  }

  package func forward(_ pass: borrowing Pass) {
    let channels = shape.channels
    let gamma = pass.parameters + scale
    let beta = pass.parameters + shift
    for position in 0..<pass.batch * shape.positions {
      let x = pass.values[input] + position * channels
      let y = pass.values[output] + position * channels
      var total = 0.0
      for c in 0..<channels { total += Double(x[c]) }
      let mean = Float(total / Double(channels))
      total = 0
      for c in 0..<channels { total += Double((x[c] - mean) * (x[c] - mean)) }
      let inverse = Float(1 / (total / Double(channels) + epsilon).squareRoot())
      pass.values[saved][2 * position] = mean
      pass.values[saved][2 * position + 1] = inverse
      for c in 0..<channels { y[c] = (x[c] - mean) * inverse * gamma[c] + beta[c] }
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    let channels = shape.channels
    let gamma = pass.parameters + scale
    let dGamma = pass.gradient + scale
    let dBeta = pass.gradient + shift
    if !pass.accumulate && !frozen {
      dGamma.update(repeating: 0, count: channels)
      dBeta.update(repeating: 0, count: channels)
    }
    for position in 0..<pass.batch * shape.positions {
      let x = pass.values[input] + position * channels
      let dy = pass.gradients[output] + position * channels
      let mean = pass.values[saved][2 * position]
      let inverse = pass.values[saved][2 * position + 1]
      var first = 0.0
      var second = 0.0
      for c in 0..<channels {
        let normalised = (x[c] - mean) * inverse
        if !frozen {
          dGamma[c] += dy[c] * normalised
          dBeta[c] += dy[c]
        }
        first += Double(gamma[c] * dy[c])
        second += Double(gamma[c] * dy[c] * normalised)
      }
      guard inputGradient != .skip else { continue }
      let m1 = Float(first / Double(channels))
      let m2 = Float(second / Double(channels))
      let dx = pass.gradients[input] + position * channels
      for c in 0..<channels {
        let slope = inverse * (gamma[c] * dy[c] - m1 - (x[c] - mean) * inverse * m2)
        dx[c] = inputGradient == .add ? dx[c] + slope : slope
      }
    }
  }
}

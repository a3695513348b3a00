/// Group normalisation over each example's groups of channels and all positions, PyTorch's
/// GroupNorm with eps = 1e-5: y = γ·(x − μ_g)/√(σ²_g + eps) + β, σ² biased.
///
/// Wu and He 2018, arXiv:1803.08494, equations 1–4.
///
/// Where a residual block ends, y = max(0, … + shortcut) in the same pass over the map.
package struct GroupNorm: Operation {
  /// The map that is normalised.
  package let map: Int
  package let output: Int
  /// Slot of μ and 1/√(σ² + eps) per example and group.
  package let saved: Int
  package let shape: FeatureShape
  package let groups: Int
  package let scale: Int
  package let shift: Int
  /// Slot that is added to the result, or nil.
  package var shortcut: Int?
  /// y = max(0, …).
  package var rectified = false
  /// Whether its parameters stay as they are.
  package var frozen = false

  /// The slot whose gradient may have other sources: the shortcut's.
  ///
  /// The map's has none then.
  package var input: Int { shortcut ?? map }
  package var gradientSlots: [Int] { [map, output, shortcut ?? map] }

  package static let epsilon = 1e-5

  package var summary: String { "GroupNorm(\(groups), \(shape.channels))" }
  package var ownSlots: [Int] { [saved] }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [scale..<scale + shape.channels, shift..<shift + shape.channels]
  }
  package var scratchCount: Int { 8 * shape.channels + 16 }

  package func forward(_ pass: borrowing Pass) {
    let channels = shape.channels
    let perGroup = channels / groups
    let values = pass.values
    let gamma = pass.parameters + scale
    let beta = pass.parameters + shift
    let sums = pass.scratch
    let factor = pass.scratch + channels
    let constant = pass.scratch + 2 * channels
    for image in 0..<pass.batch {
      let x = pass.values[map] + image * shape.count
      let y = pass.values[output] + image * shape.count
      let statistics = pass.values[saved] + image * 2 * groups
      // Two passes: the variance is taken around the mean, so nothing cancels.
      ChannelSums.sum(x, into: sums, positions: shape.positions, channels: channels)
      for g in 0..<groups {
        let mean = Self.sum(sums + g * perGroup, perGroup) / Double(shape.positions * perGroup)
        statistics[g] = Float(mean)
        for c in g * perGroup..<(g + 1) * perGroup { constant[c] = statistics[g] }
      }
      ChannelSums.squaredDeviations(
        x, around: constant, into: sums, positions: shape.positions, channels: channels)
      for g in 0..<groups {
        let variance = Self.sum(sums + g * perGroup, perGroup) / Double(shape.positions * perGroup)
        let inverse = Float(1 / (variance + Self.epsilon).squareRoot())
        statistics[groups + g] = inverse
        for c in g * perGroup..<(g + 1) * perGroup {
          factor[c] = gamma[c] * inverse
          constant[c] = beta[c] - statistics[g] * factor[c]
        }
      }
      ChannelSums.affine(
        x, factor, constant,
        shortcut: shortcut.map { UnsafePointer(values[$0] + image * shape.count) },
        rectified: rectified, into: y, positions: shape.positions, channels: channels)
    }
  }

  /// With x̂ = (x − μ)·r, r = 1/√(σ² + eps) and N elements per group:
  /// dβ = Σ dy, dγ = Σ dy·x̂, dx = r·(γ·dy − Σ_g γ·dy / N − x̂·Σ_g γ·dy·x̂ / N).
  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    let channels = shape.channels
    let perGroup = channels / groups
    let gamma = pass.parameters + scale
    let dGamma = pass.gradient + scale
    let dBeta = pass.gradient + shift
    if !pass.accumulate && !frozen {
      dGamma.update(repeating: 0, count: channels)
      dBeta.update(repeating: 0, count: channels)
    }
    let gradients = pass.gradients
    let sumDy = pass.scratch
    let sumDyX = pass.scratch + channels
    let coefficients = pass.scratch + 2 * channels  // of dy, of x, and a constant
    for image in 0..<pass.batch {
      let x = pass.values[map] + image * shape.count
      let dy = pass.gradients[output] + image * shape.count
      let statistics = pass.values[saved] + image * 2 * groups
      ChannelSums.gradientSums(
        dy, gate: rectified ? UnsafePointer(pass.values[output] + image * shape.count) : nil,
        shortcut: shortcut.map { gradients[$0] + image * shape.count }, as: inputGradient, x, sumDy,
        sumDyX, positions: shape.positions, channels: channels)
      for g in 0..<groups {
        let mean = statistics[g]
        let inverse = statistics[groups + g]
        var first = 0.0
        var second = 0.0
        for c in g * perGroup..<(g + 1) * perGroup {
          let normalised = (sumDyX[c] - mean * sumDy[c]) * inverse  // Σ dy·x̂
          if !frozen {
            dGamma[c] += normalised
            dBeta[c] += sumDy[c]
          }
          first += Double(gamma[c] * sumDy[c])
          second += Double(gamma[c] * normalised)
        }
        let count = Double(shape.positions * perGroup)
        let m1 = Float(first / count)
        let m2 = Float(second / count)
        for c in g * perGroup..<(g + 1) * perGroup {
          coefficients[c] = gamma[c] * inverse
          coefficients[channels + c] = -inverse * inverse * m2
          coefficients[2 * channels + c] = inverse * (inverse * mean * m2 - m1)
        }
      }
      ChannelSums.combine(
        dy, x, coefficients, into: pass.gradients[map] + image * shape.count,
        positions: shape.positions, channels: channels, shortcut == nil ? inputGradient : .overwrite
      )
    }
  }

  private static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var total = 0.0
    for i in 0..<count { total += Double(x[i]) }
    return total
  }
}

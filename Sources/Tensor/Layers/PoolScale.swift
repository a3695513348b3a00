/// y = γ̄ ⊙ x + β̄ at every position, γ̄ and β̄ being means over entries of a pool: γ, β [P × d].
/// - Source: Lian et al. 2022, arXiv:2210.08823, equation 2; means over matched entries: Feng et
///   al., ICCV 2023.
package struct PoolScale: Operation {
  /// The layer after which this is.
  package let name: String
  package let input: Int
  package let output: Int
  /// Slot of γ̄ and β̄ per group.
  package let saved: Int
  package let shape: FeatureShape
  package let mixture: PoolMixture
  /// Place of γ.
  package let scale: Int
  /// Place of β.
  package let shift: Int

  package var summary: String {
    "\(name): scale and shift, \(mixture.matched) of \(mixture.entries) → \(shape)"
  }
  package var hasParameters: Bool { true }
  package var parameterRanges: [Range<Int>] {
    let count = mixture.entries * shape.channels
    return [scale..<scale + count, shift..<shift + count]
  }
  package var scratchCount: Int { 2 * shape.channels }

  package func forward(_ pass: borrowing Pass) {
    let channels = shape.channels
    for group in 0..<mixture.groups(pass.batch) {
      let factor = pass.values[saved] + group * 2 * channels
      let constant = factor + channels
      mixture.mean(pass, group, of: pass.parameters + scale, width: channels, into: factor)
      mixture.mean(pass, group, of: pass.parameters + shift, width: channels, into: constant)
      let examples = mixture.examples(group, pass.batch)
      let start = examples.lowerBound * shape.count
      for position in 0..<examples.count * shape.positions {
        let x = pass.values[input] + (start + position * channels)
        let y = pass.values[output] + (start + position * channels)
        for c in 0..<channels { y[c] = x[c] * factor[c] + constant[c] }
      }
    }
  }

  /// dγ_p = (1/k)·Σ dy ⊙ x, dβ_p = (1/k)·Σ dy over the positions of examples that took entry p;
  /// dx = γ̄ ⊙ dy.
  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    let channels = shape.channels
    let dScale = pass.gradient + scale
    let dShift = pass.gradient + shift
    if !pass.accumulate {
      dScale.update(repeating: 0, count: mixture.entries * channels)
      dShift.update(repeating: 0, count: mixture.entries * channels)
    }
    let sumDyX = pass.scratch
    let sumDy = pass.scratch + channels
    for group in 0..<mixture.groups(pass.batch) {
      let factor = pass.values[saved] + group * 2 * channels
      let examples = mixture.examples(group, pass.batch)
      let start = examples.lowerBound * shape.count
      sumDyX.update(repeating: 0, count: 2 * channels)
      for position in 0..<examples.count * shape.positions {
        let at = start + position * channels
        let x = pass.values[input] + at
        let dy = pass.gradients[output] + at
        for c in 0..<channels {
          sumDyX[c] += dy[c] * x[c]
          sumDy[c] += dy[c]
        }
        let dx = pass.gradients[input] + at
        switch how {
        case .skip: break
        case .overwrite: for c in 0..<channels { dx[c] = factor[c] * dy[c] }
        case .add: for c in 0..<channels { dx[c] += factor[c] * dy[c] }
        }
      }
      mixture.spread(pass, group, sumDyX, width: channels, to: dScale)
      mixture.spread(pass, group, sumDy, width: channels, to: dShift)
    }
  }
}

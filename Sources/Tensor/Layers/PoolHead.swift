/// Logits of a pool's classifiers, the mean over entries: z = W̄·h + b̄, W [P × C × D], b [P × C],
/// which is the mean of the entries' logits.
/// - Source: Feng et al., ICCV 2023.
package struct PoolHead: Operation {
  package let name: String
  package let input: Int
  package let output: Int
  package let inputs: Int
  package let outputs: Int
  package let mixture: PoolMixture
  package let weight: Int
  package let bias: Int

  package var summary: String {
    "\(name): Linear(\(inputs), \(outputs)), mean of \(mixture.matched) of \(mixture.entries)"
  }
  package var forwardFLOPs: Int { 2 * inputs * outputs }
  package var hasParameters: Bool { true }
  package var parameterRanges: [Range<Int>] {
    [weight..<weight + mixture.entries * count, bias..<bias + mixture.entries * outputs]
  }
  private var count: Int { inputs * outputs }
  package var scratchCount: Int { DotProducts.scratchCount + 2 * count + outputs }

  package func forward(_ pass: borrowing Pass) {
    let mean = pass.scratch + DotProducts.scratchCount
    let constant = mean + count
    for group in 0..<mixture.groups(pass.batch) {
      mixture.mean(pass, group, of: pass.parameters + weight, width: count, into: mean)
      mixture.mean(pass, group, of: pass.parameters + bias, width: outputs, into: constant)
      let examples = mixture.examples(group, pass.batch)
      let y = pass.values[output] + examples.lowerBound * outputs
      Rows.broadcast(constant, into: y, rows: examples.count, columns: outputs)
      DotProducts(
        x: pass.values[input] + examples.lowerBound * inputs, w: mean, depth: inputs,
        scratch: pass.scratch
      ).add(rows: examples.count, outputs: outputs, to: y)
    }
  }

  /// dW_p = (1/k)·Σ dz·hᵀ, db_p = (1/k)·Σ dz over examples that took entry p; dh = W̄ᵀ·dz.
  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    let dWeight = pass.gradient + weight
    let dBias = pass.gradient + bias
    if !pass.accumulate {
      dWeight.update(repeating: 0, count: mixture.entries * count)
      dBias.update(repeating: 0, count: mixture.entries * outputs)
    }
    if how == .overwrite { pass.gradients[input].update(repeating: 0, count: pass.batch * inputs) }
    let mean = pass.scratch + DotProducts.scratchCount
    let slope = mean + count
    let constant = slope + count
    for group in 0..<mixture.groups(pass.batch) {
      mixture.mean(pass, group, of: pass.parameters + weight, width: count, into: mean)
      slope.update(repeating: 0, count: count)
      constant.update(repeating: 0, count: outputs)
      for example in mixture.examples(group, pass.batch) {
        let h = pass.values[input] + example * inputs
        let dz = pass.gradients[output] + example * outputs
        let dh = pass.gradients[input] + example * inputs
        for o in 0..<outputs {
          let g = dz[o]
          constant[o] += g
          let row = slope + o * inputs
          for i in 0..<inputs { row[i] += g * h[i] }
          guard how != .skip else { continue }
          let w = mean + o * inputs
          for i in 0..<inputs { dh[i] += g * w[i] }
        }
      }
      mixture.spread(pass, group, slope, width: count, to: dWeight)
      mixture.spread(pass, group, constant, width: outputs, to: dBias)
    }
  }
}

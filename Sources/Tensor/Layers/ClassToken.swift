/// A learned token in front of a map's positions, and a learned vector added to each:
/// y[0] = cls + pos[0], y[1 + p] = x[p] + pos[1 + p].
///
/// cls [D], pos [(N + 1) × D] for N positions of D channels.
/// - Source: Dosovitskiy et al. 2021, arXiv:2010.11929, equation 1.
package struct ClassToken: Operation {
  package let input: Int
  package let output: Int
  package let positions: Int
  package let width: Int
  package let token: Int
  package let embedding: Int
  /// Whether its parameters stay as they are.
  package let frozen: Bool

  package var summary: String {
    "class token and positions → \(positions + 1) positions of \(width)"
  }
  package var hasParameters: Bool { !frozen }
  package var parameterRanges: [Range<Int>] {
    [token..<token + width, embedding..<embedding + count]
  }
  private var count: Int { (positions + 1) * width }

  package func forward(_ pass: borrowing Pass) {
    let cls = pass.parameters + token
    let pos = pass.parameters + embedding
    for example in 0..<pass.batch {
      let x = pass.values[input] + example * positions * width
      let y = pass.values[output] + example * count
      for c in 0..<width { y[c] = cls[c] + pos[c] }
      for i in 0..<positions * width { y[width + i] = x[i] + pos[width + i] }
    }
  }

  /// dcls = Σ dy[0], dpos = Σ dy, sums over the batch; dx[p] = dy[1 + p].
  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    let dy = pass.gradients[output]
    if !frozen {
      Rows.sum(
        dy, into: pass.gradient + embedding, rows: pass.batch, columns: count,
        accumulate: pass.accumulate)
      let dCls = pass.gradient + token
      if !pass.accumulate { dCls.update(repeating: 0, count: width) }
      for example in 0..<pass.batch { for c in 0..<width { dCls[c] += dy[example * count + c] } }
    }
    guard how != .skip else { return }
    for example in 0..<pass.batch {
      Rows.deliver(
        dy + (example * count + width), to: pass.gradients[input] + example * positions * width,
        count: positions * width, how)
    }
  }
}

/// The features of a map's first position: where a class token stands.
package struct FirstPosition: Operation {
  package let input: Int
  package let output: Int
  package let shape: FeatureShape

  package var summary: String { "first position → \(shape.channels)" }

  package func forward(_ pass: borrowing Pass) {
    for example in 0..<pass.batch {
      (pass.values[output] + example * shape.channels).update(
        from: pass.values[input] + example * shape.count, count: shape.channels)
    }
  }

  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    guard how != .skip else { return }
    let dx = pass.gradients[input]
    if how == .overwrite { dx.update(repeating: 0, count: pass.batch * shape.count) }
    for example in 0..<pass.batch {
      Rows.deliver(
        pass.gradients[output] + example * shape.channels, to: dx + example * shape.count,
        count: shape.channels, how)
    }
  }
}

import Base

/// Multi-head self-attention over the positions of a map, [N × 3D] → [N × D]:
/// O_h = softmax(Q_h·K_hᵀ/√d)·V_h for each head h, d = D/heads, softmax along rows.
///
/// Channels of the input are those of a fused projection: Q, K, V one after the other, each head
/// after head, as timm has them.
/// - Source: Vaswani et al. 2017, arXiv:1706.03762, equation 1.
/// - Complexity: 4·N²·D floating-point operations forward, twice that backward; N²·heads floats of
///   probabilities are kept per example.
package struct Attention: Operation {
  package let input: Int
  package let output: Int
  /// Slot of the probabilities, [heads × N × N] per example.
  package let saved: Int
  package let tokens: Int
  package let width: Int
  package let heads: Int

  package var summary: String { "attention(\(width), heads=\(heads)) over \(tokens) positions" }
  package var ownSlots: [Int] { [saved] }
  package var forwardFLOPs: Int { 4 * tokens * tokens * width }
  package func backwardFLOPs(inputGradient: Bool) -> Int { inputGradient ? 2 * forwardFLOPs : 0 }
  package var scratchCount: Int { productScratch + tokens * tokens + 16 }

  private var headWidth: Int { width / heads }
  private var productScratch: Int {
    max(
      MatrixProduct.scratchCount(columns: tokens, depth: headWidth),
      MatrixProduct.scratchCount(columns: headWidth, depth: tokens))
  }
  private var scale: Float { Float(1 / Double(headWidth).squareRoot()) }

  /// Where Q, K and V of one example and head start in a map of 3D channels.
  private func parts<Pointer: Strideable>(_ map: Pointer, _ example: Int, _ head: Int) -> (
    q: Pointer, k: Pointer, v: Pointer
  ) where Pointer.Stride == Int {
    let q = map.advanced(by: example * tokens * 3 * width + head * headWidth)
    return (q, q.advanced(by: width), q.advanced(by: 2 * width))
  }

  package func forward(_ pass: borrowing Pass) {
    for example in 0..<pass.batch {
      for head in 0..<heads {
        let (q, k, v) = parts(UnsafePointer(pass.values[input]), example, head)
        let p = pass.values[saved] + (example * heads + head) * tokens * tokens
        MatrixProduct(
          a: q, formA: .normal, aStride: 3 * width, b: k, formB: .transposed, bStride: 3 * width
        ).run(
          rows: tokens, columns: tokens, depth: headWidth, p, stride: tokens, .overwrite,
          scratch: pass.scratch)
        softmax(p)
        MatrixProduct(
          a: p, formA: .normal, aStride: tokens, b: v, formB: .normal, bStride: 3 * width
        ).run(
          rows: tokens, columns: headWidth, depth: tokens,
          pass.values[output] + example * tokens * width + head * headWidth, stride: width,
          .overwrite, scratch: pass.scratch)
      }
    }
  }

  /// Rows of scores become probabilities; the largest score is taken off first, so that nothing
  /// overflows.
  private func softmax(_ scores: UnsafeMutablePointer<Float>) {
    for r in 0..<tokens {
      let row = scores + r * tokens
      var largest = -Float.infinity
      for c in 0..<tokens { largest = row[c] > largest ? row[c] : largest }
      var sum = 0.0
      for c in 0..<tokens {
        row[c] = expf(scale * (row[c] - largest))
        sum += Double(row[c])
      }
      let inverse = Float(1 / sum)
      for c in 0..<tokens { row[c] *= inverse }
    }
  }

  /// With P the probabilities: dV = Pᵀ·dO, dP = dO·Vᵀ, dS = P ⊙ (dP − Σ_row P ⊙ dP)/√d,
  /// dQ = dS·K, dK = dSᵀ·Q.
  package func backward(_ pass: borrowing Pass, inputGradient how: GradientWrite) {
    guard how != .skip else { return }
    let outcome: MatrixProduct.Outcome = how == .add ? .add : .overwrite
    let scratch = pass.scratch
    let slopes = scratch + productScratch
    for example in 0..<pass.batch {
      for head in 0..<heads {
        let (q, k, v) = parts(UnsafePointer(pass.values[input]), example, head)
        let (dq, dk, dv) = parts(pass.gradients[input], example, head)
        let p = UnsafePointer(pass.values[saved] + (example * heads + head) * tokens * tokens)
        let dO = UnsafePointer(pass.gradients[output] + example * tokens * width + head * headWidth)
        MatrixProduct(
          a: dO, formA: .normal, aStride: width, b: v, formB: .transposed, bStride: 3 * width
        ).run(
          rows: tokens, columns: tokens, depth: headWidth, slopes, stride: tokens, .overwrite,
          scratch: scratch)
        throughSoftmax(p, slopes)
        func deliver(
          _ form: BLAS.Form, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ bStride: Int,
          _ target: UnsafeMutablePointer<Float>
        ) {
          MatrixProduct(a: a, formA: form, aStride: tokens, b: b, formB: .normal, bStride: bStride)
            .run(
              rows: tokens, columns: headWidth, depth: tokens, target, stride: 3 * width, outcome,
              scratch: scratch)
        }
        deliver(.transposed, p, dO, width, dv)
        deliver(.normal, slopes, k, 3 * width, dq)
        deliver(.transposed, slopes, q, 3 * width, dk)
      }
    }
  }

  /// dP becomes dS, in place.
  private func throughSoftmax(_ p: UnsafePointer<Float>, _ slopes: UnsafeMutablePointer<Float>) {
    for r in 0..<tokens {
      let probabilities = p + r * tokens
      let row = slopes + r * tokens
      var mean = 0.0
      for c in 0..<tokens { mean += Double(probabilities[c] * row[c]) }
      let shift = Float(mean)
      for c in 0..<tokens { row[c] = probabilities[c] * (row[c] - shift) * scale }
    }
  }
}

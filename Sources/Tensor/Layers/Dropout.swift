/// Inverted dropout: each value is kept with probability 1 − p and divided by 1 − p.
///
/// Masks are addressed by the step's key, this layer's salt and the element, so that they depend on
/// nothing else. Rates are rounded to multiples of 2⁻¹⁶. Not in place: an activation in front
/// computes its gradient from its own output.
/// - Source: Srivastava et al., JMLR 15 (2014).
package struct Dropout: Operation {
  package let input: Int
  package let output: Int
  /// Slot of the factors: 0 or 1/(1 − p) per value.
  package let mask: Int
  package let count: Int
  package let rate: Double
  package let salt: UInt64
  package var summary: String { "Dropout(p=\(rate))" }

  package func forward(_ pass: borrowing Pass) {
    let x = pass.values[input]
    let y = pass.values[output]
    guard pass.training else {
      y.update(from: x, count: pass.batch * count)
      return
    }
    let keep = pass.values[mask]
    let threshold = UInt64((rate * 65_536).rounded())
    let scale = Float(1 / (1 - Double(threshold) / 65_536))
    let key = RandomStream.mix(pass.dropoutKey ^ RandomStream.mix(salt &+ RandomStream.gamma))
    let total = pass.batch * count
    var i = 0
    var word: UInt64 = 0
    while i < total {
      // One 64-bit number serves four elements.
      if i & 3 == 0 {
        word = RandomStream.mix(key &+ UInt64(i >> 2 + 1) &* RandomStream.gamma)
      }
      keep[i] = word & 0xFFFF >= threshold ? scale : 0
      word >>= 16
      i += 1
    }
    for i in 0..<total { y[i] = x[i] * keep[i] }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    guard inputGradient != .skip else { return }
    let keep = pass.values[mask]
    let dy = pass.gradients[output]
    let dx = pass.gradients[input]
    if inputGradient == .add {
      for i in 0..<pass.batch * count { dx[i] += dy[i] * keep[i] }
    } else {
      for i in 0..<pass.batch * count { dx[i] = dy[i] * keep[i] }
    }
  }
}

import Base

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
    let threshold = UInt64(clamping: (rate * 65_536).rounded())
    let scale = Float(1 / (1 - Double(threshold) / 65_536))
    let key = RandomStream.mix(pass.dropoutKey ^ RandomStream.mix(salt &+ RandomStream.gamma))
    for example in 0..<pass.batch {
      fillMask(
        keep + example * count, from: (pass.firstExample + example) * count, key: key,
        threshold: threshold, scale: scale)
    }
    let total = pass.batch * count
    for i in 0..<total { y[i] = x[i] * keep[i] }
  }

  /// One 64-bit number serves four elements: element i takes 16 bits of word i / 4.
  private func fillMask(
    _ keep: UnsafeMutablePointer<Float>, from first: Int, key: UInt64, threshold: UInt64,
    scale: Float
  ) {
    var i = 0
    while i < count {
      let place = first &+ i
      let word = RandomStream.mix(
        key &+ UInt64(truncatingIfNeeded: place >> 2 &+ 1) &* RandomStream.gamma)
      if place & 3 == 0 && i &+ 4 <= count {
        keep[i] = word & 0xFFFF >= threshold ? scale : 0
        keep[i &+ 1] = word >> 16 & 0xFFFF >= threshold ? scale : 0
        keep[i &+ 2] = word >> 32 & 0xFFFF >= threshold ? scale : 0
        keep[i &+ 3] = word >> 48 >= threshold ? scale : 0
        i &+= 4
      } else {
        let bits = word >> UInt64(16 &* (place & 3)) & 0xFFFF
        keep[i] = bits >= threshold ? scale : 0
        i &+= 1
      }
    }
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

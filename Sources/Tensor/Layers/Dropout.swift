/// Inverted dropout, in place: each value is kept with probability 1 − p and divided by 1 − p
/// (Srivastava et al. 2014). Masks are addressed by the step's key, this layer's salt and the
/// element, so that they depend on nothing else. Rates are rounded to multiples of 2⁻¹⁶.
package struct Dropout: Operation {
  package let slot: Int
  package let mask: Int
  package let count: Int
  package let rate: Double
  package let salt: UInt64
  package var input: Int { slot }
  package var output: Int { slot }
  package var summary: String { "Dropout(p=\(rate))" }

  package func forward(_ pass: borrowing Pass) {
    guard pass.training else { return }
    let x = pass.values[slot]
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
    for i in 0..<total { x[i] *= keep[i] }
  }

  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    let keep = pass.values[mask]
    let dy = pass.gradients[slot]
    for i in 0..<pass.batch * count { dy[i] *= keep[i] }
  }
}

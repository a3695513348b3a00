/// Which entries of a pool suit an example: cosines a_p = q̂·κ̂_p of its features with P keys, the k
/// largest (at equal cosines the lower index), and their sum r = Σ a_p.
///
/// The choice itself passes no gradient; r does, to the keys: whoever trains them writes ∂L/∂r
/// before the backward pass. Keys of length 0, and features, have cosine 0 with everything.
/// - Source: Feng et al., ICCV 2023.
/// - Complexity: O(P·D) per example.
package struct PoolMatch: Operation {
  package let input: Int
  /// Slot of r, one per example.
  package let output: Int
  package let width: Int
  package let mixture: PoolMixture
  /// Place of κ, [P × D].
  package let keys: Int

  package var summary: String { "match \(mixture.matched) of \(mixture.entries) keys of \(width)" }
  package var hasParameters: Bool { true }
  package var parameterRanges: [Range<Int>] { [keys..<keys + mixture.entries * width] }
  package var gradientSlots: [Int] { [output] }
  /// Lengths of keys and cosines, in Double.
  package var scratchCount: Int { 4 * mixture.entries }

  /// As PyTorch's `normalize`: no length is below this.
  private static let shortest = 1e-12

  package func forward(_ pass: borrowing Pass) {
    let entries = mixture.entries
    let lengths = UnsafeMutableRawPointer(pass.scratch).bindMemory(
      to: Double.self, capacity: 2 * entries)
    let cosines = lengths + entries
    for p in 0..<entries { lengths[p] = length(pass.parameters + (keys + p * width)) }
    let counts = pass.values[mixture.counts]
    if mixture.choice == .perBatch { counts.update(repeating: 0, count: entries) }
    for example in 0..<pass.batch {
      let q = pass.values[input] + example * width
      let size = length(q)
      for p in 0..<entries {
        let key = pass.parameters + (keys + p * width)
        cosines[p] = product(q, key) / (size * lengths[p])
      }
      let chosen = PoolMixture.indices(pass.values[mixture.selection], example, mixture.matched)
      var sum = 0.0
      for j in 0..<mixture.matched {
        let best = largest(cosines, entries, without: chosen, count: j)
        chosen[j] = Int32(truncatingIfNeeded: best)
        sum += cosines[best]
        if mixture.choice == .perBatch { counts[best] += 1 }
      }
      pass.values[output][example] = Float(sum)
    }
  }

  /// The first of the largest cosines that are not among the `count` chosen ones.
  private func largest(
    _ cosines: UnsafePointer<Double>, _ entries: Int, without chosen: UnsafePointer<Int32>,
    count: Int
  ) -> Int {
    var best = -1
    for p in 0..<entries where best < 0 || cosines[p] > cosines[best] {
      var isFree = true
      for j in 0..<count where chosen[j] == Int32(truncatingIfNeeded: p) { isFree = false }
      if isFree { best = p }
    }
    return best
  }

  /// dκ_p = dr·(q̂ − a_p·κ̂_p)/‖κ_p‖ for the chosen entries.
  package func backward(_ pass: borrowing Pass, inputGradient: GradientWrite) {
    let gradient = pass.gradient + keys
    if !pass.accumulate { gradient.update(repeating: 0, count: mixture.entries * width) }
    for example in 0..<pass.batch {
      let slope = Double(pass.gradients[output][example])
      guard slope != 0 else { continue }
      let q = pass.values[input] + example * width
      let size = length(q)
      let chosen = PoolMixture.indices(pass.values[mixture.selection], example, mixture.matched)
      for j in 0..<mixture.matched {
        let place = Int(chosen[j]) * width
        let key = pass.parameters + (keys + place)
        let keySize = length(key)
        let cosine = product(q, key) / (size * keySize)
        let ofQuery = Float(slope / (size * keySize))
        let ofKey = Float(slope * cosine / (keySize * keySize))
        for c in 0..<width { gradient[place + c] += ofQuery * q[c] - ofKey * key[c] }
      }
    }
  }

  private func product(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>) -> Double {
    var sum = 0.0
    for c in 0..<width { sum += Double(x[c]) * Double(y[c]) }
    return sum
  }

  private func length(_ x: UnsafePointer<Float>) -> Double {
    max(product(x, x).squareRoot(), Self.shortest)
  }
}

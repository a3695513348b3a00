/// 64-bit numbers as floats of a checkpoint, without loss: four floats of 16 bits each, the highest
/// first.
package enum ExactNumbers {
  /// [4·count] whole numbers below 65,536.
  package static func floats(_ numbers: [UInt64]) -> [Float] {
    numbers.flatMap { number in
      [48, 32, 16, 0].map { Float(UInt16(truncatingIfNeeded: number >> $0)) }
    }
  }

  /// The numbers back; nil for floats that `floats` did not make.
  package static func numbers(_ floats: [Float]) -> [UInt64]? {
    guard floats.count % 4 == 0 else { return nil }
    var numbers: [UInt64] = []
    for start in stride(from: 0, to: floats.count, by: 4) {
      var number: UInt64 = 0
      for float in floats[start..<start + 4] {
        guard let part = UInt16(exactly: float) else { return nil }
        number = number << 16 | UInt64(part)
      }
      numbers.append(number)
    }
    return numbers
  }
}

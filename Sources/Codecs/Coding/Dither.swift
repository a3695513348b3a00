import Base

/// Uniform numbers for stochastic rounding: number i is a pure function of (key, i).
///
/// Numbers come in blocks of 1024. In block b, word l ∈ 0 ..< 512 is number 512·b + l of the
/// `RandomStream` with this key; its lower half gives number 1024·b + l, its upper half number
/// 1024·b + 512 + l, both by their 23 upper bits:
///
///     u = ⌊h / 2⁹⌋ / 2²³  in [0, 1)
struct Dither {
  static let block = 1024
  private let key: UInt64

  /// Takes one word from a stream, whatever is rounded with it.
  init(_ stream: inout RandomStream) { key = stream.next() }

  /// Writes ⌊h / 2⁹⌋, 23 uniform bits each, for a whole block.
  @inline(__always) func fill(_ number: Int, bits: UnsafeMutablePointer<UInt32>) {
    let half = Self.block / 2
    let first = key &+ (UInt64(half) &* UInt64(number) &+ 1) &* RandomStream.gamma
    for l in 0..<half {
      let word = RandomStream.mix(first &+ UInt64(l) &* RandomStream.gamma)
      bits[l] = UInt32(truncatingIfNeeded: word) &>> 9
      bits[l &+ half] = UInt32(truncatingIfNeeded: word &>> 41)
    }
  }

  /// u of 23 bits, by way of 1's mantissa: a conversion would stop the loop's vectors.
  @inline(__always) static func uniform(_ bits: UInt32) -> Float {
    Float(bitPattern: bits | 0x3F80_0000) - 1
  }

  /// Number i alone; for tests, and where few are needed.
  func bits(_ index: Int) -> UInt32 {
    let half = Self.block / 2
    let (number, place) = (index / Self.block, index % Self.block)
    let word = RandomStream.mix(
      key &+ UInt64(half * number + place % half + 1) &* RandomStream.gamma)
    return place < half
      ? UInt32(truncatingIfNeeded: word) >> 9 : UInt32(truncatingIfNeeded: word >> 41)
  }

  /// Calls `body` with each block's place, its bits and its length, from the first to the last.
  ///
  /// - Complexity: O(n) and whatever `body` does.
  @inline(__always) func forEachBlock(
    _ count: Int, _ body: (_ start: Int, _ bits: UnsafePointer<UInt32>, _ length: Int) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.block) { memory in
      guard let bits = memory.baseAddress else { return }
      var start = 0
      var number = 0
      while start < count {
        fill(number, bits: bits)
        body(start, bits, min(Self.block, count &- start))
        start &+= Self.block
        number &+= 1
      }
    }
  }
}

/// Draws that depend on their address alone: a seed, a kind of tries and the number of a try.
///
/// Draw n is a finaliser of the mixed address and n (SplitMix64). Nothing else goes in, no clock
/// and no order of tries, so any try can be made again alone.
package struct Dice: Sendable {
  private let key: UInt64
  private var counter: UInt64 = 0

  private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The draws of one try.
  package init(seed: UInt64, kind: String, number: Int) {
    var state = Self.mix(seed &+ Self.step)
    for byte in kind.utf8 { state = Self.mix(state ^ UInt64(byte) &+ Self.step) }
    key = Self.mix(state ^ Self.mix(UInt64(number) &+ Self.step))
  }

  private static func mix(_ word: UInt64) -> UInt64 {
    var z = word
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// 64 bits.
  package mutating func word() -> UInt64 {
    counter &+= 1
    return Self.mix(key &+ counter &* Self.step)
  }

  /// A whole number from 0 to below `count`, which is at least 1.
  package mutating func below(_ count: Int) -> Int {
    Int(word().multipliedFullWidth(by: UInt64(max(1, count))).high)
  }

  /// A number from 0 to below 1.
  package mutating func share() -> Double { Double(word() >> 11) * 0x1p-53 }

  /// Whether a coin falls that way.
  package mutating func chance(_ probability: Double) -> Bool { share() < probability }

  /// One of a list that is not empty.
  package mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  /// The list in another order.
  package mutating func shuffled<Element>(_ list: [Element]) -> [Element] {
    var list = list
    for last in stride(from: list.count - 1, to: 0, by: -1) { list.swapAt(last, below(last + 1)) }
    return list
  }
}

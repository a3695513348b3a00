/// XXH64, the 64-bit hash of the xxHash family, fed piece by piece.
///
/// Chosen because a digest of the global state is taken in every round and must run at memory
/// speed; it guards against mistakes, not against an adversary.
///
/// - Source: Yann Collet, xxHash specification 0.1.1, XXH64. Test vectors in XXHash64Tests.
public struct XXHash64: Sendable {
  private static let p1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let p2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let p3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let p4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let p5: UInt64 = 0x27D4_EB2F_1656_67C5

  private var lanes: SIMD4<UInt64>
  private let seed: UInt64
  private var length: UInt64 = 0
  private var pending: [UInt8] = []

  /// An empty hash.
  public init(seed: UInt64 = 0) {
    self.seed = seed
    lanes = SIMD4(seed &+ Self.p1 &+ Self.p2, seed &+ Self.p2, seed, seed &- Self.p1)
  }

  /// Adds the bytes of `values` as they lie in memory.
  public mutating func update<Element: BitwiseCopyable>(_ values: [Element]) {
    values.withUnsafeBytes { bytes in update(raw: bytes) }
  }

  /// Adds the UTF-8 bytes of `text`.
  public mutating func update(_ text: String) { update(Array(text.utf8)) }

  /// Adds raw bytes; O(n), no allocation beyond 32 pending bytes.
  public mutating func update(raw bytes: UnsafeRawBufferPointer) {
    length &+= UInt64(bytes.count)
    var position = 0
    if !pending.isEmpty {
      let wanted = min(32 - pending.count, bytes.count)
      pending.append(contentsOf: bytes[0..<wanted])
      position = wanted
      guard pending.count == 32 else { return }
      let block = pending
      block.withUnsafeBytes { absorb($0, at: 0) }
      pending.removeAll(keepingCapacity: true)
    }
    while position + 32 <= bytes.count {
      absorb(bytes, at: position)
      position += 32
    }
    if position < bytes.count { pending.append(contentsOf: bytes[position...]) }
  }

  /// The hash of everything added so far.
  public func finish() -> UInt64 {
    var hash: UInt64
    if length >= 32 {
      hash =
        Self.rotate(lanes[0], 1) &+ Self.rotate(lanes[1], 7) &+ Self.rotate(lanes[2], 12)
        &+ Self.rotate(lanes[3], 18)
      for lane in 0..<4 { hash = (hash ^ Self.round(0, lanes[lane])) &* Self.p1 &+ Self.p4 }
    } else {
      hash = seed &+ Self.p5
    }
    hash = hash &+ length
    var position = 0
    while position + 8 <= pending.count {
      hash = Self.rotate(hash ^ Self.round(0, word(at: position, bytes: 8)), 27) &* Self.p1
      hash = hash &+ Self.p4
      position += 8
    }
    if position + 4 <= pending.count {
      hash = Self.rotate(hash ^ (word(at: position, bytes: 4) &* Self.p1), 23) &* Self.p2
      hash = hash &+ Self.p3
      position += 4
    }
    while position < pending.count {
      hash = Self.rotate(hash ^ (UInt64(pending[position]) &* Self.p5), 11) &* Self.p1
      position += 1
    }
    hash = (hash ^ (hash >> 33)) &* Self.p2
    hash = (hash ^ (hash >> 29)) &* Self.p3
    return hash ^ (hash >> 32)
  }

  /// `finish()` as sixteen hexadecimal digits.
  public var hex: String {
    let digits = String(finish(), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private mutating func absorb(_ bytes: UnsafeRawBufferPointer, at position: Int) {
    for lane in 0..<4 {
      let word = bytes.loadUnaligned(fromByteOffset: position + 8 * lane, as: UInt64.self)
      lanes[lane] = Self.round(lanes[lane], UInt64(littleEndian: word))
    }
  }

  private func word(at position: Int, bytes: Int) -> UInt64 {
    (0..<bytes).reduce(0) { $0 | UInt64(pending[position + $1]) << (8 * UInt64($1)) }
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* p2, 31) &* p1
  }

  private static func rotate(_ word: UInt64, _ bits: UInt64) -> UInt64 {
    word << bits | word >> (64 - bits)
  }
}

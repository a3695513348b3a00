/// The CRC-32 of Ethernet, gzip and PNG: polynomial 0x04C11DB7 in reflected form.
///
/// Sixteen bytes per step by sixteen tables (Kounavis and Berry, ISCC 2005: slicing), so that the
/// check of a frame runs at a good part of memory speed. It finds damage, not forgery.
enum CRC32 {
  /// tables[256·j + b]: the remainder of byte b followed by j zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 16 * 256)
    for byte in 0..<256 {
      var rest = UInt32(byte)
      for _ in 0..<8 { rest = (rest >> 1) ^ (rest & 1 == 1 ? 0xEDB8_8320 : 0) }
      tables[byte] = rest
    }
    for slice in 1..<16 {
      for byte in 0..<256 {
        let before = tables[256 * (slice - 1) + byte]
        tables[256 * slice + byte] = (before >> 8) ^ tables[Int(before & 0xFF)]
      }
    }
    return tables
  }()

  /// The checksum; 0xCBF43926 for the digits "123456789".
  ///
  /// - Complexity: O(n), no allocation.
  static func of(_ memory: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      guard let table = tables.baseAddress else { return 0 }
      return of(memory, table)
    }
  }

  private static func of(
    _ memory: UnsafeRawBufferPointer,
    _ table: UnsafePointer<UInt32>
  ) -> UInt32 {
    guard let start = memory.baseAddress else { return 0 }
    var crc: UInt32 = 0xFFFF_FFFF
    var position = 0
    let stop = memory.count & ~15
    while position < stop {
      let low = UInt64(littleEndian: (start + position).loadUnaligned(as: UInt64.self))
      let high = UInt64(littleEndian: (start + position + 8).loadUnaligned(as: UInt64.self))
      // The bytes that wait for the sum so far are looked up last.
      let tail = eight(table, high)
      crc = tail ^ eight(table + 8 * 256, low ^ UInt64(crc))
      position &+= 16
    }
    while position < memory.count {
      crc = (crc &>> 8) ^ table[Int((crc ^ UInt32(memory[position])) & 0xFF)]
      position &+= 1
    }
    return ~crc
  }

  /// The remainders of eight bytes of which the last is followed by as many as the table says.
  @inline(__always)
  private static func eight(_ table: UnsafePointer<UInt32>, _ word: UInt64) -> UInt32 {
    @inline(__always)
    func part(_ byte: Int) -> UInt32 {
      table[256 &* (7 &- byte) &+ Int((word &>> UInt64(8 &* byte)) & 0xFF)]
    }
    let first = part(0) ^ part(1) ^ part(2) ^ part(3)
    return first ^ part(4) ^ part(5) ^ part(6) ^ part(7)
  }
}

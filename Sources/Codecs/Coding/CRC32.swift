import Tensor

/// The CRC-32 of Ethernet, gzip and PNG: polynomial 0x04C11DB7 in reflected form.
///
/// Short messages go sixteen bytes per step by sixteen tables (Kounavis and Berry, ISCC 2005:
/// slicing); long ones are folded in vectors first, so that the check of a frame runs at memory
/// speed. It finds damage, not forgery.
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

  private static func of(_ memory: UnsafeRawBufferPointer, _ table: UnsafePointer<UInt32>) -> UInt32
  {
    guard memory.count >= 8192, let start = memory.baseAddress else {
      return ~update(.max, memory, table)
    }
    let vectors = memory.count / 64
    let rest = UnsafeRawBufferPointer(rebasing: memory[(64 * vectors)...])
    return withUnsafeTemporaryAllocation(of: Vector.self, capacity: taps + piece) { buffer in
      guard let sums = buffer.baseAddress else { return 0 }
      fold(start, vectors, sums)
      let last = UnsafeRawBufferPointer(start: sums, count: 64 * taps)
      return ~update(update(0, last, table), rest, table)
    }
  }

  private typealias Vector = SIMD8<UInt64>
  /// The degree of the polynomial, in vectors.
  private static let taps = 32
  /// Vectors that are folded before sums move to the front of their buffer.
  private static let piece = 224

  /// Leaves 32 vectors at `sums` that have the remainder of all, the register's start included.
  ///
  /// Over bits P(x)⁵¹² = P(x⁵¹²): what holds for single bits holds for vectors of 512. A vector may
  /// be taken away from the message when it is added to those that lie 32 − t after it for every
  /// power t < 32 of the polynomial; so each sum is a vector and fourteen earlier sums, and no
  /// table is read.
  ///
  /// `sums`: room for `taps + piece` vectors; `vectors` ≥ 64.
  private static func fold(
    _ start: UnsafeRawPointer, _ vectors: Int, _ sums: UnsafeMutablePointer<Vector>
  ) {
    sums.initialize(repeating: .zero, count: taps + piece)
    var first = Vector.zero
    first[0] = UInt64(UInt32.max)
    var done = 0
    while done < vectors &- taps {
      let count = min(piece, vectors &- taps &- done)
      for i in 0..<count {
        let s = sums + (taps &+ i)
        let near = s[-6] ^ s[-9] ^ s[-10] ^ s[-16] ^ s[-20] ^ s[-21] ^ s[-22]
        let far = s[-24] ^ s[-25] ^ s[-27] ^ s[-28] ^ s[-30] ^ s[-31] ^ s[-32]
        let data = (start + 64 &* (done &+ i)).loadUnaligned(as: Vector.self)
        s[0] = data ^ first ^ near ^ far
        first = .zero
      }
      for i in 0..<taps { sums[i] = sums[count &+ i] }
      done &+= count
    }
    // The last ones take what earlier ones leave, and keep it.
    for i in 0..<taps {
      var sum = (start + 64 &* (done &+ i)).loadUnaligned(as: Vector.self)
      for back in [6, 9, 10, 16, 20, 21, 22, 24, 25, 27, 28, 30, 31, 32] where back > i {
        sum ^= sums[taps + i - back]
      }
      sums[taps + i] = sum
    }
    for i in 0..<taps { sums[i] = sums[taps + i] }
  }

  /// The register after some bytes.
  private static func update(
    _ register: UInt32, _ memory: UnsafeRawBufferPointer, _ table: UnsafePointer<UInt32>
  ) -> UInt32 {
    guard let start = memory.baseAddress else { return register }
    var crc = register
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
    return crc
  }

  /// The remainders of eight bytes of which the last is followed by as many as the table says.
  @inline(__always) private static func eight(_ table: UnsafePointer<UInt32>, _ word: UInt64)
    -> UInt32
  {
    @inline(__always) func part(_ byte: Int) -> UInt32 {
      table[256 &* (7 &- byte) &+ Int((word &>> UInt64(8 &* byte)) & 0xFF)]
    }
    let first = part(0) ^ part(1) ^ part(2) ^ part(3)
    return first ^ part(4) ^ part(5) ^ part(6) ^ part(7)
  }
}

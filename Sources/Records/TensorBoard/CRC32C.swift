/// The CRC-32C of iSCSI: Castagnoli's polynomial 0x1EDC6F41, reflected.
///
/// - Source: RFC 3720, section 12.1 and appendix B.4.
package enum CRC32C {
  /// table[b]: the remainder of byte b.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { rest, _ in (rest >> 1) ^ (rest & 1 == 1 ? 0x82F6_3B78 : 0) }
  }

  /// The checksum; 0xE3069283 for the digits "123456789".
  ///
  /// - Complexity: O(n), a table look-up per byte.
  package static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(UInt32.max) { rest, byte in (rest >> 8) ^ table[Int((rest ^ UInt32(byte)) & 0xFF)]
    }
  }

  /// The checksum as TFRecord files keep it: turned right by 15 bits, plus 0xA282EAD8 modulo 2³².
  ///
  /// The CRC of bytes that hold their own CRC says little; the mask keeps them apart.
  /// - Source: TensorFlow, `core/lib/hash/crc32c.h`.
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let crc = of(bytes)
    return ((crc >> 15) | (crc << 17)) &+ 0xA282_EAD8
  }
}

/// Small pictures as PNG files in memory.
///
/// The deflate stream is stored, not compressed: a few kilobytes each, and no compressor to trust.
///
/// - Source: W3C PNG specification, third edition; RFC 1950 (zlib) and RFC 1951 (deflate).
enum PNG {
  /// The bytes of a file.
  ///
  /// - Parameters:
  ///   - pixels: [height × width × channels], channels last, 0 is black.
  ///   - height: rows, ≥ 1.
  ///   - width: columns, ≥ 1.
  ///   - channels: 1 is grey, 3 is RGB; of any other number the first channel is shown as grey.
  /// - Returns: the whole file.
  static func encoded(_ pixels: [UInt8], height: Int, width: Int, channels: Int) -> [UInt8] {
    let shown = channels == 3 ? 3 : 1
    var rows: [UInt8] = []
    rows.reserveCapacity(height * (1 + width * shown))
    for y in 0..<height {
      rows.append(0)  // no filter
      for x in 0..<width {
        let at = (y * width + x) * channels
        rows += pixels[at..<at + shown]
      }
    }
    var header = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
    header += [8, shown == 3 ? 2 : 0, 0, 0, 0]  // depth, colour, and the only methods there are
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
      + chunk("IDAT", zlib(rows)) + chunk("IEND", [])
  }

  /// `data:image/png;base64,…` of a file.
  static func dataURI(_ file: [UInt8]) -> String { "data:image/png;base64," + base64(file) }

  // MARK: - Parts

  private static func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
    let checked = Array(kind.utf8) + body
    return bigEndian(UInt32(body.count)) + checked + bigEndian(crc32(checked))
  }

  /// Stored blocks of at most 65535 bytes inside a zlib stream.
  private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = [0x78, 0x01]
    var start = 0
    repeat {
      let count = min(65_535, bytes.count - start)
      let isLast = start + count == bytes.count
      let length = UInt16(count)
      out += [isLast ? 1 : 0, UInt8(length & 255), UInt8(length >> 8)]
      out += [UInt8(~length & 255), UInt8(~length >> 8)]
      out += bytes[start..<start + count]
      start += count
    } while start < bytes.count
    return out + bigEndian(adler32(bytes))
  }

  /// RFC 1950, section 8.2.
  static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return b << 16 | a
  }

  /// The CRC of PNG, annex D: polynomial 0xEDB88320 reflected, all ones before and after.
  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  /// RFC 4648, section 4.
  static func base64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let present = min(3, bytes.count - start)
      var word = 0
      for place in 0..<3 { word = word << 8 | (place < present ? Int(bytes[start + place]) : 0) }
      for place in 0..<4 {
        out.append(place <= present ? letters[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func bigEndian(_ word: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
  }
}

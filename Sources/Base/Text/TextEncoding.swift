/// What the first bytes of a text say of its encoding.
///
/// All texts that are read are UTF-8. A byte-order mark in front, as some editors write it, is
/// passed over; the marks of other encodings are an error that names them, because their bytes
/// would read as nonsense.
public enum TextEncoding {
  /// The byte-order mark of UTF-8.
  static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// Where the text begins: after the mark, if there is one.
  public static func start(of bytes: [UInt8]) -> Int { bytes.starts(with: mark) ? mark.count : 0 }

  /// The encoding when it is none that is read, such as "UTF-16"; nil for UTF-8.
  public static func foreign(_ bytes: [UInt8]) -> String? {
    // Zeros where ASCII has letters tell UTF-16 and UTF-32 without a mark.
    let head = bytes.prefix(4)
    if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
      return "UTF-32"
    }
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
    guard head.count == 4, Array(head) != [0, 0, 0, 0] else { return nil }
    let zeros = head.map { $0 == 0 }
    if zeros == [false, true, false, true] || zeros == [true, false, true, false] {
      return "UTF-16"
    }
    return zeros == [false, true, true, true] || zeros == [true, true, true, false] ? "UTF-32" : nil
  }
}

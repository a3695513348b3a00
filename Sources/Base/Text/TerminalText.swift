/// Text that may have come from anywhere, for a terminal.
public enum TerminalText {
  /// The text with control characters written out.
  ///
  /// Names of files and folders, and what is in them, must not steer a terminal. Tabs and ends of
  /// lines stay.
  public static func plain(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: steers) else { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      if steers(scalar) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        out += "\\x" + String(repeating: "0", count: max(0, 2 - digits.count)) + digits
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private static func steers(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 9, 10: false
    case 0..<0x20, 0x7F..<0xA0: true
    // Marks that turn the direction of text.
    case 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }
}

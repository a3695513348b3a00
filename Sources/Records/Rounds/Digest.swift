/// Digests as sixteen hexadecimal digits.
package enum Digest {
  package static func hex(_ digest: UInt64) -> String {
    let digits = String(digest, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The digest of a text, or nil.
  package static func value(_ text: String?) -> UInt64? {
    guard let text, text.count == 16 else { return nil }
    return UInt64(text, radix: 16)
  }
}

/// Text files of lines that a user writes: UTF-8, with or without a byte-order mark, lines ended by
/// LF or CR LF.
package enum TextFile {
  /// The lines with their numbers from 1, without those that are empty or start with #.
  ///
  /// `what`: what the file should hold; for messages.
  ///
  /// Throws exit 4: as `FileReader.bytes(of:)`, and E4006 for UTF-16.
  package static func lines(of path: String, what: String) throws(Failure) -> [(
    number: Int, text: String
  )] {
    let bytes = try FileReader.bytes(of: path, what: what, growth: 32)
    try requireUTF8(bytes, path)
    var lines: [(number: Int, text: String)] = []
    let pieces = bytes[TextEncoding.start(of: bytes)...].split(
      separator: 10, omittingEmptySubsequences: false)
    for (index, piece) in pieces.enumerated() {
      let line = piece.last == 13 ? piece.dropLast() : piece
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      lines.append((index + 1, String(decoding: line, as: UTF8.self)))
    }
    return lines
  }

  /// Throws E4006 where the bytes are of another encoding.
  package static func requireUTF8(_ bytes: [UInt8], _ path: String) throws(Failure) {
    guard let encoding = TextEncoding.foreign(bytes) else { return }
    throw DataFailure.malformed(
      path, "the text is \(encoding); expected UTF-8",
      hint: "save it as UTF-8: iconv -f \(encoding) -t UTF-8")
  }
}

import Base

/// Reads JSON in one forward pass, handing values to the caller as they come: files of a hundred
/// million numbers fit, where a tree would not.
struct JSONScanner {
  /// The file, for messages.
  let path: String
  /// The text, followed by one zero byte, at which every number ends.
  private let bytes: [UInt8]
  private let length: Int
  private var position = 0
  private var depth = 0

  private static let maximumDepth = 100

  init(path: String, bytes: [UInt8]) {
    self.path = path
    length = bytes.count
    self.bytes = bytes + [0]
    position = TextEncoding.start(of: bytes)
  }

  /// Where the next byte is: "line 3, column 17".
  var place: String {
    var line = 1
    var lineStart = TextEncoding.start(of: bytes)
    for index in 0..<min(position, length) where bytes[index] == 0x0A {
      line += 1
      lineStart = index + 1
    }
    return "line \(line), column \(position - lineStart + 1)"
  }

  /// Whether the next value is a string.
  var isNextString: Bool {
    mutating get {
      skipSpace()
      return bytes[position] == UInt8(ascii: "\"")
    }
  }

  private func failure(_ expected: String) -> Failure {
    position >= length
      ? DataFailure.wrongSize(path, "ends at \(place), where \(expected) was expected")
      : DataFailure.malformed(path, "\(place): expected \(expected)")
  }

  private mutating func skipSpace() {
    // The zero byte at the end is no space.
    while bytes[position] == 0x20 || (0x09...0x0D).contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipSpace()
    guard position < length, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  /// Reads an array; `element` must read exactly one value.
  mutating func array(_ element: (inout JSONScanner) throws(Failure) -> Void) throws(Failure) {
    guard take(UInt8(ascii: "[")) else { throw failure("'['") }
    try descend()
    defer { depth -= 1 }
    if take(UInt8(ascii: "]")) { return }
    while true {
      try element(&self)
      if take(UInt8(ascii: "]")) { return }
      guard take(UInt8(ascii: ",")) else { throw failure("',' or ']'") }
    }
  }

  /// Reads an object; `member` must read exactly one value.
  mutating func object(_ member: (String, inout JSONScanner) throws(Failure) -> Void)
    throws(Failure)
  {
    guard take(UInt8(ascii: "{")) else { throw failure("'{'") }
    try descend()
    defer { depth -= 1 }
    if take(UInt8(ascii: "}")) { return }
    while true {
      let key = try string()
      guard take(UInt8(ascii: ":")) else { throw failure("':'") }
      try member(key, &self)
      if take(UInt8(ascii: "}")) { return }
      guard take(UInt8(ascii: ",")) else { throw failure("',' or '}'") }
    }
  }

  private mutating func descend() throws(Failure) {
    depth += 1
    guard depth <= Self.maximumDepth else {
      throw DataFailure.malformed(path, "\(place): nested more than \(Self.maximumDepth) deep")
    }
  }

  /// Reads a string; escapes are left to the JSON reader.
  mutating func string() throws(Failure) -> String {
    guard take(UInt8(ascii: "\"")) else { throw failure("a string") }
    let start = position
    var hasEscape = false
    while position < length, bytes[position] != UInt8(ascii: "\"") {
      if bytes[position] == UInt8(ascii: "\\") {
        hasEscape = true
        position += 1
      }
      position += 1
    }
    guard position < length else {
      position = length
      throw failure("a closing quote")
    }
    let raw = bytes[start..<position]
    position += 1
    if !hasEscape, let text = String(validating: raw, as: UTF8.self) { return text }
    guard hasEscape, let value = try? JSON(parsing: [0x22] + raw + [0x22]), let text = value.text
    else { throw failure("a valid string before this place") }
    return text
  }

  /// Reads a finite number.
  mutating func float() throws(Failure) -> Float {
    let value = Float(try number())
    guard value.isFinite else {
      throw DataFailure.notFinite(path, "\(place): a number too large for 32 bits")
    }
    return value
  }

  /// Reads a whole number; 3.0 is one.
  mutating func integer() throws(Failure) -> Int {
    let value = try number()
    guard let whole = Int(exactly: value) else { throw failure("a whole number before this place") }
    return whole
  }

  private mutating func number() throws(Failure) -> Double {
    skipSpace()
    let first = bytes[position]
    // strtod would also take "nan", "inf", hexadecimal digits and a plus sign.
    let start = first == UInt8(ascii: "-") ? position + 1 : position
    guard start < length, isDigit(bytes[start]) else { throw failure("a number") }
    var whole = 0
    var index = start
    while isDigit(bytes[index]), index - start < 15 {
      whole = whole * 10 + Int(bytes[index] - 0x30)
      index += 1
    }
    let next = bytes[index]
    let isPlain =
      !isDigit(next) && next != UInt8(ascii: ".") && next != UInt8(ascii: "e")
      && next != UInt8(ascii: "E") && next != UInt8(ascii: "x") && next != UInt8(ascii: "X")
    if isPlain {
      position = index
      return Double(first == UInt8(ascii: "-") ? -whole : whole)
    }
    guard next != UInt8(ascii: "x"), next != UInt8(ascii: "X") else { throw failure("a number") }
    return bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return 0 }
      let text = (base + position).assumingMemoryBound(to: CChar.self)
      var end: UnsafeMutablePointer<CChar>?
      let value = strtod(text, &end)
      if let end { position += UnsafePointer(end) - text }
      return value
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  /// Reads any value and forgets it.
  mutating func skip() throws(Failure) {
    skipSpace()
    switch bytes[position] {
    case UInt8(ascii: "{"): try object { (_, scanner) throws(Failure) in try scanner.skip() }
    case UInt8(ascii: "["): try array { (scanner) throws(Failure) in try scanner.skip() }
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    default: _ = try number()
    }
  }

  private mutating func word(_ word: StaticString) throws(Failure) {
    guard word.withUTF8Buffer({ bytes[position...].starts(with: $0) }) else {
      throw failure("a value")
    }
    position += word.utf8CodeUnitCount
  }

  /// Requires that nothing follows.
  mutating func end() throws(Failure) {
    skipSpace()
    guard position == length else { throw failure("the end of the file") }
  }
}

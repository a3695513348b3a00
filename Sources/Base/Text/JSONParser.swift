/// Why a text is not JSON, and where.
public struct JSONSyntaxError: Error, Sendable, Equatable {
  /// Line, from 1.
  public let line: Int
  /// Column in UTF-8 bytes, from 1.
  public let column: Int
  /// What is wrong, such as "expected ',' or '}'".
  public let message: String
}

extension JSON {
  /// Nesting beyond this depth is refused: no stack can overflow.
  package static let maximumDepth = 200

  /// Bytes of memory that a tree takes at most for a byte of its text: lists of digits are worst.
  public static let bytesPerByte = 48

  /// Reads one JSON text (RFC 8259; UTF-8, a byte-order mark is allowed).
  ///
  /// Keys given twice in one object are errors, because readers disagree on which one counts.
  public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.document()
  }

  /// Reads one JSON text.
  public init(parsing text: String) throws(JSONSyntaxError) {
    try self.init(parsing: Array(text.utf8))
  }
}

/// A recursive-descent reader; `position` is always at the next unread byte.
private struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  var line = 1
  var lineStart = 0

  init(bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      position = 3
      lineStart = 3
    }
  }

  mutating func document() throws(JSONSyntaxError) -> JSON {
    if let encoding = TextEncoding.foreign(bytes) {
      throw failure("the text is \(encoding); expected UTF-8")
    }
    skipSpace()
    if position == bytes.count { throw failure("the file is empty; expected a JSON object") }
    let value = try value(depth: 0)
    skipSpace()
    if position < bytes.count { throw failure("unexpected text after the end of the document") }
    return value
  }

  private func failure(_ message: String) -> JSONSyntaxError {
    JSONSyntaxError(line: line, column: position - lineStart + 1, message: message)
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
      if byte == 0x0A {
        line += 1
        lineStart = position
      }
    }
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSON {
    guard depth < JSON.maximumDepth else {
      throw failure("nested more than \(JSON.maximumDepth) levels deep")
    }
    let start = line
    guard let byte = current else { throw failure("unexpected end of the text") }
    switch byte {
    case UInt8(ascii: "{"): return JSON(.object(try object(depth: depth)), line: start)
    case UInt8(ascii: "["): return JSON(.array(try array(depth: depth)), line: start)
    case UInt8(ascii: "\""): return JSON(.string(try string()), line: start)
    case UInt8(ascii: "t"): return JSON(try word("true", .bool(true)), line: start)
    case UInt8(ascii: "f"): return JSON(try word("false", .bool(false)), line: start)
    case UInt8(ascii: "n"): return JSON(try word("null", .null), line: start)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      return JSON(.number(try number()), line: start)
    default: throw failure("expected a value, found \(describe(byte))")
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> [JSON.Member] {
    position += 1
    var members: [JSON.Member] = []
    var seen: Set<String> = []
    skipSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return members
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw failure("expected a key in double quotes") }
      let keyLine = line
      let key = try string()
      guard seen.insert(key).inserted || key.hasPrefix("//") else {
        throw failure("the key \"\(key)\" is given twice in one object")
      }
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw failure("expected ':' after \"\(key)\"") }
      position += 1
      skipSpace()
      members.append(JSON.Member(key, try value(depth: depth + 1), line: keyLine))
      skipSpace()
      if current == UInt8(ascii: ",") {
        position += 1
      } else if current == UInt8(ascii: "}") {
        position += 1
        return members
      } else {
        throw failure("expected ',' or '}'")
      }
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSON] {
    position += 1
    var items: [JSON] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return items
    }
    while true {
      skipSpace()
      items.append(try value(depth: depth + 1))
      skipSpace()
      if current == UInt8(ascii: ",") {
        position += 1
      } else if current == UInt8(ascii: "]") {
        position += 1
        return items
      } else {
        throw failure("expected ',' or ']'")
      }
    }
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("a string that is not valid UTF-8")
        }
        return string
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &text)
      case 0..<0x20: throw failure("a control character inside a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw failure("a string without its closing quote")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
    guard let byte = current else { throw failure("unexpected end of the text") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var scalar = try hex4()
      if (0xD800..<0xDC00).contains(scalar) {
        guard current == UInt8(ascii: "\\"), position + 1 < bytes.count,
          bytes[position + 1] == UInt8(ascii: "u")
        else { throw failure("half of a surrogate pair") }
        position += 2
        let low = try hex4()
        guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
        scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let unicode = Unicode.Scalar(scalar) else { throw failure("half of a surrogate pair") }
      text.append(contentsOf: Array(String(Character(unicode)).utf8))
    default: throw failure("unknown escape")
    }
  }

  private mutating func hex4() throws(JSONSyntaxError) -> UInt32 {
    guard position + 4 <= bytes.count,
      let digits = String(validating: bytes[position..<position + 4], as: UTF8.self),
      digits.allSatisfy(\.isHexDigit), let code = UInt32(digits, radix: 16)
    else { throw failure("expected four hexadecimal digits") }
    position += 4
    return code
  }

  private mutating func word(_ word: String, _ value: JSON.Content) throws(JSONSyntaxError)
    -> JSON.Content
  {
    guard bytes[position...].starts(with: Array(word.utf8)) else {
      throw failure("expected a value; did you mean \(word)?")
    }
    position += word.utf8.count
    return value
  }

  private mutating func number() throws(JSONSyntaxError) -> String {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let whole = digits()
    guard whole > 0 else { throw failure("expected a digit") }
    if whole > 1, bytes[position - whole] == UInt8(ascii: "0") {
      throw failure("a number with a leading zero")
    }
    if current == UInt8(ascii: ".") {
      position += 1
      guard digits() > 0 else { throw failure("expected a digit after the point") }
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      guard digits() > 0 else { throw failure("expected a digit in the exponent") }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      position += 1
    }
    return position - start
  }

  private func describe(_ byte: UInt8) -> String {
    (0x21..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
  }
}

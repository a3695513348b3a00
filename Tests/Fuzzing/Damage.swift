import Foundation

/// A change of one file, told by lines and shares of its length: files with times in them have
/// not the same length on every day.
package enum Damage: Sendable, Equatable {
  /// The file is not there.
  case remove(String)
  /// Cut after a share of it.
  case cut(String, Double)
  /// A byte at a share of it is changed by exclusive or.
  case flip(String, Double, UInt8)
  /// Bytes put in at a share of it.
  case insert(String, Double, [UInt8])
  /// Bytes after its end.
  case append(String, [UInt8])
  /// A line taken out; counted from 0, around the end.
  case dropLine(String, Int)
  /// A line twice.
  case repeatLine(String, Int)
  /// A line and the next in the other order.
  case swapLines(String, Int)
  /// The n-th number of a line, and what stands there instead.
  case number(String, Int, Int, String)
  /// Another file's bytes.
  case replace(String, by: String)
  /// A folder in its place.
  case folder(String)
  /// A link in its place.
  case link(String, to: String)

  /// The file.
  package var path: String {
    switch self {
    case .remove(let path), .cut(let path, _), .flip(let path, _, _), .insert(let path, _, _),
      .append(let path, _), .dropLine(let path, _), .repeatLine(let path, _),
      .swapLines(let path, _), .number(let path, _, _, _), .replace(let path, _), .folder(let path),
      .link(let path, _):
      path
    }
  }

  /// Changes the file below a folder; nothing happens when it is not there.
  func apply(in folder: TryFolder) {
    let full = folder.path + "/" + path
    guard let bytes = folder.bytes(path) else { return }
    switch self {
    case .remove: try? FileManager.default.removeItem(atPath: full)
    case .folder:
      try? FileManager.default.removeItem(atPath: full)
      try? FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: false)
    case .link(_, let target):
      try? FileManager.default.removeItem(atPath: full)
      try? FileManager.default.createSymbolicLink(atPath: full, withDestinationPath: target)
    case .replace(_, let other):
      if let theirs = folder.bytes(other) { folder.write(InputFile(path, theirs)) }
    default: folder.write(InputFile(path, changed(bytes)))
    }
  }

  /// The bytes after a change that is inside the file.
  package func changed(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .cut(_, let share): return Array(bytes.prefix(Self.place(share, bytes.count)))
    case .append(_, let more): return bytes + more
    case .flip(_, let share, let mask):
      guard !bytes.isEmpty else { return bytes }
      var bytes = bytes
      bytes[min(Self.place(share, bytes.count), bytes.count - 1)] ^= mask
      return bytes
    case .insert(_, let share, let more):
      let place = Self.place(share, bytes.count)
      return bytes[..<place] + more + bytes[place...]
    case .dropLine(_, let line): return Self.lines(bytes) { $0.remove(at: line % $0.count) }
    case .repeatLine(_, let line):
      return Self.lines(bytes) { $0.insert($0[line % $0.count], at: line % $0.count) }
    case .swapLines(_, let line):
      return Self.lines(bytes) { $0.swapAt(line % $0.count, (line + 1) % $0.count) }
    case .number(_, let line, let number, let text):
      return Self.lines(bytes) { lines in
        let place = line % lines.count
        lines[place] = Self.replaced(number, in: lines[place], by: text)
      }
    default: return bytes
    }
  }

  private static func place(_ share: Double, _ count: Int) -> Int {
    min(count, Int(share * Double(count)))
  }

  /// The text with its lines changed; what ends the last line stays.
  private static func lines(_ bytes: [UInt8], _ change: (inout [[UInt8]]) -> Void) -> [UInt8] {
    var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
    let hasEnd = lines.count > 1 && lines.last == []
    if hasEnd { lines.removeLast() }
    if lines.isEmpty { return bytes }
    change(&lines)
    return Array(lines.joined(separator: [10])) + (hasEnd && !lines.isEmpty ? [10] : [])
  }

  /// The line with another text for its n-th number.
  private static func replaced(_ number: Int, in line: [UInt8], by text: String) -> [UInt8] {
    let places = numbers(in: line)
    guard !places.isEmpty else { return line }
    let place = places[number % places.count]
    return line[..<place.lowerBound] + Array(text.utf8) + line[place.upperBound...]
  }

  /// Where numbers stand in a text: digits with sign, point and exponent, after no letter.
  static func numbers(in text: [UInt8]) -> [Range<Int>] {
    var places: [Range<Int>] = []
    var place = 0
    while place < text.count {
      let isStart = isDigit(text[place]) && (place == 0 || !isWord(text[place - 1]))
      guard isStart else {
        place += 1
        continue
      }
      var start = place
      if start > 0, text[start - 1] == UInt8(ascii: "-") { start -= 1 }
      while place < text.count, isNumber(text, place) { place += 1 }
      places.append(start..<place)
    }
    return places
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
  }

  private static func isNumber(_ text: [UInt8], _ place: Int) -> Bool {
    let byte = text[place]
    if isDigit(byte) || byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
      return true
    }
    let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    return isSign && text[place - 1] | 0x20 == UInt8(ascii: "e")
  }
}

/// Texts that stand for numbers at the ends of what programs hold.
enum Extremes {
  static let integers = [
    "-1", "0", "1", "2", "127", "128", "255", "256", "32767", "32768", "65535", "65536",
    "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740992", "9007199254740993",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "-2147483648",
  ]
  static let numbers = [
    "0.5", "-0.5", "-0", "-0.0", "1.0", "0.0", "1e-5", "1e-300", "5e-324", "1e-400", "1e15", "1e16",
    "1e18", "9.3e18", "1e19", "1e30", "1e38", "1e39", "1e300", "1e308", "1.7976931348623157e308",
    "-1.7976931348623157e308", "1e309", "1e400", "-1e400", "0.1e1", "0.30000000000000004",
    "0.9999999999999999", "1.0000000000000002",
  ]
  static let words = [
    "NaN", "nan", "inf", "-inf", "Infinity", "null", "true", "", "\"\"", "\"1\"", "0x10", "1_000",
    "+1", "01", "1.", ".5", "1e", "١", "[]", "{}", "-",
  ]
  static let all = integers + numbers + words
}

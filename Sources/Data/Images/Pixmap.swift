import Base

/// An image of red, green and blue bytes, row by row.
package struct Pixmap: Sendable, Equatable {
  package let width: Int
  package let height: Int
  /// Three per pixel.
  package let bytes: [UInt8]

  package init(width: Int, height: Int, bytes: [UInt8]) {
    self.width = width
    self.height = height
    self.bytes = bytes
  }

  /// Whether no pixel has a colour.
  var isGrey: Bool {
    for pixel in 0..<width * height {
      let red = bytes[3 * pixel]
      if bytes[3 * pixel + 1] != red || bytes[3 * pixel + 2] != red { return false }
    }
    return true
  }

  /// The image in another size: each pixel is the mean of the area that it covers, rounded.
  ///
  /// Whole numbers throughout, so that every machine has the same bytes.
  package func resized(width newWidth: Int, height newHeight: Int) -> Pixmap {
    if newWidth == width, newHeight == height { return self }
    let columns = Self.covers(width, newWidth)
    let area = width * height
    var result = [UInt8](repeating: 0, count: 3 * newWidth * newHeight)
    for (row, lines) in Self.covers(height, newHeight).enumerated() {
      for (column, places) in columns.enumerated() {
        for channel in 0..<3 {
          var sum = 0
          for (y, down) in lines {
            for (x, across) in places {
              sum += down * across * Int(bytes[3 * (y * width + x) + channel])
            }
          }
          let place = 3 * (row * newWidth + column) + channel
          result[place] = UInt8((2 * sum + area) / (2 * area))
        }
      }
    }
    return Pixmap(width: newWidth, height: newHeight, bytes: result)
  }

  /// What each of `new` equal pieces of a line covers of its `old` pixels: which, and how much in
  /// parts of 1/new pixel; the parts of a piece add up to `old`.
  private static func covers(_ old: Int, _ new: Int) -> [[(pixel: Int, weight: Int)]] {
    (0..<new).map { piece in
      let (start, end) = (piece * old, (piece + 1) * old)
      return (start / new...(end - 1) / new).map { pixel in
        (pixel, min(end, (pixel + 1) * new) - max(start, pixel * new))
      }
    }
  }
}

extension Pixmap {
  /// Reads a file of the formats PBM, PGM and PPM, as numbers or as bytes (P1 to P6).
  ///
  /// Values are scaled from the file's largest value to 255; of several images the first counts.
  package init(pnm file: [UInt8], path: String) throws(Failure) {
    var scanner = PNMScanner(file: file, path: path)
    let kind = try scanner.kind()
    let width = try scanner.size("width")
    let height = try scanner.size("height")
    let isBitmap = kind == 1 || kind == 4
    let most = isBitmap ? 1 : try scanner.number("the largest value", 1...65535)
    let channels = kind == 3 || kind == 6 ? 3 : 1
    let values = try scanner.values(
      kind, rows: height, perRow: width * channels, most: most)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(3 * width * height)
    for value in values {
      guard value <= most else {
        throw DataFailure.malformed(path, "a value of \(value); the largest shall be \(most)")
      }
      // A bitmap's 1 is black.
      let level = isBitmap ? 1 - value : value
      let shade = UInt8((510 * level + most) / (2 * most))
      for _ in 0..<(channels == 3 ? 1 : 3) { bytes.append(shade) }
    }
    self.init(width: width, height: height, bytes: bytes)
  }

  /// Whether bytes start like one of these formats.
  static func isPNM(_ file: [UInt8]) -> Bool {
    file.count > 2 && file[0] == UInt8(ascii: "P")
      && (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(file[1])
      && (PNMScanner.isSpace(file[2]) || file[2] == UInt8(ascii: "#"))
  }
}

/// Walks through a PNM file.
private struct PNMScanner {
  let file: [UInt8]
  let path: String
  private var place = 2

  init(file: [UInt8], path: String) {
    self.file = file
    self.path = path
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  func kind() throws(Failure) -> Int {
    guard Pixmap.isPNM(file) else { throw DataFailure.malformed(path, "is no PNM image") }
    return Int(file[1] - UInt8(ascii: "0"))
  }

  private mutating func skipSpace() {
    while place < file.count {
      if file[place] == UInt8(ascii: "#") {
        while place < file.count, file[place] != 10 { place += 1 }
      } else if Self.isSpace(file[place]) {
        place += 1
      } else {
        return
      }
    }
  }

  private static func digit(_ byte: UInt8) -> Int? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
  }

  mutating func number(_ what: String, _ range: ClosedRange<Int>) throws(Failure) -> Int {
    skipSpace()
    guard place < file.count else {
      throw DataFailure.wrongSize(path, "ends before \(what) of the image")
    }
    var number = 0
    let start = place
    while place < file.count, place - start < 9, let digit = Self.digit(file[place]) {
      number = 10 * number + digit
      place += 1
    }
    guard place > start, range.contains(number) else {
      throw DataFailure.malformed(
        path, "\(what) is no number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  mutating func size(_ what: String) throws(Failure) -> Int {
    try number("the \(what)", 1...Pixmap.mostSide)
  }

  /// All values of the first image.
  mutating func values(_ kind: Int, rows: Int, perRow: Int, most: Int) throws(Failure) -> [Int] {
    try FileReader.requireMemory(11 * rows * perRow, for: path)
    var values: [Int] = []
    if kind <= 3 {
      // Each value takes a byte of the file at least.
      guard file.count - place >= rows * perRow else { throw cut(rows * perRow) }
      values.reserveCapacity(rows * perRow)
      for _ in 0..<rows * perRow {
        values.append(kind == 1 ? try bit() : try number("a value", 0...65535))
      }
      return values
    }
    // One white space, then bytes.
    place += 1
    let size = most > 255 ? 2 : 1
    let line = kind == 4 ? (perRow + 7) / 8 : perRow * size
    guard file.count - place >= rows * line else { throw cut(rows * line) }
    values.reserveCapacity(rows * perRow)
    for row in 0..<rows {
      let start = place + row * line
      for column in 0..<perRow {
        if kind == 4 {
          values.append(Int(file[start + column / 8] >> UInt8(7 - column % 8)) & 1)
        } else {
          let high = Int(file[start + column * size])
          values.append(size == 1 ? high : high << 8 | Int(file[start + column * size + 1]))
        }
      }
    }
    return values
  }

  /// A digit of a bitmap of numbers, where no space needs to stand between two.
  private mutating func bit() throws(Failure) -> Int {
    skipSpace()
    guard place < file.count, let digit = Self.digit(file[place]), digit < 2 else {
      throw DataFailure.malformed(path, "expected 0 or 1 in a bitmap")
    }
    place += 1
    return digit
  }

  private func cut(_ needed: Int) -> Failure {
    DataFailure.wrongSize(
      path, "\(max(0, file.count - place)) bytes after the header; the image needs \(needed)")
  }
}

extension Pixmap {
  /// Images have no more columns or rows.
  package static let mostSide = 20_000
}

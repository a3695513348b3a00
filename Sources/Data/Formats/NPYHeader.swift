import Base

/// The header of a `.npy` file: a Python dictionary in a fixed, small part of the language.
package struct NPYHeader {
  /// The element types that are read, by NumPy's names without byte order.
  package enum Element: String, CaseIterable {
    case u1
    case i1
    case i2
    case u2
    case i4
    case i8
    case f4
    case f8

    package var size: Int {
      switch self {
      case .u1, .i1: 1
      case .i2, .u2: 2
      case .i4, .f4: 4
      case .i8, .f8: 8
      }
    }

    package var isInteger: Bool { self != .f4 && self != .f8 }
  }

  package let type: Element
  package let shape: [Int]
  /// Where the values begin.
  package let end: Int

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  init(_ bytes: [UInt8], path: String) throws(Failure) {
    guard bytes.starts(with: Self.magic), bytes.count >= 10 else {
      throw DataFailure.malformed(
        path, "does not start like a .npy file", hint: "write it with numpy.save, not savez")
    }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw DataFailure.unsupported(path, ".npy version \(version); versions 1 to 3 are read")
    }
    // Version 1 has a length of two bytes, the others of four.
    let lengthBytes = version == 1 ? 2 : 4
    let begin = 8 + lengthBytes
    guard bytes.count >= begin else { throw DataFailure.wrongSize(path, "ends within its header") }
    let length = bytes[8..<begin].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard bytes.count - begin >= length else {
      throw DataFailure.wrongSize(
        path, "ends within its header of \(length) bytes, after \(bytes.count - begin)")
    }
    end = begin + length
    var scanner = HeaderScanner(text: Array(bytes[begin..<end]))
    guard let fields = scanner.dictionary() else {
      throw DataFailure.malformed(path, "its header is no dictionary of descr, order and shape")
    }
    guard let descriptor = fields.descr, let isFortran = fields.fortranOrder,
      let sizes = fields.shape
    else { throw DataFailure.malformed(path, "its header lacks descr, fortran_order or shape") }
    guard let element = Element(rawValue: String(descriptor.dropFirst())),
      descriptor.hasPrefix("<") || descriptor.hasPrefix("|") && element.size == 1
    else {
      throw DataFailure.unsupported(
        path,
        "element type \"\(descriptor)\"; expected one of "
          + Element.allCases.map { ($0.size == 1 ? "|" : "<") + $0.rawValue }.joined(
            separator: ", "), hint: Self.conversion(of: descriptor))
    }
    guard !isFortran else {
      throw DataFailure.unsupported(
        path, "is in Fortran order", hint: "save numpy.ascontiguousarray(x)")
    }
    type = element
    shape = sizes
  }
}

extension NPYHeader {
  /// What stands before the values of an array, as numpy.save writes it: in C order, the values at
  /// a multiple of 64 bytes.
  static func bytes(_ type: Element, shape: [Int]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let order = type.size == 1 ? "|" : "<"
    let text =
      "{'descr': '\(order)\(type.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let start = magic.count + 4
    let end = (start + text.utf8.count + 1 + 63) / 64 * 64
    let space = [UInt8](repeating: 32, count: end - start - text.utf8.count - 1)
    let length = [UInt8(truncatingIfNeeded: end - start), UInt8((end - start) >> 8)]
    return magic + [1, 0] + length + Array(text.utf8) + space + [10]
  }

  /// What makes an array of a type that is not read into one that is.
  fileprivate static func conversion(of descriptor: String) -> String {
    let isBigEndian = descriptor.hasPrefix(">")
    switch descriptor.drop(while: { "<>|=".contains($0) }).first {
    case "U", "S", "a":
      return "text: labels become numbers with numpy.unique(y, return_inverse=True)[1]"
    case "O": return "Python objects: make an array of numbers first, numpy.stack or numpy.array"
    case "b": return "truth values: convert with x.astype(numpy.uint8)"
    case "c": return "complex numbers: give numpy.abs(x), or real and imaginary parts as channels"
    case "M", "m": return "times: give numbers"
    case "V": return "records: give one of their fields"
    case "u", "i":
      return isBigEndian
        ? "big-endian; convert with x.astype(x.dtype.newbyteorder('<'))"
        : "convert labels with y.astype(numpy.int64), pixels with x.astype(numpy.float32)"
    default:
      return isBigEndian
        ? "big-endian; convert with x.astype(x.dtype.newbyteorder('<'))"
        : "convert with x.astype(numpy.float32)"
    }
  }
}

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`; nil for anything else.
private struct HeaderScanner {
  struct Fields {
    var descr: String?
    var fortranOrder: Bool?
    var shape: [Int]?
  }

  let text: [UInt8]
  var position = 0

  mutating func dictionary() -> Fields? {
    var fields = Fields()
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), take(":") else { return nil }
      switch key {
      case "descr":
        guard let value = string() else { return nil }
        fields.descr = value
      case "fortran_order":
        guard let value = truth() else { return nil }
        fields.fortranOrder = value
      case "shape":
        guard let value = tuple() else { return nil }
        fields.shape = value
      default: return nil
      }
      if !take(","), !isNext("}") { return nil }
    }
    skipSpace()
    return position == text.count ? fields : nil
  }

  private mutating func skipSpace() {
    while position < text.count, text[position] == 0x20 || (0x09...0x0D).contains(text[position]) {
      position += 1
    }
  }

  private mutating func isNext(_ word: StaticString) -> Bool {
    skipSpace()
    return word.withUTF8Buffer { text[position...].starts(with: $0) }
  }

  private mutating func take(_ word: StaticString) -> Bool {
    guard isNext(word) else { return false }
    position += word.utf8CodeUnitCount
    return true
  }

  private mutating func string() -> String? {
    skipSpace()
    guard position < text.count, text[position] == 0x27 || text[position] == 0x22 else {
      return nil
    }
    let quote = text[position]
    guard let end = text[(position + 1)...].firstIndex(of: quote) else { return nil }
    defer { position = end + 1 }
    return String(validating: text[(position + 1)..<end], as: UTF8.self)
  }

  private mutating func truth() -> Bool? {
    if take("True") { return true }
    return take("False") ? false : nil
  }

  private mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var sizes: [Int] = []
    while !take(")") {
      skipSpace()
      let start = position
      while position < text.count, (0x30...0x39).contains(text[position]) { position += 1 }
      guard let size = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
        return nil
      }
      sizes.append(size)
      _ = take("L")
      if !take(","), !isNext(")") { return nil }
    }
    return sizes
  }
}

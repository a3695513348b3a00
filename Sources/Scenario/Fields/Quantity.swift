import Data

/// A physical quantity in a scenario: a number in the base unit, or text such as "10 Mbit/s".
package struct Quantity: Sendable {
  package enum Kind: Sendable, CaseIterable {
    /// In seconds.
    case duration
    /// Of a network link, in bit/s.
    case bandwidth
    /// Of a processor, in FLOP/s.
    case speed
    /// Memory or disk, in bytes.
    case storage
  }

  package let kind: Kind
  /// What is legal, in the base unit.
  package let range: NumberRange

  package init(kind: Kind, _ range: NumberRange) {
    self.kind = kind
    self.range = range
  }

  /// The value of a text in the base unit; nil when it is no number with a unit of the kind.
  ///
  /// Digits, a fraction and an exponent perhaps, one space or none, and the unit as it is written
  /// in `units`: no sign, nothing around it.
  package func value(of text: String) -> Double? {
    let bytes = Array(text.utf8)
    var place = 0
    func digits() -> Bool {
      let start = place
      while place < bytes.count, (48...57).contains(bytes[place]) { place += 1 }
      return place > start
    }
    guard digits() else { return nil }
    if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
      place += 1
      guard digits() else { return nil }
    }
    if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
      place += 1
      if place < bytes.count, "+-".utf8.contains(bytes[place]) { place += 1 }
      guard digits() else { return nil }
    }
    let number = Double(String(decoding: bytes[..<place], as: UTF8.self))
    if place < bytes.count, bytes[place] == UInt8(ascii: " ") { place += 1 }
    let unit = String(decoding: bytes[place...], as: UTF8.self)
    guard let number, let factor = kind.units.first(where: { $0.name == unit })?.factor else {
      return nil
    }
    return number * factor
  }

  /// What is legal, in words.
  package var allowed: String {
    let names = kind.units.map(\.name).joined(separator: ", ")
    let bounds = range.allowed.dropFirst("a number ".count)
    return "a number of \(kind.base) \(bounds), or text like \"\(kind.example)\" (units: \(names))"
  }

  /// The text's pattern in the dialect of JSON Schema.
  package var pattern: String {
    let names = kind.units.map(\.name).joined(separator: "|")
    return "^[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)? ?(\(names))$"
  }
}

extension Quantity.Kind {
  /// Units that a text may have, with their size in the base unit, which comes first.
  package var units: [(name: String, factor: Double)] {
    switch self {
    case .duration: [("s", 1), ("us", 1e-6), ("ms", 1e-3), ("min", 60), ("h", 3600), ("d", 86_400)]
    case .bandwidth:
      [
        ("bit/s", 1), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9), ("B/s", 8), ("kB/s", 8e3),
        ("MB/s", 8e6), ("GB/s", 8e9),
      ]
    case .speed:
      [
        ("FLOP/s", 1), ("kFLOP/s", 1e3), ("MFLOP/s", 1e6), ("GFLOP/s", 1e9), ("TFLOP/s", 1e12),
        ("PFLOP/s", 1e15),
      ]
    case .storage:
      [
        ("B", 1), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("KiB", 1024),
        ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
      ]
    }
  }

  package var base: String { units[0].name }

  /// A text for messages.
  package var example: String {
    switch self {
    case .duration: "40 ms"
    case .bandwidth: "10 Mbit/s"
    case .speed: "20 GFLOP/s"
    case .storage: "24 GiB"
    }
  }
}

/// Comma-separated values as in RFC 4180, with `\n` at the end of lines.
package enum CSV {
  /// One line without its newline; fields with commas, quotes or line breaks are quoted.
  package static func line(_ fields: [String]) -> String {
    fields.map(field).joined(separator: ",")
  }

  /// A number in its shortest form that reads back to the same bits; empty when nil or not finite.
  package static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    if value == value.rounded(.towardZero), abs(value) < 1e15 { return String(Int(value)) }
    return value.description
  }

  /// The integer in the first field, such as the round of a row; nil for a header.
  package static func leadingInteger(_ line: String) -> Int? {
    Int(line.prefix { $0 != "," && $0 != " " })
  }

  private static func field(_ text: String) -> String {
    let special = text.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
    guard special else { return text }
    var quoted = "\""
    for character in text.unicodeScalars {
      if character == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }
}

/// What a field of a table can be.
package protocol CSVValue: SendableMetatype {
  /// Its type in words.
  static var csvType: String { get }
  var csv: String { get }
}

extension Int: CSVValue {
  package static var csvType: String { "integer" }
  package var csv: String { "\(self)" }
}

extension UInt64: CSVValue {
  package static var csvType: String { "integer" }
  package var csv: String { "\(self)" }
}

extension Double: CSVValue {
  package static var csvType: String { "number" }
  package var csv: String { CSV.number(self) }
}

extension String: CSVValue {
  package static var csvType: String { "text" }
  package var csv: String { self }
}

extension Optional: CSVValue where Wrapped: CSVValue {
  package static var csvType: String { Wrapped.csvType }
  package var csv: String { map(\.csv) ?? "" }
}

/// A column of a file: its meaning, and the field of a row.
package struct CSVColumn<Row>: Sendable {
  package let field: FileField
  fileprivate let text: @Sendable (Row) -> String

  package init<Value: CSVValue>(
    _ name: String, unit: String = "", _ meaning: String, absent: String = "",
    since: String = "0.1", _ value: @escaping @Sendable (Row) -> Value
  ) {
    field = FileField(
      name, Value.csvType, unit: unit, meaning, absent: absent, since: since)
    text = { value($0).csv }
  }
}

/// The columns of a file with a row for each `Row`.
package struct CSVTable<Row>: Sendable {
  package let columns: [CSVColumn<Row>]

  package init(_ columns: [CSVColumn<Row>]) { self.columns = columns }

  /// The first line.
  package var header: String { CSV.line(columns.map(\.field.path)) }

  /// A row without its newline.
  ///
  /// `first`: so many columns only, as an earlier version of the file has.
  package func line(_ row: Row, first: Int = .max) -> String {
    CSV.line(columns.prefix(first).map { $0.text(row) })
  }

  /// The whole file.
  package func text(_ rows: [Row]) -> String {
    ([header] + rows.map { line($0) }).joined(separator: "\n") + "\n"
  }
}

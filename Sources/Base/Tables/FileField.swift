/// What a column of a table means, or a key of an object.
package struct FileField: Sendable, Equatable {
  /// The column's name; or the path of a key, with "[]" after a list and "<metric>" or
  /// the like for any name.
  package let path: String
  /// Such as "integer".
  package let type: String
  /// Such as "bytes"; empty where there is none.
  package let unit: String
  package let meaning: String
  /// When there is no value; empty: there always is one.
  package let absent: String
  /// The version of the program that wrote it first.
  package let since: String

  package init(
    _ path: String, _ type: String, unit: String = "", _ meaning: String, absent: String = "",
    since: String = "0.1"
  ) {
    (self.path, self.type, self.unit) = (path, type, unit)
    (self.meaning, self.absent, self.since) = (meaning, absent, since)
  }

  /// What `JSON.sealed` adds.
  package static let checksum = FileField(
    "checksum", "text", "XXH64 of all else: a file that was changed is known by it.")

  /// The same below a key, or in the elements of a list.
  func below(_ start: String) -> FileField {
    FileField(start + path, type, unit: unit, meaning, absent: absent, since: since)
  }
}

/// A file that the program writes, and what is in it.
package struct FilePage: Sendable {
  /// Such as "clients.csv".
  package let name: String
  /// Where it is.
  package let place: String
  package let summary: String
  package let fields: [FileField]

  package init(_ name: String, in place: String, _ summary: String, _ fields: [FileField] = []) {
    (self.name, self.place, self.summary, self.fields) = (name, place, summary, fields)
  }

  package init<Root>(_ name: String, in place: String, _ summary: String, _ keys: Keys<Root>) {
    self.init(name, in: place, summary, keys.fields)
  }

  package init<Row>(_ name: String, in place: String, _ summary: String, _ table: CSVTable<Row>) {
    self.init(name, in: place, summary, table.columns.map(\.field))
  }
}

extension FilePage {
  /// The fields that are meant by a path: "[]" may be left out, "<…>" stands for any
  /// name.
  package func fields(at path: String) -> [FileField] {
    let wanted = Self.words(path)
    return fields.filter { Self.matches(Self.words($0.path)[...], wanted[...]) }
  }

  private static func words(_ path: String) -> [Substring] {
    path.replacing("[]", with: "").split(separator: ".")
  }

  private static func matches(_ pattern: ArraySlice<Substring>, _ path: ArraySlice<Substring>)
    -> Bool
  {
    guard let first = pattern.first else { return path.isEmpty }
    guard let hole = first.firstIndex(of: "<") else {
      return first == path.first && matches(pattern.dropFirst(), path.dropFirst())
    }
    // A name such as that of a metric has points of its own.
    guard path.first?.hasPrefix(first[..<hole]) ?? false else { return false }
    return path.indices.contains { matches(pattern.dropFirst(), path[($0 + 1)...]) }
  }
}

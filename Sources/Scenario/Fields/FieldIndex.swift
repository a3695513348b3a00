import Base

/// The table as a flat list, for help and suggestions.
package enum FieldIndex {
  /// One field in one place.
  package struct Entry: Sendable {
    /// Such as "data.partition.alpha"; elements of lists are "[]".
    package let path: String
    /// The words of the tags under which the field exists, outermost first.
    package let kinds: [String]
    package let field: Field
    /// Whether it stands in a section that repeats another's fields.
    package var isRepetition: Bool {
      ["model.pretrain.", "clientModels[].model", "strategies[].client."].contains {
        path.hasPrefix($0)
      }
    }
  }

  /// Every field of a table, sections before their fields.
  package static func entries(of fields: [Field]) -> [Entry] {
    fields.flatMap { entries(of: $0, under: "", kinds: []) }
  }

  private static func entries(of field: Field, under path: String, kinds: [String]) -> [Entry] {
    let here = path.isEmpty ? field.name : "\(path).\(field.name)"
    return [Entry(path: here, kinds: kinds, field: field)]
      + entries(of: field.type, at: here, kinds: kinds)
  }

  private static func entries(of type: FieldType, at path: String, kinds: [String]) -> [Entry] {
    switch type {
    case .object(let fields): return fields.flatMap { entries(of: $0, under: path, kinds: kinds) }
    case .union(let union): return entries(of: union, at: path, kinds: kinds)
    case .list(let element, _, _): return entries(of: element, at: path + "[]", kinds: kinds)
    default: return []
    }
  }

  private static func entries(of union: Union, at path: String, kinds: [String]) -> [Entry] {
    let tag = Field(
      union.tag, .choice(union.variants.map(\.name), synonyms: union.synonyms),
      union.initial.map { .value(.string($0)) } ?? .required,
      union.variants.map { "\($0.name): \($0.summary)" }.joined(separator: "  "))
    return [Entry(path: "\(path).\(union.tag)", kinds: kinds, field: tag)]
      + union.variants.flatMap { variant in
        let inside = kinds + [variant.name]
        return variant.fields.flatMap { entries(of: $0, under: path, kinds: inside) }
          + (variant.inner.map { entries(of: $0, at: path, kinds: inside) } ?? [])
      } + union.common.flatMap { entries(of: $0, under: path, kinds: kinds) }
  }
}

extension Union {
  /// Every word of the tag and of tags inside, with what it stands for.
  package var words: [(tag: String, name: String, summary: String)] {
    variants.flatMap { [(tag, $0.name, $0.summary)] + ($0.inner?.words ?? []) }
  }
}

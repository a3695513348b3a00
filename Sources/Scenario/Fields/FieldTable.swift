import Base

/// One field of the scenario.
///
/// Validation, defaults, JSON Schema and help are all made from these.
package struct Field: Sendable {
  /// What happens when the field is left out.
  package enum Presence: Sendable {
    /// That is an error.
    case required
    /// It stays away. Where it is given, the section at the path says what it leaves out.
    case over(String)
    /// It stays away.
    case optional
    /// This value is written in its place.
    case value(JSON)
    /// A value that depends on others, and how in words. Earlier fields are already resolved.
    case derived(String, @Sendable (Derivation) -> JSON)
  }

  package let name: String
  package let type: FieldType
  /// What happens when it is left out.
  package let presence: Presence
  /// The unit, such as "rounds"; nil for pure numbers and words.
  package let unit: String?
  /// Meaning and usual values.
  package let summary: String
  /// Names that other tools use for it.
  package let synonyms: [String]
  /// The field that says the same in another way; both together are an error.
  package let excludes: String?

  package init(
    _ name: String, _ type: FieldType, _ presence: Presence, unit: String? = nil, _ summary: String,
    synonyms: [String] = [], excludes: String? = nil
  ) {
    self.name = name
    self.type = type
    self.presence = presence
    self.unit = unit
    self.summary = summary
    self.synonyms = synonyms
    self.excludes = excludes
  }
}

/// What a derived default may look at.
package struct Derivation: Sendable {
  /// Resolved values by path, such as "federation.rounds".
  package let values: [String: JSON]
  /// The path of the field whose default is wanted.
  package let path: String
  /// The scenario's file name.
  package let file: String
  /// What was given beside the field, as it was written.
  package let given: [JSON.Member]
}

/// What values a field takes.
package indirect enum FieldType: Sendable {
  /// A whole number.
  case integer(ClosedRange<Int>)
  /// A finite number.
  case number(NumberRange)
  /// A number in a base unit, or text with a unit.
  case quantity(Quantity)
  /// true or false.
  case flag
  /// One of some words; the second table maps other tools' words to ours.
  case choice([String], synonyms: [String: String])
  /// Text, with a rule.
  case text(TextRule)
  case list(of: FieldType, counts: ClosedRange<Int>, unique: Bool)
  /// Fixed fields.
  case object([Field])
  /// Fields that depend on a tag.
  case union(Union)
  /// An object whose keys are free.
  case map(Mapping)
  /// Any JSON value, null included.
  case anything

  /// Whether it is made of fields, which have origins of their own.
  var hasFields: Bool {
    switch self {
    case .object, .union: true
    default: false
    }
  }

  /// A choice without synonyms.
  package static func choice(_ words: [String]) -> FieldType { .choice(words, synonyms: [:]) }
  /// A choice among the cases of an enumeration.
  package static func choice<Words: CaseIterable & RawRepresentable<String>>(
    of words: Words.Type, synonyms: [String: String] = [:]
  ) -> FieldType { .choice(words.allCases.map(\.rawValue), synonyms: synonyms) }
  /// A number ≥ `minimum`.
  package static func number(from minimum: Double, to maximum: Double) -> FieldType {
    .number(NumberRange(minimum, maximum))
  }
  /// A number > `minimum`.
  package static func number(above minimum: Double, to maximum: Double) -> FieldType {
    .number(NumberRange(minimum, maximum, exclusiveMinimum: true))
  }
}

/// Bounds of a number.
package struct NumberRange: Sendable {
  package let minimum: Double
  package let maximum: Double
  package let exclusiveMinimum: Bool
  package let exclusiveMaximum: Bool
  /// A positive number below the minimum is probably 1/x of what is meant.
  let offersInverse: Bool
  /// Whether a method computes with it in 32-bit floats, where a positive number must not be 0.
  let isFloat: Bool

  package init(
    _ minimum: Double, _ maximum: Double, exclusiveMinimum: Bool = false,
    exclusiveMaximum: Bool = false, offersInverse: Bool = false, isFloat: Bool = false
  ) {
    self.isFloat = isFloat
    self.minimum = minimum
    self.maximum = maximum
    self.exclusiveMinimum = exclusiveMinimum
    self.exclusiveMaximum = exclusiveMaximum
    self.offersInverse = offersInverse
  }

  /// The smallest positive number that is still one as a 32-bit float, with all its digits.
  static let smallestFloat = Double(Float.leastNormalMagnitude)

  /// Whether a number is in range but for being too small for a 32-bit float.
  func isTooSmall(_ x: Double) -> Bool {
    isFloat && exclusiveMinimum && minimum == 0 && x > 0 && x < Self.smallestFloat
  }

  package func contains(_ x: Double) -> Bool {
    !isTooSmall(x) && (exclusiveMinimum ? x > minimum : x >= minimum)
      && (exclusiveMaximum ? x < maximum : x <= maximum)
  }
}

/// What a text must be.
package enum TextRule: Sendable {
  /// A file or folder: not empty, without NUL.
  case path
  /// Any text without NUL, also none.
  case free
  /// Safe as the name of a folder on every system.
  case folderName

  /// A pattern in the dialect of JSON Schema.
  var pattern: String {
    switch self {
    case .path: "^[^\\u0000]+$"
    case .free: "^[^\\u0000]*$"
    case .folderName: "^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$"
    }
  }

  func accepts(_ text: String) -> Bool {
    switch self {
    case .path: return !text.isEmpty && !text.utf8.contains(0)
    case .free: return !text.utf8.contains(0)
    case .folderName:
      guard let first = text.utf8.first, text.utf8.count <= 100 else { return false }
      let letters = text.utf8.allSatisfy { TextRule.isPlain($0) || "+-.".utf8.contains($0) }
      return letters && TextRule.isPlain(first)
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// A choice of field sets, distinguished by the word under `tag`.
package struct Union: Sendable {
  /// The key that holds the word: "kind" or "profile".
  package let tag: String
  /// The word when the tag is left out; nil makes it required.
  package let initial: String?
  /// True when a bare word may stand for an object with nothing but the tag.
  package let shorthand: Bool
  package let variants: [Variant]
  /// Words of other tools.
  package let synonyms: [String: String]
  /// Fields that come with every word.
  package let common: [Field]

  package init(
    _ tag: String, default initial: String? = nil, shorthand: Bool = false,
    synonyms: [String: String] = [:], common: [Field] = [], _ variants: [Variant]
  ) {
    self.tag = tag
    self.initial = initial
    self.shorthand = shorthand
    self.synonyms = synonyms
    self.common = common
    self.variants = variants
  }

  /// Every field name with the words that have it.
  var owners: [String: [String]] {
    var all: [String: [String]] = [:]
    for variant in variants {
      let inner = variant.inner.map { Array($0.owners.keys) } ?? []
      for name in Set(variant.fields.map(\.name) + inner) {
        all[name, default: []] += [variant.name]
      }
    }
    return all
  }
}

/// An object with a value of one type under every key, besides fields of its own.
package struct Mapping: Sendable {
  package let keys: String
  /// What is legal under each.
  package let value: FieldType
  /// Keys with a meaning of their own.
  package let fixed: [Field]

  package init(keys: String, _ value: FieldType, fixed: [Field] = []) {
    self.keys = keys
    self.value = value
    self.fixed = fixed
  }
}

/// One word of a union and the fields that come with it.
package struct Variant: Sendable {
  package let name: String
  /// What it stands for.
  package let summary: String
  /// Its fields besides the tag.
  package let fields: [Field]
  /// A second tag inside, with further fields.
  package let inner: Union?

  package init(_ name: String, _ summary: String, _ fields: [Field] = [], inner: Union? = nil) {
    self.name = name
    self.summary = summary
    self.fields = fields
    self.inner = inner
  }
}

// MARK: - Words for people

extension FieldType {
  /// What is legal, in words: "a number > 0 and <= 1".
  package var allowed: String {
    switch self {
    case .integer(let range):
      if range.upperBound >= 1 << 53 { return "a whole number >= \(range.lowerBound)" }
      return "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .number(let range): return range.allowed
    case .quantity(let quantity): return quantity.allowed
    case .flag: return "true or false"
    case .choice(let words, _): return words.map { "\"\($0)\"" }.joined(separator: ", ")
    case .text(.path): return "a path in double quotes"
    case .text(.free): return "text in double quotes"
    case .text(.folderName):
      return "up to 100 letters, digits, or one of . _ + - (not first, but for _)"
    case .list(let element, let counts, _):
      let few = counts.lowerBound > 0 ? "a list of at least \(counts.lowerBound)" : "a list"
      return "\(few), each \(element.allowed)"
    case .object: return "an object"
    case .map(let mapping): return "an object whose keys are \(mapping.keys)"
    case .anything: return "any value"
    case .union(let union):
      let words = union.variants.map { "\"\($0.name)\"" }.joined(separator: ", ")
      return "an object with \"\(union.tag)\" of \(words)"
    }
  }
}

extension NumberRange {
  /// The bounds in words.
  package var allowed: String {
    let low = "a number \(exclusiveMinimum ? ">" : ">=") \(JSON.number(minimum).compact)"
    let high = "\(exclusiveMaximum ? "<" : "<=") \(JSON.number(maximum).compact)"
    return "\(low) and \(high)"
  }
}

extension Field.Presence {
  /// The default in words.
  package var words: String {
    switch self {
    case .required: "required"
    case .optional: "none"
    case .over(let section): "the section \(section)"
    case .value(let json): json.compact
    case .derived(let words, _): words
    }
  }
}

// MARK: - Sections over others

extension FieldType {
  /// What was given, and of `base` what it leaves out.
  ///
  /// Another word of a tag, or the other of two fields that exclude each other, takes nothing of
  /// what belonged to the first.
  func laid(_ given: JSON, over base: JSON, mark: Int) -> JSON {
    let all: [Field]
    switch self {
    case .object(let fields): all = fields
    case .union(let union):
      let word = given.text ?? given[union.tag]?.text
      if given.members == nil || word ?? base[union.tag]?.text != base[union.tag]?.text {
        return given
      }
      let tag = Field(union.tag, .choice(union.variants.map(\.name)), .optional, "")
      all =
        [tag] + union.common
        + (union.variants.first { $0.name == base[union.tag]?.text }?.fields ?? [])
    default: return given
    }
    guard let members = given.members else { return given }
    let said = Set(members.map(\.key))
    let inherited = all.compactMap { field -> JSON.Member? in
      guard let value = base[field.name], !said.contains(field.name),
        field.excludes.map(said.contains) != true
      else { return nil }
      return JSON.Member(field.name, value.marked(mark), line: mark)
    }
    let own = members.map { member -> JSON.Member in
      guard let field = all.first(where: { $0.name == member.key }), let below = base[member.key]
      else { return member }
      let value = field.type.laid(member.value, over: below, mark: mark)
      return JSON.Member(member.key, value, line: member.line)
    }
    return JSON(.object(own + inherited), line: given.line)
  }
}

extension JSON {
  /// The value with a mark in place of its line, on it and in it.
  func marked(_ mark: Int) -> JSON {
    switch value {
    case .array(let items): return JSON(.array(items.map { $0.marked(mark) }), line: mark)
    case .object(let members):
      let inner = members.map { JSON.Member($0.key, $0.value.marked(mark), line: mark) }
      return JSON(.object(inner), line: mark)
    default: return JSON(value, line: mark)
    }
  }
}

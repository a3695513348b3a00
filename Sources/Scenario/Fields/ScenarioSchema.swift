import Aggregation
import Base

/// JSON Schema of the scenario, made from the table that validates it.
///
/// - Source: JSON Schema draft 2020-12, https://json-schema.org/draft/2020-12.
package enum ScenarioSchema {
  /// The schema of scenarios, with the strategies of `infos`.
  package static func json(infos: [MethodInfo]) -> JSON {
    document(
      "fedsim scenario, version \(FedsimVersion.scenarioFormat)",
      "One experiment of fedsim. Keys that start with // are comments.",
      ScenarioFields.root(infos: infos))
  }

  /// A document of its own, for the fields of a file.
  package static func document(_ title: String, _ description: String, _ fields: [Field]) -> JSON {
    var schema: [(String, JSON)] = [
      ("$schema", "https://json-schema.org/draft/2020-12/schema"), ("title", title.json),
      ("description", description.json),
    ]
    var root = object(fields, tags: [])
    if let properties = root.firstIndex(where: { $0.0 == "properties" }) {
      root[properties].1["$schema"] = [
        "title": "$schema", "description": "For editors; fedsim ignores it.",
      ]
    }
    schema += root
    return SharedSchemas.shared(.object(schema))
  }

  /// A tag inside an object: its key, its word, and whether it may be left out.
  private typealias Tag = (key: String, word: String, summary: String, isDefault: Bool)

  private static func object(_ fields: [Field], tags: [Tag], others: [Field] = []) -> [(
    String, JSON
  )] {
    var properties: [(String, JSON)] = tags.map { tag in
      (tag.key, ["const": tag.word.json, "description": tag.summary.json])
    }
    properties += fields.map { ($0.name, field($0)) } + others.map { ($0.name, true) }
    var required = tags.filter { !$0.isDefault }.map(\.key)
    required += fields.filter { if case .required = $0.presence { true } else { false } }.map(
      \.name)
    var schema: [(String, JSON)] = [("type", "object"), ("properties", .object(properties))]
    if !required.isEmpty { schema.append(("required", .array(required.map(\.json)))) }
    let pairs = (fields + others).compactMap { field -> JSON? in
      guard let rival = field.excludes, field.name < rival else { return nil }
      return ["not": ["required": [field.name.json, rival.json]]]
    }
    if !pairs.isEmpty { schema.append(("allOf", .array(pairs))) }
    schema.append(("patternProperties", ["^//": true]))
    schema.append(("additionalProperties", false))
    return schema
  }

  private static func field(_ field: Field) -> JSON {
    var description = field.summary
    if let unit = field.unit { description += " Unit: \(unit)." }
    var schema: [(String, JSON)] = [("title", field.name.json), ("description", description.json)]
    switch field.presence {
    case .required, .optional, .over: break
    case .value(let value): schema.append(("default", value))
    case .derived(let words, _): schema[1].1 = .string(description + " Default: \(words).")
    }
    if case .quantity(let quantity) = field.type, quantity.allowsExample {
      schema.append(("examples", [quantity.kind.example.json]))
    }
    if case .over = field.presence { return .object(schema + part(field.type)) }
    return .object(schema + type(field.type))
  }

  /// As `type` for what is laid over another section, which may give every tag.
  private static func part(_ type: FieldType) -> [(String, JSON)] {
    switch type {
    case .object(let fields):
      return object(
        fields.map {
          Field($0.name, $0.type, .over(""), unit: $0.unit, $0.summary, excludes: $0.excludes)
        }, tags: [])
    case .union(let union):
      let named = Union(union.tag, synonyms: union.synonyms, common: union.common, union.variants)
      let names = Set(union.owners.keys).union(union.common.map(\.name)).sorted()
      let untagged: JSON = .object([
        ("patternProperties", ["^//": true]), ("additionalProperties", false),
        ("properties", .object(names.map { ($0, true) })),
      ])
      var schema = self.type(.union(named)).filter { $0.0 != "required" }
      guard let place = schema.firstIndex(where: { $0.0 == "allOf" }) else { return schema }
      let condition: JSON = [
        "if": ["type": "object", "not": ["required": [union.tag.json]]], "then": untagged,
      ]
      schema[place].1 = .array((schema[place].1.elements ?? []) + [condition])
      return schema
    default: return self.type(type)
    }
  }

  private static func type(_ type: FieldType) -> [(String, JSON)] {
    switch type {
    case .integer(let range):
      return [
        ("type", "integer"), ("minimum", .int(range.lowerBound)),
        ("maximum", .int(range.upperBound)),
      ]
    case .number(let range):
      return [
        ("type", "number"),
        (range.exclusiveMinimum ? "exclusiveMinimum" : "minimum", .number(range.minimum)),
        (range.exclusiveMaximum ? "exclusiveMaximum" : "maximum", .number(range.maximum)),
      ]
    case .quantity(let quantity):
      let text: JSON = ["type": "string", "pattern": .string(quantity.pattern)]
      return [("oneOf", .array([.object(self.type(.number(quantity.range))), text]))]
    case .flag: return [("type", "boolean")]
    case .choice(let words, _): return [("enum", .array(words.map(\.json)))]
    case .text(let rule): return [("type", "string"), ("pattern", rule.pattern.json)]
    case .list(let element, let counts, let unique):
      var schema: [(String, JSON)] = [
        ("type", "array"), ("items", .object(self.type(element))),
        ("minItems", .int(counts.lowerBound)), ("maxItems", .int(counts.upperBound)),
      ]
      if unique { schema.append(("uniqueItems", true)) }
      return schema
    case .object(let fields): return object(fields, tags: [])
    case .anything: return []
    case .map(let mapping):
      var schema = object(mapping.fixed, tags: [])
      for place in schema.indices where schema[place].0 == "additionalProperties" {
        schema[place].1 = .object(self.type(mapping.value))
      }
      return schema
    case .union(let union):
      var schema = choice(union, tags: [], fields: [])
      // Every variant lets them pass; what they must be is said once.
      if !union.common.isEmpty, let place = schema.firstIndex(where: { $0.0 == "properties" }) {
        for common in union.common { schema[place].1[common.name] = field(common) }
      }
      let words = union.variants.filter { union.shorthand && $0.allowsShorthand }.map(\.name)
      guard !words.isEmpty else { return schema }
      return [
        ("if", ["type": "string"]), ("then", ["enum": .array(words.map(\.json))]),
        ("else", .object(schema)),
      ]
    }
  }

  /// An object whose fields follow from the word of its tag.
  ///
  /// One condition for each word, so that an editor complains about the wrong field of the word
  /// that was meant, and not about all words.
  private static func choice(_ union: Union, tags: [Tag], fields: [Field]) -> [(String, JSON)] {
    let words = union.variants.map { "\($0.name): \($0.summary)" }.joined(separator: "  ")
    let tag: JSON = [
      "title": union.tag.json, "description": words.json,
      "enum": .array(union.variants.map(\.name.json)),
    ]
    let conditions = union.variants.map { variant -> JSON in
      let isDefault = variant.name == union.initial
      let tag = (union.tag, variant.name, variant.summary, isDefault)
      let all = fields + variant.fields
      let inside =
        variant.inner.map { choice($0, tags: tags + [tag], fields: all) } ?? [
          ("title", variant.name.json)
        ] + object(all, tags: tags + [tag], others: union.common)
      let word: JSON = ["const": variant.name.json]
      // Both rules hold for what is no object, too: it is complained about once, by its type.
      var condition: [(String, JSON)] = [
        ("type", "object"), ("properties", .object([(union.tag, word)])),
      ]
      if !isDefault { condition.append(("required", [union.tag.json])) }
      return ["if": .object(condition), "then": .object(inside)]
    }
    var schema: [(String, JSON)] = [
      ("type", "object"), ("properties", .object([(union.tag, tag)])),
      ("allOf", .array(conditions)),
    ]
    if union.initial == nil { schema.append(("required", [union.tag.json])) }
    return schema
  }
}

/// A schema in which what stands in several places stands once, under `$defs`.
private struct SharedSchemas {
  private var numbers: [String: Int] = [:]
  private var all: [(json: JSON, text: String, uses: Int)] = []
  private var names: [Int: String] = [:]
  private var definitions: [(String, JSON)] = []

  static func shared(_ schema: JSON) -> JSON {
    var shared = Self()
    let root = shared.collect(schema)
    var whole = shared.expand(shared.all[root].json)
    whole["$defs"] = .object(shared.definitions.sorted { $0.0 < $1.0 })
    return whole
  }

  /// The number of a schema, whose own parts are replaced by theirs.
  private mutating func collect(_ schema: JSON) -> Int {
    let flat = Self.inside(schema) { .int(collect($0)) }
    let text = flat.compact
    if let number = numbers[text] {
      all[number].uses += 1
      return number
    }
    numbers[text] = all.count
    all.append((flat, text, 1))
    return all.count - 1
  }

  /// The schema with its parts in place, or with references to those that are shared.
  private mutating func expand(_ flat: JSON) -> JSON {
    Self.inside(flat) { part in
      guard let number = part.int else { return part }
      let (json, text, uses) = all[number]
      guard uses > 1, text.utf8.count > 60 else { return expand(json) }
      if names[number] == nil {
        let title = json["title"]?.text ?? "fields"
        let taken = definitions.count { $0.0 == title || $0.0.hasPrefix("\(title)-") }
        names[number] = taken == 0 ? title : "\(title)-\(number)"
        definitions.append((names[number] ?? "", .null))
        let place = definitions.count - 1
        definitions[place].1 = expand(json)
      }
      return ["$ref": .string("#/$defs/\(names[number] ?? "")")]
    }
  }

  /// The schema with something else in place of each schema inside of it.
  private static func inside(_ schema: JSON, _ change: (JSON) -> JSON) -> JSON {
    guard let members = schema.members else { return schema }
    return .object(
      members.map { member in
        let value = member.value
        switch member.key {
        case "properties":
          return (member.key, .object((value.members ?? []).map { ($0.key, change($0.value)) }))
        case "items", "then", "else": return (member.key, change(value))
        case "allOf", "oneOf": return (member.key, .array((value.elements ?? []).map(change)))
        default: return (member.key, value)
        }
      })
  }
}

extension Quantity {
  /// Whether the text in messages is legal here, too.
  fileprivate var allowsExample: Bool { value(of: kind.example).map(range.contains) ?? false }
}

extension Variant {
  /// A bare word is enough when no field is required.
  fileprivate var allowsShorthand: Bool {
    fields.allSatisfy { if case .required = $0.presence { false } else { true } }
  }
}

extension String { fileprivate var json: JSON { .string(self) } }

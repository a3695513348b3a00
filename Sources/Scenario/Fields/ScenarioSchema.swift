import Aggregation
import Base

/// JSON Schema of the scenario, made from the table that validates it.
///
/// - Source: JSON Schema draft 2020-12, https://json-schema.org/draft/2020-12.
package enum ScenarioSchema {
  /// The schema of scenarios, with the strategies of `cards`.
  package static func json(cards: [StrategyCard]) -> JSON {
    document(
      "fedsim scenario, version \(FedsimVersion.scenarioFormat)",
      "One experiment of fedsim. Keys that start with // are comments.",
      ScenarioFields.root(cards: cards))
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
    return .object(schema)
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
    case .required, .optional: break
    case .value(let value): schema.append(("default", value))
    case .derived(let words, _): schema[1].1 = .string(description + " Default: \(words).")
    }
    if case .quantity(let quantity) = field.type, quantity.allowsExample {
      schema.append(("examples", [quantity.kind.example.json]))
    }
    return .object(schema + type(field.type))
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
      let words = union.variants.filter { union.shorthand && $0.allowsShorthand }.map(\.name)
      let bare: [JSON] = words.isEmpty ? [] : [["enum": .array(words.map(\.json))]]
      var schema: [(String, JSON)] = [
        ("oneOf", .array(bare + variants(union, tags: [], fields: [])))
      ]
      // Every variant lets them pass; what they must be is said once.
      if !union.common.isEmpty {
        schema.append(("properties", .object(union.common.map { ($0.name, field($0)) })))
      }
      return schema
    }
  }

  /// One object per word; words with a second tag give one object per pair.
  private static func variants(_ union: Union, tags: [Tag], fields: [Field]) -> [JSON] {
    union.variants.flatMap { variant -> [JSON] in
      let tag = (union.tag, variant.name, variant.summary, variant.name == union.initial)
      let all = fields + variant.fields
      if let inner = variant.inner { return variants(inner, tags: tags + [tag], fields: all) }
      let passing = object(all, tags: tags + [tag], others: union.common)
      return [.object([("title", variant.name.json)] + passing)]
    }
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

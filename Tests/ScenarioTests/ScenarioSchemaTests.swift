import Studies
import Base
import Scenario
import Testing

/// Just enough of JSON Schema 2020-12 to check one text against our schema.
///
/// Written apart from the
/// generator: what it does not know, it refuses.
private struct SchemaChecker {
  /// What references lead to.
  let definitions: JSON?

  init(_ document: JSON) { definitions = document["$defs"] }

  func accepts(_ json: JSON, _ schema: JSON) -> Bool {
    if let truth = schema.truth { return truth }
    return (schema.members ?? []).allSatisfy { accepts(json, $0.key, $0.value, schema) }
  }

  private func accepts(_ json: JSON, _ key: String, _ rule: JSON, _ schema: JSON) -> Bool {
    switch key {
    case "$schema", "title", "description", "default", "examples", "$defs", "then", "else": true
    case "if": accepts(json, schema[accepts(json, rule) ? "then" : "else"] ?? true)
    case "$ref":
      definitions?[String(rule.text?.dropFirst("#/$defs/".count) ?? "")].map { accepts(json, $0) }
        ?? false
    case "type": hasType(json, rule.text ?? "")
    case "const": json == rule
    case "enum": rule.elements?.contains(json) ?? false
    case "minimum": compare(json, rule, >=, >=)
    case "maximum": compare(json, rule, <=, <=)
    case "exclusiveMinimum": compare(json, rule, >, >)
    case "exclusiveMaximum": compare(json, rule, <, <)
    case "pattern": json.text.map { $0.matches(rule.text ?? "") } ?? true
    case "minItems": json.elements.map { $0.count >= rule.int ?? 0 } ?? true
    case "maxItems": json.elements.map { $0.count <= rule.int ?? 0 } ?? true
    case "uniqueItems": json.elements.map { Set($0.map(\.compact)).count == $0.count } ?? true
    case "items": json.elements?.allSatisfy { accepts($0, rule) } ?? true
    case "required": rule.elements?.allSatisfy { json[$0.text ?? ""] != nil } ?? true
    case "not": !accepts(json, rule)
    case "allOf": rule.elements?.allSatisfy { accepts(json, $0) } ?? false
    case "oneOf": rule.elements?.count { accepts(json, $0) } == 1
    case "properties":
      json.members?.allSatisfy { member in
        rule[member.key].map { accepts(member.value, $0) } ?? true
      } ?? true
    case "patternProperties": rule == ["^//": true]
    case "additionalProperties":
      json.members?.allSatisfy {
        $0.key.hasPrefix("//") || schema["properties"]?[$0.key] != nil || accepts($0.value, rule)
      } ?? true
    default: false
    }
  }

  /// Whole numbers compare exactly, others as Double, where too large ones are infinite.
  private func compare(
    _ json: JSON, _ rule: JSON, _ whole: (Int, Int) -> Bool, _ real: (Double, Double) -> Bool
  ) -> Bool {
    guard case .number(let literal) = json.value else { return true }
    if let a = json.int, let b = rule.int { return whole(a, b) }
    return real(Double(literal) ?? .infinity, rule.double ?? 0)
  }

  private func hasType(_ json: JSON, _ type: String) -> Bool {
    switch (type, json.value) {
    case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool),
      ("number", .number):
      true
    case ("integer", .number): json.int != nil || json.double.map { $0.rounded() == $0 } ?? true
    default: false
    }
  }
}

extension String {
  fileprivate func matches(_ pattern: String) -> Bool {
    guard let regex = try? Regex(pattern) else { return false }
    return firstMatch(of: regex) != nil
  }
}

@Suite("The JSON Schema of scenarios")
struct ScenarioSchemaTests {
  private let schema = ScenarioSchema.json(infos: sampleInfos)

  @Test("accepts what the validator accepts", arguments: [scenario(), richScenario, setsScenario])
  func accepts(text: String) throws {
    #expect(read(text).errors.isEmpty)
    #expect(SchemaChecker(schema).accepts(try JSON(parsing: text), schema))
    let resolved = try #require(read(text).resolved)
    #expect(SchemaChecker(schema).accepts(resolved, schema))
  }

  @Test(
    "refuses what the validator refuses field by field",
    arguments: (wrongNames + wrongValues + wrongFiles + wrongSets).filter { $0.code != "E3001" })
  func refuses(_ sample: WrongScenario) throws {
    #expect(!SchemaChecker(schema).accepts(try JSON(parsing: sample.text), schema))
  }

  @Test("every default and every example is legal by its own schema")
  func defaults() {
    var (count, examples) = (0, 0)
    func walk(_ json: JSON) {
      if let value = json["default"], json["title"] != nil {
        count += 1
        #expect(SchemaChecker(schema).accepts(value, json), "\(json["title"]?.compact ?? "")")
      }
      for value in json["examples"]?.elements ?? [] where json["title"] != nil {
        examples += 1
        #expect(SchemaChecker(schema).accepts(value, json), "\(json["title"]?.compact ?? "")")
      }
      for member in json.members ?? [] { walk(member.value) }
      for item in json.elements ?? [] { walk(item) }
    }
    walk(schema)
    #expect(count > 50)
    #expect(examples > 3)
  }

  @Test("has every field of the table, with its bounds")
  func complete() throws {
    let text = schema.compact
    for entry in FieldIndex.entries(of: ScenarioFields.root(infos: sampleInfos)) {
      #expect(text.contains("\"\(entry.field.name)\":{"), "\(entry.path)")
      #expect(!entry.field.summary.isEmpty, "\(entry.path)")
    }
    let federation = schema["properties"]?["federation"]
    let clients = federation?["properties"]?["clients"]
    #expect(clients?["minimum"] == 1)
    #expect(clients?["maximum"] == 10_000_000)
    #expect(clients?["default"] == 20)
  }

  @Test(
    "the schema of sweep files accepts what the reader accepts, and refuses what it refuses",
    arguments: [
      (#""grid": { "a.b": [1, null, "x", {}] }, "//": "free""#, true),
      (#""list": [ { "a.b": null }, {} ], "order": "trial-major""#, true),
      (#""random": { "a.b": { "log": [1, 2] }, "trials": 3 }, "seeds": [4]"#, true),
      (#""prune": { "kind": "halving", "rungs": [1, 2], "keep": 0.5 }"#, true),
      (#""front": { "maximise": ["a"], "reference": { "a": 0.5 } }"#, true),
      (#""grid": { "a.b": 1 }"#, false), (#""grid": { "a.b": [] }"#, false),
      (#""list": [ 1 ]"#, false), (#""order": "random""#, false),
      (#""random": { "a.b": { "normal": [1, 2] }, "trials": 3 }"#, false),
      (#""random": { "a.b": { "log": [1, 2] } }"#, false),
      (#""prune": { "kind": "halving" }"#, false),
      (#""prune": { "kind": "halving", "rungs": [1], "keep": 0.5, "factor": 2 }"#, false),
      (#""front": { "reference": { "a": "b" } }"#, false), (#""gird": {}"#, false),
    ])
  func sweeps(members: String, isValid: Bool) throws {
    let text = "{ \"fedsim\": 1, \"kind\": \"sweep\", \"base\": \"b.json\", \(members) }"
    #expect(
      SchemaChecker(ScenarioSchema.sweep).accepts(try JSON(parsing: text), ScenarioSchema.sweep)
        == isValid)
  }
}

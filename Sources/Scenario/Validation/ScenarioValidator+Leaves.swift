import Base

extension ScenarioValidator {
  package mutating func report(
    _ code: String, at path: String, line: Int, _ message: String, allowed: String? = nil,
    suggestion: String? = nil, hint: String? = nil
  ) {
    problems.append(
      Problem(
        code, at: path, line: line, message, allowed: allowed, suggestion: suggestion, hint: hint))
  }

  /// The value with its type, cut to a readable length: `"abc" (a string)`, `10.5`.
  package func found(_ json: JSON) -> String {
    let text = json.compact
    let short = text.count > 48 ? String(text.prefix(45)) + "..." : text
    switch json.value {
    case .number, .bool, .null: return short
    default: return "\(short) (\(json.kindName))"
    }
  }

  /// Reports a value that the type does not take.
  private mutating func refuse(
    _ code: String, _ json: JSON, _ type: FieldType, at path: String, suggestion: String? = nil,
    hint: String? = nil
  ) -> JSON? {
    report(
      code, at: path, line: json.line, "found \(found(json)); expected \(type.allowed)",
      allowed: type.allowed, suggestion: suggestion, hint: hint)
    return nil
  }

  /// Reports a type error; suggests the value that has the right type where one is obvious.
  mutating func wrongType(_ type: FieldType, _ json: JSON, at path: String) -> JSON? {
    var suggestion: String?
    var hint: String?
    var code = "E3102"
    switch type {
    case .list(.union, _, _) where json.members != nil:
      code = "E3113"
      suggestion = "[ \(json.compact.count > 60 ? "{ ... }" : json.compact) ]"
      hint = "a list, even of one"
    case .list(.union(let union), _, _):
      code = "E3113"
      suggestion = json.text.map { word in
        let kind = Suggestions.nearest(
          word, among: union.variants.map(\.name), synonyms: union.synonyms)
        return "[ { \"\(union.tag)\": \"\(kind ?? word)\" } ]"
      }
    case .list(let element, _, _): suggestion = asList(json, of: element)
    case .union(let union):
      let words = union.variants.map(\.name)
      if let word = json.text,
        let kind = Suggestions.nearest(word, among: words, synonyms: union.synonyms)
      {
        suggestion = "{ \"\(union.tag)\": \"\(kind)\" }"
      }
    case .integer, .number: suggestion = json.text.flatMap(Self.literal)
    case .flag:
      if let text = json.text, ["true", "false"].contains(text) { suggestion = text }
      if let number = json.int, number == 0 || number == 1 {
        suggestion = number == 0 ? "false" : "true"
      }
    default: break
    }
    if json.isNull, hint == nil { hint = "leave the field out for its default" }
    return refuse(code, json, type, at: path, suggestion: suggestion, hint: hint)
  }

  /// The number that a text in quotes was meant to be, as JSON writes it; nil for "inf", "nan" and
  /// whatever else is no number in JSON.
  static func literal(_ text: String) -> String? {
    if let json = try? JSON(parsing: text), json.double != nil { return text }
    guard let number = Double(text), number.isFinite else { return nil }
    return JSON.number(number).compact
  }

  /// What a single value, or words joined by "+", would be as a list.
  private func asList(_ json: JSON, of element: FieldType) -> String? {
    if case .choice(let words, let synonyms) = element, let text = json.text {
      let parts = text.split { "+, ".contains($0) }.map(String.init)
      let meant = parts.compactMap { Suggestions.nearest($0, among: words, synonyms: synonyms) }
      guard meant.count == parts.count, !meant.isEmpty else { return text == "none" ? "[]" : nil }
      return JSON.array(meant.map { .string($0) }).pretty.filter { $0 != "\n" }
    }
    return json.double == nil ? nil : "[\(json.compact)]"
  }

  // MARK: - Leaves

  /// The normalised value, or nil after a problem was reported.
  package mutating func leaf(_ type: FieldType, _ json: JSON, at path: String) -> JSON? {
    switch type {
    case .integer(let range): return integer(json, range, type, at: path)
    case .number(let range): return number(json, range, type, at: path)
    case .quantity(let quantity): return self.quantity(json, quantity, type, at: path)
    case .flag: return json.truth == nil ? wrongType(type, json, at: path) : json
    case .choice(let words, let synonyms):
      guard let word = json.text else { return wrongType(type, json, at: path) }
      if words.contains(word) { return json }
      let nearest = Suggestions.nearest(word, among: words, synonyms: synonyms)
      report(
        "E3105", at: path, line: json.line, "found \(found(json)); expected one of \(type.allowed)",
        allowed: type.allowed, suggestion: nearest.map { "\"\($0)\"" })
      return nil
    case .text(let rule):
      guard let text = json.text else { return wrongType(type, json, at: path) }
      if rule.accepts(text) { return json }
      return refuse("E3110", json, type, at: path)
    case .anything: return json
    case .list, .object, .union, .map: return nil
    }
  }

  private mutating func integer(
    _ json: JSON, _ range: ClosedRange<Int>, _ type: FieldType, at path: String
  ) -> JSON? {
    guard case .number(let literal) = json.value else { return wrongType(type, json, at: path) }
    if let integer = json.int {
      if range.contains(integer) { return .int(integer) }
      if path == "fedsim" {
        report(
          "E3003", at: path, line: json.line,
          "found version \(integer); this fedsim reads version 1", allowed: "1")
        return nil
      }
    } else if let number = Double(literal), number.isFinite, number.rounded() != number {
      let near = number.rounded()
      let inside = near >= Double(range.lowerBound) && near <= Double(range.upperBound)
      report(
        "E3107", at: path, line: json.line, "found \(literal); expected \(type.allowed)",
        allowed: type.allowed, suggestion: inside ? JSON.number(near).compact : nil)
      return nil
    }
    return refuse("E3103", json, type, at: path)
  }

  private mutating func number(
    _ json: JSON, _ range: NumberRange, _ type: FieldType, at path: String
  ) -> JSON? {
    guard case .number = json.value else { return wrongType(type, json, at: path) }
    let number = json.double
    if let number, range.contains(number) { return .number(number) }
    if range.offersInverse, let number, number > 0, number < range.minimum {
      let inverse = 1 / number
      let near = inverse.rounded()
      let meant = abs(inverse - near) < 1e-6 * near ? near : inverse
      report(
        "E3112", at: path, line: json.line,
        "found \(found(json)); expected a number >= 1 (largest class / smallest class)",
        allowed: type.allowed, suggestion: JSON.number(meant).compact,
        hint: "\(found(json)) is the inverse, used by some code bases")
      return nil
    }
    return refuse(
      "E3103", json, type, at: path,
      hint: number.map(range.isTooSmall) == true
        ? "it becomes a 32-bit float, and those below 1.2e-38 are 0 or lose their digits" : nil)
  }

  /// The value in the base unit.
  private mutating func quantity(
    _ json: JSON, _ quantity: Quantity, _ type: FieldType, at path: String
  ) -> JSON? {
    guard let text = json.text else {
      guard let value = json.double else { return wrongType(type, json, at: path) }
      return quantity.range.contains(value) ? .number(value) : refuse("E3103", json, type, at: path)
    }
    guard let value = quantity.value(of: text) else {
      let meant = Double(text).flatMap { quantity.range.contains($0) ? Self.literal(text) : nil }
      return refuse("E3114", json, type, at: path, suggestion: meant)
    }
    return quantity.range.contains(value) ? .number(value) : refuse("E3103", json, type, at: path)
  }
}

import Base

extension ScenarioValidator {
  /// The value in the base unit, or nil after a problem was reported.
  package mutating func quantity(_ json: JSON, _ quantity: Quantity, at path: String) -> JSON? {
    var value = json.double
    if let text = json.text {
      value = quantity.value(of: text)
      if value == nil {
        report(
          "E3114", at: path, line: json.line, "found \(found(json)); expected \(quantity.allowed)",
          allowed: quantity.allowed,
          suggestion: Double(text).flatMap {
            quantity.range.contains($0) ? Self.literal(text) : nil
          })
        return nil
      }
    } else if value == nil {
      return wrongType(.quantity(quantity), json, at: path)
    }
    if let value, quantity.range.contains(value) { return .number(value) }
    report(
      "E3103", at: path, line: json.line, "found \(found(json)); expected \(quantity.allowed)",
      allowed: quantity.allowed)
    return nil
  }
}

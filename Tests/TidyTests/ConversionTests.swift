import Testing

/// `Int(value)` ends the program for a value that is no number or too large; `Int(clamping:)` does
/// not.
@Suite("Conversions")
struct ConversionTests {
  /// Raw conversions of a file that are right as they are: what makes their values fit stands in
  /// the same function.
  private static let checked: [String: Int] = [
    "Sources/Accounting/Calibration/Calibration.swift": 2,
    "Sources/Accounting/Calibration/DiceAccounting.swift": 1,
  ]

  /// What only floating-point expressions have.
  private static let signs = [
    "Double(", "Float(", ".rounded(", "squareRoot()", "log2(", "log10(", "log(", "pow(", "exp(",
    "sqrt(", "floor(", "ceil(",
  ]

  @Test(
    "no floating-point expression is converted to a whole number without a bound",
    arguments: Repository.sources.filter { $0.name.hasSuffix(".swift") })
  func raw(
    file: Repository.File
  ) {
    let found = Self.rawConversions(file.text)
    #expect(
      found.count <= Self.checked[file.path] ?? 0,
      "\(file.path): \(found); take Int(clamping: …) (Sources/Base/Numbers/WholeNumbers.swift)")
  }

  @Test("what is looked for is found, and nothing else")
  func sample() {
    let text = """
      let a = Int((share * Double(n)).rounded()); let b = UInt64(log2(x))
      let c = Int(clamping: x.rounded()), d = Int(exactly: 2.0 * x) ?? 0
      let e = Int(label), f = Double(Int(count)), g = UInt32(bits >> 3)
      let h = Int32(1.5 * x), i = UInt8(max(0, min(255, level.rounded())))
      """
    #expect(
      Self.rawConversions(text) == [
        "Int((share * Double(n)).rounded())", "UInt64(log2(x))", "Int32(1.5 * x)",
        "UInt8(max(0, min(255, level.rounded())))",
      ])
  }

  /// Conversions to a type of whole numbers, without a label, of expressions with a sign of
  /// floating point, in their order.
  private static func rawConversions(_ text: String) -> [String] {
    text.matches(of: /\bU?Int(?:8|16|32|64|128)?\(/).compactMap { match in
      // Members such as `JSON.int` begin with a small letter; types in types have none of these.
      var end = match.range.upperBound
      var depth = 1
      while depth > 0, end < text.endIndex {
        depth += text[end] == "(" ? 1 : text[end] == ")" ? -1 : 0
        end = text.index(after: end)
      }
      let inside = text[match.range.upperBound..<end]
      if inside.prefixMatch(of: /\s*[a-zA-Z]+:/) != nil { return nil }
      let isFloating = signs.contains { inside.contains($0) } || inside.contains(/[0-9]\.[0-9]/)
      return isFloating ? String(text[match.range.lowerBound..<end]) : nil
    }
  }
}

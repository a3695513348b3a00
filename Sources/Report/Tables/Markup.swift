import Base

/// HTML and SVG text, built piece by piece; everything that comes from outside is escaped.
package struct Markup {
  package private(set) var text = ""
  /// Every element in the order of its beginning, where they are kept.
  private(set) var elements: [Element] = []
  private let isRecording: Bool

  /// An element as it was given, for printers of other formats.
  struct Element {
    let name: String
    let attributes: [(String, String)]
    var content = ""

    subscript(_ name: String) -> String? { attributes.first { $0.0 == name }?.1 }
  }

  package init() { isRecording = false }

  /// `isRecording`: whether elements are kept besides their text.
  init(isRecording: Bool) { self.isRecording = isRecording }

  private mutating func record(
    _ name: String, _ attributes: [(String, String)], _ content: String = ""
  ) {
    if isRecording {
      elements.append(Element(name: name, attributes: attributes, content: content))
    }
  }

  /// Escapes the five characters that mean something; control characters become "?".
  static func escape(_ text: String) -> String {
    // Nearly all texts are coordinates and class names with nothing to escape.
    let plain = text.utf8.withContiguousStorageIfAvailable { bytes in
      !bytes.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x26 || $0 == 0x27 || $0 == 0x3C }
        && !bytes.contains { $0 == 0x3E || $0 == 0x7F }
    }
    if plain == true { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\n", "\t": out.unicodeScalars.append(scalar)
      case let control where control.value < 0x20 || control.value == 0x7F: out += "?"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// Such as `<rect x="1" y="2"/>` for SVG shapes.
  package mutating func shape(_ name: String, _ attributes: [(String, String)]) {
    record(name, attributes)
    text += "<\(name)\(Markup.list(attributes))/>\n"
  }

  /// A whole element with escaped text.
  package mutating func element(
    _ name: String, _ attributes: [(String, String)] = [], _ content: String
  ) {
    record(name, attributes, content)
    text += "<\(name)\(Markup.list(attributes))>\(Markup.escape(content))</\(name)>\n"
  }

  /// An element around what `body` writes.
  package mutating func inside(
    _ name: String, _ attributes: [(String, String)] = [], _ body: (inout Markup) -> Void
  ) {
    record(name, attributes)
    text += "<\(name)\(Markup.list(attributes))>\n"
    body(&self)
    text += "</\(name)>\n"
  }

  /// Markup made elsewhere by this type, or constant.
  mutating func raw(_ markup: String) { text += markup }

  private static func list(_ attributes: [(String, String)]) -> String {
    attributes.map { " \($0.0)=\"\(escape($0.1))\"" }.joined()
  }
}

/// A coordinate with one decimal.
package func coordinate(_ value: Double) -> String {
  let text = NumberText.fixed(value, 1)
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

extension JSON {
  /// One line without spaces; the same value always gives the same bytes.
  public var compact: String {
    var out = ""
    write(to: &out, indent: nil, depth: 0)
    return out
  }

  /// Two spaces per level, short arrays of scalars on one line, newline at the end.
  public var pretty: String {
    var out = ""
    write(to: &out, indent: "  ", depth: 0)
    return out + "\n"
  }

  private var isScalar: Bool {
    switch value {
    case .array, .object: false
    default: true
    }
  }

  private func write(to out: inout String, indent: String?, depth: Int) {
    switch value {
    case .null: out += "null"
    case .bool(let truth): out += truth ? "true" : "false"
    case .number(let literal): out += literal
    case .string(let text): JSON.quote(text, to: &out)
    case .array(let items):
      // An array of numbers or words reads best on one line.
      let inner = items.allSatisfy(\.isScalar) ? nil : indent
      JSON.list(items.count, "[", "]", to: &out, indent: inner, depth: depth) { out, index in
        if indent != nil, inner == nil, index > 0 { out += " " }
        items[index].write(to: &out, indent: inner, depth: depth + 1)
      }
    case .object(let members):
      JSON.list(members.count, "{", "}", to: &out, indent: indent, depth: depth) { out, index in
        JSON.quote(members[index].key, to: &out)
        out += indent == nil ? ":" : ": "
        members[index].value.write(to: &out, indent: indent, depth: depth + 1)
      }
    }
  }

  private static func list(
    _ count: Int, _ open: String, _ close: String, to out: inout String, indent: String?,
    depth: Int, item: (inout String, Int) -> Void
  ) {
    out += open
    for index in 0..<count {
      if index > 0 { out += "," }
      if let indent { out += "\n" + String(repeating: indent, count: depth + 1) }
      item(&out, index)
    }
    if let indent, count > 0 { out += "\n" + String(repeating: indent, count: depth) }
    out += close
  }

  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case let control where control.value < 0x20:
        let digits = String(control.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}

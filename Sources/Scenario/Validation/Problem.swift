import Base

/// One thing that is wrong or suspicious in a scenario.
package struct Problem: Sendable, Equatable {
  /// Whether a run may start nevertheless.
  package enum Severity: String, Sendable { case error, warning }

  /// A code of the message catalogue, such as "E3103".
  package let code: String
  /// Whether a run may start nevertheless.
  package let severity: Severity
  /// Where, such as "$.data.longTail.factor".
  package let path: String
  /// Line in the file, from 1; 0 when the value came from the command line or nowhere.
  package let line: Int
  /// True when the value came from `--set`.
  package let isOverride: Bool
  /// What was found and what was expected.
  package let message: String
  /// The legal values, or nil.
  package let allowed: String?
  /// What was probably meant: a name or a JSON value to put in place, or nil.
  package let suggestion: String?
  /// What to do, or why, in a sentence; or nil.
  package let hint: String?

  /// Marks values that were given on the command line.
  static let overrideLine = -1
  /// Marks values that a strategy takes from the scenario's own section.
  static let inheritedLine = -2

  package init(
    _ code: String, _ severity: Severity = .error, at path: String, line: Int, _ message: String,
    allowed: String? = nil, suggestion: String? = nil, hint: String? = nil
  ) {
    self.code = code
    self.severity = severity
    self.path = path.isEmpty ? "$" : "$." + path
    self.line = max(line, 0)
    isOverride = line == Problem.overrideLine
    self.message = message
    self.allowed = allowed
    self.suggestion = suggestion
    self.hint = hint
  }

  /// For `validate --format json`: absent entries are left out.
  package var json: JSON {
    var all: [(String, JSON)] = [
      ("code", .string(code)), ("severity", .string(severity.rawValue)), ("path", .string(path)),
      ("line", line > 0 ? .int(line) : .null), ("message", .string(message)),
    ]
    if isOverride { all.append(("origin", "override")) }
    for (key, text) in [("allowed", allowed), ("suggestion", suggestion), ("hint", hint)] {
      if let text { all.append((key, .string(text))) }
    }
    return .object(all)
  }

  /// A block of lines for people: the place, what was found, what may help.
  package var text: String {
    var place = "  \(path)"
    if line > 0 { place += "  (line \(line))" }
    if isOverride { place += "  (--set)" }
    var lines = [severity == .warning ? place + "  warning" : place, "    \(message)"]
    switch (suggestion, hint) {
    case (.some(let suggestion), .some(let hint)):
      lines.append("    did you mean \(suggestion) ?  (\(hint))")
    case (.some(let suggestion), nil): lines.append("    did you mean \(suggestion) ?")
    case (nil, .some(let hint)): lines.append("    \(hint)")
    case (nil, nil): break
    }
    if let allowed, !message.contains(allowed) { lines.append("    allowed: \(allowed)") }
    lines.append("    more: fedsim explain \(code)")
    return lines.joined(separator: "\n")
  }
}

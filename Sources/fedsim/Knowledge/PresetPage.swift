extension Preset {
  /// Its page in `fedsim explain`.
  var page: ExplainCommand.Page {
    var parts = remarks.map { (head: $0.head.isEmpty ? "summary" : $0.head, lines: [$0.words]) }
    parts.append(("command", ["fedsim run --preset \(name)"]))
    parts.append(("scenario", text.split(separator: "\n").map(String.init)))
    return ExplainCommand.Page(name: name, kind: "preset", parts: parts)
  }
}

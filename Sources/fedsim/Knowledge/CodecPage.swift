import Scenario

/// What `explain` says of a codec.
enum CodecPage {
  /// The page of a codec; nil for other words.
  static func page(_ name: String) -> ExplainCommand.Page? {
    guard let help = ScenarioFields.codecHelp(name),
      let summary = ScenarioFields.codecs.first(where: { $0.name == name })?.summary
    else { return nil }
    return ExplainCommand.Page(
      name: name, kind: "codec",
      parts: [
        ("summary", [summary]), ("bytes", [help.bytes]), ("fields", help.codec.map(line)),
        ("how it is spread", help.link.map(line)), ("what is remembered", help.memory.map(line)),
        ("scenario", ["\"compression\": { \"uplink\": { \"kind\": \"\(name)\", ... } }"]),
      ])
  }

  private static func line(_ field: Field) -> String {
    "\(field.name)  \(field.type.allowed)  default: \(field.presence.words)  \(field.summary)"
  }
}

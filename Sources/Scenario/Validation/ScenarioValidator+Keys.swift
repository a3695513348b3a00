import Base

extension ScenarioValidator {
  /// Handles the keys that only the top level has; returns the members that belong to the table.
  mutating func checkTopLevel(_ members: [JSON.Member]) -> [JSON.Member] {
    members.filter { member in
      switch member.key {
      case "$schema": return false
      case "kind" where member.value.text == "sweep" && !root.contains { $0.name == "kind" }:
        report(
          "E3430", at: "kind", line: place(member), "a sweep file; expected one scenario",
          hint: "run it with: fedsim sweep \(file)")
        return false
      case "extends", "preset":
        report(
          "E3005", at: member.key, line: place(member),
          "\"\(member.key)\" is not supported by this version of fedsim",
          hint: "copy the other file's fields into this one")
        return false
      default:
        guard let what = ScenarioFields.unavailable[member.key] else { return true }
        report(
          "E3006", at: member.key, line: place(member),
          "\"\(member.key)\" (\(what)) is not available in fedsim \(FedsimVersion.current)",
          hint: "remove it")
        return false
      }
    }
  }

  /// The line of a key, or the mark of the command line.
  private func place(_ member: JSON.Member) -> Int {
    member.value.line == Problem.overrideLine ? Problem.overrideLine : member.line
  }

  /// Reports a key that the table does not have here, and where it may belong.
  mutating func reportUnknown(
    _ member: JSON.Member, at path: String, fields: [Field], context: Context
  ) {
    // Nobody reads a thousand problems; a file of a million wrong keys must not take hours.
    guard problems.count < 1000 else { return }
    let key = member.key
    let here = path.isEmpty ? key : "\(path).\(key)"
    let names = context.tags.map(\.key) + fields.map(\.name)
    let list = names.joined(separator: ", ")
    let kind = context.kind.map { " for \($0)" } ?? ""
    var synonyms: [String: String] = [:]
    for field in fields { for synonym in field.synonyms { synonyms[synonym] = field.name } }
    var code = "E3101"
    var message = "unknown field\(kind)"
    var suggestion: String?
    var hint: String?
    if let owners = context.owners[key] {
      code = "E3111"
      message =
        "\"\(key)\" is no field\(kind); it belongs to "
        + owners.map { "\"\($0)\"" }.joined(separator: ", ")
    } else {
      suggestion = Suggestions.nearest(key, among: names, synonyms: synonyms)
      if suggestion == nil { suggestion = elsewhere(key) }
      if suggestion == "strategies", member.value.elements == nil { hint = "a list, even of one" }
    }
    report(
      code, at: here, line: place(member), "\(message); fields: \(list)", allowed: list,
      suggestion: suggestion.map { "\"\($0)\"" }, hint: hint)
  }

  /// The full path of a field elsewhere in the scenario that has this name or synonym.
  private mutating func elsewhere(_ key: String) -> String? {
    let places = self.places ?? FieldPlaces(root)
    self.places = places
    return places.path(of: key)
  }
}

/// Where each name and synonym of the whole table stands, so that a thousand unknown keys cost one
/// walk through it.
package struct FieldPlaces {
  private var names: [String: String] = [:]
  private var plain: [String: String] = [:]

  /// The places in a table; the first of equals counts.
  package init(_ root: [Field]) {
    // "lr" is the clients' rate before it is that of pre-training.
    let entries = FieldIndex.entries(of: root)
    for entry in entries.filter({ !$0.isRepetition }) + entries.filter(\.isRepetition) {
      if names[entry.field.name] == nil { names[entry.field.name] = entry.path }
      for word in [entry.field.name] + entry.field.synonyms {
        let key = Suggestions.plain(word)
        if plain[key] == nil { plain[key] = entry.path }
      }
    }
  }

  /// The path of the field of a name, or of one that is spelt alike; nil for none.
  package func path(of key: String) -> String? { names[key] ?? plain[Suggestions.plain(key)] }
}

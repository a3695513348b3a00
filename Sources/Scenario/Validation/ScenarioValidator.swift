import Base

/// Walks a scenario beside the table: collects every problem and writes every default.
///
/// A value that is wrong is reported and left out of the resolved tree; the walk goes on, so that
/// all problems are found in one go.
package struct ScenarioValidator {
  /// Where a resolved value came from.
  typealias Origin = (path: String, origin: String)

  package let file: String
  package let root: [Field]
  package var problems: [Problem] = []
  var origins: [Origin] = []
  /// Resolved values by path; derived defaults look here.
  package private(set) var values: [String: JSON] = [:]
  /// Lines of sections and values by path, for problems that are found later.
  package private(set) var lines: [String: Int] = [:]
  /// Files and folders that are named, and whether the file itself does so.
  private(set) var paths: [(field: String, text: String, isSet: Bool)] = []
  /// The resolved sections so far.
  private var sections: [String: JSON] = [:]
  /// Where names stand in the table; made for the first unknown key that has no neighbour.
  package var places: FieldPlaces?

  package init(file: String, root: [Field]) {
    self.file = file
    self.root = root
  }

  /// The scenario with every default.
  package mutating func resolve(_ json: JSON) -> JSON {
    guard let members = json.members else {
      problems.append(
        Problem("E3002", at: "", line: json.line, "found \(found(json)); expected a JSON object"))
      return .object([])
    }
    let kept = checkTopLevel(members)
    return object(kept, at: "", line: json.line, fields: root, context: Context())
  }

  /// What an object is, for messages about its keys.
  struct Context {
    /// Such as `kind "fedavg"`; nil for objects without a tag.
    var kind: String?
    /// Fields of sibling kinds, with the kinds that have them.
    var owners: [String: [String]] = [:]
    /// Tag members, already checked.
    var tags: [JSON.Member] = []
  }

  // MARK: - Objects

  private mutating func object(
    _ members: [JSON.Member], at path: String, line: Int, fields: [Field], context: Context
  ) -> JSON {
    lines[path] = line
    let tags = Set(context.tags.map(\.key))
    let known = Set(fields.map(\.name))
    for member in members
    where !member.key.hasPrefix("//") && !tags.contains(member.key) && !known.contains(member.key) {
      reportUnknown(member, at: path, fields: fields, context: context)
    }
    var resolved = context.tags
    for field in fields {
      let here = path.isEmpty ? field.name : "\(path).\(field.name)"
      if let value = value(of: field, in: members, at: here, objectLine: line) {
        resolved.append(JSON.Member(field.name, value))
        if path.isEmpty { sections[field.name] = value }
      }
    }
    return JSON(.object(resolved))
  }

  private mutating func value(
    of field: Field, in members: [JSON.Member], at path: String, objectLine: Int
  ) -> JSON? {
    let rival = field.excludes.flatMap { name in members.first { $0.key == name } }
    if let member = members.first(where: { $0.key == field.name }) {
      if let rival, field.name > rival.key {
        report(
          "E3106", at: path, line: member.value.line,
          "found both \"\(rival.key)\" and \"\(field.name)\"; they say the same in two ways",
          hint: "remove one of them")
      }
      var given = member.value
      if case .over(let section) = field.presence, let base = sections[section] {
        given = field.type.laid(given, over: base, mark: Problem.inheritedLine)
      }
      return visit(field.type, given, at: path)
    }
    switch field.presence {
    case .required:
      report(
        "E3104", at: path, line: objectLine, "required but missing; expected \(field.type.allowed)",
        hint: field.summary)
      return nil
    case .optional, .over: return nil
    case .value(let json): return rival == nil ? visit(field.type, json, at: path) : nil
    case .derived(_, let rule):
      let json = rule(Derivation(values: values, path: path, file: file, given: members))
      return visit(field.type, json, at: path)
    }
  }

  // MARK: - Values

  private mutating func visit(_ type: FieldType, _ json: JSON, at path: String) -> JSON? {
    lines[path] = json.line
    switch type {
    case .object(let fields):
      guard let members = json.members else { return wrongType(type, json, at: path) }
      return object(members, at: path, line: json.line, fields: fields, context: Context())
    case .union(let union): return self.union(union, json, at: path)
    case .map(let mapping): return map(mapping, json, at: path)
    case .list(let element, let counts, let unique):
      guard let items = json.elements else { return wrongType(type, json, at: path) }
      return list(items, of: element, counts, unique, json, at: path)
    default:
      guard let leaf = leaf(type, json, at: path) else { return nil }
      if case .text(.path) = type, let text = leaf.text {
        paths.append((path, text, json.line == Problem.overrideLine))
      }
      return record(leaf, at: path, line: json.line)
    }
  }

  private mutating func record(_ value: JSON, at path: String, line: Int) -> JSON {
    values[path] = value
    lines[path] = line
    let origin =
      switch line {
      case Problem.overrideLine: "override"
      case Problem.inheritedLine: "client"
      case 0: "default"
      default: "\(file):\(line)"
      }
    origins.append((path, origin))
    return JSON(value.value)
  }

  private mutating func map(_ mapping: Mapping, _ json: JSON, at path: String) -> JSON? {
    guard let members = json.members else { return wrongType(.map(mapping), json, at: path) }
    let fixed = Set(mapping.fixed.map(\.name))
    var resolved: [JSON.Member] = []
    for member in members where !member.key.hasPrefix("//") && !fixed.contains(member.key) {
      if let value = visit(mapping.value, member.value, at: "\(path).\(member.key)") {
        resolved.append(JSON.Member(member.key, value))
      }
    }
    for field in mapping.fixed {
      let here = "\(path).\(field.name)"
      if let value = value(of: field, in: members, at: here, objectLine: json.line) {
        resolved.append(JSON.Member(field.name, value))
      }
    }
    return JSON(.object(resolved))
  }

  private mutating func list(
    _ items: [JSON], of element: FieldType, _ counts: ClosedRange<Int>, _ unique: Bool,
    _ json: JSON, at path: String
  ) -> JSON? {
    guard counts.contains(items.count) else {
      report(
        "E3108", at: path, line: json.line,
        "found \(items.count) elements; expected \(counts.lowerBound) to \(counts.upperBound)")
      return nil
    }
    var resolved: [JSON] = []
    var seen: [String: Int] = [:]
    for (index, item) in items.enumerated() {
      let here = "\(path)[\(index)]"
      lines[here] = item.line
      let before = origins.count
      guard let value = visit(element, item, at: here) else { continue }
      if !element.hasFields { origins.removeLast(origins.count - before) }
      if unique, let first = seen.updateValue(index, forKey: value.compact) {
        report(
          "E3109", at: here, line: item.line,
          "found \(value.compact) again; it already is element [\(first)]",
          hint: "each may be given once")
      }
      resolved.append(value)
    }
    let whole = JSON(.array(resolved))
    if element.hasFields { return whole }
    return record(whole, at: path, line: json.line)
  }

  // MARK: - Unions

  private mutating func union(_ union: Union, _ json: JSON, at path: String) -> JSON? {
    var members: [JSON.Member]
    if let given = json.members {
      members = given
    } else if union.shorthand, json.text != nil {
      members = [JSON.Member(union.tag, json, line: json.line)]
    } else {
      return wrongType(.union(union), json, at: path)
    }
    var fields: [Field] = []
    var context = Context(kind: nil, owners: union.owners)
    var level: Union? = union
    while let current = level {
      guard let variant = select(current, in: members, at: path, line: json.line) else {
        return nil
      }
      let given = members.first { $0.key == current.tag }
      let line = given?.value.line ?? 0
      let tag = record(.string(variant.name), at: "\(path).\(current.tag)", line: line)
      context.tags.append(JSON.Member(current.tag, tag))
      context.kind = "\(current.tag) \"\(variant.name)\""
      context.owners.merge(current.owners) { $1 }
      fields += variant.fields
      level = variant.inner
    }
    fields += union.common
    return object(members, at: path, line: json.line, fields: fields, context: context)
  }

  /// The variant that the tag names; nil, with a problem reported, when there is none.
  private mutating func select(
    _ union: Union, in members: [JSON.Member], at path: String, line: Int
  ) -> Variant? {
    let words = union.variants.map(\.name)
    let here = "\(path).\(union.tag)"
    let allowed = words.map { "\"\($0)\"" }.joined(separator: ", ")
    guard let tag = members.first(where: { $0.key == union.tag }) else {
      if let initial = union.initial { return union.variants.first { $0.name == initial } }
      report(
        "E3104", at: here, line: line, "required but missing; expected one of \(allowed)",
        allowed: allowed)
      return nil
    }
    guard let word = tag.value.text else {
      report(
        "E3102", at: here, line: tag.value.line,
        "found \(found(tag.value)); expected one of \(allowed)", allowed: allowed)
      return nil
    }
    if let variant = union.variants.first(where: { $0.name == word }) { return variant }
    let nearest = Suggestions.nearest(word, among: words, synonyms: union.synonyms)
    report(
      "E3105", at: here, line: tag.value.line,
      "found \(found(tag.value)); expected one of \(allowed)", allowed: allowed,
      suggestion: nearest.map { "\"\($0)\"" })
    return nil
  }
}

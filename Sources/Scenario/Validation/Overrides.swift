import Base

/// Puts `--set path=value` into a scenario's tree, before it is validated.
package enum Overrides {
  /// A step of a path.
  private enum Step {
    case key(String)
    case index(Int)
  }

  /// Applies the overrides in order; each that cannot be applied is a problem.
  package static func apply(_ overrides: [String], to tree: inout JSON) -> [Problem] {
    var problems: [Problem] = []
    for text in overrides {
      guard let equals = text.firstIndex(of: "="), equals > text.startIndex,
        let steps = steps(String(text[..<equals]))
      else {
        problems.append(
          Problem(
            "E3004", at: "", line: Problem.overrideLine,
            "found --set \(text.prefix(80)); expected path=value",
            hint: "for example --set client.batch=64 or --set seeds=[1,2,3]"))
        continue
      }
      let value = value(String(text[text.index(after: equals)...]), at: String(text[..<equals]))
      if let message = set(value, in: &tree, steps[...]) {
        problems.append(
          Problem(
            "E3004", at: String(text[..<equals]), line: Problem.overrideLine, message,
            hint: "an override can change a field, or an element that is in the file"))
      }
    }
    return problems
  }

  /// A JSON value, or a bare word as a string.
  ///
  /// Lists whose elements need no quotes may be written without brackets: `strategies=fedavg,ditto`
  /// and `seeds=1,2,3`.
  private static func value(_ text: String, at path: String) -> JSON {
    let mark = Problem.overrideLine
    if let json = try? JSON(parsing: text), path != "strategies" || json.text == nil {
      return (path == "seeds" && json.int != nil ? JSON.array([json]) : json).marked(mark)
    }
    let words = text.split(separator: ",").map { word in word.filter { $0 != " " } }
    switch path {
    case "strategies" where !text.contains("{"):
      return JSON.array(words.map { .object([("kind", .string($0))]) }).marked(mark)
    case "seeds":
      let numbers = words.compactMap { try? JSON(parsing: $0) }
      return (numbers.count == words.count ? JSON.array(numbers) : .string(text)).marked(mark)
    default: return JSON.string(text).marked(mark)
    }
  }

  /// A path in its one spelling, such as `strategies[0].mu`; nil when it is none.
  package static func plain(_ path: String) -> String? {
    guard let steps = steps(path) else { return nil }
    return steps.reduce("") { text, step in
      switch step {
      case .key(let key): text.isEmpty ? key : "\(text).\(key)"
      case .index(let index): "\(text)[\(index)]"
      }
    }
  }

  /// The value at a path; nil where there is none.
  package static func value(at path: String, in tree: JSON) -> JSON? {
    guard let steps = steps(path) else { return nil }
    var place = tree
    for step in steps {
      switch step {
      case .key(let key):
        guard let inner = place[key] else { return nil }
        place = inner
      case .index(let index):
        guard let items = place.elements, items.indices.contains(index) else { return nil }
        place = items[index]
      }
    }
    return place
  }

  /// `strategies[0].mu`, `strategies.0.mu` and `$.strategies[0].mu` are one path.
  private static func steps(_ path: String) -> [Step]? {
    var text = path.hasPrefix("$.") ? String(path.dropFirst(2)) : path
    text = text.map { $0 == "[" ? "." : String($0) }.joined()
    var steps: [Step] = []
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      let name = part.hasSuffix("]") ? part.dropLast() : part
      guard !name.isEmpty, !name.contains("]"), steps.count < 32 else { return nil }
      if name.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
        guard let index = Int(name) else { return nil }
        steps.append(.index(index))
      } else {
        guard !part.hasSuffix("]") else { return nil }
        steps.append(.key(String(name)))
      }
    }
    return steps
  }

  /// Sets a value, or takes it away for null; returns why that is impossible, or nil.
  private static func set(_ value: JSON, in tree: inout JSON, _ steps: ArraySlice<Step>) -> String?
  {
    guard let step = steps.first else {
      tree = value
      return nil
    }
    switch step {
    case .key(let key):
      guard tree.members != nil else { return "\"\(key)\" cannot be set inside \(tree.kindName)" }
      // Null is no value of a scenario: it takes a field away, so that its default holds.
      if value.isNull, steps.count == 1 || tree[key] == nil {
        tree[key] = nil
        return nil
      }
      var child = tree[key] ?? JSON(.object([]), line: Problem.overrideLine)
      let message = set(value, in: &child, steps.dropFirst())
      tree[key] = child
      return message
    case .index(let index):
      guard case .array(var items) = tree.value else {
        return "[\(index)] cannot be set inside \(tree.kindName)"
      }
      guard items.indices.contains(index) else {
        return "there is no element [\(index)]; the list has \(items.count)"
      }
      var message: String?
      if value.isNull, steps.count == 1 {
        items.remove(at: index)
      } else {
        message = set(value, in: &items[index], steps.dropFirst())
      }
      tree.value = .array(items)
      return message
    }
  }
}

import Base

/// A setting that is not the same in all run folders.
package struct SettingDifference: Sendable, Equatable {
  /// The path in the scenario, such as "client.optimizer.learningRate".
  package let path: String
  /// The value in each folder, as JSON; "-" where it is absent.
  package let values: [String]
  /// Whether runs that differ in it can still be compared.
  package let isAllowed: Bool
  /// Whether that is so only because somebody asked for it.
  package var isGranted = false

  /// Paths in which comparable runs may differ: what is compared, how often, and what is written.
  package static let allowed = [
    "strategies", "name", "seeds", "output", "evaluation.targets", "evaluation.diagnostics",
    "limits",
  ]

  /// Every setting whose values differ, in the order of the first folder that has it.
  ///
  /// Where the data's hashes agree, it does not matter where the data lay. Beside settings:
  /// `data (hash)` where images or labels differ, `split of seed S` where clients hold others.
  /// O(settings · folders).
  ///
  /// - Parameters:
  ///   - folders: the run folders.
  ///   - granted: paths below which settings may differ, too; `data` stands for the data themselves
  ///     and how they are split as well.
  /// - Returns: the differences.
  package static func all(_ folders: [RunFolder], granting granted: [String] = [])
    -> [SettingDifference]
  {
    found(folders).map { difference in
      var difference = difference
      guard !difference.isAllowed, granted.contains(where: difference.isBelow) else {
        return difference
      }
      difference = SettingDifference(
        path: difference.path, values: difference.values, isAllowed: true)
      difference.isGranted = true
      return difference
    }
  }

  /// Whether a path names the setting, or what it stands in.
  package func isBelow(_ other: String) -> Bool {
    if path == other || path.hasPrefix(other + ".") || path.hasPrefix(other + "[") { return true }
    return other == "data" && (path.hasPrefix("data (") || path.hasPrefix("split of seed"))
  }

  private static func found(_ folders: [RunFolder]) -> [SettingDifference] {
    let trees = folders.map { leaves($0.resolved, "") }
    var paths: [String] = []
    var seen: Set<String> = []
    for (path, _) in trees.joined() where seen.insert(path).inserted { paths.append(path) }
    let values = trees.map { Dictionary($0) { first, _ in first } }
    let hashes = folders.map { folder -> String in
      let parts = ["train", "test"].map { folder.data?[$0]?["xxh64"]?.text ?? "?" }
      return parts.joined(separator: " ")
    }
    let isSameData = Set(hashes).count == 1 && hashes.allSatisfy { !$0.contains("?") }
    var differences: [SettingDifference] = []
    for path in paths {
      if isSameData, path == "data.dataset.path" { continue }
      let row = values.map { $0[path] ?? "-" }
      guard Set(row).count > 1 else { continue }
      let isAllowed =
        allowed.contains { path == $0 || path.hasPrefix($0 + ".") } || path.hasPrefix("strategies[")
      differences.append(SettingDifference(path: path, values: row, isAllowed: isAllowed))
    }
    let isKnown = hashes.allSatisfy { !$0.contains("?") }
    if isKnown, !isSameData {
      differences.append(SettingDifference(path: "data (hash)", values: hashes, isAllowed: false))
    }
    let seeds = Set(folders.flatMap(\.splits.keys)).sorted()
    for seed in seeds {
      let row = folders.map { $0.splits[seed] ?? "-" }
      guard Set(row.filter { $0 != "-" }).count > 1 else { continue }
      differences.append(
        SettingDifference(path: "split of seed \(seed)", values: row, isAllowed: false))
    }
    return differences
  }

  /// All values below a node with their paths; a list of plain values is one value.
  private static func leaves(_ json: JSON, _ path: String) -> [(String, String)] {
    if let members = json.members {
      return members.flatMap { leaves($0.value, path.isEmpty ? $0.key : path + "." + $0.key) }
    }
    if let items = json.elements, items.contains(where: { $0.members != nil }) {
      return items.enumerated().flatMap { leaves($1, "\(path)[\($0)]") }
    }
    return [(path, plain(json).compact)]
  }

  /// Numbers in one spelling: 1e-2 is 0.01.
  private static func plain(_ json: JSON) -> JSON {
    if let items = json.elements { return .array(items.map(plain)) }
    if let integer = json.int { return .int(integer) }
    return json.double.map { .number($0) } ?? json
  }

  /// The difference as an object.
  package var json: JSON {
    .object([
      ("path", .string(path)), ("values", .array(values.map(JSON.string))),
      ("allowed", .bool(isAllowed)),
    ])
  }
}

import Base
import Foundation

/// The tables of a run folder without times, for comparison.
struct RunTables: Sendable {
  /// Lines by file.
  let lines: [String: [String]]
  /// Files whose last line has no end.
  let torn: Set<String>

  private static let names: Set<String> = [
    "rounds.jsonl", "digest.txt", "classes.csv", "clients.csv", "messages.csv", "privacy.jsonl",
    "events.jsonl",
  ]

  static func read(_ folder: String) -> RunTables {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    var lines: [String: [String]] = [:]
    var torn: Set<String> = []
    for path in paths {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      guard names.contains(name),
        let data = FileManager.default.contents(atPath: folder + "/" + path)
      else { continue }
      let rows = data.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
      if data.last.map({ $0 != 10 }) ?? false { torn.insert(path) }
      lines[path] = name.hasSuffix(".jsonl") ? rows.map(timeless) : rows
    }
    return RunTables(lines: lines, torn: torn)
  }

  /// The line with its keys and values, but without seconds of this machine.
  private static func timeless(_ line: String) -> String {
    (try? JSON(parsing: line)).map { timeless($0).compact } ?? line
  }

  private static func timeless(_ json: JSON) -> JSON {
    guard let members = json.members else { return json }
    let kept = members.filter { $0.key != "wall" && $0.key != "seconds" }
    return .object(kept.map { ($0.key, timeless($0.value)) })
  }

  /// Where the other tables differ; nil when they do not.
  func difference(from other: RunTables) -> String? {
    for path in lines.keys.sorted() {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      guard var found = other.lines[path] else { return "\(name): \(path) is missing" }
      let expected = lines[path] ?? []
      // What a killed process began to write after the last record is no record.
      if other.torn.contains(path), found.count == expected.count + 1 { found.removeLast() }
      guard found != expected else { continue }
      for (index, pair) in zip(expected, found).enumerated() where pair.0 != pair.1 {
        return "\(name): \(path) line \(index + 1)"
      }
      return "\(name): \(path) has \(found.count) lines, not \(expected.count)"
    }
    return nil
  }
}

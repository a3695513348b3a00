import Aggregation
import Scenario

/// The scenario's table as `list` and `explain` look at it.
enum ScenarioHelp {
  /// A word that a tag can take.
  struct Word: Equatable {
    /// The path of the section that has the tag, such as "data.partition".
    let section: String
    let tag: String
    let name: String
    let summary: String
  }

  /// Every field of the scenario.
  static let entries = FieldIndex.entries(of: ScenarioFields.root(infos: StrategyRegistry.infos))

  /// Every word of every tag, strategies left out, each in the section that introduces it.
  static let words: [Word] = {
    var all: [Word] = []
    for entry in entries where !entry.isRepetition {
      guard case .union(let union) = entry.field.type else { continue }
      for word in union.words {
        let new = Word(section: entry.path, tag: word.tag, name: word.name, summary: word.summary)
        // Several models have the same norms.
        if !all.contains(new) { all.append(new) }
      }
    }
    return all
  }()

  /// The words of one tag, such as "data.partition.kind".
  static func words(at path: String) -> [(name: String, words: String)] {
    var seen: Set<String> = []
    return words.filter { "\($0.section).\($0.tag)" == path && seen.insert($0.name).inserted }.map {
      ($0.name, $0.summary)
    }
  }

  /// A path without "$." and without the indices of lists.
  static func plainPath(_ path: String) -> String {
    let text = path.hasPrefix("$.") ? String(path.dropFirst(2)) : path
    var plain = ""
    var isIndex = false
    for letter in text {
      if letter == "[" { isIndex = true }
      if !isIndex { plain.append(letter) }
      if letter == "]" { isIndex = false }
    }
    return plain
  }
}

import Aggregation
import Base
import Data
import Records
import Scenario

/// How numbers over seeds, groups of classes and columns are shown.
package struct ReportStyle: Sendable, Equatable {
  /// What stands beside a mean; nil: the 95 % interval, and of two seeds their values.
  package var spread: Spread?
  package var shots = ShotNames.head
  /// The columns of the headline table, by name; empty for those that it has unless asked.
  package var columns: [String] = []

  package init() {}
}

/// What is said of values under several seeds beside their mean.
package enum Spread: String, Sendable, CaseIterable {
  /// Half-width of the 95 % interval by Student's t.
  case ci95
  /// The sample standard deviation.
  case std
  /// The least and the largest value.
  case range

  /// What it is, in a caption.
  package var words: String {
    switch self {
    case .ci95: "95 % interval of the mean"
    case .std: "one standard deviation"
    case .range: "least to largest seed"
    }
  }

  /// What is shown of so many values unless asked: Student's t of two is 12.7 deviations wide and
  /// says nothing, the two values do.
  package static func usual(_ count: Int) -> Spread { count == 2 ? .range : .ci95 }

  /// What stands beside means over at most so many seeds.
  package static func note(_ spread: Spread?, seeds most: Int, least: Int) -> String {
    guard most >= 2 else { return "single seed: no interval" }
    switch spread ?? usual(most) {
    case .std: return "\(most) seeds; mean ± standard deviation over seeds"
    case .range: return "\(most) seeds; mean [least, largest] over seeds"
    case .ci95:
      let interval = "\(most) seeds; mean ± half-width of the 95 % interval (Student t)"
      return spread == nil && least == 2 ? interval + "; of two seeds [least, largest]" : interval
    }
  }
}

extension SeedStatistics {
  /// The ends of what is shown of the seeds; nil with one.
  func ends(_ spread: Spread?) -> (low: Double, high: Double)? {
    guard let halfWidth, let standardDeviation else { return nil }
    switch spread ?? .usual(count) {
    case .ci95: return (mean - halfWidth, mean + halfWidth)
    case .std: return (mean - standardDeviation, mean + standardDeviation)
    case .range: return (least, most)
    }
  }
}

/// What frequent and rare classes are called, and by which rule they are told apart.
package enum ShotNames: String, Sendable, CaseIterable {
  /// Head, middle and tail by their share of all images.
  case head
  /// Many, medium and few by their number of images.
  case many

  var words: (head: String, middle: String, tail: String) {
    self == .head ? ("head", "middle", "tail") : ("many", "medium", "few")
  }

  func word(_ group: ShotGroups.Group) -> String {
    switch group {
    case .head: words.head
    case .middle: words.middle
    case .tail: words.tail
    }
  }

  /// Where `rounds.jsonl` has the accuracies of a generic model.
  var path: String { self == .head ? "generic.shots" : "generic.shotsAbsolute" }

  func shots(_ generic: RoundRecord.Generic?) -> RoundRecord.Shots? {
    self == .head ? generic?.shots : generic?.shotsAbsolute
  }

  func groups(_ counts: [Int]) -> ShotGroups? {
    self == .head ? .cumulativeShare(counts) : .absolute(counts)
  }

  /// What the words mean, where the rule is `rule`.
  func note(_ rule: String) -> String {
    let (head, middle, tail) = words
    return "\(head.prefix(1).uppercased() + head.dropFirst()), \(middle) and \(tail) are groups of "
      + "classes by training frequency (rule: \(rule)); a group's accuracy is the mean over its "
      + "classes."
  }
}

extension Column {
  /// The columns with these names, in their order, after the one that names the rows.
  ///
  /// - Throws: E2012 for a name that no column has (exit 2).
  package static func chosen(
    _ names: [String], from all: [Column<Row>], or other: (String) -> Column<Row>? = { _ in nil }
  ) throws(Failure) -> [Column<Row>] {
    var chosen = Array(all.prefix(1))
    for name in names where name != all.first?.heading.name {
      guard var column = all.first(where: { $0.heading.name == name }) ?? other(name) else {
        throw Suggestions.unknown("column", name, among: all.map(\.heading.name))
      }
      // Who asks for a column sees it, empty or not.
      column.isOptional = false
      column.heading.isDetail = false
      chosen.append(column)
    }
    return names.isEmpty ? all : chosen
  }
}

extension RunFolder {
  /// The names under which papers know the folder's methods, by label; a label of one's own stays.
  package var titles: [(label: String, title: String)] {
    entries.compactMap { entry in
      guard entry.settings["kind"]?.text == entry.label,
        let info = StrategyRegistry[entry.label]?.info
      else { return nil }
      return (entry.label, info.title)
    }
  }
}

import Base
import Scenario

/// One strategy with its runs of all folders.
package struct ComparedStrategy: Sendable {
  /// The name in the comparison: the label, with its folder where two folders mean two methods.
  package let label: String
  /// The finished runs by seed.
  package let runs: [UInt64: RunFolder.Part]

  package init(label: String, runs: [UInt64: RunFolder.Part]) {
    self.label = label
    self.runs = runs
  }

  /// The finished runs of a scenario that has just been run; strategies without one are left out,
  /// as in its folder.
  package static func finished(_ results: [StrategyResult], rounds: Int) -> [ComparedStrategy] {
    results.compactMap { result in
      let runs = result.runs.filter { run in run.records.last.map { $0.round >= rounds } ?? false }
      if runs.isEmpty { return nil }
      let parts = runs.map { ($0.seed, RunFolder.Part(folder: "", run: $0)) }
      return ComparedStrategy(label: result.label, runs: Dictionary(uniqueKeysWithValues: parts))
    }
  }

  /// The seeds, ascending.
  package var seeds: [UInt64] { runs.keys.sorted() }

  /// The strategies of all folders: same label and settings are one strategy, whose seeds add up.
  ///
  /// The same label with other settings is another strategy, and is called `label@folder`. A run
  /// that two folders have counts once.
  ///
  /// - Parameters:
  ///   - folders: in the order of the strategies.
  ///   - includingUnfinished: also runs that have not finished, as far as they came; of a run that
  ///     two folders have the one that came further.
  /// - Returns: in the order of the folders.
  /// - Throws: E7002 when two folders have the same run with different results; exit 7.
  package static func all(_ folders: [RunFolder], includingUnfinished: Bool = false) throws(Failure)
    -> [ComparedStrategy]
  {
    var groups: [(label: String, settings: String, path: String, runs: [UInt64: RunFolder.Part])] =
      []
    for folder in folders {
      for entry in folder.entries {
        let parts = includingUnfinished ? entry.runs + entry.begun : entry.runs
        if parts.isEmpty { continue }
        // The hash reads 1e-1 and 0.1 as one number, whatever the order of keys.
        let settings = ScenarioReading.hash(ofResolved: entry.settings)
        let known = groups.firstIndex { $0.label == entry.label && $0.settings == settings }
        let place = known ?? groups.count
        if known == nil { groups.append((entry.label, settings, folder.path, [:])) }
        for part in parts {
          if let other = groups[place].runs[part.run.seed] {
            try requireSame(other, part, entry.label)
            if part.run.records.count > other.run.records.count {
              groups[place].runs[part.run.seed] = part
            }
          } else {
            groups[place].runs[part.run.seed] = part
          }
        }
      }
    }
    return groups.map { group in
      let isUnique = groups.count { $0.label == group.label } == 1
      return ComparedStrategy(
        label: isUnique ? group.label : "\(group.label)@\(group.path)", runs: group.runs)
    }
  }

  private static func requireSame(
    _ first: RunFolder.Part, _ second: RunFolder.Part, _ label: String
  ) throws(Failure) {
    let (a, b) = (first.run.records, second.run.records)
    // Of a run that has not finished, the rounds that both have must agree.
    let common = min(a.count, b.count)
    if common == 0 || a[common - 1].digest == b[common - 1].digest { return }
    let round = zip(a, b).first { $0.digest != $1.digest }?.0.round
    throw Failure(
      .mismatch, "E7002",
      "\(first.folder) and \(second.folder) are the same run of \(label), but their digests differ"
        + (round.map { " from round \($0) on" } ?? ""),
      hint: "compare folders of one version and one kind of machine; environment.json says which")
  }
}

import Base
import Scenario

/// One strategy with its runs of all folders.
package struct ComparedStrategy: Sendable {
  /// The name in the comparison: the label, with its folder where two folders mean two methods.
  package let label: String
  /// The name without what tells apart those of one method under several protections.
  package var method: String
  /// The ε that it aims at; nil without one.
  package var target: Double?
  /// The finished runs by seed.
  package let runs: [UInt64: RunFolder.Part]

  package init(label: String, runs: [UInt64: RunFolder.Part]) {
    self.label = label
    method = label
    self.runs = runs
  }

  /// The finished runs of a scenario that has just been run; strategies without one are left out,
  /// as in its folder.
  package static func finished(_ results: [StrategyResult], rounds: Int, patience: Int? = nil)
    -> [ComparedStrategy]
  {
    results.compactMap { result in
      let runs = result.runs.filter { $0.reaches(rounds, patience: patience) }
      if runs.isEmpty { return nil }
      let parts = runs.map { ($0.seed, RunFolder.Part(folder: "", run: $0)) }
      return ComparedStrategy(label: result.label, runs: Dictionary(uniqueKeysWithValues: parts))
    }
  }

  /// What is shown of folders: of each strategy the finished runs, or, where none has finished,
  /// those that have begun, as far as they came.
  ///
  /// - Parameters:
  ///   - folders: in the order of the strategies.
  ///   - finished: `all(folders)`.
  /// - Throws: E7002 as `all` does (exit 7).
  /// - Returns: in the order of the folders.
  package static func shown(_ folders: [RunFolder], _ finished: [ComparedStrategy])
    throws(Failure) -> [ComparedStrategy]
  {
    try all(folders, includingUnfinished: true).map { begun in
      finished.first { $0.label == begun.label } ?? begun
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
    typealias Group = (
      label: String, settings: String, protection: JSON?, path: String,
      runs: [UInt64: RunFolder.Part]
    )
    var groups: [Group] = []
    for folder in folders {
      let conditions = folder.conditionsHash
      for entry in folder.entries {
        let parts = includingUnfinished ? entry.runs + entry.begun : entry.runs
        if parts.isEmpty { continue }
        // The hash reads 1e-1 and 0.1 as one number, whatever the order of keys.
        // Folders may differ in more than strategies where somebody asked for it.
        let protection = entry.settings["privacy"] ?? folder.resolved["privacy"]
        var own = entry.settings
        own["privacy"] = protection
        let settings = ScenarioReading.hash(ofResolved: own) + conditions
        let known = groups.firstIndex { $0.label == entry.label && $0.settings == settings }
        let place = known ?? groups.count
        if known == nil { groups.append((entry.label, settings, protection, folder.path, [:])) }
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
      let namesakes = groups.filter { $0.label == group.label }
      // Of one method under several budgets these say more than folders do.
      let words = namesakes.map { Self.words($0.protection) }
      let isApart = Set(words).count == words.count
      let suffix = isApart ? " \(Self.words(group.protection))" : "@\(group.path)"
      var strategy = ComparedStrategy(
        label: namesakes.count == 1 ? group.label : group.label + suffix, runs: group.runs)
      strategy.method = isApart ? group.label : strategy.label
      strategy.target = group.protection?["target"]?["epsilon"]?.double
      return strategy
    }
  }

  private static func words(_ protection: JSON?) -> String {
    guard let protection, protection.members != nil else { return "no privacy" }
    return protection["target"]?["epsilon"]?.double.map { "epsilon " + NumberText.plain($0) }
      ?? "privacy"
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

extension RunFolder {
  /// The hash of what runs need in common to be compared; where the data lie does not count.
  fileprivate var conditionsHash: String {
    var tree = resolved
    // With it an extended folder would have the hash of what it was before.
    let extended = "federation.extended"
    for path in SettingDifference.allowed + ["data.dataset.path", "privacy", extended] {
      _ = Overrides.apply(["\(path)=null"], to: &tree)
    }
    return ScenarioReading.hash(ofResolved: tree)
  }
}

import Base
import Scenario

/// A sweep, completely described: every trial with its scenario, nothing left to decide.
package struct Sweep: Sendable {
  /// In which order runs are made.
  package enum Order: String, Sendable, CaseIterable {
    /// All trials under the first seed, then under the next.
    case seedMajor = "seed-major"
    /// All seeds of the first trial, then the next trial.
    case trialMajor = "trial-major"
  }

  /// Names the folder.
  package let name: String
  package let bytes: [UInt8]
  /// The path of the scenario that trials start from, as given.
  package let base: String
  /// The content of that scenario.
  package let baseBytes: [UInt8]
  /// Where relative paths of that scenario, and of the trials' own settings, are looked for.
  package let places: PathPlaces
  /// The paths that trials set, in the order of the file.
  package let paths: [String]
  /// The trials, numbered from 1: grid, list, random.
  package let trials: [SweepTrial]
  /// In which order runs are made.
  package let order: Order
  /// How trials are stopped early; nil for not at all.
  package let halving: Halving?
  /// What the front is over.
  package let front: FrontSettings
  /// How trials are chosen for strategies; nil for not at all.
  package var tune: TuneSettings?

  /// All runs, in the order in which they are made.
  package var runs: [SweepRun] {
    let all = trials.flatMap(\.runs)
    guard order == .seedMajor else { return all }
    // Trials have the same seeds in the same order.
    let count = trials.map(\.runs.count).max() ?? 0
    return (0..<count).flatMap { place in
      trials.compactMap { $0.runs.indices.contains(place) ? $0.runs[place] : nil }
    }
  }
}

/// One point of a sweep: the scenario with some values of its own.
package struct SweepTrial: Sendable {
  /// From 1.
  package let number: Int
  /// `path=value` texts that make the trial of the base scenario.
  package let overrides: [String]
  /// The scenario; its seeds are those of all runs.
  package let scenario: Scenario
  /// The scenario with every default.
  package let resolved: JSON
  /// The value of each path of the sweep in this trial, defaults included; nil where the trial has
  /// no such field.
  package let values: [JSON?]
  /// One per seed.
  package let runs: [SweepRun]

  package var labels: [String] { scenario.strategies.map(\.label) }
  package var rounds: Int { scenario.federation.rounds }

  /// `path=value` for people, only the last name of each path; "" when nothing is set.
  package func words(_ paths: [String]) -> String {
    zip(paths, values).map { path, value in
      let name = path.split(separator: ".").last.map(String.init) ?? path
      return "\(name)=\(SweepTrial.text(value))"
    }.joined(separator: " ")
  }

  /// A value for people and tables: words without quotes; "none" when it is absent.
  package static func text(_ value: JSON?) -> String {
    guard let value else { return "none" }
    return value.text ?? value.compact
  }
}

/// One trial under one seed: all strategies of the scenario, in a run folder of its own.
package struct SweepRun: Sendable {
  package let trial: Int
  /// The only seed of the run.
  package let seed: UInt64
  /// Identity of the resolved scenario with this seed alone.
  package let hash: String

  /// The name of the run folder below `runs/`.
  package var folder: String { "\(hash)-s\(seed)" }
}

/// A part of a sweep's runs, such as 2/4: those whose hash leaves a certain remainder.
///
/// No coordinator is needed: every process knows from the hash alone which runs are its own.
package struct SweepShard: Sendable, Equatable {
  /// From 1 to `count`.
  package let index: Int
  /// How many parts there are.
  package let count: Int

  /// Reads "i/n" with 1 <= i <= n <= 1,000,000; nil when it is none.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
      let index = Int(parts[0]), let count = Int(parts[1]), (1...1_000_000).contains(count),
      (1...count).contains(index)
    else { return nil }
    self.index = index
    self.count = count
  }

  /// Whether a run is of this part.
  package func owns(_ run: SweepRun) -> Bool {
    (UInt64(run.hash, radix: 16) ?? 0) % UInt64(count) == UInt64(index - 1)
  }
}

import Dispatch
import Foundation
import Studies
import Synchronization

/// Makes tries of some kinds, in turn, and keeps what they find.
package struct Fuzzer: Sendable {
  /// What is tried, and for how long.
  package struct Plan: Sendable {
    package var seed: UInt64 = 1
    package var kinds = FuzzKind.allCases
    /// Tries of each kind; nil for no end but that of time.
    package var tries: Int? = 200
    /// The first number.
    package var first = 0
    /// When no further try begins; nil for no end but that of tries.
    package var minutes: Double?
    /// Tries at the same time.
    package var workers = 2
    /// Where findings go; nil for nowhere.
    package var folder: String?

    package init() {}
  }

  /// What one kind of finding looks like.
  package struct Report: Sendable {
    package let finding: Finding
    package let tried: FuzzCase
    /// How often it was met.
    package var count = 1

    /// A paragraph for people.
    package var text: String {
      """
      \(finding.oracle) (\(count)x), kind \(tried.kind.rawValue), seed \(tried.seed), \
      try \(tried.number): \(finding.detail)
        \(tried.steps.map(\.line).joined(separator: "\n  "))
        again: make fuzz SEED=\(tried.seed) KINDS=\(tried.kind.rawValue) TRY=\(tried.number)
      """
    }
  }

  private struct State {
    var next = 0
    var done = 0
    var reports: [String: Report] = [:]
  }

  package let plan: Plan
  package let trial: Trial

  package init(_ plan: Plan, target: Target) {
    self.plan = plan
    trial = Trial(target: target, shelf: Shelf(target: target))
  }

  /// The try of a kind with a number; nil when the kind has no more.
  package func make(_ kind: FuzzKind, _ number: Int) -> FuzzCase? {
    let seed = plan.seed
    switch kind {
    case .scenarios: return ScenarioKind.make(seed: seed, number: number)
    case .runs: return RunKind.make(seed: seed, number: number)
    case .pairs: return PairKind.make(seed: seed, number: number)
    case .data: return DataKind.make(seed: seed, number: number)
    case .folders: return FolderKind.make(seed: seed, number: number, shelf: trial.shelf)
    case .sweeps: return SweepKind.make(seed: seed, number: number)
    case .words: return WordKind.make(seed: seed, number: number)
    case .calculator: return CalculatorKind.make(seed: seed, number: number)
    }
  }

  /// Makes all tries; `tell` hears of each new finding and of progress.
  package func run(_ tell: @escaping @Sendable (String) -> Void) -> (tries: Int, reports: [Report])
  {
    let state = Mutex(State())
    let clock = ContinuousClock()
    let end = plan.minutes.map { clock.now + .seconds($0 * 60) }
    DispatchQueue.concurrentPerform(iterations: max(1, plan.workers)) { _ in
      while end.map({ clock.now < $0 }) ?? true {
        let index = state.withLock { state in
          state.next += 1
          return state.next - 1
        }
        let number = index / plan.kinds.count
        if let tries = plan.tries, number >= tries { return }
        let kind = plan.kinds[index % plan.kinds.count]
        guard let tried = make(kind, plan.first + number) else {
          if plan.kinds.count == 1 { return }
          continue
        }
        let finding = trial.run(tried)
        let isNew = state.withLock { state in
          state.done += 1
          if state.done % 100 == 0 { tell("\(state.done) tries") }
          guard let finding else { return false }
          if state.reports[finding.signature] != nil {
            state.reports[finding.signature]?.count += 1
            return false
          }
          state.reports[finding.signature] = Report(finding: finding, tried: tried)
          return true
        }
        if isNew, let finding { keep(finding, tried, state, tell) }
      }
    }
    return state.withLock { state in
      let reports = state.reports.keys.sorted().compactMap { state.reports[$0] }
      return (state.done, reports)
    }
  }

  /// Makes a new finding small, and writes it where findings go.
  private func keep(
    _ finding: Finding, _ tried: FuzzCase, _ state: borrowing Mutex<State>, _ tell: (String) -> Void
  ) {
    tell(Report(finding: finding, tried: tried).text)
    guard let folder = plan.folder else { return }
    let words = finding.signature.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" }
    let place = "\(folder)/\(tried.kind.rawValue)-\(tried.number)-" + String(words.prefix(60))
    // As it was found, in case that nobody waits for less.
    write(Report(finding: finding, tried: tried), to: place)
    // What takes long is tried less often.
    let budget = finding.oracle == "late" ? 6 : tried.steps.count == 1 ? 150 : 60
    var minimiser = Minimiser(trial, signature: finding.signature, budget: budget)
    let small = minimiser.minimised(tried)
    let again = trial.run(small) ?? finding
    let report = Report(finding: again, tried: small)
    state.withLock { state in
      let count = state.reports[finding.signature]?.count ?? 1
      state.reports[finding.signature] = Report(finding: again, tried: small, count: count)
    }
    write(report, to: place)
    tell("made small in \(place)")
  }

  private func write(_ report: Report, to path: String) {
    let manager = FileManager.default
    try? manager.createDirectory(atPath: path, withIntermediateDirectories: true)
    var text = report.text + "\n\nfile by file:\n"
    for file in report.tried.files { text += "  \(file.path): \(file.bytes.count) bytes\n" }
    for link in report.tried.links { text += "  \(link.name) -> \(link.target)\n" }
    for copy in report.tried.copies { text += "  \(copy.name): the folder \(copy.sample)\n" }
    for damage in report.tried.damages { text += "  changed: \(damage)\n" }
    text += "\n\(report.finding.signature)\n"
    try? Data(text.utf8).write(to: URL(filePath: path + "/finding.txt"))
    let folder = TryFolder()
    trial.prepare(report.tried, in: folder)
    try? manager.removeItem(atPath: path + "/input")
    try? manager.copyItem(atPath: folder.path, toPath: path + "/input")
  }
}

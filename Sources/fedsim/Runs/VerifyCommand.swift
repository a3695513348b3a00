import Base
import Federation
import Records
import Studies

/// The options of `fedsim verify`.
package struct VerifyOptions: Equatable {
  package let folder: String
  /// Rounds to compare; nil for all.
  package let rounds: ClosedRange<Int>?
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    rounds = try invocation.last("rounds").map { text throws(Failure) in try Self.range(text) }
    threads = try invocation.threads()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }

  /// "10..20", "10.." or "10".
  private static func range(_ text: String) throws(Failure) -> ClosedRange<Int> {
    var first: Substring = text[...]
    var last: Substring = first
    var place = text.startIndex
    while place < text.endIndex {
      if text[place...].hasPrefix("..") {
        first = text[..<place]
        last = text[text.index(place, offsetBy: 2)...]
        break
      }
      place = text.index(after: place)
    }
    let most = 1_000_000
    guard let low = Int(first), let high = last.isEmpty ? most : Int(last), 1 <= low, low <= high,
      high <= most
    else {
      throw Failure(
        .wrongCommandLine, "E2004", "--rounds \"\(text)\": expected A..B with 1 <= A <= B",
        hint: "as --rounds 10..20, --rounds 10.. or --rounds 10")
    }
    return low...high
  }
}

/// `fedsim verify`: runs a folder's rounds again and compares.
package enum VerifyCommand {
  package static func run(_ options: VerifyOptions) throws -> ExitCode {
    guard
      let folder = try ScenarioOfFolder.read(
        options.folder, format: options.format, isQuiet: options.isQuiet)
    else { return .scenarioInvalid }
    if let change = folder.change {
      throw Failure(
        .mismatch, "E7011",
        "\(options.folder) was made for another scenario than its files say: \(change)",
        hint: "verify with the version that wrote it, or restore scenario.json and overrides.json")
    }
    let isSilent = options.isQuiet || options.format == .json
    if !isSilent, let note = folder.buildNote { Console.tell("note: " + note) }
    let experiment = try Experiment(folder.scenario)
    let runs = try experiment.verify(
      options.folder, rounds: options.rounds, scenarioHash: folder.source.hash,
      threads: options.threads ?? Machine.coreCount
    ) { one in if options.format == .text { Console.print(line(one)) } }
    let files =
      options.rounds == nil ? try experiment.verifyFiles(options.folder, source: folder.source) : []
    let isFound = runs.contains { $0.compared > 0 || $0.mismatch != nil }
    guard isFound || !files.isEmpty else {
      throw Failure(
        .dataMissingOrCorrupt, "E4103", "\(options.folder) has no such rounds to compare",
        hint: "rounds.jsonl of its runs says which there are")
    }
    let failure = failure(options.folder, runs, files, note: folder.buildNote)
    switch options.format {
    case .json:
      Console.answer(
        isOK: failure == nil,
        [
          ("exit", .int(Int((failure?.exit ?? .done).rawValue))),
          ("code", failure.map { .string($0.code) } ?? .null), ("folder", .string(options.folder)),
          ("note", folder.buildNote.map(JSON.string) ?? .null), ("runs", .array(runs.map(json))),
          (
            "files", .array(files.map { ["path": .string($0.path), "reason": .string($0.reason)] })
          ),
        ])
    case .text:
      for file in files { Console.print("\(file.path): \(file.reason)") }
      if let failure {
        Console.report(failure, format: .text)
      } else {
        let rounds = runs.reduce(0) { $0 + $1.compared }
        Console.print("the same: \(rounds) rounds of \(runs.count) runs")
      }
    }
    return failure?.exit ?? .done
  }

  /// What is wrong in one sentence; nil when nothing is.
  private static func failure(
    _ folder: String, _ runs: [Verification], _ files: [FileMismatch], note: String?
  ) -> Failure? {
    let wrong = runs.compactMap(\.mismatch)
    if wrong.contains(where: { !$0.isLost }) {
      return Failure(
        .mismatch, "E7010", "\(folder) is not what its scenario gives here",
        hint: note ?? "files were changed, or memory failed; run it again")
    }
    if !wrong.isEmpty {
      return Failure(
        .mismatch, "E7012",
        "\(folder) does not hold all rounds of its scenario: \(wrong.count) of \(runs.count) runs "
          + "lack some",
        hint: "fedsim resume \(folder) runs what is missing; --rounds A..B compares what is there")
    }
    guard !files.isEmpty else { return nil }
    return Failure(
      .mismatch, "E7013",
      "\(folder): all runs are the same, and \(files.count) of the files beside them "
        + "\(files.count == 1 ? "is" : "are") not what they give",
      hint: "fedsim resume \(folder) writes them again")
  }

  private static func line(_ one: Verification) -> String {
    let head = "\(one.label)-s\(one.seed): "
    guard let mismatch = one.mismatch else {
      let from = one.start > 1 ? ", from the checkpoint of round \(one.start - 1)" : ""
      return head + "\(one.compared) rounds the same" + from
    }
    if mismatch.path == "folder" { return head + "the run is \(mismatch.recorded)" }
    if mismatch.isLost {
      return head + "\(one.compared) rounds the same, round \(mismatch.round) is absent"
    }
    return head + "round \(mismatch.round) differs in \(mismatch.path): recorded "
      + "\(mismatch.recorded), found \(mismatch.found)"
  }

  private static func json(_ one: Verification) -> JSON {
    .known([
      ("strategy", .string(one.label)), ("seed", .int(Int(one.seed))), ("start", .int(one.start)),
      ("compared", .int(one.compared)), ("same", .bool(one.mismatch == nil)),
      (
        "mismatch",
        one.mismatch.map {
          [
            "round": .int($0.round), "path": .string($0.path), "recorded": .string($0.recorded),
            "found": .string($0.found),
          ]
        }
      ),
    ])
  }
}

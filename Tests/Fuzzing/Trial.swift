import Foundation

/// Carries out tries: makes their folders, calls the program, asks the oracles.
package struct Trial: Sendable {
  package let target: Target
  package let shelf: Shelf

  package init(target: Target, shelf: Shelf) {
    self.target = target
    self.shelf = shelf
  }

  /// The first rule that a try breaks; nil when none.
  package func run(_ tried: FuzzCase) -> Finding? {
    // Tries on folders that could not be made would all be silent.
    for copy in tried.copies where shelf.files(of: copy.sample).isEmpty {
      return Finding(
        oracle: "prepare", step: 0, detail: "the folder \(copy.sample) cannot be made",
        signature: "prepare|\(copy.sample)")
    }
    let folder = TryFolder()
    let spool = TryFolder()
    prepare(tried, in: folder)
    var outcomes: [Outcome] = []
    for (index, step) in tried.steps.enumerated() {
      guard let outcome = target.call(step, in: folder.path, spool: spool.path) else {
        return Finding(oracle: "start", step: index, detail: target.program, signature: "start")
      }
      outcomes.append(outcome)
      if outcome.signal != 0, !outcome.isLate { return crash(tried, at: index, outcome) }
      if let finding = Oracles.judge(step, at: index, outcome) ?? Oracles.judge(
        tried, at: index, outcomes) ?? silentChange(tried, at: index, outcome, in: folder)
      {
        return finding
      }
    }
    return nil
  }

  /// Makes what lies in the folder before the first call.
  package func prepare(_ tried: FuzzCase, in folder: TryFolder) {
    for copy in tried.copies { shelf.copy(copy.sample, to: folder.path + "/" + copy.name) }
    for file in tried.files { folder.write(file) }
    for link in tried.links {
      let path = folder.path + "/" + link.name
      try? FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: link.target)
    }
    for damage in tried.damages { damage.apply(in: folder) }
  }

  /// The call that crashed once more, for the functions it crashed in.
  private func crash(_ tried: FuzzCase, at index: Int, _ first: Outcome) -> Finding? {
    let folder = TryFolder()
    let spool = TryFolder()
    prepare(tried, in: folder)
    for step in tried.steps.prefix(index) {
      _ = target.call(step, in: folder.path, spool: spool.path)
    }
    var slow = target
    slow.seconds = target.seconds + 60
    slow.kibibytes = 1 << 40
    let tracing =
      "enable=yes,color=no,interactive=no,threads=crashed,unwind=fast,limit=64,top=8,"
      + "images=none,registers=none,symbolicate=fast,cache=no"
    let step = tried.steps[index]
    let again = slow.call(
      step, in: folder.path, spool: spool.path, environment: ["SWIFT_BACKTRACE": tracing])
    // Without the limits of memory it may do well: then the first outcome tells.
    let told = again.flatMap { $0.signal == first.signal && !$0.isLate ? $0 : nil } ?? first
    return Oracles.judge(step, at: index, told)
  }

  /// A damaged folder that a command took for whole, with other numbers in it.
  private func silentChange(
    _ tried: FuzzCase, at index: Int, _ outcome: Outcome, in folder: TryFolder
  ) -> Finding? {
    let step = tried.steps[index]
    guard tried.kind == .folders, outcome.exit == 0, let copy = tried.copies.first,
      step.words.contains(copy.name), !step.words.contains("--print"),
      ["verify", "resume", "sweep"].contains(step.command)
    else { return nil }
    // Only after it was repeated or continued must all numbers be those of the whole run.
    let whole = step.command == "verify" ? copy.sample : copy.sample.completed
    let isAfterResume = tried.steps.prefix(index).contains { $0.command != "verify" }
    let expected = isAfterResume ? copy.sample.completed : whole
    guard let truth = shelf.tables(of: expected) else { return nil }
    let found = RunTables.read(folder.path + "/" + copy.name)
    guard let difference = truth.difference(from: found) else { return nil }
    return Finding(
      oracle: "silent-change", step: index, detail: "exit 0 with other numbers: \(difference)",
      signature: "silent-change|\(step.command)|\(difference.prefix { $0 != ":" })")
  }
}

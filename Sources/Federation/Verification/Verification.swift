import Aggregation
import Client
import Tensor

/// Whether a run folder says what its scenario gives: its rounds are run again and compared.
public struct Verification: Sendable, Equatable {
  /// The first thing of a run that is not the same.
  public struct Mismatch: Sendable, Equatable {
    /// The round.
    public let round: Int
    /// The path in the record, such as "digest" or "generic.accuracy".
    public let path: String
    /// What the folder says.
    public let recorded: String
    /// What was found now.
    public let found: String
  }

  /// The strategy's label.
  public let label: String
  /// The seed.
  public let seed: UInt64
  /// The first round that was run again, behind a checkpoint or 1.
  public var start = 1
  /// Rounds compared.
  public var compared = 0
  /// The first difference; nil when there is none.
  public var mismatch: Mismatch?

  /// Compares two records, but for how long things took on the machine.
  static func difference(_ recorded: RoundRecord, _ found: RoundRecord) -> Mismatch? {
    guard let (path, a, b) = first(in: timeless(recorded), timeless(found), "") else { return nil }
    return Mismatch(round: recorded.round, path: path, recorded: a, found: b)
  }

  private static func timeless(_ record: RoundRecord) -> JSON {
    var record = record
    record.time.wall = 0
    record.compression?.seconds = 0
    return record.json
  }

  /// The first path at which two trees differ, digests before everything that follows from them.
  private static func first(
    in a: JSON,
    _ b: JSON,
    _ path: String
  ) -> (path: String, String, String)? {
    guard let left = a.members, let right = b.members else {
      return a.compact == b.compact ? nil : (path, a.compact, b.compact)
    }
    let keys = left.map(\.key) + right.map(\.key).filter { key in !left.contains { $0.key == key } }
    for key in keys.filter({ $0 == "digest" }) + keys.filter({ $0 != "digest" }) {
      let name = path.isEmpty ? key : path + "." + key
      let (mine, theirs) = (a[key], b[key])
      guard let mine, let theirs else {
        return (name, mine?.compact ?? "absent", theirs?.compact ?? "absent")
      }
      if let found = first(in: mine, theirs, name) { return found }
    }
    return nil
  }
}

extension Experiment {
  /// Runs the rounds of a folder again and compares digests, measures, bytes and times.
  ///
  /// `rounds`: those to compare; nil for all that the folder has. A run starts at the newest of its
  /// checkpoints that lies before them.
  ///
  /// `report`: called after each run.
  ///
  /// Nothing is written. Stops at a run's first difference and goes on with the next run.
  ///
  /// - Throws: exit 9 while another process has the folder, exit 4 for damaged files.
  public func verify(
    _ folder: String,
    rounds: ClosedRange<Int>?,
    scenarioHash: String,
    threads: Int,
    report: (Verification) -> Void
  ) throws(Failure) -> [Verification] {
    try requireMemory(threads: threads)
    let lock = try FolderLock(folder)
    defer { withExtendedLifetime(lock) {} }
    var all: [Verification] = []
    let pretrained = try pretrained(in: nil)
    for (index, seed) in scenario.seeds.enumerated() {
      let arena = arena(index, threads: threads, pretrained: pretrained)
      var alone: [Int: [Int: Double]] = [:]
      for choice in runOrder {
        let path = FilePath.join(folder, "\(choice.label)-s\(seed)")
        guard FileKind(of: path) == .folder, let type = StrategyRegistry[choice.kind] else {
          continue
        }
        let isLocal = choice.kind == LocalOnly.card.kind
        let one = try verify(
          type,
          choice,
          arena,
          folder: path,
          hash: scenarioHash,
          alone: isLocal ? [:] : alone,
          rounds: rounds
        )
        if isLocal { alone = try RunFiles.scores(in: path) }
        all.append(one)
        report(one)
      }
    }
    return all
  }

  private func verify<Method: Strategy>(
    _ type: Method.Type,
    _ choice: Scenario.StrategyChoice,
    _ shared: Arena,
    folder: String,
    hash: String,
    alone: [Int: [Int: Double]],
    rounds: ClosedRange<Int>?
  ) throws(Failure) -> Verification {
    let arena = try adapted(shared, to: choice, type)
    let run = Run(
      simulation: Simulation(Method(choice.settings, arena.problem), arena),
      arena: arena,
      label: choice.label,
      folder: folder,
      scenarioHash: hash,
      alone: alone
    )
    let known = try RunFiles.records(in: folder)
    var result = Verification(label: choice.label, seed: arena.seed)
    let last = min(rounds?.upperBound ?? .max, known.last?.round ?? 0)
    let first = max(1, rounds?.lowerBound ?? 1)
    if first > 1, let checkpoint = try run.checkpoint(before: first) {
      run.simulation.restore(checkpoint)
      result.start = checkpoint.round + 1
      let digest = Digest.hex(checkpoint.digest)
      if let record = known.first(where: { $0.round == checkpoint.round }), record.digest != digest
      {
        result.mismatch = Verification.Mismatch(
          round: checkpoint.round,
          path: "checkpoint",
          recorded: record.digest,
          found: digest
        )
        return result
      }
    }
    var measured = RunResult()
    while run.simulation.round < last || (known.first?.round == 0 && result.compared == 0) {
      let next = run.simulation.round + 1
      let round: MeasuredRound
      do throws(Divergence) {
        round = try run.measuredRound(&measured, evaluates: next >= first)
      } catch {
        result.mismatch = Verification.Mismatch(
          round: next,
          path: "digest",
          recorded: known.first { $0.round == next }?.digest ?? "absent",
          found: "diverged"
        )
        return result
      }
      guard round.record.round >= first || known.first?.round == 0 else { continue }
      result.compared += 1
      guard let record = known.first(where: { $0.round == round.record.round }) else {
        result.mismatch = Verification.Mismatch(
          round: round.record.round,
          path: "round",
          recorded: "absent",
          found: round.record.digest
        )
        return result
      }
      result.mismatch = Verification.difference(record, round.record)
      if result.mismatch != nil { return result }
    }
    return result
  }
}

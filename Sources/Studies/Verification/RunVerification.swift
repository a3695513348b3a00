import Aggregation
import Base
import Client
import Federation
import Records
import Scenario
import Tensor

/// One run, made again and held against its folder.
struct RunVerification {
  private let run: Run
  private let known: [RoundRecord]
  /// The rounds that are compared, as asked; nil for all, with all tables and models.
  private let rounds: ClosedRange<Int>?
  private let isSealed: Bool
  private let plan: RunFiles.Plan
  private var verification: Verification
  private var measured = RunResult()

  private var scenario: Scenario { run.context.scenario }
  private var folder: String { run.folder }

  /// Reads what the run recorded.
  ///
  /// `isSealed`: whether its version kept records of tables.
  init(_ run: Run, rounds: ClosedRange<Int>?, isSealed: Bool) throws(Failure) {
    self.run = run
    self.rounds = rounds
    self.isSealed = isSealed
    known = try RunTrace.records(in: run.folder)
    plan = run.plan
    verification = Verification(label: run.label, seed: run.context.seed)
  }

  /// Compares; the first difference ends it.
  mutating func result() throws(Failure) -> Verification {
    verification.mismatch = try firstMismatch()
    return verification
  }

  /// The rounds that the run should have: fewer where its validation images ended it.
  private var total: Int {
    let all = scenario.federation.rounds
    guard let reached = known.last?.round, reached < all,
      BestRound(known).isOver(scenario.evaluation.patience)
    else { return all }
    return reached
  }

  private mutating func firstMismatch() throws(Failure) -> Verification.Mismatch? {
    let total = self.total
    let last = min(rounds?.upperBound ?? .max, total)
    let first = max(1, rounds?.lowerBound ?? 1)
    measured.best = BestRound(known.filter { $0.round < first })
    if first > 1, let wrong = try goOn(before: first) { return wrong }
    var tables: TableEvidence?
    if rounds == nil {
      tables = try TableEvidence(folder, plan, digest: run.simulation.digest)
      if let wrong = tables?.begin(hasRounds: total > 0) { return wrong }
    }
    // A run that diverged has no record of the round in which it did.
    let diverged = try RunFiles.hasDiverged(folder) ? known.count + 1 : nil
    var isFresh = total == 0
    while run.simulation.round < last || isFresh {
      isFresh = false
      let next = total == 0 ? 0 : run.simulation.round + 1
      let recorded = known.first { $0.round == next }
      guard recorded != nil || next == diverged else {
        return Verification.Mismatch(
          round: next, path: "round", recorded: "absent", found: "\(total) rounds in the scenario")
      }
      let round: MeasuredRound
      do throws(RoundFailure) {
        round = try run.measuredRound(&measured, evaluates: next >= first)
      } catch {
        guard case .diverged = error else { throw error.failure(run: run.name) }
        if next == diverged { return try ending(tables, at: next - 1) }
        return Verification.Mismatch(
          round: next, path: "digest", recorded: recorded?.digest ?? "absent", found: "diverged")
      }
      guard next >= first || total == 0 else { continue }
      guard let recorded else {
        return Verification.Mismatch(
          round: next, path: "digest", recorded: "diverged", found: round.record.digest)
      }
      verification.compared += 1
      if let wrong = Verification.difference(recorded, round.record) { return wrong }
      if let wrong = tables?.take(round.lines, round: next) { return wrong }
    }
    guard rounds == nil else { return nil }
    if let wrong = try ending(tables, at: total) { return wrong }
    return try models()
  }

  /// Goes on from the newest checkpoint before a round, if there is one.
  private mutating func goOn(before first: Int) throws(Failure) -> Verification.Mismatch? {
    guard let checkpoint = try run.checkpoint(before: first) else { return nil }
    run.simulation.restore(checkpoint)
    verification.start = checkpoint.round + 1
    let digest = Digest.hex(checkpoint.digest)
    guard let record = known.first(where: { $0.round == checkpoint.round }), record.digest != digest
    else { return nil }
    return Verification.Mismatch(
      round: checkpoint.round, path: "checkpoint", recorded: record.digest, found: digest)
  }

  /// What comes after the last round, and what is promised of the bytes of the tables: times,
  /// too.
  private func ending(_ tables: TableEvidence?, at round: Int) throws(Failure) -> Verification
    .Mismatch?
  {
    if let wrong = tables?.end(round: round) { return wrong }
    if let last = known.last, last.round > round {
      return Verification.Mismatch(
        round: last.round, path: "round", recorded: last.digest, found: "absent")
    }
    func wrong(_ path: String, _ recorded: String, _ found: String) -> Verification.Mismatch {
      Verification.Mismatch(round: round, path: path, recorded: recorded, found: found)
    }
    do throws(Failure) {
      if let promised = try TableRecord.read(in: folder) {
        if let damage = try promised.damage(in: folder) {
          return wrong(TableRecord.fileName, damage.sentence, "what was written")
        }
      } else if isSealed {
        return wrong(TableRecord.fileName, "absent", "the record of its tables")
      }
      if plan.hasBoard {
        let path = FilePath.join(folder, "tensorboard/" + EventFile.name)
        let scores = try RunTrace.scores(in: folder, upTo: .max, clients: plan.population)
        let found = try FileReader.optional(path, what: "the file for TensorBoard")
        if found != EventFile.bytes(known, scores) {
          return wrong(
            "tensorboard/" + EventFile.name, found == nil ? "absent" : "other bytes",
            "what rounds.jsonl and clients.csv give")
        }
      }
    } catch { return wrong(TableRecord.fileName, error.message, "what was written") }
    return nil
  }

  /// The checkpoint of the end, models and diagnostics.
  private func models() throws(Failure) -> Verification.Mismatch? {
    let round = total
    var wrong: Verification.Mismatch?
    func compare(_ name: String, _ expected: [UInt8], isNeeded: Bool = true) throws(Failure) {
      if wrong != nil { return }
      let found = try FileReader.optional(FilePath.join(folder, name), what: "a file of a run")
      if found == expected || found == nil && !isNeeded { return }
      wrong = Verification.Mismatch(
        round: round, path: name, recorded: found == nil ? "absent" : "other bytes",
        found: "\(expected.count) bytes")
    }
    // Whoever has finished may do without checkpoints.
    let state = run.simulation.checkpoint
    try compare(
      "checkpoints/last.safetensors",
      state.file(scenarioHash: run.scenarioHash, run: run.name).encoded(), isNeeded: false)
    try run.eachModel { name, bytes throws(Failure) in try compare(RunFiles.model(name), bytes) }
    if wrong == nil, scenario.evaluation.diagnostics, let model = run.simulation.diagnostics() {
      try compare(ModelDiagnostics.fileName, Array(model.json.sealed.pretty.utf8))
    }
    return wrong
  }
}

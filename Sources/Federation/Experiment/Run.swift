import Aggregation
import Base
import Client
import Data
import Records
import Scenario
import Tensor

/// One strategy under one seed from its first round, or from its checkpoint, to its last.
package struct Run {
  package let simulation: Simulation
  package let context: RunContext
  package let label: String
  package let folder: String
  package let scenarioHash: String
  /// Accuracy of each client by round when it trains alone; empty without that reference.
  let alone: [Int: [Int: Double]]
  /// Seconds from which on a round is long: one that follows is not waited for when somebody asks
  /// to stop, so what it starts from is kept until it has ended.
  var patience = 1.0

  /// Such as "fedavg-s1".
  package var name: String { "\(label)-s\(context.seed)" }

  /// Which files it has.
  package var plan: RunFiles.Plan {
    RunFiles.Plan(
      run: name, scenarioHash: scenarioHash, population: context.problem.clients,
      isPrivate: context.privacy != nil, isClocked: simulation.clock != nil,
      hasBoard: context.scenario.output.tensorboard)
  }

  /// Runs the remaining rounds, or those up to `last`.
  ///
  /// `interruption`: asked after each round; a code stops the run with a checkpoint.
  ///
  /// `earlier`: called with the rounds that are there already.
  ///
  /// `report`: called after each round.
  func complete(
    until last: Int? = nil, _ interruption: () -> ExitCode?,
    earlier: ([RoundRecord]) -> Void = { _ in }, report: (RoundRecord) -> Void
  ) throws(Failure) -> RunResult {
    let (files, begun, before) = try begin()
    earlier(begun.records)
    var (result, saved) = (begun, before)
    let rounds = context.scenario.federation.rounds
    let every = context.scenario.output.checkpointEvery
    func save(_ checkpoint: Checkpoint) throws(Failure) {
      try write(checkpoint, files)
      saved = checkpoint.round
    }
    var isLong = false
    var isFresh = rounds == 0  // without rounds the initial model is measured
    let stop = min(last ?? rounds, rounds)
    let waits = context.scenario.evaluation.patience
    while simulation.round < stop && !result.best.isOver(waits) || isFresh {
      isFresh = false
      // A copy of what a round starts from costs little beside a long round.
      let start = isLong && saved != simulation.round ? simulation.checkpoint : nil
      guard let round = try round(&result, files, start, saved) else {
        if let start, context.stop.wasSeen { try save(start) }
        if context.stop.wasSeen {
          result.end = .interrupted(interruption() ?? .interrupted)
          result.stillness = stillness(result.records)
        }
        return result
      }
      try files.append(round)
      result.records.append(round.record)
      isLong = round.record.time.wall >= patience
      report(round.record)
      if let exit = interruption(), simulation.round < stop, !result.best.isOver(waits) {
        try save(simulation.checkpoint)
        result.end = .interrupted(exit)
        result.stillness = stillness(result.records)
        return result
      }
      if every > 0, simulation.round % every == 0 { try save(simulation.checkpoint) }
    }
    if saved != simulation.round { try save(simulation.checkpoint) }
    if simulation.round < rounds, !result.best.isOver(waits) {
      result.end = .paused
      return result
    }
    result.stillness = stillness(result.records)
    try eachModel { name, bytes throws(Failure) in try files.writeModel(bytes, name: name) }
    if context.scenario.evaluation.diagnostics { try files.write(simulation.diagnostics()) }
    return result
  }

  /// Goes on from the checkpoint, if there is one, and opens the files where it ends.
  ///
  /// - Returns: the files, the rounds that are there, and the round of the checkpoint or -1.
  private func begin() throws(Failure) -> (RunFiles, RunResult, saved: Int) {
    let checkpoints = RunFiles.checkpoints(folder)
    let promised = try TableRecord.read(in: folder)
    let checkpoint = try usableCheckpoint(checkpoints, promised)
    if let checkpoint {
      simulation.restore(checkpoint)
      let count = context.scenario.output.keepCheckpoints
      try Checkpoint.keep(checkpoint.round, in: checkpoints, count)
    }
    let files = try RunFiles(folder, upTo: simulation.round, promised, plan)
    DivergenceReport.remove(from: folder)
    if simulation.round == 0, context.scenario.federation.rounds > 0 {
      try files.begin(digest: simulation.digest)
    }
    var result = RunResult(records: files.records, scores: files.scores)
    result.notes = notes(promised, checkpoint, files)
    return (files, result, checkpoint?.round ?? -1)
  }

  /// The next round; nil when it diverged, which is then noted, or was left.
  ///
  /// `start`: what it starts from, where that is kept; with it, or where nothing is lost, the round
  /// may be left when somebody asks to stop.
  private func round(
    _ result: inout RunResult, _ files: RunFiles, _ start: Checkpoint?, _ saved: Int
  ) throws(Failure) -> MeasuredRound? {
    context.stop.allow(start != nil || saved == simulation.round || simulation.round == 0)
    defer { context.stop.allow(false) }
    do throws(RoundFailure) {
      let round = try measuredRound(&result)
      // A worker that left its work reported a divergence, which somebody may have taken for none.
      return context.stop.wasSeen ? nil : round
    } catch {
      if context.stop.wasSeen { return nil }
      context.stop.allow(false)
      try files.promise(result.records.last?.round ?? 0)
      guard case .diverged(let found) = error else { throw error.failure(run: name) }
      let divergence = DivergenceReport(
        try traced(found), label: label, context,
        losses: result.records.compactMap { $0.train?.loss }, lastCheckpoint: saved)
      try divergence.write(to: folder)
      result.end = .diverged(divergence)
      return nil
    }
  }

  /// Writes a checkpoint, after the promise of the tables that it goes with.
  private func write(_ checkpoint: Checkpoint, _ files: RunFiles) throws(Failure) {
    try files.promise(checkpoint.round)
    try checkpoint.write(
      to: RunFiles.checkpoints(folder), scenarioHash: scenarioHash, run: name,
      keeping: context.scenario.output.keepCheckpoints)
  }

  /// The client whose upload made the server's model not finite, if there is one: found by running
  /// the rounds since the last checkpoint again and looking through every upload.
  private func traced(_ divergence: Divergence) throws(Failure) -> Divergence {
    guard divergence.client == nil else { return divergence }
    var context = context
    context.checksUploads = true
    let replay = Simulation(simulation.method, context)
    if let checkpoint = try Checkpoint.read(
      from: RunFiles.checkpoints(folder), scenarioHash: scenarioHash, run: name)
    {
      replay.restore(checkpoint)
    }
    do throws(RoundFailure) {
      while replay.round < divergence.round { _ = try replay.runRound() }
    } catch .diverged(let found) { return found } catch { throw error.failure(run: name) }
    return divergence
  }

  /// The newest checkpoint before a round; nil for none.
  package func checkpoint(before round: Int) throws(Failure) -> Checkpoint? {
    let folder = RunFiles.checkpoints(folder)
    let older = Checkpoint.kept(in: folder).filter { $0.round < round }.sorted {
      $0.round > $1.round
    }.map(\.name)
    for name in ["last.safetensors"] + older {
      let checkpoint = try Checkpoint.read(
        from: folder, name, scenarioHash: scenarioHash, run: self.name)
      if let checkpoint, checkpoint.round < round { return checkpoint }
    }
    return nil
  }

  /// The checkpoint from which the run goes on; nil to begin.
  ///
  /// - Throws: exit 4 when tables are not what is promised of them, or nothing is promised.
  private func usableCheckpoint(_ checkpoints: String, _ promised: TableRecord?) throws(Failure)
    -> Checkpoint?
  {
    if let promised {
      guard promised.run == name, promised.scenarioHash == scenarioHash else {
        throw Failure(
          .folderInUse, "E9002",
          "\(FilePath.join(folder, TableRecord.fileName)) belongs to another scenario",
          hint: "choose another folder with --out")
      }
      try promised.check(folder)
    }
    guard
      let checkpoint = try Checkpoint.read(from: checkpoints, scenarioHash: scenarioHash, run: name)
    else { return nil }
    guard let promised, promised.round >= checkpoint.round else {
      throw TableRecord.missing(
        folder,
        "there is a checkpoint of round \(checkpoint.round) in \(folder), but no "
          + "\(TableRecord.fileName) that reaches it")
    }
    let known = try RunTrace.records(in: folder)
    let digest = Digest.hex(checkpoint.digest)
    guard
      checkpoint.round == 0
        || known.count >= checkpoint.round && known[checkpoint.round - 1].digest == digest
    else {
      throw Failure(
        .dataMissingOrCorrupt, "E4123",
        "the checkpoint in \(checkpoints) is not that of round \(checkpoint.round) in "
          + FilePath.join(folder, "rounds.jsonl"),
        hint: "restore both from one copy, or delete \(folder): fedsim resume repeats this run")
    }
    return checkpoint
  }

  /// What was made anew, in sentences.
  private func notes(_ promised: TableRecord?, _ checkpoint: Checkpoint?, _ files: RunFiles)
    -> [String]
  {
    var notes: [String] = []
    if let promised, promised.round > 0, checkpoint == nil {
      notes.append(
        "\(name): its checkpoint is not there; the \(promised.round) rounds that it had are run "
          + "again")
    }
    if files.hasNewBoard {
      notes.append("\(name): its file for TensorBoard was made anew from rounds.jsonl")
    }
    return notes
  }

  /// One round with its evaluation; nothing is written.
  package func measuredRound(_ result: inout RunResult, evaluates: Bool = true) throws(RoundFailure)
    -> MeasuredRound
  {
    let start = SystemClock.steady()
    let round = context.scenario.federation.rounds > 0 ? try simulation.runRound() : nil
    var record = RoundRecord(
      round: simulation.round, sampled: round?.sampled ?? [],
      bytes: RoundRecord.Bytes(up: 0, down: 0), time: RoundRecord.Time(wall: 0),
      digest: Digest.hex(simulation.digest))
    if let round, round.report.steps > 0 {
      record.train = RoundRecord.Train(
        loss: round.report.lossSum / round.report.exampleWeight, examples: round.report.examples,
        steps: round.report.steps, flops: Double(round.flops))
    }
    let isEvaluated = context.scenario.isEvaluated(simulation.round)
    let parts = simulation.describe(record, isEvaluated: isEvaluated)
    record = parts.record
    var rows: [ClientRow] = []
    let evaluationStart = context.flops
    if evaluates, isEvaluated {
      let evaluation = try simulation.evaluate()
      record.generic = evaluation.generic
      record.unseen = evaluation.unseen
      record.validation = evaluation.validation
      result.best.add(record)
      if context.scenario.evaluation.best { record.validation?.best = result.best.round }
      let reference = alone[simulation.round]
      record.personal = Metrics.personal(
        evaluation.scores.map(\.accuracy), model: evaluation.scored,
        alone: reference.map { known in evaluation.scores.indices.map { known[$0] ?? .nan } },
        perClass: evaluation.scores.map(\.perClass), global: evaluation.scores.map(\.global),
        trainCounts: context.split.classCounts)
      rows = clientRows(evaluation, reference, ClientEpsilons(record.privacy, parts.privacy))
      result.scores[simulation.round] = Dictionary(
        uniqueKeysWithValues: rows.map { ($0.client, $0.accuracy) })
    }
    record.time.wall = SystemClock.steady() - start
    return MeasuredRound(
      record: record,
      lines: RoundLines(
        record, broadcast: parts.broadcast, messages: parts.messages, clients: rows,
        trainCounts: context.split.classCounts, privacy: parts.privacy, events: parts.events),
      privacy: parts.privacy, accuracies: rows.map(\.accuracy),
      clientFLOPs: round?.clientFLOPs ?? [], trainSeconds: round?.trainSeconds ?? 0,
      evaluationFLOPs: context.flops - evaluationStart)
  }

  /// One row per client that can be measured.
  private func clientRows(
    _ evaluation: EvaluationResult, _ reference: [Int: Double]?, _ epsilons: ClientEpsilons
  ) -> [ClientRow] {
    evaluation.scores.indices.compactMap { client in
      let score = evaluation.scores[client]
      if score.accuracy.isNaN { return nil }
      var row = ClientRow(
        round: simulation.round, client: client, trainCount: context.split.clients[client].count,
        testCount: Double(context.localTests.images(of: client).count), accuracy: score.accuracy,
        loss: score.loss, accuracyAlone: reference?[client], globalAccuracy: score.global)
      (row.strategy, row.seed, row.epsilon) = (label, context.seed, epsilons[client])
      return row
    }
  }

  /// Hands over each model of the end: its name below `final/` and the bytes of its file.
  package func eachModel(_ take: (_ name: String, _ bytes: [UInt8]) throws(Failure) -> Void)
    throws(Failure)
  {
    func file(_ model: [Float], _ layout: ParameterLayout) -> [UInt8] {
      var file = layout.safetensors(model, metadata: ["format": "pt"])
      file.seal()
      return file.encoded()
    }
    if let model = simulation.genericModel() {
      try take("generic", file(model, context.problem.layout))
    }
    guard simulation.method.models.contains(.personal), context.scenario.output.personalModels
    else {
      return
    }
    let digits = max(3, String(context.problem.clients - 1).count)
    for client in context.split.clients.indices where !context.split.clients[client].isEmpty {
      // A divergence in a last fine-tuning leaves that client without a file, nothing else.
      guard let model = try? simulation.model(of: client, worker: 0) else { continue }
      let number = String(client)
      let padded = String(repeating: "0", count: digits - number.count) + number
      try take("personal/" + padded, file(model, context.problem.network(of: client).layout))
    }
  }
}

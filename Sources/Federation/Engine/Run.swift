import Aggregation
import Client
import Tensor

/// How a run ended.
enum RunEnd: Equatable {
  case finished
  /// It stands behind a checkpoint at the round that it was to reach.
  case paused
  case diverged(DivergenceReport)
  case interrupted(ExitCode)
}

/// What a run leaves behind in memory, for summaries and for the runs after it.
struct RunResult {
  var records: [RoundRecord] = []
  /// Accuracy of each client by evaluated round.
  var scores: [Int: [Int: Double]] = [:]
  var end = RunEnd.finished
}

/// One strategy under one seed from its first round, or from its checkpoint, to its last.
struct Run<Method: Strategy> {
  let simulation: Simulation<Method>
  let arena: Arena
  let label: String
  let folder: String
  let scenarioHash: String
  /// Accuracy of each client by round when it trains alone; empty without that reference.
  let alone: [Int: [Int: Double]]

  private var name: String { "\(label)-s\(arena.seed)" }

  /// Runs the remaining rounds, or those up to `last`.
  ///
  /// `interruption`: asked after each round; a code stops the run behind a checkpoint.
  ///
  /// `report`: called after each round.
  func complete(
    until last: Int? = nil,
    _ interruption: () -> ExitCode?,
    _ report: (RoundRecord) -> Void
  ) throws(Failure) -> RunResult {
    let checkpoints = RunFiles.checkpoints(folder)
    let checkpoint = try usableCheckpoint(checkpoints)
    if let checkpoint {
      simulation.restore(checkpoint)
      let count = arena.scenario.output.keepCheckpoints
      try Checkpoint.keep(checkpoint.round, in: checkpoints, count)
    }
    let rounds = arena.scenario.federation.rounds
    let files = try RunFiles(
      folder,
      upTo: simulation.round,
      isPrivate: arena.privacy != nil,
      isClocked: simulation.clock != nil,
      hasBoard: arena.scenario.output.tensorboard
    )
    DivergenceReport.remove(from: folder)
    if simulation.round == 0, rounds > 0 { try files.begin(digest: simulation.digest) }
    var result = RunResult(records: files.records, scores: files.scores)

    let every = arena.scenario.output.checkpointEvery
    var saved = checkpoint?.round ?? -1
    func save() throws(Failure) {
      try files.sync()
      try simulation.checkpoint.write(
        to: checkpoints,
        scenarioHash: scenarioHash,
        run: name,
        keeping: arena.scenario.output.keepCheckpoints
      )
      saved = simulation.round
    }
    var isFresh = rounds == 0  // without rounds the initial model is measured
    let stop = min(last ?? rounds, rounds)
    while simulation.round < stop || isFresh {
      isFresh = false
      let round: MeasuredRound
      do throws(Divergence) {
        round = try measuredRound(&result)
      } catch {
        try files.sync()
        let divergence = DivergenceReport(
          try traced(error),
          label: label,
          arena,
          losses: result.records.compactMap { $0.train?.loss },
          lastCheckpoint: saved
        )
        try divergence.write(to: folder)
        result.end = .diverged(divergence)
        return result
      }
      try files.append(round)
      result.records.append(round.record)
      report(round.record)
      if let exit = interruption(), simulation.round < stop {
        try save()
        result.end = .interrupted(exit)
        return result
      }
      if every > 0, simulation.round % every == 0 { try save() }
    }
    if saved != simulation.round { try save() }
    if simulation.round < rounds {
      result.end = .paused
      return result
    }
    try writeModels(files)
    if arena.scenario.evaluation.diagnostics { try files.write(simulation.diagnostics()) }
    return result
  }

  /// The client behind a server's model that is not finite, if there is one: found by running the
  /// rounds since the last checkpoint again and looking through every upload.
  private func traced(_ divergence: Divergence) throws(Failure) -> Divergence {
    guard divergence.client == nil else { return divergence }
    var arena = arena
    arena.checksUploads = true
    let replay = Simulation(simulation.method, arena)
    if let checkpoint = try usableCheckpoint(RunFiles.checkpoints(folder)) {
      replay.restore(checkpoint)
    }
    do throws(Divergence) {
      while replay.round < divergence.round { _ = try replay.runRound() }
    } catch {
      return error
    }
    return divergence
  }

  /// The newest checkpoint that lies before a round; nil for none.
  func checkpoint(before round: Int) throws(Failure) -> Checkpoint? {
    let folder = RunFiles.checkpoints(folder)
    let older = Checkpoint.kept(in: folder).filter { $0.round < round }
      .sorted { $0.round > $1.round }.map(\.name)
    for name in ["last.safetensors"] + older {
      let checkpoint = try Checkpoint.read(
        from: folder,
        name,
        scenarioHash: scenarioHash,
        run: self.name
      )
      if let checkpoint, checkpoint.round < round { return checkpoint }
    }
    return nil
  }

  /// The checkpoint, if the trace reaches it: a trace that lost lines can only be written anew.
  private func usableCheckpoint(_ checkpoints: String) throws(Failure) -> Checkpoint? {
    guard
      let checkpoint = try Checkpoint.read(
        from: checkpoints,
        scenarioHash: scenarioHash,
        run: name
      )
    else { return nil }
    let digest = Digest.hex(checkpoint.digest)
    let known = try RunFiles.records(in: folder)
    let isCovered =
      checkpoint.round == 0
      || known.prefix(checkpoint.round).last.map {
        $0.round == checkpoint.round && $0.digest == digest
      }
        ?? false
    return isCovered ? checkpoint : nil
  }

  /// One round with its evaluation; nothing is written.
  func measuredRound(
    _ result: inout RunResult,
    evaluates: Bool = true
  ) throws(Divergence) -> MeasuredRound {
    let start = Terminal.now()
    let outcome =
      arena.scenario.federation.rounds > 0
      ? try simulation.runRound() : Simulation<Method>.Outcome()
    var record = RoundRecord(
      round: simulation.round,
      sampled: outcome.sampled,
      bytes: outcome.bytes,
      time: RoundRecord.Time(wall: 0),
      digest: Digest.hex(simulation.digest)
    )
    if outcome.report.steps > 0 {
      record.train = RoundRecord.Train(
        loss: outcome.report.lossSum / outcome.report.exampleWeight,
        examples: outcome.report.examples,
        steps: outcome.report.steps,
        flops: Double(outcome.flops)
      )
    }
    if let compression = outcome.compression {
      record.compression = RoundRecord.Compression(compression)
      record.bytes.dense = compression.dense
      record.bytes.entropy = RoundRecord.Bytes.Link(
        up: Int(clamping: compression.entropy.up.rounded(.up)),
        down: Int(clamping: compression.entropy.down.rounded(.up))
      )
    }
    record.note(outcome.clock, simulation.clock?.settings ?? SystemSettings())
    let spent = simulation.privacyTrace(
      outcome.privacy,
      exact: arena.scenario.isEvaluated(simulation.round)
    )
    record.privacy = spent?.record
    var rows: [ClientRow] = []
    let evaluationStart = arena.flops
    if evaluates, arena.scenario.isEvaluated(simulation.round) {
      let evaluation = try simulation.evaluate()
      record.generic = evaluation.generic
      let reference = alone[simulation.round]
      record.personal = Metrics.personal(
        evaluation.scores.map(\.accuracy),
        model: evaluation.scored,
        alone: reference.map { known in evaluation.scores.indices.map { known[$0] ?? .nan } },
        perClass: evaluation.scores.map(\.perClass),
        global: evaluation.scores.map(\.global),
        trainCounts: arena.split.classCounts
      )
      rows = clientRows(evaluation, reference)
      result.scores[simulation.round] = Dictionary(
        uniqueKeysWithValues: rows.map { ($0.client, $0.accuracy) }
      )
    }
    record.time.wall = Terminal.now() - start
    return MeasuredRound(
      record: record,
      lines: RoundLines(
        record,
        broadcast: outcome.broadcast,
        messages: outcome.messages,
        clients: rows,
        trainCounts: arena.split.classCounts,
        privacy: spent?.line,
        events: outcome.clock?.timeline ?? []
      ),
      privacy: spent?.line,
      accuracies: rows.map(\.accuracy),
      clientFLOPs: outcome.clientFLOPs,
      trainSeconds: outcome.trainSeconds,
      evaluationFLOPs: arena.flops - evaluationStart
    )
  }

  /// One row per client that can be measured.
  private func clientRows(
    _ evaluation: EvaluationResult,
    _ reference: [Int: Double]?
  ) -> [ClientRow] {
    evaluation.scores.indices.compactMap { client in
      let score = evaluation.scores[client]
      if score.accuracy.isNaN { return nil }
      return ClientRow(
        round: simulation.round,
        client: client,
        trainCount: arena.split.clients[client].count,
        testCount: Double(arena.localTests.images(of: client).count),
        accuracy: score.accuracy,
        loss: score.loss,
        accuracyAlone: reference?[client],
        globalAccuracy: score.global
      )
    }
  }

  private func writeModels(_ files: RunFiles) throws(Failure) {
    if let model = simulation.genericModel() {
      try files.writeModel(model, arena.problem.layout, name: "generic")
    }
    guard simulation.method.models.contains(.personal), arena.scenario.output.personalModels
    else { return }
    let digits = max(3, String(arena.problem.clients - 1).count)
    for client in arena.split.clients.indices where !arena.split.clients[client].isEmpty {
      // A divergence in a last fine-tuning leaves that client without a file, nothing else.
      guard let model = try? simulation.model(of: client, worker: 0) else { continue }
      let number = String(client)
      let padded = String(repeating: "0", count: digits - number.count) + number
      try files.writeModel(
        model,
        arena.problem.network(of: client).layout,
        name: "personal/" + padded
      )
    }
  }
}

import Base

/// A round that was run and measured, before anything of it is written.
package struct MeasuredRound {
  package let record: RoundRecord
  package let lines: RoundLines
  /// What `privacy.jsonl` says of it; nil without privacy.
  package let privacy: JSON?
  /// Accuracies of the clients that were measured.
  package let accuracies: [Double]
  /// Floating-point operations of each client's part, in the order of the fold.
  package let clientFLOPs: [Int]
  /// Seconds that all workers spent on clients' parts.
  package let trainSeconds: Double
  /// Floating-point operations of its evaluation.
  package let evaluationFLOPs: Int

  package init(
    record: RoundRecord, lines: RoundLines, privacy: JSON?, accuracies: [Double],
    clientFLOPs: [Int], trainSeconds: Double, evaluationFLOPs: Int
  ) {
    self.record = record
    self.lines = lines
    self.privacy = privacy
    self.accuracies = accuracies
    self.clientFLOPs = clientFLOPs
    self.trainSeconds = trainSeconds
    self.evaluationFLOPs = evaluationFLOPs
  }
}

/// What a round adds to the files of its run.
package struct RoundLines {
  package let classes: [String]
  package let clients: [ClientRow]
  /// Whole lines, each with its newline.
  package let messages: [UInt8]
  package let digest: String
  package let events: [String]
  package let privacy: String?
  package let record: String

  /// The lines of a record and of what comes after it.
  ///
  /// `broadcast`: what was sent before the first round; it has round 0 and comes with the first.
  package init(
    _ record: RoundRecord, broadcast: MessageLedger, messages sent: MessageLedger,
    clients scores: [ClientRow], trainCounts: [Int], privacy spent: JSON? = nil,
    events happened: [ClockEvent] = []
  ) {
    func rows(_ model: String, _ perClass: [Double]?) -> [String] {
      guard let perClass, !perClass.isEmpty else { return [] }
      return ClassRow.rows(
        round: record.round, model: model, perClass: perClass, trainCounts: trainCounts
      ).map(\.line)
    }
    classes =
      rows("generic", record.generic?.perClass) + rows("personal", record.personal?.perClass)
    clients = scores
    let (first, lines) = (broadcast.lines(round: 0), sent.lines(round: record.round))
    messages = first.isEmpty ? lines : first + lines
    digest = DigestRow(round: record.round, digest: record.digest).line
    events = happened.map(\.line)
    privacy = spent?.compact
    self.record = record.json.compact
  }

  /// Bytes on the disk.
  package var byteCount: Int {
    let texts =
      classes + clients.map(\.line) + events + [digest, record] + (privacy.map { [$0] } ?? [])
    return messages.count + texts.reduce(0) { $0 + $1.utf8.count + 1 }
  }
}

import Tensor

/// A round that was run and measured, before anything of it is written.
struct MeasuredRound {
  let record: RoundRecord
  let lines: RoundLines
  /// What `privacy.jsonl` says of it; nil without privacy.
  let privacy: JSON?
  /// Accuracies of the clients that were measured.
  let accuracies: [Double]
  /// Floating-point operations of each client's part, in the order of the fold.
  let clientFLOPs: [Int]
  /// Seconds that all workers spent on clients' parts.
  let trainSeconds: Double
  /// Floating-point operations of its evaluation.
  let evaluationFLOPs: Int
}

/// What a round adds to the files of its run.
struct RoundLines {
  let classes: [String]
  let clients: [String]
  /// Whole lines, each with its newline.
  let messages: [UInt8]
  let digest: String
  let events: [String]
  let privacy: String?
  let record: String

  /// The lines of a record and of what lies behind it.
  ///
  /// `broadcast`: what was sent before the first round; it has round 0 and comes with the first.
  init(
    _ record: RoundRecord,
    broadcast: MessageLedger,
    messages sent: MessageLedger,
    clients scores: [ClientRow],
    trainCounts: [Int],
    privacy spent: JSON? = nil,
    events happened: [ClockEvent] = []
  ) {
    func rows(_ model: String, _ perClass: [Double]?) -> [String] {
      guard let perClass, !perClass.isEmpty else { return [] }
      return ClassRow.rows(
        round: record.round,
        model: model,
        perClass: perClass,
        trainCounts: trainCounts
      ).map(\.line)
    }
    classes =
      rows("generic", record.generic?.perClass) + rows("personal", record.personal?.perClass)
    clients = scores.map(\.line)
    let (first, lines) = (broadcast.lines(round: 0), sent.lines(round: record.round))
    messages = first.isEmpty ? lines : first + lines
    digest = DigestRow(round: record.round, digest: record.digest).line
    events = happened.map(\.line)
    privacy = spent?.compact
    self.record = record.json.compact
  }

  /// Bytes on the disk.
  var byteCount: Int {
    let texts = classes + clients + events + [digest, record] + (privacy.map { [$0] } ?? [])
    return messages.count + texts.reduce(0) { $0 + $1.utf8.count + 1 }
  }
}

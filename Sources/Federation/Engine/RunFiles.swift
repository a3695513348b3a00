import Aggregation
import Tensor

/// The files of one strategy under one seed.
///
/// Lines are appended round by round; a resumed run first cuts them back to its checkpoint.
struct RunFiles {
  let folder: String
  /// The rounds that were kept when the files were opened.
  let records: [RoundRecord]
  /// Accuracy of every client in those of them that were evaluated.
  let scores: [Int: [Int: Double]]
  private let rounds: LineWriter
  private let classes: LineWriter
  private let clients: LineWriter
  private let messages: LineWriter
  private let digests: LineWriter
  private let privacy: LineWriter?
  private let events: LineWriter?
  private let board: EventFile?

  /// Where a run keeps its checkpoint.
  static func checkpoints(_ folder: String) -> String { FilePath.join(folder, "checkpoints") }

  /// Opens the files of a run, cut back to the lines of rounds up to `round`.
  ///
  /// `isPrivate`: whether the run has a `privacy.jsonl`; `isClocked`: whether it has an
  /// `events.jsonl`; `hasBoard`: whether it has a file for TensorBoard.
  init(
    _ folder: String,
    upTo round: Int,
    isPrivate: Bool = false,
    isClocked: Bool = false,
    hasBoard: Bool = false
  ) throws(Failure) {
    self.folder = folder
    try FilePath.makeFolder(folder)
    try FilePath.makeFolder(Self.checkpoints(folder))
    func open(_ name: String, header: String?, upTo round: Int?) throws(Failure) -> LineWriter {
      let path = FilePath.join(folder, name)
      var isFirst = true
      try LineWriter.cut(path) { line in
        defer { isFirst = false }
        guard let round else { return false }
        if isFirst, header != nil { return line == header }
        return (CSV.leadingInteger(line) ?? .max) <= round
      }
      return try LineWriter(path, header: header)
    }
    let kept = round == 0 ? nil : round
    func openLines(_ name: String) throws(Failure) -> LineWriter {
      let path = FilePath.join(folder, name)
      try LineWriter.cut(path) { line in
        guard let kept, let json = try? JSON(parsing: line) else { return false }
        return (json["round"]?.int ?? .max) <= kept
      }
      return try LineWriter(path)
    }
    rounds = try openLines("rounds.jsonl")
    privacy = isPrivate ? try openLines("privacy.jsonl") : nil
    events = isClocked ? try openLines("events.jsonl") : nil
    classes = try open("classes.csv", header: ClassRow.header, upTo: kept)
    clients = try open("clients.csv", header: ClientRow.header, upTo: kept)
    messages = try open("messages.csv", header: MessageRow.header, upTo: kept)
    digests = try open("digest.txt", header: nil, upTo: kept)
    records = try Self.records(in: folder)
    scores = try Self.scores(in: folder)
    board = hasBoard ? try EventFile(folder, records: records, scores: scores) : nil
  }

  /// The records that are in `rounds.jsonl`.
  static func records(in folder: String) throws(Failure) -> [RoundRecord] {
    let path = FilePath.join(folder, "rounds.jsonl")
    guard FileKind(of: path) == .file else { return [] }
    let bytes = try FileReader.bytes(of: path)
    return bytes.split(separator: 10).compactMap { line in
      (try? JSON(parsing: Array(line))).flatMap { RoundRecord($0) }
    }
  }

  /// Accuracy of every client in every evaluated round, from `clients.csv`.
  static func scores(in folder: String) throws(Failure) -> [Int: [Int: Double]] {
    let path = FilePath.join(folder, "clients.csv")
    guard FileKind(of: path) == .file else { return [:] }
    var scores: [Int: [Int: Double]] = [:]
    for line in try FileReader.bytes(of: path).split(separator: 10).dropFirst() {
      let fields = String(decoding: line, as: UTF8.self).split(
        separator: ",",
        omittingEmptySubsequences: false
      )
      guard fields.count >= 5, let round = Int(fields[0]), let client = Int(fields[1]) else {
        continue
      }
      scores[round, default: [:]][client] = Double(fields[4]) ?? .nan
    }
    return scores
  }

  /// ε of each client at the end of a run, from the last line of `privacy.jsonl`; empty without
  /// one, or without a guarantee.
  static func epsilons(in folder: String) throws(Failure) -> [Double] {
    let path = FilePath.join(folder, "privacy.jsonl")
    guard FileKind(of: path) == .file,
      let last = try FileReader.bytes(of: path).split(separator: 10).last,
      let json = try? JSON(parsing: Array(last))
    else { return [] }
    return epsilons(of: json)
  }

  /// ε of each client by a line of `privacy.jsonl`, by the accountant that it names; empty without
  /// a guarantee, or where all clients have the same.
  static func epsilons(of line: JSON) -> [Double] {
    guard line["guarantee"]?.truth == true else { return [] }
    return (line["clients"]?.elements ?? []).compactMap { ($0["pld"] ?? $0["rdp"])?.double }
  }

  /// The state before the first round.
  func begin(digest: UInt64) throws(Failure) {
    try digests.append(DigestRow(round: 0, digest: Digest.hex(digest)).line)
  }

  /// One round.
  func append(_ round: MeasuredRound) throws(Failure) {
    let lines = round.lines
    try classes.append(lines.classes)
    try clients.append(lines.clients)
    try messages.append(wholeLines: lines.messages)
    try digests.append(lines.digest)
    try events?.append(lines.events)
    if let spent = lines.privacy { try privacy?.append(spent) }
    // Last: a round whose record is there is complete.
    try rounds.append(lines.record)
    try board?.append(round.record, accuracies: round.accuracies)
  }

  /// Everything appended so far survives a power cut.
  func sync() throws(Failure) {
    for writer in [classes, clients, messages, digests, rounds] { try writer.sync() }
    try privacy?.sync()
    try events?.sync()
  }

  /// Writes `diagnostics.json`; nothing for a method without a generic model.
  func write(_ diagnostics: ModelDiagnostics?) throws(Failure) {
    guard let diagnostics else { return }
    let path = FilePath.join(folder, ModelDiagnostics.fileName)
    try AtomicFile.write(diagnostics.json.pretty, to: path)
  }

  /// Writes a model below `final/`.
  func writeModel(
    _ model: [Float],
    _ layout: ParameterLayout,
    name: String
  ) throws(Failure) {
    let path = FilePath.join(folder, "final/" + name + ".safetensors")
    try FilePath.makeFolder(FilePath.split(path).folder)
    try AtomicFile.write(
      layout.safetensors(model, metadata: ["format": "pt"]).encoded(),
      to: path
    )
  }
}

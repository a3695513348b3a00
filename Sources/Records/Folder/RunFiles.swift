import Base

/// The files of one strategy under one seed.
///
/// Lines are appended round by round; a resumed run first cuts them back to its checkpoint.
package struct RunFiles {
  package let folder: String
  /// The rounds that were kept when the files were opened.
  package let records: [RoundRecord]
  /// Accuracy of every client in those of them that were evaluated.
  package let scores: [Int: [Int: Double]]
  /// Whether the file for TensorBoard had to be made anew from what was kept.
  package var hasNewBoard: Bool { board?.isRebuilt ?? false }
  private let plan: Plan
  private let rounds: LineWriter
  private let classes: LineWriter
  private let clients: LineWriter
  /// Those that an earlier version began with; no limit for a new file.
  private let clientColumns: Int
  private let messages: LineWriter
  private let digests: LineWriter
  private let privacy: LineWriter?
  private let events: LineWriter?
  private let board: EventFile?

  /// Where a run keeps its checkpoint.
  package static func checkpoints(_ folder: String) -> String {
    FilePath.join(folder, "checkpoints")
  }

  /// What a run writes that diverged.
  package static let divergence = "divergence.json"

  /// Whether the run in a folder ended with a divergence: going on would repeat it.
  package static func hasDiverged(_ folder: String) throws(Failure) -> Bool {
    try FileReader.isThere(FilePath.join(folder, divergence))
  }

  /// Whose files they are, and which there are.
  package struct Plan {
    /// Such as "fedavg-s1".
    package let run: String
    package let scenarioHash: String
    /// Clients of the federation.
    package let population: Int
    /// Whether the run has a `privacy.jsonl`.
    var isPrivate = false
    /// Whether it has an `events.jsonl`.
    var isClocked = false
    /// Whether it has a file for TensorBoard.
    package var hasBoard = false

    package init(
      run: String, scenarioHash: String, population: Int, isPrivate: Bool = false,
      isClocked: Bool = false, hasBoard: Bool = false
    ) {
      self.run = run
      self.scenarioHash = scenarioHash
      self.population = population
      self.isPrivate = isPrivate
      self.isClocked = isClocked
      self.hasBoard = hasBoard
    }

    /// The tables, with their first lines.
    package var tables: [(name: String, header: String?)] {
      var list: [(name: String, header: String?)] = [
        ("classes.csv", ClassRow.table.header), ("clients.csv", ClientRow.table.header),
        ("messages.csv", MessageRow.table.header), ("digest.txt", nil),
      ]
      if isClocked { list.append(("events.jsonl", nil)) }
      if isPrivate { list.append(("privacy.jsonl", nil)) }
      list.append(("rounds.jsonl", nil))
      return list
    }
  }

  /// Opens the files of a run, cut back to the lines of rounds up to `round`.
  ///
  /// `record`: what is promised of them, which was found to be so; nil when nothing is.
  package init(_ folder: String, upTo round: Int, _ record: TableRecord?, _ plan: Plan)
    throws(Failure)
  {
    self.folder = folder
    self.plan = plan
    try FilePath.makeFolder(folder)
    try FilePath.makeFolder(Self.checkpoints(folder))
    var kept: [String: RunningSum] = [:]
    for table in plan.tables where round > 0 {
      kept[table.name] = try Self.beginning(of: table.name, in: folder, upTo: round, record)
    }
    // First the promise, which is true before and after the cut.
    if let record, record.round != round {
      try Self.record(plan, round) { kept[$0] ?? RunningSum() }.write(to: folder)
    }
    func open(_ name: String) throws(Failure) -> LineWriter {
      try LineWriter(
        FilePath.join(folder, name), header: plan.tables.first { $0.name == name }?.header,
        after: kept[name] ?? RunningSum())
    }
    rounds = try open("rounds.jsonl")
    privacy = plan.isPrivate ? try open("privacy.jsonl") : nil
    events = plan.isClocked ? try open("events.jsonl") : nil
    classes = try open("classes.csv")
    let known = try kept["clients.csv"].map { _ throws(Failure) in
      try FileReader.bytes(of: FilePath.join(folder, "clients.csv"))
    }
    clientColumns = known.map(ClientRow.width) ?? .max
    clients = try open("clients.csv")
    messages = try open("messages.csv")
    digests = try open("digest.txt")
    records = try RunTrace.records(in: folder)
    scores = try RunTrace.scores(in: folder, upTo: round, clients: plan.population)
    board = plan.hasBoard ? try EventFile(folder, records: records, scores: scores) : nil
  }

  /// The part of a table that belongs to rounds up to `round`.
  private static func beginning(
    of name: String, in folder: String, upTo round: Int, _ record: TableRecord?
  ) throws(Failure) -> RunningSum {
    let path = FilePath.join(folder, name)
    guard let record, let promised = record[name], record.round >= round else {
      throw TableRecord.missing(folder, "\(path) has no record up to round \(round)")
    }
    if record.round == round { return try FileSum.read(path, upTo: promised.bytes) }
    // Killed between the record and its checkpoint: the lines say which are earlier.
    let bytes = try FileReader.bytes(of: path).prefix(promised.bytes)
    var length = 0
    for (index, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
      let isHeader = index == 0 && name.hasSuffix(".csv")
      guard length + line.count < bytes.count, isHeader || Self.round(of: line, name) <= round
      else { break }
      length += line.count + 1
    }
    return try FileSum.read(path, upTo: length)
  }

  private static func round(of line: ArraySlice<UInt8>, _ table: String) -> Int {
    if table.hasSuffix(".jsonl") {
      return (try? JSON(parsing: Array(line)))?["round"]?.count ?? .max
    }
    return CSV.leadingInteger(String(decoding: line, as: UTF8.self)) ?? .max
  }

  private static func record(_ plan: Plan, _ round: Int, _ sum: (String) -> RunningSum)
    -> TableRecord
  {
    TableRecord(
      run: plan.run, scenarioHash: plan.scenarioHash, round: round,
      tables: plan.tables.map { TableRecord.Table(name: $0.name, sum: sum($0.name).sum) })
  }

  /// Promises what the tables hold after a round; they are on the disk first.
  package func promise(_ round: Int) throws(Failure) {
    try sync()
    let writers = [classes, clients, messages, digests, rounds, privacy, events].compactMap { $0 }
    try Self.record(plan, round) { name in
      writers.first { FilePath.split($0.path).name == name }?.written ?? RunningSum()
    }.write(to: folder)
  }

  /// The state before the first round.
  package func begin(digest: UInt64) throws(Failure) {
    try digests.append(DigestRow(round: 0, digest: Digest.hex(digest)).line)
  }

  package func append(_ round: MeasuredRound) throws(Failure) {
    let lines = round.lines
    try classes.append(lines.classes)
    try clients.append(lines.clients.map { ClientRow.table.line($0, first: clientColumns) })
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
  package func write(_ diagnostics: ModelDiagnostics?) throws(Failure) {
    guard let diagnostics else { return }
    let path = FilePath.join(folder, ModelDiagnostics.fileName)
    try AtomicFile.write(diagnostics.json.sealed.pretty, to: path)
  }

  /// Where a model is below the folder of a run.
  package static func model(_ name: String) -> String { "final/" + name + ".safetensors" }

  /// Writes the file of a model below `final/`.
  package func writeModel(_ bytes: [UInt8], name: String) throws(Failure) {
    let path = FilePath.join(folder, Self.model(name))
    try FilePath.makeFolder(FilePath.split(path).folder)
    try AtomicFile.write(bytes, to: path)
  }
}

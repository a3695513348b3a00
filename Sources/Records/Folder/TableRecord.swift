import Base

/// What a run promises of its tables: how long each was after a round, and what was in it.
///
/// Written before the checkpoint of that round and after the tables are on the disk. So it is true
/// of the beginnings of the tables at any time, whatever comes after them: a killed process leaves
/// rounds and torn lines there, which are cut when the run goes on. What is promised and not found
/// was damaged.
///
/// It is no part of the checkpoint, for `rounds.jsonl` has times in it and a checkpoint has none.
package struct TableRecord: Equatable, Sendable {
  /// The beginning of a table.
  package struct Table: Equatable, Sendable {
    package var name: String
    var sum: FileSum
  }

  /// The file in the folder of a run.
  package static let fileName = "tables.json"
  private static let format = 1

  private var format = Self.format
  package private(set) var run: String
  package private(set) var scenarioHash: String
  package private(set) var round: Int
  package private(set) var tables: [Table]

  package static let keys = Keys<Self>(
    { Self(run: "", scenarioHash: "", round: 0, tables: []) },
    [
      Key(\.format, "format", .integer, "Version of this file: 1."),
      Key(\.run, "run", .text, "The run, such as fedavg-s1."),
      Key(\.scenarioHash, "scenario", .text, "Hash of the resolved scenario."),
      Key(\.round, "round", .count, "Rounds that are in the tables."),
      Key(\.tables, "files", .list(.object(Table.keys)), "The run's tables."),
    ])

  init(run: String, scenarioHash: String, round: Int, tables: [Table]) {
    (self.run, self.scenarioHash) = (run, scenarioHash)
    (self.round, self.tables) = (round, tables)
  }

  /// The beginning of a table; nil when there is no such table.
  package subscript(name: String) -> FileSum? { tables.first { $0.name == name }?.sum }

  /// Writes the record into the folder of the run.
  package func write(to folder: String) throws(Failure) {
    try AtomicFile.write(
      Self.keys.json(self).sealed.pretty, to: FilePath.join(folder, Self.fileName))
  }

  /// Reads the record of a run's folder; nil without one.
  ///
  /// - Throws: E4122 when it is damaged (exit 4).
  package static func read(in folder: String) throws(Failure) -> TableRecord? {
    let path = FilePath.join(folder, fileName)
    guard let bytes = try FileReader.optional(path, what: "the record of a run's tables") else {
      return nil
    }
    guard let json = try? JSON(parsing: bytes), json.isIntact == true, let record = keys.read(json),
      record.format == format
    else { throw missing(folder, "\(path) is damaged, or of another version") }
    return record
  }

  /// E4122.
  package static func missing(_ folder: String, _ why: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4122",
      "\(why); nothing else says whether the tables of \(folder) are whole",
      hint: "restore \(fileName), or delete the folder of this run: fedsim resume repeats it")
  }

  /// Holds the tables of a folder against the record.
  ///
  /// - Throws: E4120 with the first table that is not what was written, and the line where that
  ///   is known (exit 4).
  package func check(_ folder: String, only: String? = nil) throws(Failure) {
    guard let damage = try damage(in: folder, only: only) else { return }
    // Another process may go on with the run: it changes the record before it cuts the tables.
    guard let newer = try Self.read(in: folder), newer != self else { throw damage.failure(folder) }
    try newer.check(folder, only: only)
  }

  /// The first table that is not what was written; nil for none.
  ///
  /// `only`: looks at one table; nil looks at all.
  package func damage(in folder: String, only: String? = nil) throws(Failure) -> TableDamage? {
    for table in tables where table.name == only ?? table.name {
      let path = FilePath.join(folder, table.name)
      let found = try FileSum.read(path, upTo: table.sum.bytes).sum
      if found == table.sum { continue }
      return TableDamage(
        path: path, line: try TableDamage.firstWrongLine(path, upTo: table.sum.bytes), round: round,
        found: found.bytes, wanted: table.sum.bytes)
    }
    return nil
  }
}

/// A table that is not what was written.
package struct TableDamage {
  package let path: String
  /// The first line, from 1, that cannot have been written; nil where that is not known.
  package let line: Int?
  /// The round up to which it is promised.
  package let round: Int
  /// Bytes that are there, and that were written.
  package let found: Int
  package let wanted: Int

  /// What is wrong, with file and line.
  package var sentence: String {
    let place = line.map { "\(path), line \($0)" } ?? path
    let lost =
      found < wanted
      ? "\(wanted - found) of \(wanted) bytes are lost" : "it is not what was written"
    return "\(place): \(lost), by the record of round \(round)"
  }

  /// E4120.
  package func failure(_ folder: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4120", sentence,
      hint: "restore the file, or delete \(folder): fedsim resume repeats this run")
  }

  /// The first line that no run writes: no record, a wrong number of fields, a round out of order,
  /// or the end of a file that is too short.
  static func firstWrongLine(_ path: String, upTo length: Int) throws(Failure) -> Int? {
    guard let all = try FileReader.optional(path, what: "a table of a run") else { return nil }
    let lines = all.prefix(length).split(separator: 10, omittingEmptySubsequences: false)
    var last = -1
    var width: Int?
    for (index, line) in lines.enumerated() {
      if line.isEmpty, index + 1 == lines.count { break }
      let text = String(decoding: line, as: UTF8.self)
      let round: Int?
      if path.hasSuffix(".jsonl") {
        round = (try? JSON(parsing: Array(line)))?["round"]?.count
      } else {
        let fields = line.count { $0 == 44 }
        if path.hasSuffix(".csv"), index == 0 {
          width = fields
          continue
        }
        round = fields == width ?? 0 ? CSV.leadingInteger(text) : nil
      }
      guard let round, round >= last, index + 1 < lines.count else { return index + 1 }
      let isOnePerRound = path.hasSuffix("rounds.jsonl") || path.hasSuffix("digest.txt")
      if isOnePerRound, last >= 0, round != last + 1 { return index + 1 }
      last = round
    }
    return all.count < length ? lines.count : nil
  }
}

extension TableRecord.Table {
  static let keys = Keys<Self>(
    { Self(name: "", sum: FileSum(bytes: 0, hash: "")) },
    [
      Key(\.name, "name", .text, "Its name in this folder."),
      Key(\.sum.bytes, "bytes", .count, unit: "bytes", "Its length; of a table after that round."),
      Key(\.sum.hash, "xxh64", .text, "XXH64 of those bytes."),
    ])
}

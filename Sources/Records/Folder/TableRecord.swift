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
    /// Its name in the folder of the run.
    package let name: String
    /// Its length and hash.
    let sum: FileSum
  }

  /// The file in the folder of a run.
  package static let fileName = "tables.json"
  private static let format = 1

  /// Such as "fedavg-s1".
  package let run: String
  package let scenarioHash: String
  /// Rounds that are in the tables.
  package let round: Int
  package let tables: [Table]

  /// The beginning of a table; nil when there is no such table.
  package subscript(name: String) -> FileSum? { tables.first { $0.name == name }?.sum }

  /// Writes the record into the folder of the run.
  package func write(to folder: String) throws(Failure) {
    let files = tables.map { table -> JSON in
      [
        "name": .string(table.name), "bytes": .int(table.sum.bytes),
        "xxh64": .string(table.sum.hash),
      ]
    }
    let json = JSON.object([
      ("format", .int(Self.format)), ("run", .string(run)), ("scenario", .string(scenarioHash)),
      ("round", .int(round)), ("files", .array(files)),
    ])
    try AtomicFile.write(json.sealed.pretty, to: FilePath.join(folder, Self.fileName))
  }

  /// Reads the record of a run's folder; nil without one.
  ///
  /// - Throws: E4122 when it is damaged (exit 4).
  package static func read(in folder: String) throws(Failure) -> TableRecord? {
    let path = FilePath.join(folder, fileName)
    guard let bytes = try FileReader.optional(path, what: "the record of a run's tables") else {
      return nil
    }
    guard let json = try? JSON(parsing: bytes), json.isIntact == true,
      json["format"]?.int == format, let run = json["run"]?.text, let hash = json["scenario"]?.text,
      let round = json["round"]?.count, let files = json["files"]?.elements
    else { throw missing(folder, "\(path) is damaged, or of another version") }
    let tables = files.compactMap { file -> Table? in
      guard let name = file["name"]?.text, let bytes = file["bytes"]?.count,
        let hash = file["xxh64"]?.text
      else { return nil }
      return Table(name: name, sum: FileSum(bytes: bytes, hash: hash))
    }
    return TableRecord(run: run, scenarioHash: hash, round: round, tables: tables)
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

extension JSON {
  /// A whole number from 0 to 2⁵³, as counts are: sums of such numbers stay far from overflowing.
  package var count: Int? {
    guard let number = int, (0...(1 << 53)).contains(number) else { return nil }
    return number
  }
}

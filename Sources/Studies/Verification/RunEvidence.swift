import Base
import Records

/// The tables of a run as they lie on the disk, held against the lines that its rounds give.
struct TableEvidence {
  private struct Table {
    let name: String
    let bytes: [UInt8]
    /// Up to where they are as they should be.
    var place = 0
  }

  private var tables: [Table] = []

  /// Reads the tables of a run's folder, all but `rounds.jsonl`, whose times are not repeated.
  ///
  /// - Throws: exit 4 when one cannot be read; a missing one counts as empty.
  init(_ folder: String, _ plan: RunFiles.Plan, digest: UInt64) throws(Failure) {
    let repeated = plan.tables.filter { $0.name != "rounds.jsonl" }
    for table in repeated {
      let path = FilePath.join(folder, table.name)
      tables.append(
        Table(
          name: table.name, bytes: try FileReader.optional(path, what: "a table of a run") ?? []))
    }
    let clients = tables.first { $0.name == "clients.csv" }
    let width = clients.map { ClientRow.width(of: $0.bytes) } ?? .max
    self.width = width
    heads = repeated.map { table in
      let columns = table.name == "clients.csv" ? width : .max
      let header = table.header.map { $0.split(separator: ",").prefix(columns) }
      return header.map { Array(($0.joined(separator: ",") + "\n").utf8) } ?? []
    }
    firstDigest = Array((DigestRow(round: 0, digest: Digest.hex(digest)).line + "\n").utf8)
  }

  private let heads: [[UInt8]]
  /// Columns of `clients.csv`: an earlier version wrote fewer.
  private let width: Int
  private let firstDigest: [UInt8]

  /// What stands before the first round.
  mutating func begin(hasRounds: Bool) -> Verification.Mismatch? {
    for index in tables.indices {
      var head = heads[index]
      if tables[index].name == "digest.txt", hasRounds { head += firstDigest }
      if let wrong = take(index, head, round: 0) { return wrong }
    }
    return nil
  }

  /// Takes the lines of the next round; the first difference, or nil.
  mutating func take(_ lines: RoundLines, round: Int) -> Verification.Mismatch? {
    for index in tables.indices {
      let expected: [UInt8] =
        switch tables[index].name {
        case "classes.csv": Self.bytes(lines.classes)
        case "clients.csv": Self.bytes(lines.clients.map { ClientRow.table.line($0, first: width) })
        case "messages.csv": lines.messages
        case "digest.txt": Self.bytes([lines.digest])
        case "events.jsonl": Self.bytes(lines.events)
        default: Self.bytes(lines.privacy.map { [$0] } ?? [])
        }
      if let wrong = take(index, expected, round: round) { return wrong }
    }
    return nil
  }

  /// Nothing may come after the last round.
  func end(round: Int) -> Verification.Mismatch? {
    for table in tables where table.place < table.bytes.count {
      return mismatch(table, at: table.place, [], round)
    }
    return nil
  }

  private mutating func take(_ index: Int, _ expected: [UInt8], round: Int) -> Verification
    .Mismatch?
  {
    let table = tables[index]
    let rest = table.bytes[table.place...]
    if rest.starts(with: expected) {
      tables[index].place += expected.count
      return nil
    }
    let same = zip(rest, expected).prefix { $0 == $1 }.count
    return mismatch(table, at: table.place + same, Array(expected), round)
  }

  private func mismatch(_ table: Table, at place: Int, _ expected: [UInt8], _ round: Int)
    -> Verification.Mismatch
  {
    let number = table.bytes[..<place].count { $0 == 10 } + 1
    func line(_ bytes: [UInt8], around place: Int) -> String {
      guard place < bytes.count else { return "absent" }
      let start = bytes[..<place].lastIndex(of: 10).map { $0 + 1 } ?? 0
      let end = bytes[place...].firstIndex(of: 10) ?? bytes.count
      return NumberText.shortened(String(decoding: bytes[start..<end], as: UTF8.self), 80)
    }
    return Verification.Mismatch(
      round: round, path: "\(table.name) line \(number)",
      recorded: line(table.bytes, around: place), found: line(expected, around: place - table.place)
    )
  }

  private static func bytes(_ lines: [String]) -> [UInt8] {
    Array(lines.map { $0 + "\n" }.joined().utf8)
  }
}

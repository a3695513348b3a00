import Base

/// The one reader of what a run has written: strict, for all commands.
///
/// A last line without its newline is what a killed process leaves: in no file is it read, whether
/// or not it looks whole. Anything else that is no line of a run is damage, and said with file and
/// line. Columns are found by their names.
package enum RunTrace {
  /// The most bytes of one kind in all rounds of a run: sums over runs cannot overflow.
  private static let mostBytes = 1 << 58

  /// The records of `rounds.jsonl`: rounds 1, 2, … without a gap, or round 0 alone.
  ///
  /// - Throws: E1014 for a line that is no record, E4121 for one that cannot follow those before it
  ///   (exit 4).
  package static func records(in folder: String) throws(Failure) -> [RoundRecord] {
    let path = FilePath.join(folder, "rounds.jsonl")
    guard let bytes = try FileReader.optional(path, what: "the rounds of a run") else { return [] }
    return try records(bytes, path: path)
  }

  /// The records in the bytes of a `rounds.jsonl`.
  package static func records(_ bytes: [UInt8], path: String) throws(Failure) -> [RoundRecord] {
    var records: [RoundRecord] = []
    for (index, line) in wholeLines(bytes).enumerated() {
      guard let json = try? JSON(parsing: Array(line)), let record = RoundRecord(json) else {
        throw Failure(
          .dataMissingOrCorrupt, "E1014", "\(path), line \(index + 1): not a round record",
          hint: "restore the file, or delete the folder of this run: fedsim resume repeats it")
      }
      records.append(record)
    }
    var (sent, classes) = (0, Int?.none)
    for (index, record) in records.enumerated() {
      func wrong(_ why: String) -> Failure {
        Failure(
          .dataMissingOrCorrupt, "E4121", "\(path), line \(index + 1): \(why)",
          hint: "restore the file, or delete the folder of this run: fedsim resume repeats it")
      }
      let expected = index + 1
      guard record.round == expected || records.count == 1 && record.round == 0 else {
        throw wrong("round \(record.round) where round \(expected) was expected")
      }
      let (total, overflows) = sent.addingReportingOverflow(record.largestCount)
      guard !overflows, total <= mostBytes else { throw wrong("its numbers are too large") }
      sent = total
      for perClass in [record.generic?.perClass ?? [], record.personal?.perClass ?? []]
      where !perClass.isEmpty {
        guard perClass.count == classes ?? perClass.count else {
          throw wrong("\(perClass.count) classes where \(classes ?? 0) were expected")
        }
        classes = perClass.count
      }
    }
    return records
  }

  /// Accuracy of every client in every evaluated round up to `last`, from `clients.csv`.
  ///
  /// `clients`: how many there are.
  ///
  /// - Throws: E4124 for a line that is no row of a client (exit 4).
  package static func scores(in folder: String, upTo last: Int, clients: Int) throws(Failure)
    -> [Int: [Int: Double]]
  {
    let path = FilePath.join(folder, "clients.csv")
    guard let bytes = try FileReader.optional(path, what: "the clients of a run") else {
      return [:]
    }
    return try scores(bytes, path: path, upTo: last, clients: clients)
  }

  /// The same from the bytes of a `clients.csv`.
  package static func scores(_ bytes: [UInt8], path: String, upTo last: Int, clients: Int)
    throws(Failure) -> [Int: [Int: Double]]
  {
    var scores: [Int: [Int: Double]] = [:]
    let lines = wholeLines(bytes)
    guard let header = lines.first else { return [:] }
    let names = fields(header)
    func place(_ name: String) throws(Failure) -> Int {
      guard let place = names.firstIndex(of: name) else {
        throw noLine(path, 1, "no column \(name)")
      }
      return place
    }
    let places = (
      round: try place("round"), client: try place("client"), accuracy: try place("accuracy")
    )
    for (index, line) in lines.enumerated().dropFirst() {
      let fields = fields(line)
      guard fields.count == names.count, let round = Int(fields[places.round]), round >= 0,
        let client = Int(fields[places.client]), client >= 0, client < clients,
        let accuracy = fields[places.accuracy].isEmpty
          ? Double.nan : Double(fields[places.accuracy]), accuracy.isNaN || abs(accuracy) <= 2
      else { throw noLine(path, index + 1, "no row of one of \(clients) clients") }
      if round <= last { scores[round, default: [:]][client] = accuracy }
    }
    return scores
  }

  /// ε of each client at the end of a run, from the last line of `privacy.jsonl`; empty without
  /// one, or without a guarantee.
  ///
  /// - Throws: E4124 when that is no line of a run (exit 4).
  package static func epsilons(in folder: String) throws(Failure) -> [Double] {
    let path = FilePath.join(folder, "privacy.jsonl")
    guard let bytes = try FileReader.optional(path, what: "the privacy of a run") else { return [] }
    let lines = wholeLines(bytes)
    guard let last = lines.last else { return [] }
    guard let json = try? JSON(parsing: Array(last)), json["round"]?.count != nil else {
      throw noLine(path, lines.count, "no line of what privacy cost")
    }
    return epsilons(of: json)
  }

  /// ε of each client by a line of `privacy.jsonl`, by the accountant that it names; empty without
  /// a guarantee, or where all clients have the same.
  package static func epsilons(of line: JSON) -> [Double] {
    guard line["guarantee"]?.truth == true else { return [] }
    return (line["clients"]?.elements ?? []).compactMap(epsilon)
  }

  fileprivate static func epsilon(_ client: JSON) -> Double? {
    (client["pld"] ?? client["rdp"])?.double
  }

  /// The rows of a table of a run, fields by the names of their columns; empty without the file.
  ///
  /// - Throws: E4124 for a row with other fields than the first (exit 4).
  package static func table(_ name: String, in folder: String) throws(Failure) -> [[String: String]]
  {
    let path = FilePath.join(folder, name)
    guard let bytes = try FileReader.optional(path, what: "a table of a run"),
      case let lines = wholeLines(bytes), let header = lines.first
    else { return [] }
    let names = fields(header)
    var rows: [[String: String]] = []
    for (index, line) in lines.enumerated().dropFirst() {
      let fields = fields(line)
      guard fields.count == names.count else {
        throw noLine(path, index + 1, "\(fields.count) fields where \(names.count) were expected")
      }
      rows.append(Dictionary(zip(names, fields)) { first, _ in first })
    }
    return rows
  }

  /// The fields of a table's line, none of which is quoted.
  private static func fields(_ line: ArraySlice<UInt8>) -> [String] {
    line.split(separator: 44, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// The lines that end with a newline.
  private static func wholeLines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    guard let end = bytes.lastIndex(of: 10) else { return [] }
    return bytes[..<end].split(separator: 10, omittingEmptySubsequences: false)
  }

  /// E4124.
  package static func noLine(_ path: String, _ line: Int, _ why: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4124", "\(path), line \(line): \(why)",
      hint: "restore the file, or delete the folder of this run: fedsim resume repeats it")
  }
}

/// What privacy cost each client up to a round.
package struct ClientEpsilons {
  /// Of all clients alike; nil without a guarantee.
  private let common: Double?
  /// Of each client that has released something; nil where they are all alike.
  private let own: [Int: Double]?

  /// `line`: of `privacy.jsonl`.
  package init(_ record: RoundRecord.Privacy?, _ line: JSON?) {
    common = record.flatMap { $0.hasGuarantee ? $0.epsilonMax : nil }
    own = line?["clients"]?.elements.map { clients in
      let known = clients.compactMap { client in
        client["client"]?.count.flatMap { number in
          RunTrace.epsilon(client).map { (number, $0) }
        }
      }
      return Dictionary(known) { first, _ in first }
    }
  }

  /// nil without a guarantee.
  package subscript(client: Int) -> Double? {
    common.map { common in own.map { $0[client] ?? 0 } ?? common }
  }
}

extension RoundRecord {
  /// The largest of the counts that are summed over rounds.
  fileprivate var largestCount: Int {
    let links = [bytes.dense, bytes.entropy].compactMap { $0 }
    return max(
      max(bytes.up, bytes.down, bytes.setup), links.map { max($0.up, $0.down) }.max() ?? 0,
      max(train?.examples ?? 0, train?.steps ?? 0))
  }
}

import Base

/// What `environment.json` of a run folder says, and what it promises of the files beside it.
///
/// It is written after all that a run is begun with: a folder that has it is whole so far.
package struct FolderFacts {
  package static let fileName = "environment.json"

  package let json: JSON
  private let folder: String

  /// Identity of the scenario that the folder was made for.
  package var scenarioHash: String? { json["scenarioHash"]?.text }

  /// Whether the folder keeps checksums; those of earlier versions have none.
  package var isSealed: Bool { json["files"] != nil }

  /// Reads the file of a folder; nil without one.
  ///
  /// - Throws: E4125 when it is damaged (exit 4).
  package static func read(_ folder: String) throws(Failure) -> FolderFacts? {
    let path = FilePath.join(folder, fileName)
    guard let bytes = try FileReader.optional(path, what: "what a run folder knows of itself")
    else { return nil }
    guard let json = try? JSON(parsing: bytes), json.members != nil else {
      throw damaged(path, "it is no JSON object")
    }
    let isWhole = json["files"] == nil ? json.isIntact == nil : json.isIntact == true
    guard isWhole else { throw damaged(path, "it is not what was written") }
    return FolderFacts(json: json, folder: folder)
  }

  /// Adds what is promised of files: their paths in the folder with their bytes.
  package static func promise(_ files: [(name: String, bytes: [UInt8])], in json: inout JSON) {
    let promised = files.map { file -> TableRecord.Table in
      var sum = RunningSum()
      sum.add(file.bytes)
      return TableRecord.Table(name: file.name, sum: sum.sum)
    }
    json["files"] = Self.promised.write(promised)
  }

  private static let promised = Form.list(.object(TableRecord.Table.keys))

  /// What is added to the facts of a run: when it ended, and promises.
  package static let fields =
    Key<[TableRecord.Table]>(
      "files", promised, "Files that are promised to be as they were written."
    ) { $0 }.fields + [
      FileField(
        "ended", "text", "When the last process ended, in UTC.", absent: "no process has ended"),
      FileField(
        "peakMemoryBytes", "integer", unit: "bytes", "The most memory that it took.",
        absent: "no process has ended"), .checksum,
    ]

  /// The bytes of a file of the folder, if they are those that were written; nil where it is
  /// neither there nor promised.
  ///
  /// - Throws: E4126 when the file is not what was written, or is lost (exit 4).
  package func bytes(of name: String) throws(Failure) -> [UInt8]? {
    let path = FilePath.join(folder, name)
    let read = try FileReader.optional(path, what: "a file of a run folder")
    guard let entry = json["files"]?.elements?.first(where: { $0["name"]?.text == name }) else {
      return read
    }
    var sum = RunningSum()
    sum.add(read ?? [])
    guard let found = read, sum.sum.hash == entry["xxh64"]?.text, sum.bytes == entry["bytes"]?.int
    else {
      throw Failure(
        .dataMissingOrCorrupt, "E4126",
        "\(path) " + (read == nil ? "is lost" : "is not what was written"),
        hint: "restore it; fedsim resume \(folder) writes it again")
    }
    return found
  }

  private static func damaged(_ path: String, _ why: String) -> Failure {
    Failure(
      .dataMissingOrCorrupt, "E4125", "\(path) is damaged: \(why)",
      hint: "restore it, or delete it: fedsim resume on the folder writes it again")
  }
}

/// `summary.json` of a run folder.
package enum SummaryFile {
  package static let fileName = "summary.json"

  /// Reads the file of a folder; nil without one.
  ///
  /// `isSealed`: whether it must have a checksum.
  ///
  /// - Throws: E4126 when it is damaged (exit 4).
  package static func read(_ folder: String, isSealed: Bool) throws(Failure) -> JSON? {
    let path = FilePath.join(folder, fileName)
    guard let bytes = try FileReader.optional(path, what: "the summary of a run folder") else {
      return nil
    }
    guard let json = try? JSON(parsing: bytes), json.isIntact ?? !isSealed else {
      throw Failure(
        .dataMissingOrCorrupt, "E4126", "\(path) is not what was written",
        hint: "restore it; fedsim resume \(folder) writes it again")
    }
    return json
  }
}

/// A field in which two scenarios differ.
package struct FieldChange: Equatable, Sendable {
  /// Such as "$.client.batch".
  package let path: String
  /// What it was, as JSON; "absent" where it was not there.
  package let was: String
  /// What it is.
  package let now: String

  /// The fields in which two resolved scenarios differ, but for those that change no number.
  package static func list(_ was: JSON, _ now: JSON) -> [FieldChange] {
    var changes: [FieldChange] = []
    collect(was, now, "$", &changes)
    return changes.filter { !$0.path.hasPrefix("$.output") && !$0.path.hasPrefix("$.limits") }
  }

  private static func collect(
    _ was: JSON?, _ now: JSON?, _ path: String, _ changes: inout [FieldChange]
  ) {
    if let a = was?.members, let b = now?.members {
      let keys = a.map(\.key) + b.map(\.key).filter { key in !a.contains { $0.key == key } }
      for key in keys { collect(was?[key], now?[key], path + "." + key, &changes) }
    } else if let a = was?.elements, let b = now?.elements, a.count == b.count {
      for index in a.indices { collect(a[index], b[index], "\(path)[\(index)]", &changes) }
    } else if was?.compact != now?.compact, was?.double == nil || was?.double != now?.double {
      func text(_ json: JSON?) -> String {
        json.map { NumberText.shortened($0.compact, 60) } ?? "absent"
      }
      changes.append(FieldChange(path: path, was: text(was), now: text(now)))
    }
  }

  /// "path was x and is y" for the first few of some changes.
  package static func sentence(_ changes: [FieldChange]) -> String {
    let first = changes.prefix(4).map { "\($0.path) was \($0.was) and is \($0.now)" }
    let rest = changes.count > 4 ? ["\(changes.count - 4) more"] : []
    return (first + rest).joined(separator: "; ")
  }
}

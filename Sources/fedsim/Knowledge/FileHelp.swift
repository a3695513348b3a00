import Base
import Data
import Federation
import Records
import Report
import Studies

/// What `explain` says of files, and of their columns and keys.
enum FileHelp {
  /// Every file that a command writes and that has columns or keys.
  static let files =
    FilePage.records + FilePage.federation + PartitionSummary.pages + FilePage.report
    + FilePage.studies

  /// The list of files, one of them, or a column of one; empty for other names.
  static func pages(_ name: String) -> [ExplainCommand.Page] {
    if name == "files" { return [list] }
    return files.flatMap { file -> [ExplainCommand.Page] in
      for called in [file.name, file.name.split(separator: "/").last.map(String.init) ?? ""] {
        if name == called { return [page(file)] }
        guard name.hasPrefix(called + ".") else { continue }
        return file.fields(at: String(name.dropFirst(called.count + 1))).map { page($0, file) }
      }
      return []
    }
  }

  /// Columns and keys that are called so, whatever the file.
  static func columns(_ name: String) -> [ExplainCommand.Page] {
    files.flatMap { file in
      file.fields(at: name).filter { !$0.path.hasPrefix("<") }.map { page($0, file) }
    }
  }

  /// The table of a file, for a document.
  static var markdown: String {
    files.map { file in
      var lines = ["## \(file.name)", "", "\(file.summary) In: \(file.place).", ""]
      lines += [
        "| name | type | unit | meaning | absent when | since |", "|---|---|---|---|---|---|",
      ]
      lines += file.fields.map { field in
        let cells = [
          "`\(field.path)`", field.type, field.unit, field.meaning, field.absent, field.since,
        ].map { $0.replacing("|", with: "\\|") }
        return "| " + cells.joined(separator: " | ") + " |"
      }
      return lines.joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static var list: ExplainCommand.Page {
    ExplainCommand.Page(
      name: "files", kind: "files",
      parts: [
        ("files", files.map { "\($0.name)  \($0.place): \($0.summary)" }),
        ("more", ["fedsim explain FILE, or FILE.COLUMN such as clients.csv.accuracy"]),
      ])
  }

  private static func page(_ file: FilePage) -> ExplainCommand.Page {
    ExplainCommand.Page(
      name: file.name, kind: "file",
      parts: [
        ("meaning", [file.summary]), ("where", [file.place]),
        ("columns", file.fields.map { "\($0.path)  \(words($0))  \($0.meaning)" }),
      ])
  }

  private static func page(_ field: FileField, _ file: FilePage) -> ExplainCommand.Page {
    ExplainCommand.Page(
      name: "\(file.name).\(field.path)", kind: "column",
      parts: [
        ("meaning", [field.meaning].filter { !$0.isEmpty }), ("values", [words(field)]),
        ("absent", [field.absent].filter { !$0.isEmpty }), ("since", [field.since]),
        ("where", [file.place]),
      ])
  }

  private static func words(_ field: FileField) -> String {
    field.unit.isEmpty ? field.type : "\(field.type), \(field.unit)"
  }
}

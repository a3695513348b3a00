import Base
import Records
import Report
import Scenario

/// The options of `fedsim plot`.
package struct PlotOptions: Equatable {
  /// Run folders, and those of sweeps.
  package let folders: [String]
  package let x: String
  package let y: String
  package let grouping: ColumnPlot.Grouping
  package let source: ColumnPlot.Source?
  package let spread: Spread?
  package let width: PrintWidth?
  /// A file, whose ending is its form, or a folder that gets all; nil prints the numbers.
  package let out: String?
  package let format: OutputFormat

  package init(_ invocation: Invocation) throws(Failure) {
    guard !invocation.operands.isEmpty else {
      throw Failure(
        .wrongCommandLine, "E2005", "fedsim plot: found no arguments; expected run folders",
        hint: "fedsim help plot shows how it is called")
    }
    folders = invocation.operands
    func column(_ name: String) throws(Failure) -> String {
      guard let text = invocation.last(name), !text.isEmpty else {
        throw Failure(
          .wrongCommandLine, "E2003", "fedsim plot: --\(name) says which column is drawn",
          hint: "as --x bytes.up --y generic.accuracy")
      }
      return text
    }
    x = try column("x")
    y = try column("y")
    grouping = try invocation.choice("by", of: ColumnPlot.Grouping.self) ?? .strategy
    source = try invocation.choice("table", of: ColumnPlot.Source.self)
    spread = try invocation.choice("spread", of: Spread.self)
    width = try invocation.choice("width", of: PrintWidth.self)
    out = try invocation.text("out", "a file or a folder")
    format = invocation.format
  }
}

/// `fedsim plot`: any two columns of run folders against each other.
package enum PlotCommand {
  package static func run(_ options: PlotOptions) throws -> ExitCode {
    let folders = try LikeRuns.folders(LikeRuns.expanded(options.folders))
    var columns = ColumnPlot(x: options.x, y: options.y)
    columns.grouping = options.grouping
    columns.source = options.source
    columns.spread = options.spread
    let names = folders.flatMap(\.titles).reduce(into: [:]) { $0[$1.label] = $1.title }
    let plot = try columns.plot(folders).renamed { ReportInput.name($0, names) }
    guard let out = options.out else {
      switch options.format {
      case .text: Console.print(String(plot.csv.dropLast()))
      case .json: Console.answer([("figure", .string(plot.title)), ("csv", .string(plot.csv))])
      }
      return .done
    }
    let files = FigureFiles(width: options.width)
    var written = [out]
    if let form = FigureFiles.form(of: out), FileKind(of: out) != .folder {
      do throws(Failure) { try files.write(plot, form, to: out) } catch {
        throw error.ofCommandLine
      }
    } else {
      let name = "\(options.y)-over-\(options.x)"
      try files.write([(name, plot)], below: out)
      written = FigureFiles.Format.allCases.map { FilePath.join(out, "\(name).\($0.rawValue)") }
    }
    switch options.format {
    case .text: Console.print(written.map { ("figure", $0) })
    case .json: Console.answer([("files", .array(written.map(JSON.string)))])
    }
    return .done
  }
}

import Base
import Records
import Report
import Scenario

/// The options of `fedsim report`.
package struct ReportOptions: Equatable {
  /// Run folders, in the order given.
  package let folders: [String]
  /// Where the page is written; nil: `report.html` in the only folder.
  package let html: String?
  /// Where the headline table is written, by its form; nil writes none.
  package let latex: String?
  package let markdown: String?
  package let csv: String?
  /// A folder that gets each figure of the page as a file; nil writes none.
  package let figures: String?
  /// How wide these are in a paper; nil keeps their own width.
  package let width: PrintWidth?
  package let settings: Comparison.Settings
  /// Paths of settings that may differ between folders, too.
  package let granted: [String]
  package let style: ReportStyle
  package let format: OutputFormat

  package init(_ invocation: Invocation) throws(Failure) {
    guard !invocation.operands.isEmpty else {
      throw Failure(
        .wrongCommandLine, "E2005", "fedsim report: found no arguments; expected run folders",
        hint: "fedsim help report shows how it is called")
    }
    folders = invocation.operands
    html = try invocation.text("html")
    latex = try invocation.text("latex")
    markdown = try invocation.text("markdown")
    csv = try invocation.text("csv")
    figures = try invocation.text("figures")
    width = try invocation.choice("width", of: PrintWidth.self)
    if width != nil, figures == nil {
      throw Failure(
        .wrongCommandLine, "E2007", "--width is for figures that are written",
        hint: "say where: --figures DIR")
    }
    var settings = Comparison.Settings()
    settings.metric = try invocation.text("metric")
    settings.baseline = try invocation.text("baseline")
    self.settings = settings
    granted = try invocation.granted()
    style = try invocation.reportStyle()
    // A name that no column has is wrong before anything is read.
    _ = try Table.headlineColumns(style)
    format = invocation.format
    guard folders.count == 1 || html != nil else {
      throw Failure(
        .wrongCommandLine, "E2013",
        "fedsim report: a report over \(folders.count) folders belongs to none of them",
        hint: "say where it goes: --html FILE")
    }
  }
}

/// `fedsim report`: one page over one or several run folders, and its headline table for papers.
package enum ReportCommand {
  package static func run(_ options: ReportOptions) throws -> ExitCode {
    // Runs that differ in privacy are what one figure of the page is about.
    guard
      let folders = try LikeRuns.read(
        LikeRuns.expanded(options.folders), options.format, granting: options.granted,
        allowing: "privacy")
    else { return .mismatch }
    let report = try RunReport(folders, options.settings, style: options.style)
    let page = options.html ?? FilePath.join(options.folders[0], RunReport.fileName)
    var files = [(name: "report", words: page)]
    try write(report.html, to: page, isNamed: options.html != nil)
    for (name, path, text) in [
      ("latex", options.latex, report.latex), ("markdown", options.markdown, report.markdown),
      ("csv", options.csv, report.csv),
    ] {
      guard let path else { continue }
      try write(text, to: path, isNamed: true)
      files.append((name, path))
    }
    if let folder = options.figures,
      FileKind(of: FilePath.join(folder, FolderFacts.fileName)) == .file
    {
      throw Failure(
        .folderInUse, "E9003", "--figures \(folder): it is a run folder, which keeps its own files",
        hint: "name another folder")
    }
    if let folder = options.figures {
      let figures = report.input.page.figures.map {
        (name: $0.name, plot: $0.plot.renamed(report.input.name))
      }
      try FigureFiles(width: options.width).write(figures, below: folder)
      files.append(("figures", folder))
    }
    switch options.format {
    case .json:
      Console.print(
        JSON.object(
          [("schema", 1), ("status", "ok"), ("folders", .array(options.folders.map(JSON.string)))]
            + files.map { ($0.0, .string($0.1)) } + [
              ("warnings", .array(report.input.warnings.map(JSON.string)))
            ]))
    case .text:
      for warning in report.input.warnings { Console.tell("warning: " + warning) }
      Console.print(files)
    }
    return .done
  }

  /// Writes a file; a place that was named on the command line is wrong there, and another one can
  /// be named for the page of a folder that is only read.
  private static func write(_ text: String, to path: String, isNamed: Bool) throws(Failure) {
    do throws(Failure) { try AtomicFile.write(text, to: path) } catch {
      if isNamed { throw error.ofCommandLine }
      throw Failure(
        error.exit, error.code, error.message, hint: "say where else the page goes: --html FILE")
    }
  }
}

/// Figures as files: vector images that stand alone, and what they show as numbers.
struct FigureFiles {
  var width: PrintWidth?

  /// Writes `NAME.svg`, `NAME.pdf` and `NAME.csv` for each.
  func write(_ figures: [(name: String, plot: Plot)], below folder: String) throws(Failure) {
    do throws(Failure) {
      try FilePath.makeFolder(folder)
      for (name, plot) in figures {
        let path = FilePath.join(folder, name)
        for format in Format.allCases { try write(plot, format, to: path + "." + format.rawValue) }
      }
    } catch { throw error.ofCommandLine }
  }

  enum Format: String, CaseIterable { case svg, pdf, csv }

  /// The form that a file's name asks for; nil for the name of a folder.
  static func form(of path: String) -> Format? {
    Format.allCases.first { path.hasSuffix("." + $0.rawValue) }
  }

  /// Writes a figure in one form.
  func write(_ plot: Plot, _ format: Format, to path: String) throws(Failure) {
    switch format {
    case .svg: try AtomicFile.write(plot.svg(width: width), to: path)
    case .pdf: try AtomicFile.write(plot.pdf(width: width), to: path)
    case .csv: try AtomicFile.write(plot.csv, to: path)
    }
  }
}

extension Invocation {
  /// How numbers are shown: `--columns`, `--shots`, `--spread`.
  func reportStyle() throws(Failure) -> ReportStyle {
    var style = ReportStyle()
    style.spread = try choice("spread", of: Spread.self)
    style.shots = try choice("shots", of: ShotNames.self) ?? .head
    if let text = last("columns") {
      style.columns = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
      guard !style.columns.isEmpty, Set(style.columns).count == style.columns.count else {
        throw Failure(
          .wrongCommandLine, "E2004", "--columns \"\(text)\": expected names, each once",
          hint: "as --columns generic.accuracy,generic.shots.tail,bytes.up")
      }
    }
    return style
  }

  /// One of the words that an option takes; nil where it is not given.
  func choice<Word: RawRepresentable & CaseIterable>(_ option: String, of: Word.Type)
    throws(Failure) -> Word? where Word.RawValue == String
  {
    guard let text = last(option) else { return nil }
    guard let word = Word(rawValue: text) else {
      let names = Word.allCases.map(\.rawValue)
      throw Failure(
        .wrongCommandLine, "E2004", "--\(option) \"\(text)\" is unknown",
        hint: Suggestions.nearest(text, among: names).map { "did you mean \($0) ?" }
          ?? "one of \(names.joined(separator: ", "))")
    }
    return word
  }
}

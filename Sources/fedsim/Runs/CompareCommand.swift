import Base
import Federation
import Records
import Report
import Scenario

/// The options of `fedsim compare`.
package struct CompareOptions: Equatable {
  /// Run folders and scenarios, in the order given.
  package let operands: [String]
  package let settings: Comparison.Settings
  /// How the table is shown.
  package let style: ReportStyle
  /// Whether only the settings that differ are shown.
  package let onlyChanged: Bool
  /// Paths of settings that may differ, too.
  package let granted: [String]
  /// Where `compare.csv` is written, and scenarios are run; nil writes no table.
  package let out: String?
  /// For scenarios: `path=value` texts.
  package let overrides: [String]
  /// For scenarios: workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    guard !invocation.operands.isEmpty else {
      throw Failure(
        .wrongCommandLine, "E2005",
        "fedsim compare: found no arguments; expected run folders or a SCENARIO.json",
        hint: "fedsim help compare shows how it is called")
    }
    operands = invocation.operands
    var settings = Comparison.Settings()
    settings.metric = try invocation.text("metric")
    settings.baseline = try invocation.text("baseline")
    settings.budget = try invocation.choice("budget", of: RunBudget.self)
    if let text = invocation.last("tie-margin") {
      guard let margin = Double(text), margin >= 0, margin.isFinite else {
        throw Failure(
          .wrongCommandLine, "E2004", "--tie-margin \"\(text)\": expected a number >= 0")
      }
      settings.tieMargin = margin
    }
    self.settings = settings
    style = try invocation.reportStyle()
    onlyChanged = invocation.has("only-changed")
    granted = try invocation.granted()
    out = try invocation.text("out")
    overrides = try invocation.overrides()
    threads = try invocation.threads()
    format = invocation.format
    isQuiet = invocation.isQuiet
    let scenarios = operands.count(where: Self.isScenario)
    if scenarios == 0, let option = ["set", "seed", "threads"].first(where: invocation.has) {
      throw Failure(
        .wrongCommandLine, "E2007",
        "--\(option) is for a scenario that is run; only run folders are given")
    }
    if scenarios > 1 {
      throw Failure(
        .wrongCommandLine, "E2005",
        "fedsim compare: found \(scenarios) scenarios; expected one at most",
        hint: "run them with fedsim run, and compare their folders")
    }
  }

  /// Whether an argument is a scenario: no folder, and called like one.
  static func isScenario(_ operand: String) -> Bool {
    FileKind(of: operand) == .file || FileKind(of: operand) != .folder && operand.hasSuffix(".json")
  }
}

/// `fedsim compare`: the strategies of finished runs against one of them, paired by seed.
package enum CompareCommand {
  package static func run(_ options: CompareOptions) throws -> ExitCode {
    var paths: [String] = []
    var exit = ExitCode.done
    for operand in options.operands {
      guard CompareOptions.isScenario(operand) else {
        paths.append(operand)
        continue
      }
      guard let runner = try RunCommand.runner(runOptions(operand, options)) else {
        return .scenarioInvalid
      }
      let result = try runner.execute(continues: false)
      if options.format == .text {
        for trouble in result.troubles { Console.tell(Console.red(trouble)) }
      }
      exit = result.exit
      if exit == .interrupted || exit == .terminated {
        if options.format == .json { Console.print(stopped(result, runner.folder)) }
        return exit
      }
      paths.append(runner.folder)
    }
    if options.onlyChanged {
      let differences = SettingDifference.all(
        try LikeRuns.folders(paths), granting: options.granted)
      show(differences, paths, options.format)
      return differences.contains { !$0.isAllowed } ? .mismatch : exit
    }
    guard let folders = try LikeRuns.read(paths, options.format, granting: options.granted)
    else { return .mismatch }
    let differences = SettingDifference.all(folders, granting: options.granted)
    let strategies = try ComparedStrategy.all(folders)
    let comparison = try Comparison(
      strategies, options.settings, unfinished: folders.flatMap(\.unfinished))
    let table = try ComparisonTable(
      comparison, folders: paths, warnings: ChanceLevel.sentences(folders, strategies),
      style: options.style)
    var file: String?
    if let out = options.out {
      var style = options.style
      style.columns = []
      let report = try RunReport(folders, options.settings, style: style)
      let path = FilePath.join(out, "compare.csv")
      do throws(Failure) {
        try FilePath.makeFolder(out)
        try AtomicFile.write(comparison.csv, to: path)
        try report.write(to: out, tables: true)
      } catch { throw error.ofCommandLine }
      file = path
    }
    switch options.format {
    case .json:
      Console.answer(
        isOK: exit == .done,
        [
          ("exit", .int(Int(exit.rawValue))), ("folders", .array(paths.map(JSON.string))),
          ("table", file.map(JSON.string) ?? .null),
          ("report", options.out.map { .string(FilePath.join($0, RunReport.fileName)) } ?? .null),
          ("differences", .array(differences.map(\.json))), ("comparison", comparison.json),
        ])
    case .text:
      let width = Terminal.width(1)
      let granted = differences.filter(\.isGranted)
      if !granted.isEmpty {
        let lines = SettingDifference.lines(granted, folders: paths, width: width)
        Console.print((["not the same conditions:"] + lines + [""]).joined(separator: "\n"))
      }
      Console.print(table.text(width: width))
      if let file, let out = options.out {
        Console.print([("table", file), ("report", FilePath.join(out, RunReport.fileName))])
      }
    }
    return exit
  }

  private static func runOptions(_ file: String, _ options: CompareOptions) -> RunOptions {
    RunOptions(
      source: .file(file), out: options.out, overrides: options.overrides, threads: options.threads,
      format: options.format, isQuiet: options.isQuiet)
  }

  private static func stopped(_ result: ExperimentResult, _ folder: String) -> JSON {
    .object([
      ("schema", 1), ("status", "error"), ("exit", .int(Int(result.exit.rawValue))),
      ("folder", .string(folder)), ("troubles", .array(result.troubles.map(JSON.string))),
    ])
  }

  /// The settings that differ, as the result.
  private static func show(
    _ differences: [SettingDifference], _ paths: [String], _ format: OutputFormat
  ) {
    let isUnlike = differences.contains { !$0.isAllowed }
    switch format {
    case .json:
      Console.answer([
        ("folders", .array(paths.map(JSON.string))), ("comparable", .bool(!isUnlike)),
        ("differences", .array(differences.map(\.json))),
      ])
    case .text:
      if differences.isEmpty { return Console.print("no setting differs") }
      let lines = SettingDifference.lines(differences, folders: paths, width: Terminal.width(1))
      Console.print(lines.joined(separator: "\n"))
      Console.print(
        isUnlike
          ? "not comparable: more than strategies, name, seeds, output and the report's differs"
          : "comparable: only strategies, name, seeds, output or what the report shows differ")
    }
  }
}

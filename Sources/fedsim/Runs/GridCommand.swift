import Base
import Records
import Scenario
import Studies

/// A sweep from options: `fedsim sweep SCENARIO --grid PATH=V,V`, and `fedsim tune`, which also
/// writes the scenario with what was best for each strategy on validation images.
enum GridCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    let options = try SweepOptions(invocation)
    let isTuning = invocation.command == .tune
    if FileKind(of: options.source) == .folder { return try goOn(invocation, options) }
    guard isTuning || invocation.has("grid") else {
      for name in ["seeds", "set"] where invocation.has(name) {
        throw Failure(
          .wrongCommandLine, "E2004", "--\(name): a sweep file says it itself",
          hint: "with --grid PATH=V,V a scenario is swept instead")
      }
      return try SweepCommand.run(options)
    }
    let (bytes, name) = try scenario(options.source, invocation)
    if invocation.has("validation"),
      (try? JSON(parsing: bytes))?["evaluation"]?["validation"] != nil
    {
      throw Failure(
        .wrongCommandLine, "E2004",
        "--validation: the scenario has evaluation.validation, which holds",
        hint: "leave the option out, or say --set evaluation.validation=SHARE")
    }
    let text = try sweep(
      invocation, base: options.source, name: "\(name)-\(isTuning ? "tune" : "sweep")")
    let reading = SweepReader().read(
      bytes: Array(text.pretty.utf8), file: "the options of fedsim \(invocation.command.rawValue)"
    ) { _ in (options.source, bytes) }
    return try SweepCommand.run(reading, options, isFolder: false)
  }

  /// The folder of a sweep: its files say everything.
  private static func goOn(_ invocation: Invocation, _ options: SweepOptions) throws -> ExitCode {
    for name in ["grid", "by", "validation", "seeds", "set"] where invocation.has(name) {
      throw Failure(
        .wrongCommandLine, "E2004", "--\(name): \(options.source) is a folder, which has its own",
        hint: "leave the option out, or name a scenario")
    }
    return try SweepCommand.run(options)
  }

  /// The scenario with what `--set` says, and its name.
  private static func scenario(_ path: String, _ invocation: Invocation) throws -> (
    bytes: [UInt8], name: String
  ) {
    let bytes = try FileReader.scenario(path, what: "a scenario")
    let overrides = invocation.options["set"] ?? []
    // What is wrong with the file or the overrides is said as by validate.
    guard var tree = try? JSON(parsing: bytes), tree.members != nil else { return (bytes, "run") }
    let file = path.split(separator: "/").last.map(String.init) ?? path
    let name = tree["name"]?.text ?? (file.hasSuffix(".json") ? String(file.dropLast(5)) : file)
    guard !overrides.isEmpty else { return (bytes, name) }
    if let problem = Overrides.apply(overrides, to: &tree).first {
      throw Failure(.wrongCommandLine, problem.code, problem.message, hint: problem.hint)
    }
    return (Array(tree.pretty.utf8), name)
  }

  /// The sweep file that the options stand for.
  private static func sweep(_ invocation: Invocation, base: String, name: String) throws -> JSON {
    var grid: [(String, JSON)] = []
    for text in invocation.options["grid"] ?? [] {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw Failure(
          .wrongCommandLine, "E2004", "--grid \"\(text)\": expected PATH=VALUE,VALUE,...",
          hint: "for example --grid client.optimizer.learningRate=0.01,0.1")
      }
      let path = String(text[..<equals])
      guard !grid.contains(where: { $0.0 == path }) else {
        throw Failure(.wrongCommandLine, "E2004", "--grid \(path): given twice")
      }
      grid.append((path, try values(String(text[text.index(after: equals)...]), of: path)))
    }
    guard !grid.isEmpty else {
      throw Failure(
        .wrongCommandLine, "E2004", "no grid: nothing to choose from",
        hint: "for example --grid client.optimizer.learningRate=0.003,0.01,0.03,0.1,0.3")
    }
    var tune: [(String, JSON)] = []
    if let metric = invocation.last("by") { tune.append(("by", .string(metric))) }
    if let share = invocation.last("validation") {
      tune.append(("validation", try values(share, of: "--validation").elements?.first ?? .null))
    }
    return .known([
      ("fedsim", 1), ("kind", "sweep"), ("name", .string(name)), ("base", .string(base)),
      ("seeds", try invocation.last("seeds").map { try values($0, of: "--seeds") }),
      ("grid", .object(grid)),
      ("tune", invocation.command == .tune ? .object(tune) : nil),
    ])
  }

  /// Values between commas, or one JSON list; words need no quotes.
  private static func values(_ text: String, of path: String) throws -> JSON {
    if text.hasPrefix("["), let list = try? JSON(parsing: Array(text.utf8)) { return list }
    // Commas inside brackets belong to one value.
    if let list = try? JSON(parsing: Array("[\(text)]".utf8)), list.elements?.isEmpty == false {
      return list
    }
    let words = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard words.allSatisfy({ !$0.isEmpty }) else {
      throw Failure(.wrongCommandLine, "E2004", "\(path): expected values between commas")
    }
    return .array(words.map { (try? JSON(parsing: Array($0.utf8))) ?? .string($0) })
  }
}

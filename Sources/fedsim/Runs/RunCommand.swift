import Base
import Federation
import Records
import Scenario

/// The options of `fedsim run`.
package struct RunOptions: Equatable {
  package let source: ScenarioOrigin
  /// The run folder; nil lets the program choose a name.
  package let out: String?
  /// `path=value` texts, `--seed N` included as `seeds=[N]`.
  package let overrides: [String]
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool
  /// Whether a scenario that has finished is run once more.
  package var isAgain = false

  package init(_ invocation: Invocation) throws(Failure) {
    isAgain = invocation.has("again")
    source = try invocation.scenarioOrigin()
    out = try invocation.text("out", "a folder")
    overrides = try invocation.overrides()
    threads = try invocation.threads()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }

  /// A run that another command asks for.
  package init(
    source: ScenarioOrigin, out: String?, overrides: [String], threads: Int?, format: OutputFormat,
    isQuiet: Bool
  ) {
    self.source = source
    self.out = out
    self.overrides = overrides
    self.threads = threads
    self.format = format
    self.isQuiet = isQuiet
  }

  /// The command that repeats the run, with its scenario's name.
  package var command: String {
    (["fedsim run", source.words] + overrides.map { "--set " + Shell.quoted($0) }).joined(
      separator: " ")
  }
}

/// `fedsim run`: trains every strategy with every seed and writes the run folder.
package enum RunCommand {
  package static func run(_ options: RunOptions) throws -> ExitCode {
    guard let runner = try runner(options) else { return .scenarioInvalid }
    if !options.isAgain, let done = try finished(runner, options) {
      return try done.run(continues: true)
    }
    return try runner.run(continues: false)
  }

  /// The folder in which the same scenario has finished already, to be shown again; nil without.
  private static func finished(_ runner: ExperimentRunner, _ options: RunOptions) throws
    -> ExperimentRunner?
  {
    let isSilent = options.isQuiet || options.format == .json
    let name = runner.experiment.scenario.name
    let paths =
      options.out.map { [$0] } ?? takenFolders(name, hash: runner.source.hash, options.source)
    for path in paths {
      guard FileKind(of: FilePath.join(path, FolderFacts.fileName)) == .file,
        try FolderFacts.read(path)?.scenarioHash == runner.source.hash,
        case let folder = try RunFolder(path),
        // An extended folder has more than was asked for.
        folder.rounds == runner.experiment.scenario.federation.rounds
      else { continue }
      guard !folder.isOpen else {
        // With --out the refusal says the same.
        if options.out == nil, !isSilent {
          Console.tell("\(path) has unfinished runs of this scenario: fedsim resume \(path)")
        }
        continue
      }
      if !isSilent {
        Console.tell("\(path): this scenario has been run; --again runs it once more")
      }
      var done = runner
      done.folder = path
      return done
    }
    return nil
  }

  /// Reads the scenario and its data; nil, with all problems reported, when it is invalid.
  static func runner(_ options: RunOptions) throws -> ExperimentRunner? {
    let bytes = try options.source.bytes()
    options.source.tellDeviations(options.format, isQuiet: options.isQuiet)
    let reading = ScenarioReader().read(
      bytes: bytes, file: options.source.file, overrides: options.overrides)
    guard let scenario = reading.scenario, let resolved = reading.resolved, let hash = reading.hash,
      reading.errors.isEmpty
    else {
      ValidateCommand.refuse(reading, options.format, isQuiet: options.isQuiet)
      return nil
    }
    if options.format == .text { ValidateCommand.report(reading, isQuiet: options.isQuiet) }
    let experiment = try Experiment(scenario)
    return ExperimentRunner(
      experiment: experiment,
      source: ScenarioSource(
        bytes: bytes, overrides: options.overrides, resolved: resolved, hash: hash,
        command: options.command),
      folder: options.out ?? freeFolder(scenario.name, hash: hash, options.source),
      threads: options.threads ?? Machine.coreCount,
      warnings: reading.warnings.map { "\($0.path): \($0.message)" }, format: options.format,
      isQuiet: options.isQuiet)
  }

  private static func baseFolder(_ name: String, hash: String, _ source: ScenarioOrigin)
    -> String
  { source == .example ? "runs/example" : "runs/\(name)-\(hash.prefix(6))" }

  /// `runs/<name>-<hash>` and its -2, -3, … as far as they are there.
  private static func takenFolders(_ name: String, hash: String, _ source: ScenarioOrigin)
    -> [String]
  {
    let base = baseFolder(name, hash: hash, source)
    var paths: [String] = []
    while case let path = paths.isEmpty ? base : "\(base)-\(paths.count + 1)",
      FileKind(of: path) != .missing
    { paths.append(path) }
    return paths
  }

  /// The first of these that is free: nothing is overwritten.
  private static func freeFolder(_ name: String, hash: String, _ source: ScenarioOrigin)
    -> String
  {
    let base = baseFolder(name, hash: hash, source)
    let taken = takenFolders(name, hash: hash, source).count
    return taken == 0 ? base : "\(base)-\(taken + 1)"
  }
}

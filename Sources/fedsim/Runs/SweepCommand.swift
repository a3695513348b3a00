import Base
import Federation
import Records
import Report
import Scenario
import Studies

/// The options of `fedsim sweep`.
package struct SweepOptions: Equatable {
  /// The sweep file, or the folder of a sweep that was started before.
  package let source: String
  /// The sweep's folder; nil lets the program choose a name.
  package let out: String?
  /// The part of the runs that this process makes; nil for all.
  package let shard: SweepShard?
  /// Whether runs are listed and not made.
  package let isListing: Bool
  /// Workers; nil means one per core.
  package let threads: Int?
  package let format: OutputFormat
  package let isQuiet: Bool

  package init(_ invocation: Invocation) throws(Failure) {
    source = try invocation.onlyOperand("SWEEP.json, or the folder of a sweep")
    out = try invocation.text("out", "a folder")
    if let text = invocation.last("shard") {
      guard let known = SweepShard(text) else {
        throw Failure(
          .wrongCommandLine, "E2020", "--shard \"\(text)\": expected i/n with 1 <= i <= n",
          hint: "for example --shard 2/4: the second of four parts")
      }
      shard = known
    } else {
      shard = nil
    }
    isListing = invocation.has("print")
    threads = try invocation.threads()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim sweep`: many scenarios from one file, each run in a folder of its own.
package enum SweepCommand {
  package static func run(_ options: SweepOptions) throws -> ExitCode {
    let isFolder = FileKind(of: options.source) == .folder
    let reading = try isFolder ? reading(folder: options.source) : reading(file: options.source)
    return try run(reading, options, isFolder: isFolder)
  }

  /// A sweep that was read, or the reasons why there is none.
  static func run(_ reading: SweepReading, _ options: SweepOptions, isFolder: Bool) throws
    -> ExitCode
  {
    guard let sweep = reading.sweep else {
      if options.format == .json {
        Console.print(ValidateCommand.json(reading.report))
      } else {
        ValidateCommand.report(reading.report, isQuiet: options.isQuiet)
      }
      return .scenarioInvalid
    }
    if options.format == .text { ValidateCommand.report(reading.report, isQuiet: options.isQuiet) }
    let path = options.out ?? (isFolder ? options.source : "runs/\(sweep.name)")
    let folder = SweepFolder(path)
    return options.isListing ? try list(sweep, folder, options) : try make(sweep, folder, options)
  }

  // MARK: Reading

  /// A sweep file; its scenario is beside it, or where the working folder says.
  private static func reading(file: String) throws -> SweepReading {
    let bytes = try FileReader.scenario(file, what: "a sweep file")
    return SweepReader().read(bytes: bytes, file: file) { name throws(Failure) in
      let places = PathPlaces(file: file)
      let base = places.find(name)
      do throws(Failure) {
        return (base.path, try FileReader.scenario(base.path, what: "a scenario"))
      } catch { throw ScenarioPaths(places: places, named: [base]).explained(error) }
    }
  }

  /// What a sweep's folder keeps of its files: later changes of the originals do not matter.
  private static func reading(folder: String) throws -> SweepReading {
    let file = FilePath.join(folder, "sweep.json")
    let resolved = FilePath.join(folder, "sweep.resolved.json")
    guard FileKind(of: file) == .file, FileKind(of: resolved) == .file else {
      throw Failure(
        .dataMissingOrCorrupt, "E4110", "\(folder) is no folder of a sweep: it has no sweep.json",
        hint: "name a sweep file, or a folder that fedsim sweep wrote")
    }
    // The scenario keeps the name that it had: it may be the default of its "name".
    guard let known = try? JSON(parsing: try FileReader.bytes(of: resolved)),
      let base = known["base"]?.text
    else {
      throw Failure(
        .dataMissingOrCorrupt, "E4128", "\(resolved) is damaged",
        hint: "restore it, or name the sweep file again: fedsim sweep SWEEP.json --out \(folder)")
    }
    let bytes = try FileReader.bytes(of: FilePath.join(folder, "base.json"))
    let reading = SweepReader().read(bytes: try FileReader.bytes(of: file), file: file) { _ in
      (base, bytes)
    }
    // A sweep without a name takes that of its file, which is another one here.
    func unnamed(_ json: JSON) -> String {
      var json = json
      json["name"] = nil
      return json.compact
    }
    guard let sweep = reading.sweep, unnamed(sweep.json) != unnamed(known) else { return reading }
    throw Failure(
      .dataMissingOrCorrupt, "E4129",
      "\(folder): its sweep.json and base.json do not give the runs of \(resolved)",
      hint: "restore them, or say that others are meant: fedsim sweep SWEEP.json --out \(folder)")
  }

  // MARK: Running

  private static func list(_ sweep: Sweep, _ folder: SweepFolder, _ options: SweepOptions) throws
    -> ExitCode
  {
    let listing = try SweepListing(sweep, in: folder, shard: options.shard)
    switch options.format {
    case .json:
      Console.answer([
        ("name", .string(sweep.name)), ("base", .string(sweep.base)),
        ("folder", .string(folder.path)), ("runs", listing.json(sweep)),
      ])
    case .text: Console.print(listing.text(sweep, width: Terminal.width(1)))
    }
    return .done
  }

  private static func make(_ sweep: Sweep, _ folder: SweepFolder, _ options: SweepOptions) throws
    -> ExitCode
  {
    Interruption.listen()
    let silent = options.isQuiet || options.format == .json
    var voice = SweepVoice(sweep, threads: options.threads ?? Machine.coreCount, isSilent: silent)
    let runner = SweepRunner(
      sweep, in: folder, shard: options.shard, threads: options.threads ?? Machine.coreCount)
    let outcome = try runner.run { event in
      voice.tell(event)
    } report: { state, record in
      voice.report(state, record)
    }
    voice.leaveLine()
    let results = outcome.results
    switch options.format {
    case .json:
      Console.print(
        JSON.object(
          [
            ("schema", 1), ("status", .string(outcome.exit == .done ? "ok" : "error")),
            ("exit", .int(Int(outcome.exit.rawValue))),
            ("missing", outcome.missing.map(JSON.string) ?? .null),
          ] + results.json))
    case .text:
      Console.print(SweepTable(results).text(width: Terminal.width(1)))
      for (run, failure) in results.failed.prefix(10) {
        let command = results.command(run, after: failure)
        Console.tell(
          Console.red("trial \(run.trial) seed \(run.seed): \(failure.message)") + "\n  "
            + (command.isEmpty ? "" : "go on with: \(command)   ")
            + "more: fedsim explain \(failure.code)")
      }
      if results.failed.count > 10 {
        Console.tell("\(results.failed.count - 10) more failed: \(folder.file("failed.csv"))")
      }
      if let missing = outcome.missing { Console.tell(missing) }
      Console.print([
        ("tables", "\(folder.path)/{results,trials,front,failed}.csv"),
        ("report", folder.file("sweep.html")),
      ])
      if sweep.tune != nil {
        Console.print([("next", "fedsim run \(folder.file("tuned.json"))")])
      }
    }
    return outcome.exit
  }
}

/// What a sweep says on stderr while it goes on.
private struct SweepVoice {
  let sweep: Sweep
  let isSilent: Bool
  private let threads: Int
  private var progress: Progress?
  private var place = ""
  private var begun = 0.0
  /// When the first run began.
  private var start = 0.0

  init(_ sweep: Sweep, threads: Int, isSilent: Bool) {
    self.sweep = sweep
    self.threads = threads
    self.isSilent = isSilent
  }

  mutating func tell(_ event: SweepRunner.Event) {
    if isSilent { return }
    leaveLine()
    switch event {
    case .started(let run, let trial, let place, let count):
      begun = SystemClock.now()
      if start == 0 { start = begun }
      var scenario = trial.scenario
      scenario.seeds = [run.seed]
      progress = Progress(
        style: Console.progressStyle(isSilent: isSilent),
        plan: scenario.progressPlan(threads: threads), started: start)
      self.place = "\(place)/\(count)  trial \(run.trial)  seed \(run.seed)"
      let words = trial.words(sweep.paths)
      if !words.isEmpty { self.place += "  \(words)" }
    case .ended: Console.tell("\(place)  \(NumberText.duration(SystemClock.now() - begun))")
    case .failed(_, let failure): Console.tell(Console.red("\(place)  \(failure.message)"))
    case .held: Console.tell("\(place)  another process makes this run; it is left to it")
    case .leftAlone(let count):
      Console.tell(
        "\(count) run\(count == 1 ? "" : "s") of an earlier sweep file in this folder "
          + "\(count == 1 ? "is" : "are") left alone")
    }
  }

  /// Rounds are shown on terminals, and elsewhere once a minute: a line per run is enough there.
  mutating func report(_ state: ProgressState, _ record: RoundRecord) {
    progress?.width = Terminal.width(2)
    progress?.height = Terminal.height(2)
    Terminal.note(
      progress?.roundEnded(
        state, seconds: record.time.wall, evaluated: false, now: SystemClock.now()) ?? "")
  }

  mutating func leaveLine() { Terminal.note(progress?.leave() ?? "") }
}

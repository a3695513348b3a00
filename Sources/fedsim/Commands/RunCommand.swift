import Federation

/// The options of `fedsim run`.
struct RunOptions: Equatable {
  /// What is run.
  enum Source: Equatable {
    /// A scenario file.
    case file(String)
    /// The built-in scenario.
    case example
  }

  let source: Source
  /// The run folder; nil lets the program choose a name.
  let out: String?
  /// `path=value` texts, `--seed N` included as `seeds=[N]`.
  let overrides: [String]
  /// Workers; nil means one per core.
  let threads: Int?
  let format: OutputFormat
  let isQuiet: Bool

  init(_ invocation: Invocation) throws(Failure) {
    if invocation.has("example") {
      try invocation.noOperands()
      source = .example
    } else {
      source = .file(try invocation.onlyOperand("SCENARIO.json, or --example"))
    }
    if let out = invocation.last("out"), out.isEmpty {
      throw Failure(.wrongCommandLine, "E2004", "--out \"\": expected a folder")
    }
    out = invocation.last("out")
    let seed = try invocation.integer("seed", in: 0...(1 << 53))
    overrides = (invocation.options["set"] ?? []) + (seed.map { ["seeds=[\($0)]"] } ?? [])
    threads = try invocation.integer("threads", in: 1...4096)
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim run`: trains every strategy with every seed and writes the run folder.
enum RunCommand {
  static func run(_ options: RunOptions) throws -> ExitCode {
    throw Failure(.internalError, "E1001", "run is not linked in yet")
  }
}

import Federation

/// The options of `fedsim resume`.
struct ResumeOptions: Equatable {
  /// The run folder.
  let folder: String
  /// Workers; nil means one per core.
  let threads: Int?
  let format: OutputFormat
  let isQuiet: Bool

  init(_ invocation: Invocation) throws(Failure) {
    folder = try invocation.onlyOperand("the run folder")
    threads = try invocation.integer("threads", in: 1...4096)
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim resume`: goes on from the last checkpoint of a run folder.
enum ResumeCommand {
  static func run(_ options: ResumeOptions) throws -> ExitCode {
    throw Failure(.internalError, "E1001", "resume is not linked in yet")
  }
}

import Federation

/// The options of `fedsim data check`.
struct DataCheckOptions: Equatable {
  /// A data folder or a scenario file.
  let path: String
  /// The data set's kind when `path` is a folder; nil lets the program tell from its files.
  let kind: String?
  let format: OutputFormat
  let isQuiet: Bool

  init(_ invocation: Invocation) throws(Failure) {
    guard let verb = invocation.operands.first, verb == "check" else {
      let given = invocation.operands.first.map { "unknown data command \"\($0)\"" }
      throw Failure(
        .wrongCommandLine,
        "E2005",
        given ?? "fedsim data: expected check PATH",
        hint: "fedsim data check PATH [--kind cifar10]"
      )
    }
    guard invocation.operands.count == 2 else {
      throw Failure(
        .wrongCommandLine,
        "E2005",
        "fedsim data check: found \(invocation.operands.count - 1) arguments; expected one: PATH"
      )
    }
    path = invocation.operands[1]
    kind = invocation.last("kind")
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim data check`: whether the files of a data set are whole.
enum DataCommand {
  static func run(_ options: DataCheckOptions) throws -> ExitCode {
    throw Failure(.internalError, "E1001", "data check is not linked in yet")
  }
}

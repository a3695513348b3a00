import Federation

/// The options of `fedsim doctor`.
struct DoctorOptions: Equatable {
  let format: OutputFormat
  let isQuiet: Bool

  init(_ invocation: Invocation) throws(Failure) {
    try invocation.noOperands()
    format = invocation.format
    isQuiet = invocation.isQuiet
  }
}

/// `fedsim doctor`: what this machine is, how fast it is, and whether it repeats itself.
enum DoctorCommand {
  static func run(_ options: DoctorOptions) throws -> ExitCode {
    throw Failure(.internalError, "E1001", "doctor is not linked in yet")
  }
}

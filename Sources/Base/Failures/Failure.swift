/// The exit codes of the program.
public enum ExitCode: Int32, Sendable, CaseIterable {
  case done = 0
  case internalError = 1
  case wrongCommandLine = 2
  case scenarioInvalid = 3
  case dataMissingOrCorrupt = 4
  case diverged = 5
  case limitReached = 6
  case mismatch = 7
  case sweepWithFailures = 8
  case folderInUse = 9
  case interrupted = 130
  case terminated = 143
}

/// Something the user can mend, with a stable code that `fedsim explain` knows.
public struct Failure: Error, Sendable, Equatable {
  /// What the process exits with.
  public let exit: ExitCode
  /// Such as "E4003".
  public let code: String
  /// What was found and what was expected; names the file or path.
  public let message: String
  /// What to do about it.
  public let hint: String?

  /// A failure with every entry.
  public init(_ exit: ExitCode, _ code: String, _ message: String, hint: String? = nil) {
    self.exit = exit
    self.code = code
    self.message = message
    self.hint = hint
  }
}

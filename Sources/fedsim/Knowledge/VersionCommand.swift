import Base

/// `fedsim version`: the program's and its formats' versions.
enum VersionCommand {
  static func run(_ invocation: Invocation) throws -> ExitCode {
    try invocation.noOperands()
    switch invocation.format {
    case .text:
      Console.print(
        "fedsim \(FedsimVersion.current)  (scenario format \(FedsimVersion.scenarioFormat))")
    case .json:
      Console.answer([
        ("version", .string(FedsimVersion.current)),
        ("scenarioFormat", .int(FedsimVersion.scenarioFormat)),
      ])
    }
    return .done
  }
}

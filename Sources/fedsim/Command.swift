import Base

/// Leads an invocation to its command.
package enum Command {
  /// Runs a command; the result is the exit code.
  package static func run(_ invocation: Invocation) throws -> ExitCode {
    if invocation.wantsHelp { return HelpCommand.show(invocation.command, invocation.format) }
    switch invocation.command {
    case .run: return try RunCommand.run(RunOptions(invocation))
    case .plan: return try PlanCommand.run(PlanOptions(invocation))
    case .verify: return try VerifyCommand.run(VerifyOptions(invocation))
    case .resume: return try ResumeCommand.run(ResumeOptions(invocation))
    case .compare: return try CompareCommand.run(CompareOptions(invocation))
    case .report: return try ReportCommand.run(ReportOptions(invocation))
    case .watch: return try WatchCommand.run(WatchOptions(invocation), isQuiet: invocation.isQuiet)
    case .completion: return try Completion.run(invocation)
    case .man: return try ManPage.run(invocation)
    case .sweep, .tune: return try GridCommand.run(invocation)
    case .plot: return try PlotCommand.run(PlotOptions(invocation))
    case .audit: return try AuditCommand.run(AuditOptions(invocation))
    case .validate: return try ValidateCommand.run(invocation)
    case .list: return try ListCommand.run(invocation)
    case .explain: return try ExplainCommand.run(invocation)
    case .data: return try DataCommand.run(invocation)
    case .privacy: return try PrivacyCommand.run(PrivacyOptions(invocation))
    case .doctor: return try DoctorCommand.run(DoctorOptions(invocation))
    case .bench: return try BenchCommand.run(BenchOptions(invocation))
    case .schema: return try SchemaCommand.run(invocation)
    case .version: return try VersionCommand.run(invocation)
    case .help: return try HelpCommand.run(invocation)
    }
  }
}

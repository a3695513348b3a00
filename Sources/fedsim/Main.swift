import Base

/// The program: words in, words and an exit code out.
@main struct Main {
  static func main() {
    Console.secureStreams()
    let words = Array(CommandLine.arguments.dropFirst())
    var code = run(words)
    if let lost = Console.outputFailure {
      Console.report(lost, format: .text)
      if code == .done { code = lost.exit }
    }
    fflush(nil)
    exit(code.rawValue)
  }

  /// Parses, runs and reports; every failure ends here.
  static func run(_ words: [String]) -> ExitCode {
    do {
      let invocation = try Arguments.parse(words)
      return try Command.run(invocation)
    } catch let failure as Failure where failure.code == "E1034" {
      // Whoever read a pipe has seen enough.
      return .done
    } catch let failure as Failure {
      Console.report(failure, format: Arguments.format(in: words))
      return failure.exit
    } catch {
      let failure = Failure(.internalError, "E1000", "\(error)")
      Console.report(failure, format: Arguments.format(in: words))
      return failure.exit
    }
  }
}
